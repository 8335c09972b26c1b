import { describe, expect, it } from 'vitest';
import { lackedNames } from '../../../../src/protocols/postgres/catalog/model/lacked-names.ts';
import { NameScope } from '../../../../src/protocols/postgres/sql/meaning/name-scope.ts';
import { factsOf, fixtureCatalog } from './fixture.ts';

/** As a session finds them that looks through `public` alone. */
function lackedBy(sql: string): readonly string[] {
  const catalog = fixtureCatalog();
  const path = { schemas: ['public'], creation: 'public', user: 'app' };
  const [{ relations } = { relations: [] }] = factsOf(sql);
  const names = new NameScope(catalog, path);
  return lackedNames(
    relations,
    relations.map(({ schema, name }) => ({ relation: names.relation(schema, name).relation })),
  );
}

describe('what a statement names and the catalog does not have', () => {
  it.each([
    ['SELECT id FROM customers', []],
    ['SELECT id FROM custmers', ['custmers']],
    ['SELECT id FROM shop.customers', ['shop.customers']],
    ['SELECT 1 FROM orders o JOIN ordres r ON r.id = o.id, ordres', ['ordres']],
    ['SELECT (SELECT max(id) FROM nowhere)', ['nowhere']],
    ['WITH one AS (SELECT id FROM gone) SELECT * FROM one', ['gone']],
    ['INSERT INTO ordres VALUES (1)', ['ordres']],
    ['INSERT INTO orders (id, pam) VALUES (1, 2)', ['orders.pam']],
    ["UPDATE customers SET naem = 'x' WHERE id = 1", ['customers.naem']],
    ['DELETE FROM "Orders"', ['Orders']],
    ['TRUNCATE gone, orders', ['gone']],
    ['COPY gone TO STDOUT', ['gone']],
    ['COPY orders (id, pam) TO STDOUT', ['orders.pam']],
    ['LOCK TABLE gone', ['gone']],
    // Made here, left out where it is not there, or no table at all.
    ['CREATE TABLE fresh (id int)', []],
    ['CREATE TABLE fresh AS SELECT id FROM orders', []],
    ['DROP TABLE IF EXISTS gone', []],
    ['SELECT 1', []],
    ["SELECT * FROM json_each('{}') AS gone", []],
  ])('of %s', (sql, expected) => {
    expect(lackedBy(sql)).toEqual(expected);
  });
});
