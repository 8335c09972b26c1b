import { describe, expect, test } from 'vitest';
import {
  type CatalogDelta,
  CatalogMirror,
  MirrorGap,
  type TableDelta,
} from '../../../src/protocols/postgres/catalog/mirror/mirror.ts';
import { catalogQuery, readAnswer } from '../../../src/protocols/postgres/catalog/mirror/queries.ts';
import { TABLE_NAMES } from '../../../src/protocols/postgres/catalog/mirror/tables.ts';

const MOMENT = ['agent', '150004', '4294967996', '4294967997', 'server', '[7]', '[]'];
const NOTHING: TableDelta = { survivors: undefined, rows: [] };

/** An answer about schemas: `[oid, settled, name]`, and the settled ones that are left. */
function schemas(rows: readonly (readonly [number, boolean, string])[], survivors?: number[]): CatalogDelta {
  const told: TableDelta = {
    survivors: survivors?.map(String),
    rows: rows.map(([oid, settled, name]) => [`${oid}`, settled, oid, name]),
  };
  return Object.fromEntries(
    TABLE_NAMES.map((table) => [table, table === 'pg_namespace' ? told : NOTHING]),
  ) as CatalogDelta;
}

function names(mirror: CatalogMirror): string[] {
  return [...mirror.tables.pg_namespace.values()].map(({ name }) => name);
}

describe('the mirror of a table', () => {
  test('settled rows stay without a word, others have to be told again', () => {
    const mirror = new CatalogMirror();
    const first = mirror.apply(
      schemas([
        [1, true, 'a'],
        [2, false, 'b'],
      ]),
    );
    expect(first.pg_namespace.come.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(mirror.settled('pg_namespace')).toBe(1);
    const second = mirror.apply(schemas([]));
    expect(names(mirror)).toEqual(['a']);
    expect(second.pg_namespace).toEqual({ gone: [{ oid: 2, name: 'b' }], come: [] });
  });

  test('a row that is told again as it was is no change, and stays the same object', () => {
    const mirror = new CatalogMirror();
    mirror.apply(schemas([[2, false, 'b']]));
    const [before] = [...mirror.tables.pg_namespace.values()];
    expect(mirror.apply(schemas([[2, true, 'b']])).pg_namespace).toEqual({ gone: [], come: [] });
    expect([...mirror.tables.pg_namespace.values()][0]).toBe(before);
    expect(mirror.settled('pg_namespace')).toBe(1);
    const renamed = mirror.apply(schemas([[2, false, 'c']], []));
    expect(renamed.pg_namespace).toEqual({ gone: [{ oid: 2, name: 'b' }], come: [{ oid: 2, name: 'c' }] });
  });

  test('a settled row that was written again without a difference is no change', () => {
    const mirror = new CatalogMirror();
    mirror.apply(
      schemas([
        [1, true, 'a'],
        [2, true, 'b'],
      ]),
    );
    expect(mirror.apply(schemas([[2, false, 'b']], [1])).pg_namespace).toEqual({ gone: [], come: [] });
    expect(mirror.settled('pg_namespace')).toBe(1);
  });

  test.each([
    ['a row is left that was not there', [1, 9]],
    ['more are left than there were', [1, 2, 9]],
  ])('%s: a gap', (_, survivors) => {
    const mirror = new CatalogMirror();
    mirror.apply(
      schemas([
        [1, true, 'a'],
        [2, true, 'b'],
      ]),
    );
    expect(() => mirror.apply(schemas([], survivors))).toThrow(MirrorGap);
  });
});

describe('question and answer', () => {
  test('transactions are compared by the 32 bits that rows have', () => {
    expect(catalogQuery({ since: 2n ** 32n * 3n + 700n, settled: () => 0 })).toContain(
      `age('700'::pg_catalog.xid)`,
    );
    expect(catalogQuery()).not.toContain("age('");
  });

  test.each([
    ['nothing', []],
    ['too few tables', [[MOMENT], [['[[]]']]]],
    ['too few columns', [[MOMENT.slice(1)], ...answers()]],
    ['a number that is none', [[MOMENT.with(2, 'x')], ...answers()]],
    ['rows that are no JSON', [[MOMENT], ...answers('[')]],
  ])('%s is no answer', (_, results) => {
    expect(() => readAnswer(results)).toThrow(SyntaxError);
  });

  test('an answer', () => {
    const { moment, delta } = readAnswer([[], [MOMENT], ...answers('[["1",true,1,"a"]]'), []]);
    expect(moment).toEqual({
      owner: { serverVersion: 150004, role: 'agent', unusable: [7], definers: [] },
      oldest: 4294967996n,
      next: 4294967997n,
      server: 'server',
    });
    expect(delta.pg_cast).toEqual({ survivors: undefined, rows: [['1', true, 1, 'a']] });
  });
});

/** One of each table, and that no settled row is missing. */
function answers(rows: string | null = null): (string | null)[][][] {
  return TABLE_NAMES.map(() => [[`[${rows}, null]`]]);
}
