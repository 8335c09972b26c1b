import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AuditEventItem } from '../../../src/api/contract.ts';
import { summaryOf } from '../../../src/cli/audit/summary.ts';
import { summaryMarkdown } from '../../../src/cli/audit/summary-markdown.ts';

const esc = String.fromCharCode(27);
const KINDS = { 'echo.read': 'read', 'echo.write': 'change', 'echo.begin': 'other' } as const;
const ACTOR = {
  kind: 'agent',
  name: 'ci',
  attested: { repository: 'org/shop', runId: '7', sha: 'abc' },
  declared: { run: 'r' },
};

let count = 0;
function event(type: string, fields: Readonly<Record<string, unknown>> = {}): AuditEventItem {
  const at = new Date(Date.parse('2026-03-01T12:00:00Z') + ++count * 1000).toISOString();
  return { schemaVersion: 2, id: `evt_${count}`, at, type, actor: ACTOR, ...fields };
}

const operation = (action: string, fields: Readonly<Record<string, unknown>> = {}) =>
  event('operation.decided', {
    resource: 'one',
    actions: [action],
    decision: 'allow',
    outcome: 'success',
    text: action,
    ...fields,
  });

describe('a summary', () => {
  const newestFirst = [
    event('session.started', { resource: 'one' }),
    operation('connect', { text: 'connect' }),
    operation('echo.read', { rows: 3, maskedValues: 2 }),
    operation('echo.begin', { rows: 9 }),
    operation('echo.write', { rows: 4, text: 'write four' }),
    operation('echo.write', {
      outcome: 'failure',
      status: 'E1',
      rows: 2,
      text: 'write none',
      reason: 'too many',
    }),
    operation('echo.read', { actions: ['echo.read', 'echo.write'], rows: 1, text: 'both' }),
    operation('echo.read', {
      decision: 'deny',
      outcome: undefined,
      text: 'secret',
      rules: [{ id: 'no', reason: 'because', hint: 'ask' }],
    }),
    operation('echo.write', { decision: 'hold', outcome: undefined }),
    operation('echo.write', { decision: 'explained', outcome: undefined, facts: { would: 'deny' } }),
    operation('connect', { text: 'connect', resource: 'two', decision: 'deny', outcome: undefined }),
    event('session.ended', { resource: 'one' }),
  ].reverse();
  const summary = summaryOf('r', newestFirst, KINDS, false);

  test('counts what was read, changed, masked, refused and held, by resource; rows apart', () => {
    expect(summary.resources).toEqual([
      {
        resource: 'one',
        operations: 7,
        read: 1,
        changed: 3,
        other: 1,
        refused: 1,
        held: 1,
        failed: 1,
        rowsRead: 3,
        rowsChanged: 5,
        maskedValues: 2,
      },
      expect.objectContaining({ resource: 'two', operations: 1, refused: 1 }),
    ]);
    expect(summary).toMatchObject({
      sessions: 1,
      who: ['ci'],
      attested: { repository: ['org/shop'], runId: ['7'] },
      leftOut: 0,
    });
  });

  test('tells changes and refusals one by one, the oldest first', () => {
    expect(summary.changes.map(({ text, rows }) => [text, rows])).toEqual([
      ['write four', 4],
      ['write none', 2],
      ['both', 1],
    ]);
    expect(summary.refusals[0]).toMatchObject({ text: 'secret', rule: 'no', reason: 'because', hint: 'ask' });
    const many = summaryOf(
      'r',
      Array.from({ length: 60 }, () => operation('echo.write')),
      KINDS,
      true,
    );
    expect([many.changes.length, many.leftOut, many.incomplete]).toEqual([50, 10, true]);
    expect(summaryMarkdown(many)).toContain('10 more are not listed: see `hoopctl audit search --run r`.');
    expect(summaryMarkdown(many)).toContain('**Not all is counted**');
  });

  test('as Markdown has provenance, counts, changes and refusals', () => {
    const text = summaryMarkdown(summary);
    expect(text).toContain(
      'Run `r`, by `ci`, 1 session, 2026-03-01T12:00:01.000Z to 2026-03-01T12:00:12.000Z.',
    );
    expect(text).toContain('| repository | `org/shop` |\n| sha | `abc` |\n| runId | `7` |');
    expect(text).toContain('| `one` | 7 | 1 | 3 | 1 | 1 | 1 | 1 | 3 | 5 | 2 |');
    expect(text).toContain('| `one` | `write four` | 4 | `success` |');
    expect(text).toContain('| `one` | `write none` |  | `failure: E1: too many` |');
    expect(text).toContain('| `one` | `secret` | `no` | `because` | `ask` |');
    expect(text).toContain('2 values were masked in what was read.');
    expect(summaryMarkdown(summaryOf('r', [], {}, false))).toContain('Nothing was asked of any resource.');
  });
});

test.each([
  ['default-deny', '| default: no rule permits it |  |'],
  ['masked-column-flow: it would show', '| `masked-column-flow` | `it would show` |'],
  ['whatever else', '|  | `whatever else` |'],
])('a refusal for the reason %s says by what', (reason, cells) => {
  const denied = operation('echo.read', { decision: 'deny', reason });
  expect(summaryMarkdown(summaryOf('r', [denied], KINDS, false))).toContain(cells);
});

test.each([
  [
    'a cell’s end behind a backslash',
    'a\\| ![x](https://evil.example)',
    '`a\\ \\| ![x](https://evil.example)`',
  ],
  ['a row', 'a\n| x | y |', '`a \\| x \\| y \\|`'],
  ['the end of its span', '`` </td><img src=x>', '``` `` </td><img src=x> ```'],
  ['an image', '![x](https://evil.example/?q)', '`![x](https://evil.example/?q)`'],
  ['a sequence', `${esc}[2Jx\u202e`, '`\\x1b[2Jx\\u202e`'],
  ['much', 'x'.repeat(500), `\`${'x'.repeat(200)}…\``],
])('a text that would be %s is none', (_what, text, shown) => {
  const markdown = summaryMarkdown(summaryOf('r', [operation('echo.write', { text })], KINDS, false));
  expect(markdown).toContain(`| ${shown} |`);
});

test('whatever is in texts, names and reasons, a line of the table stays one row of as many cells', () => {
  const hostile = fc.string({
    unit: fc.constantFrom('`', '|', '\\', '\n', '\r', '<', '!', '[', ' ', 'a', esc, '\u2028', '﹨'),
  });
  fc.assert(
    fc.property(hostile, hostile, hostile, (text, resource, hint) => {
      const denied = operation('echo.read', {
        text,
        resource,
        decision: 'deny',
        rules: [{ id: text, reason: hint, hint }],
      });
      const markdown = summaryMarkdown(summaryOf('r', [denied], KINDS, false));
      const rows = markdown
        .slice(markdown.indexOf('### Refused'))
        .split('\n')
        .filter((line) => line.startsWith('|'));
      expect(rows).toHaveLength(3);
      // As cmark-gfm cuts a row into cells: a backslash takes the next character's meaning, in code as well.
      const cells = rows[2]!.match(/(?:\\[!-/:-@[-`{-~]|[^|])+/g)!;
      expect(cells.filter((cell) => cell !== '')).toHaveLength(6);
      for (const cell of cells) expect(cell.trim()).toMatch(/^(?:[\dTZ:.-]+|(`+)(?!`).*[^`]\1|)$/);
    }),
  );
});
