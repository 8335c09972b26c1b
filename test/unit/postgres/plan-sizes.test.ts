import { describe, expect, test } from 'vitest';
import { withoutSizes } from '../../../src/protocols/postgres/shown/plan-sizes.ts';

const shown = (text: string) => Buffer.from(withoutSizes(Buffer.from(text))).toString();

/** As PostgreSQL 15 and 18 print them. */
const TOLD = [
  [
    'Seq Scan on people  (cost=0.00..1.05 rows=5 width=16)',
    'Seq Scan on people  (cost=0.00..1.05 rows=5 width=0)',
  ],
  [
    '  ->  Seq Scan on kin t_2  (cost=0.00..1.02 rows=2 width=46) (actual rows=2.00 loops=1)',
    '  ->  Seq Scan on kin t_2  (cost=0.00..1.02 rows=2 width=0) (actual rows=2.00 loops=1)',
  ],
  ['  Sort Method: quicksort  Memory: 25kB', '  Sort Method: quicksort  Memory: 0kB'],
  ['  Sort Method: external merge  Disk: 152kB', '  Sort Method: external merge  Disk: 0kB'],
  [
    '  Full-sort Groups: 1  Sort Method: quicksort  Average Memory: 27kB  Peak Memory: 27kB',
    '  Full-sort Groups: 1  Sort Method: quicksort  Average Memory: 0kB  Peak Memory: 0kB',
  ],
  ['  Buckets: 1024  Batches: 1  Memory Usage: 87kB', '  Buckets: 1024  Batches: 1  Memory Usage: 0kB'],
  [
    '  Batches: 5  Memory Usage: 161kB  Disk Usage: 224kB',
    '  Batches: 5  Memory Usage: 0kB  Disk Usage: 0kB',
  ],
  ['  Storage: Memory  Maximum Storage: 17kB', '  Storage: Memory  Maximum Storage: 0kB'],
  ['Serialization: output=105kB  format=text', 'Serialization: output=0kB  format=text'],
  [
    '[\n  {\n    "Plan": {\n      "Plan Rows": 5,\n      "Plan Width": 16,\n      "Peak Memory Usage": 9\n',
    '[\n  {\n    "Plan": {\n      "Plan Rows": 5,\n      "Plan Width": 0,\n      "Peak Memory Usage": 0\n',
  ],
  [
    '- Plan: \n    Plan Rows: 5\n    Plan Width: 16\n    Sort Space Used: 25',
    '- Plan: \n    Plan Rows: 5\n    Plan Width: 0\n    Sort Space Used: 0',
  ],
  [
    '<Plan-Rows>5</Plan-Rows>\n<Plan-Width>16</Plan-Width>',
    '<Plan-Rows>5</Plan-Rows>\n<Plan-Width>0</Plan-Width>',
  ],
] as const;

describe('plans without the sizes of values', () => {
  test.each(TOLD)('%j', (told, without) => expect(shown(told)).toBe(without));

  test('what tells none stays the very octets', () => {
    for (const text of [
      "  Filter: (note = 'width=16')",
      'Planning Time: 0.1 ms',
      '  Output: id, "ä\u001b"',
      '',
      'Memory: used=37kB',
    ]) {
      const bytes = Buffer.from(text);
      expect(withoutSizes(bytes)).toBe(bytes);
    }
  });

  test('octets that are no UTF-8 stay', () => {
    const told = Buffer.concat([Buffer.from('(cost=0.00..1.0 rows=1 width=9) '), Buffer.from([0xff, 0xc3])]);
    expect(Buffer.from(withoutSizes(told)).subarray(-2)).toEqual(Buffer.from([0xff, 0xc3]));
  });
});
