import { expect, test } from 'vitest';
import type { Planned } from '../../../../src/protocols/postgres/reading/planner.ts';
import { type Original, writesMaskBack } from '../../../../src/protocols/postgres/reading/write-back.ts';

const rule = (original: Original, writesMasked = true) =>
  writesMaskBack({ plans: [], pairs: [], context: { writesMasked } } as unknown as Planned, original)?.rule;

test.each([['a***@e***.com'], ['anon_7k2m9qx4c8vhw3tz'], ['ffffffff-3a1c-8d2e-b04f-0123456789ab']])(
  '%s comes back as a value of a masked column',
  (value) => {
    expect(rule({ statement: `UPDATE t SET a = '${value}'` })).toBe('mask-written-back');
    expect(rule({ statement: 'UPDATE t SET a = $1', parameters: [null, value] })).toBe('mask-written-back');
    // Written elsewhere it takes nothing's place.
    expect(rule({ statement: `UPDATE t SET a = '${value}'` }, false)).toBeUndefined();
  },
);

test('what only resembles one may be written', () => {
  for (const value of ['anon_short', 'ffffffff-3a1c-4d2e-b04f-0123456789ab', '**'])
    expect(rule({ statement: `UPDATE t SET a = '${value}'` })).toBeUndefined();
});
