import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadPolicies } from '../../../src/policy/load.ts';
import { policySet, vocabulary } from './support.ts';

const load = (text: string) => loadPolicies(vocabulary, [{ name: 'a.cedar', text }]);
function faults(text: string) {
  const loaded = load(text);
  return loaded.ok
    ? []
    : loaded.faults.map(({ line, column, message, cure }) => [`${line}:${column}`, message, cure]);
}

describe('says what is wrong, where, and what to write', () => {
  it.each([
    [
      'permit (principal, action, resource);',
      '1:1',
      'the policy has no @id',
      'write @id("what-it-is-for") before it',
    ],
    [
      '\n  @id permit (principal, action, resource);',
      '2:3',
      '@id is not a name',
      'use letters, digits and . _ : / -, at most 100',
    ],
    [
      '@id("a") permit (principal, action, resource);\n\n@id("a") forbid (principal, action, resource);',
      '3:1',
      '@id("a") is taken by a.cedar:1',
      'give it a name of its own',
    ],
    [
      '@id("a") @reson("x") permit (principal, action, resource);',
      '1:1',
      'the annotation @reson is not known',
      'use @id, @reason, @hint, @approval, @quorum, @window, @mask, @lookups, @rows, @limit, or a comment',
    ],
    [
      '@id("a") @mask("stars") forbid (principal, action == Action::"reveal", resource);',
      '1:1',
      '@mask("stars") is not a mask',
      'write one of partial, keep-format, pseudonym, redact, null, full',
    ],
    ...['', '20', '0/1h', '20/2d', '10001/1h', '20/1h/1h', '-1/1h', '1e3/1h'].map(
      (text): [string, string, string, string] => [
        `@id("a") @lookups("${text}") forbid (principal, action == Action::"reveal", resource);`,
        '1:1',
        `@lookups("${text}") is not a number in a time of at most a day`,
        'write how many in how long, as in @lookups("20/1h"); at most 10000',
      ],
    ),
    [
      '@id("a") @lookups("20/1h") permit (principal, action == Action::"reveal", resource);',
      '1:1',
      '@lookups does nothing on a permit',
      'put it on the forbid that it softens',
    ],
    ...(
      [
        ['@mask("partial")', 'says how a value is shown', 'reveal'],
        ['@lookups("20/1h")', 'says how often may be asked for a value that is hidden', 'reveal'],
        ['@approval("dba") @window("2h")', 'says how long what was opened may stay open', 'connect'],
      ] as const
    ).map(([note, says, verb]): [string, string, string, string] => [
      `@id("a") ${note} forbid (principal, action == Action::"sql.select", resource);`,
      '1:1',
      `@${/(\w+)\("[^"]*"\)$/.exec(note)![1]} ${says}, and this rule forbids no ${verb}`,
      `put it on a forbid of ${verb}, or leave it out`,
    ]),
    ...(
      [
        ['context.time.weekday == 0', 'time.weekday never has 0', 'from 1 (Monday) to 7 (Sunday)'],
        [
          '[6, 0].contains(context.time.weekday)',
          'time.weekday never has 0',
          'from 1 (Monday) to 7 (Sunday)',
        ],
        ['8 != context.time.weekday', 'time.weekday never has 8', 'from 1 (Monday) to 7 (Sunday)'],
        ['context.time.hour == 24', 'time.hour never has 24', 'from 0 to 23'],
        ['context.time.hour > 25', 'time.hour never has 25', 'from 0 to 23'],
        ['true && (context.time.minute >= 61 || false)', 'time.minute never has 61', 'from 0 to 59'],
        [
          'context.time.date == "24.12.2026"',
          'time.date never has "24.12.2026"',
          'written as in "2026-12-31"',
        ],
        [
          '["1.1.2027"].contains(context.time.date)',
          'time.date never has "1.1.2027"',
          'written as in "2026-12-31"',
        ],
        [
          'context.columns.contains("customers.email")',
          'columns never has "customers.email"',
          'written as in "public.customers.email"',
        ],
        [
          'context.columns.contains("pg/public.a.b")',
          'columns never has "pg/public.a.b"',
          'written as in "public.customers.email"',
        ],
        [
          'context.functions.containsAny(["pg_sleep"])',
          'functions never has "pg_sleep"',
          'written as in "pg_catalog.lower"',
        ],
      ] as const
    ).map(([condition, never, like]): [string, string, string, string] => [
      `@id("a") forbid (principal, action in Action::"sql.write", resource) when { ${condition} };`,
      '1:1',
      `context.${never}`,
      `it is ${like}`,
    ]),
    ...(
      [
        // The night, as if it ended on the day on which it began.
        ['context.time.hour >= 22 && context.time.hour < 6', 'time.hour never is >= 22 and < 6 at once'],
        ['22 <= context.time.hour && 6 > context.time.hour', 'time.hour never is >= 22 and < 6 at once'],
        [
          'context.time.weekday == 6 && context.hasWhere && context.time.weekday == 7',
          'time.weekday never is == 6 and == 7 at once',
        ],
        [
          'context.hasWhere || (context.time.hour > 8 && context.time.hour < 9)',
          'time.hour never is > 8 and < 9 at once',
        ],
      ] as const
    ).map(([condition, never]): [string, string, string, string] => [
      `@id("a") forbid (principal, action in Action::"sql.write", resource) when { ${condition} };`,
      '1:1',
      `context.${never}`,
      'between the two write ||',
    ]),
    ...(
      [
        [
          'k8s.get',
          'resource is KubernetesObject',
          'resource.kind == "Pod"',
          'resource.kind never is "Pod"',
          '"pods"',
        ],
        ['k8s.exec', 'resource', 'resource.kind == "pod"', 'resource.kind never is "pod"', '"pods"'],
        [
          'k8s.get',
          'resource',
          'resource is Subresource && ["pods", "Deployment"].contains(resource.kind)',
          'resource.kind never is "Deployment"',
          '"pods"',
        ],
        ['k8s.exec', 'resource', 'context.argv == ["ls", "1=-l"]', 'context.argv never has "ls"', '"0=ls"'],
        [
          'http.get',
          'resource is Endpoint',
          'resource.path == "/orders/"',
          'resource.path never is "/orders/"',
          '"/orders/7"',
        ],
        [
          'http.get',
          'resource is Endpoint',
          '"orders" != resource.path',
          'resource.path never is "orders"',
          '"/orders/7"',
        ],
      ] as const
    ).map(([verb, head, condition, never, like]): [string, string, string, string] => [
      `@id("a") forbid (principal, action == Action::"${verb}", ${head}) when { ${condition} };`,
      '1:1',
      never,
      `it is written as in ${like}`,
    ]),
    [
      '@id("a") permit (principal == Group::"g", action == Action::"sql.select", resource);',
      '1:1',
      'this rule can never apply',
      'a group needs "in": principal in Group::"g"',
    ],
    [
      '@id("a") permit (principal, action == Action::"sql.select", resource == Resource::"pg");',
      '1:1',
      'this rule can never apply',
      'what lies below it needs "in": resource in Resource::"pg"; or the action is not done to it',
    ],
    [
      '@id("a") forbid (principal, action == Action::"reveal", resource) when { resource.tags == "pii" };',
      '1:74',
      'the types String and Set<String> are not compatible',
      'both operands to a `==` expression must have compatible types. Types must be exactly equal to be compatible',
    ],
    [
      '@id("a") @mask("null") permit (principal, action == Action::"reveal", resource);',
      '1:1',
      '@mask does nothing on a permit',
      'put it on the forbid that it softens',
    ],
    [
      '@id("a") @approval("") forbid (principal, action, resource);',
      '1:1',
      '@approval is not a name',
      'write who approves, as in @approval("dba")',
    ],
    [
      '@id("a") @reason("") permit (principal, action, resource);',
      '1:1',
      '@reason is empty or longer than 400 characters',
      'write one sentence',
    ],
    [
      '// é\n@id("a")\nforbid (principal, action == Action::"sql.delete", resource)\nwhen { "é" == "é" && principal.declared.model == "x" };',
      '4:22',
      'unable to guarantee safety of access to optional attribute `declared.model` on entity type `Agent`',
      expect.stringContaining('has model'),
    ],
    [
      '@id("a") forbid (principal, action, resource)\nwhen { resource.name == "x" };',
      '2:8',
      expect.stringContaining('attribute `name`'),
      expect.any(String),
    ],
    [
      '@id("a") forbid (principal, action == Action::"sql.selct", resource);',
      '1:39',
      'unrecognized action `Action::"sql.selct"`',
      'did you mean `Action::"sql.select"`?',
    ],
    [
      '@id("a") forbid (principal in Groop::"x", action, resource);',
      '1:31',
      'unrecognized entity type `Groop`',
      'did you mean `Group`?',
    ],
    [
      '@id("a") forbid (principal, action == Action::"sql.write", resource);',
      '1:1',
      'this rule can never apply',
      'a group needs "in": action in Action::"sql.write"',
    ],
    [
      '@id("a") forbid (principal, action == Action::"reveal", resource) when { context has approvals };',
      '1:1',
      'this rule can never apply',
      expect.any(String),
    ],
    [
      '@id("a")\nforbid (principal, action, resource',
      '2:36',
      'unexpected end of input',
      'close what is open, and end the rule with ;',
    ],
    [
      '@id("a") forbid (principal, action, resource) when { "x };',
      '1:54',
      'invalid token',
      'try checking that all strings are closed properly',
    ],
    [
      '@id("a") permit (principal == ?principal, action, resource);',
      '1:31',
      expect.stringContaining('template'),
      expect.any(String),
    ],
    [
      '@id("a") @rows("many") permit (principal, action, resource);',
      '1:1',
      '@rows("many") is not a number of rows',
      'write a whole number from 1 to 999999999, as in @rows("1000")',
    ],
    [
      '@id("a") @rows("0") permit (principal, action, resource);',
      '1:1',
      '@rows("0") is not a number of rows',
      expect.any(String),
    ],
    [
      '@id("a") @rows permit (principal, action, resource);',
      '1:1',
      expect.stringContaining('is not a number of rows'),
      expect.any(String),
    ],
    [
      '@id("a") @rows("9") forbid (principal, action, resource);',
      '1:1',
      '@rows does nothing on a forbid',
      'put it on the permit whose changes it bounds',
    ],
    [
      '@id("a") @rows("9") permit (principal, action in Action::"sql.read", resource);',
      '1:1',
      '@rows bounds changes of rows, and this permit allows none',
      'put it on a permit of sql.insert, sql.update, …',
    ],
    [
      '@id("a") @quorum("2") forbid (principal, action, resource);',
      '1:1',
      '@quorum does nothing without @approval',
      'write @approval beside it',
    ],
    [
      '@id("a") @approval("x") @quorum("0") forbid (principal, action, resource);',
      '1:1',
      '@quorum("0") is not a number of people',
      'write a whole number from 1 to 9, as in @quorum("2")',
    ],
    [
      '@id("a") @approval("x") @window("2d") forbid (principal, action, resource);',
      '1:1',
      '@window("2d") is not a duration of at most a day',
      'write a number with its unit, as in @window("2h")',
    ],
    ['@id("a") @id("b") permit (principal, action, resource);', '1:10', 'duplicate annotation: @id', ''],
  ])('%s', (text, place, message, cure) => expect(faults(text)).toContainEqual([place, message, cure]));

  it('once for an attribute that is missing on many kinds, however many they are', () => {
    const found = faults('@id("a") forbid (principal, action, resource) when { resource.nam == "x" };');
    expect(found).toEqual([
      [
        '1:54',
        expect.stringMatching(/^attribute `nam` not found on Address, Approval, AuditLog and \d\d more$/),
        expect.stringMatching(/^did you mean `name`\? say which kind .*`resource is Address`/),
      ],
    ]);
  });

  it('for all that is wrong with a rule, and with those beside it, though names are missing or there twice', () => {
    const wrong =
      'permit (principal, action == Action::"sql.select", resource) when { resource.nmae == "x" };';
    const told = faults([wrong, wrong, `@id("a") ${wrong}`, `@id("a") ${wrong}`].join('\n'));
    expect(told.map(([place, message]) => [place, message?.split(' for ')[0]])).toEqual([
      ['1:1', 'the policy has no @id'],
      ['1:69', expect.stringContaining('nmae')],
      ['2:1', 'the policy has no @id'],
      ['2:69', expect.stringContaining('nmae')],
      ['3:78', expect.stringContaining('nmae')],
      ['4:1', '@id("a") is taken by a.cedar:3'],
      ['4:78', expect.stringContaining('nmae')],
    ]);
  });

  it('for all faults of all files at once, by place', () => {
    const loaded = loadPolicies(vocabulary, [
      { name: 'b.cedar', text: 'permit (principal, action, resource);' },
      { name: 'a.cedar', text: '@id("x") nonsense;\npermit (principal, action, resource);' },
    ]);
    expect(loaded.ok ? [] : loaded.faults.map(({ file, line }) => `${file}:${line}`)).toEqual([
      'a.cedar:1',
      'a.cedar:2',
      'b.cedar:1',
    ]);
  });
});

