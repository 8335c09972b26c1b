import { expect, test } from 'vitest';
import type { ResourceItem } from '../../../src/api/contract.ts';
import { mayLines } from '../../../src/cli/render/may.ts';
import { visible } from '../../../src/cli/render/text.ts';

const item: ResourceItem = {
  name: 'pg\u001b[2J',
  protocol: 'postgres',
  connect: { protocol: 'postgres' },
  access: 'allow',
  masks: false,
  may: [
    { actions: ['sql.read', 'sql.set', 'sql.transaction'], effect: 'allow' },
    { actions: ['sql.ddl'], effect: 'hold', approvals: ['dba', 'x\u0007'] },
    { actions: ['sql.write'], effect: 'depends', among: ['allow', 'hold', 'deny'], approvals: ['dba'] },
    { actions: ['sql.admin'], effect: 'deny' },
  ],
};

test('what may be done, a line for each answer, broken where the terminal ends, and safe to print', () => {
  expect(mayLines([item], Number.POSITIVE_INFINITY)).toEqual([
    '',
    expect.stringMatching(/^pg.*\[2J$/),
    '  allowed         sql.read, sql.set, sql.transaction',
    expect.stringMatching(/^ {2}needs approval {2}sql\.ddl \(approval: dba, x.+\)$/),
    '  depends         sql.write (allowed or needs approval or refused; approval: dba)',
    '  refused         sql.admin',
  ]);
  const narrow = mayLines([item], 40);
  expect(narrow.slice(2, 4)).toEqual([
    '  allowed         sql.read, sql.set,',
    '                  sql.transaction',
  ]);
  for (const line of mayLines([item], 40)) expect(line).toBe(visible(line));
});

test('a gateway that says nothing of it: no line', () => {
  const { may: _, ...older } = item;
  expect(mayLines([older], 80)).toEqual([]);
});
