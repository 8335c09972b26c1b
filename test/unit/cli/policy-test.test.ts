import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { Explanation } from '../../../src/api/explanation.ts';
import { readCases } from '../../../src/cli/policy/cases.ts';
import { junitOf } from '../../../src/cli/policy/junit.ts';
import { failuresOf, saidBy } from '../../../src/cli/policy/verdict.ts';
import { HoopError } from '../../../src/core/errors.ts';

const base = 'tests:\n  - resource: pg\n    command: SELECT 1\n    expect: allow\n';

function casesIn(text: string) {
  const read = readCases(text, 'x.yaml');
  if (!read.ok) throw new Error(read.mistakes.join());
  return read.cases;
}

describe('cases', () => {
  it('are read with all that they may have', () => {
    const text = `tests:
  - name: bounded
    resource: pg
    command: |
      DELETE FROM t
      WHERE id = $1
    params: ['4']
    host: web-1
    expect: hold
    rule: r
    rows: 5
    approvals: [dba]
    masked: [pg/public.t.a]
    shown: [pg/public.t.b]
`;
    expect(casesIn(text)).toEqual([
      {
        name: 'bounded',
        resource: 'pg',
        command: 'DELETE FROM t\nWHERE id = $1\n',
        params: ['4'],
        host: 'web-1',
        expect: 'hold',
        rule: 'r',
        rows: 5,
        approvals: ['dba'],
        masked: ['pg/public.t.a'],
        shown: ['pg/public.t.b'],
      },
    ]);
    expect(casesIn(base)).toMatchObject([{ params: [], masked: [], shown: [] }]);
  });

  it('are read as the documentation shows them', () => {
    const page = readFileSync(new URL('../../../docs/policy.md', import.meta.url), 'utf8');
    const shown = /```yaml\n(tests:\n[^`]*)```/.exec(page)?.[1] ?? '';
    expect(casesIn(shown)).toHaveLength(4);
  });

  it.each([
    ['', 'x.yaml:1:1: tests: is missing'],
    ['tests: []', 'expected 1 to 10000 cases'],
    [
      base.replace('allow', 'maybe'),
      'x.yaml:4:13: tests.0.expect: expected allow, hold or deny, got "maybe"',
    ],
    [base.replace('resource', 'resorce'), 'did you mean resource?'],
    [base.replace('    command: SELECT 1\n', ''), 'tests.0.command: is missing'],
    [`${base}    rows: 0\n`, 'tests.0.rows'],
    [`${base}    masked: a\n`, 'tests.0.masked'],
    ['tests: [', 'is not valid YAML'],
    ['tests: *a', 'is not valid YAML'],
    [`${base}    command: SELECT 2\n`, 'tests.0.command: is there twice: the first time in line'],
  ])('that are wrong are told by place: %j', (text, message) => {
    const read = readCases(text, 'x.yaml');
    expect(read).toEqual({ ok: false, mistakes: expect.arrayContaining([expect.stringContaining(message)]) });
  });
});

describe('what policy says', () => {
  const [wanted] = casesIn(base);
  const allow: Explanation = {
    schemaVersion: 1,
    effect: 'allow',
    rows: 5,
    pairs: [{ action: 'sql.select', object: 'pg/t', effect: 'allow', rules: ['read'] }],
    rules: [{ id: 'read' }],
    masked: ['pg/t.a'],
    policyVersion: '1',
  };
  const deny: Explanation = {
    ...allow,
    effect: 'deny',
    told: { message: 'no', rule: 'never', reason: 'kept', hint: 'wait', next: 'instead' },
    pairs: [],
  };

  it.each([
    [{}, allow, []],
    [{ rule: 'read', rows: 5, masked: ['pg/t.a'], shown: ['pg/t.b'], approvals: [] }, allow, []],
    [{ expect: 'deny', rule: 'never' }, deny, []],
    [{}, deny, ['expected allow, got deny: no']],
    [{ rule: 'other' }, allow, ['rule other did not decide, but read']],
    [{ rows: 6 }, allow, ['expected a bound of 6 rows, got 5']],
    [{ rows: 6 }, { ...allow, rows: undefined }, ['expected a bound of 6 rows, got none']],
    [{ approvals: ['dba'] }, allow, ['expected approvals dba, got none']],
    [{}, { ...allow, lacks: ['ordres'] }, ['it would fail there: the target has no ordres']],
    [{ masked: ['pg/t.b'], shown: ['pg/t.a'] }, allow, ['pg/t.b is not masked', 'pg/t.a is masked']],
  ])('is compared: %j', (more, said, failures) => {
    expect(failuresOf({ ...wanted!, ...more } as never, said as never)).toEqual(failures);
  });

  it.each([
    ['ERR_NO_ACCESS', 'deny'],
    ['ERR_APPROVAL_REQUIRED', 'hold'],
    ['ERR_TARGET_LOST', undefined],
  ] as const)('is said by the connection too: %s', (code, effect) => {
    expect(saidBy(new HoopError(code))?.effect).toBe(effect);
  });
});

test('a report is XML, whatever names hold', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string({ unit: 'binary' })), (name, failures) => {
      const xml = junitOf('s', [{ name, resource: name, failures, ms: 12 }]);
      expect(xml).not.toMatch(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u);
      expect(xml.match(/<(?!\/?(?:testsuites?|testcase|failure|\?xml)[ >/])/g)).toBeNull();
      expect(xml.split('\n').length).toBe(failures.length === 0 ? 7 : 9);
    }),
  );
  expect(junitOf('a"b', [{ name: 'x', resource: 'r', failures: ['one', 'two'], ms: 1500 }])).toBe(
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="1" failures="1" errors="0" time="1.500">
  <testsuite name="a&#34;b" tests="1" failures="1" errors="0" time="1.500">
    <testcase name="x" classname="r" time="1.500">
      <failure message="one">one&#10;two</failure>
    </testcase>
  </testsuite>
</testsuites>
`,
  );
});