it('takes a set apart at its semicolons, whatever strings and comments hold', () => {
  const set = policySet(`// one; "two
    @id("a") @reason("say \\"no; stop\\" // always")
    forbid (principal, action, resource) unless { principal.name == "}; {" }; // tail; "
    @id("b") permit (principal, action, resource);`);
  expect(set.policies.map(({ id, line, reason }) => [id, line, reason])).toEqual([
    ['a', 2, 'say "no; stop" // always'],
    ['b', 4, undefined],
  ]);
});

it('no policies are a valid set; the version is of content, not of order', () => {
  expect(loadPolicies(vocabulary, [])).toMatchObject({ ok: true, set: { policies: [] } });
  const [a, b] = ['a', 'b'].map((id) => ({
    name: `${id}.cedar`,
    text: `@id("${id}") permit (principal, action, resource);`,
  }));
  const version = (files: Parameters<typeof loadPolicies>[1]) => {
    const loaded = loadPolicies(vocabulary, files);
    return loaded.ok ? loaded.set.version : 'invalid';
  };
  expect(version([a!, b!])).toBe(version([b!, a!]));
  expect(version([a!, b!])).toMatch(/^[0-9a-f]{16}$/);
  expect(version([a!])).not.toBe(version([b!]));
});

describe('a hostile bundle does not wedge the parser', () => {
  const when = (condition: string) => `@id("a") permit (principal, action, resource) when { ${condition} };`;
  it.each([
    ['brackets', when(`${'('.repeat(5000)}true${')'.repeat(5000)}`)],
    ['sets', when(`${'['.repeat(5000)}1${']'.repeat(5000)} == [1]`)],
    ['records', when(`${'{a:'.repeat(5000)}1${'}'.repeat(5000)} == 1`)],
    ['chains', when(`${'true && '.repeat(50_000)}true`)],
    ['sums', when(`${'1 + '.repeat(50_000)}1 == 2`)],
    ['members', when(`principal${'.a'.repeat(50_000)}`)],
    ['indexes', when(`principal${'["a"]'.repeat(50_000)}`)],
    ['conditionals', when(`${'if true then true else '.repeat(20_000)}true`)],
    ['clauses', `@id("a") permit (principal, action, resource) ${'when { true } '.repeat(20_000)};`],
    ['a large file', `//${'x'.repeat(300_000)}`],
    ['an open string', `@id("a") permit (principal, action, resource) when { "${'('.repeat(200_000)} };`],
  ])('%s', (_, text) => {
    expect(load(text).ok).toBe(false);
    expect(load('@id("a") permit (principal, action, resource);').ok).toBe(true);
  });

  it('nor does one at the bounds', () => {
    const nested = `${'('.repeat(22)}${'true && '.repeat(150)}true${')'.repeat(22)}`;
    expect(load(when(nested))).toMatchObject({ ok: true });
    expect(load(when(`[${'"x", '.repeat(5000)}"y"].contains("z") || true`))).toMatchObject({ ok: true });
    expect(load(when(`${'if true then true else '.repeat(390)}true`)).ok).toBe(true);
  });

  it('nor any text at all', () => {
    const words = fc.constantFrom(
      '@id("a")',
      'permit',
      'forbid',
      '(principal, action, resource)',
      'when',
      '{',
      '}',
      '"',
      ';',
      '//',
      '\n',
      'context',
      '.',
      '(',
      'é',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(words, { maxLength: 30 }).map((all) => all.join(' ')),
          fc.string(),
        ),
        (text) => {
          const loaded = load(text);
          for (const fault of loaded.ok ? [] : loaded.faults) {
            expect(fault.line).toBeGreaterThan(0);
            expect(fault.column).toBeGreaterThan(0);
            expect(fault.line).toBeLessThanOrEqual(text.split('\n').length);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

it.each([
  'context.time.hour < 24',
  'context.time.hour >= 0',
  'context.time.weekday > 5',
  'context.time.date like "*-12-24"',
  'context.columns.contains("public.a.b")',
  'context.functions.contains("public.f")',
])('%s may hold', (condition) =>
  expect(
    faults(`@id("a") forbid (principal, action in Action::"sql.write", resource) when { ${condition} };`),
  ).toEqual([]),
);

it.each([
  ['sql.update', 'resource', 'context.time.hour >= 22 || context.time.hour < 6'],
  ['sql.update', 'resource', 'context.time.hour >= 9 && context.time.hour < 17 && context.time.weekday <= 5'],
  [
    'sql.update',
    'resource',
    '(context.time.hour > 8 && context.hasWhere) || (context.time.hour < 7 && context.hasWhere)',
  ],
  ['sql.update', 'resource', 'context.time.hour == 22 && !(context.time.hour == 23)'],
  ['sql.select', 'resource is Table', 'resource.kind == "view"'],
  [
    'k8s.get',
    'resource is KubernetesObject',
    'resource.kind == "pods" || resource.kind == "widgets.example"',
  ],
  ['k8s.exec', 'resource', 'context.argv.containsAll(["0=ls", "1=-l"])'],
  ['http.get', 'resource is Endpoint', 'resource.path == "/" || resource.path == "/orders/7"'],
  ['http.get', 'resource is Endpoint', 'resource.segments.contains("orders")'],
])('what may be so is no slip: %s of %s when %s', (verb, head, condition) => {
  const text = `@id("a") forbid (principal, action == Action::"${verb}", ${head}) when { ${condition} };`;
  expect(loadPolicies(vocabulary, [{ name: 'a.cedar', text }])).toMatchObject({ ok: true, warnings: [] });
});
