import { expect, test } from 'vitest';
import type { CatalogTables } from '../../../src/protocols/postgres/catalog/mirror/mirror.ts';
import type { ProcRow } from '../../../src/protocols/postgres/catalog/mirror/records.ts';
import { functionOf } from '../../../src/protocols/postgres/catalog/model/functions.ts';

const [C, SQL, PLPGSQL] = [13, 14, 15];
const [INT, TEXT, RECORD, INTERNAL] = ['23', '25', '2249', '2281'];
const TABLES = {
  pg_namespace: new Map([['2200', { name: 'public' }]]),
  pg_language: new Map([
    [`${C}`, { name: 'c' }],
    [`${SQL}`, { name: 'sql' }],
    [`${PLPGSQL}`, { name: 'plpgsql' }],
  ]),
  pg_type: new Map(),
  pg_proc: new Map(),
} as unknown as CatalogTables;

function row(language: number, volatility: string, takes: string, returns: string): ProcRow {
  return {
    ...{
      oid: 20_000,
      namespace: 2200,
      name: 'f',
      kind: 'f',
      language,
      volatility,
      takes,
      returns: Number(returns),
    },
    ...{ all: null, modes: null, names: null, variadic: 0, defaults: 0, returnsSet: false, aggregate: null },
    ...{ steers: false, reshapes: false, calls: null, code: null, source: null },
  } as ProcRow;
}

const TRUSTED: readonly (readonly [string, ProcRow, boolean])[] = [
  ['compiled and immutable', row(C, 'i', TEXT, TEXT), true],
  ['compiled and stable, no rows', row(C, 's', TEXT, TEXT), true],
  ['compiled and stable, rows: it may be given SQL', row(C, 's', TEXT, RECORD), false],
  ['compiled and volatile', row(C, 'v', TEXT, TEXT), false],
  ['what an index calls, volatile by default', row(C, 'v', `${INTERNAL} ${TEXT} ${INT}`, TEXT), true],
  ['what gives the server something and takes nothing of it', row(C, 'v', TEXT, INTERNAL), false],
  ['immutable SQL', row(SQL, 'i', TEXT, TEXT), true],
  ['stable SQL', row(SQL, 's', TEXT, TEXT), false],
  ['immutable PL/pgSQL', row(PLPGSQL, 'i', TEXT, TEXT), false],
];

test.each(TRUSTED)('a function of an extension, %s', (_, one, trusted) => {
  expect(functionOf(one, TABLES, new Set([one.oid]))?.trusted).toBe(trusted);
  expect(functionOf(one, TABLES, new Set())?.trusted).toBe(false);
});
