import { afterAll, beforeAll, expect, test } from 'vitest';
import { transactionQuery } from '../../../../src/protocols/postgres/catalog/mirror/queries.ts';
import { type MaskedDatabase, maskedDatabase } from '../../../support/postgres/masked-database.ts';

/** `jit_above_cost`: what the server takes for dearer it compiles first, which takes seconds. */
const COMPILED_ABOVE = 100_000;
/** Large databases have some thousand tables: there is room for twenty times as many. */
const TABLES = 200;
const LARGER = 20;

let database: MaskedDatabase;

beforeAll(async () => {
  const tables = Array.from(
    { length: TABLES },
    (_, n) => `CREATE TABLE t${n} (id int PRIMARY KEY, a text, b int CHECK (b > 0));`,
  );
  database = await maskedDatabase(`${tables.join('\n')}\nANALYZE;`, new Map());
});

afterAll(() => database?.stop());

test('what a session has changed is asked in a query that the server does not compile', async () => {
  const asked = transactionQuery('hoop', { since: 700n, settled: () => 0 });
  const { rows } = await database.run(`EXPLAIN (FORMAT JSON) ${asked}`);
  const [, cost] =
    /"Total Cost": ?([\d.]+)/.exec(
      Object.values(rows[0] ?? {})
        .map(String)
        .join(''),
    ) ?? [];
  expect(Number(cost)).toBeLessThan(COMPILED_ABOVE / LARGER);
});
