import { describe, expect, test } from 'vitest';
import { planOf } from './fixture.ts';

/** What rules are told of the columns that are given values, without the schema. */
function written(sql: string) {
  const { columns, columnTags, writesMasked } = planOf(sql).context as {
    columns: string[];
    columnTags: string[];
    writesMasked: boolean;
  };
  return { columns: columns.map((name) => name.replace('public.', '')).sort(), columnTags, writesMasked };
}

const names = (sql: string) => written(sql).columns.join(' ');

describe('columns that a statement gives values to', () => {
  test.each([
    ["INSERT INTO plain (title) VALUES ('x')", 'plain.title'],
    ["INSERT INTO plain VALUES (1, 'x')", 'plain.id plain.title'],
    ['INSERT INTO plain DEFAULT VALUES', 'plain.id plain.title'],
    ["INSERT INTO plain (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET title = 'x'", 'plain.id plain.title'],
    ["UPDATE plain SET title = 'x' WHERE id = 1", 'plain.title'],
    ["UPDATE plain SET (id, title) = (1, 'x')", 'plain.id plain.title'],
    ["UPDATE plain SET (title) = (SELECT 'x')", 'plain.title'],
    ["UPDATE plain SET title[1] = 'x'", 'plain.title'],
    ["UPDATE plain SET title.part = 'x'", 'plain.title'],
    ['COPY plain (title) FROM STDIN', 'plain.title'],
    ['COPY plain FROM STDIN', 'plain.id plain.title'],
    ["WITH a AS (UPDATE plain SET title = 'x' RETURNING id) SELECT id FROM a", 'plain.title'],
    ["WITH a AS (UPDATE plain SET id = 1) UPDATE plain SET title = 'x'", 'plain.id plain.title'],
    ["EXPLAIN ANALYZE UPDATE plain SET title = 'x'", 'plain.title'],
    ["PREPARE p AS UPDATE plain SET title = 'x'", 'plain.title'],
    ["ALTER TABLE plain ALTER COLUMN title SET DEFAULT 'x'", 'plain.title'],
    ["ALTER TABLE plain ALTER title TYPE text USING 'x'", 'plain.title'],
    ["ALTER TABLE plain ADD COLUMN more text DEFAULT 'x'", 'plain.more'],
    ['ALTER TABLE plain DROP COLUMN title', ''],
    ['DELETE FROM plain', ''],
    ['SELECT id FROM plain', ''],
    ['TRUNCATE plain', ''],
    ["UPDATE pg_class SET relname = 'x'", 'pg_catalog.pg_class.relname'],
  ])('%s', (sql, expected) => {
    expect(names(sql)).toBe(expected);
  });

  test.each([
    [
      "MERGE INTO plain p USING plain s ON p.id = s.id WHEN MATCHED THEN UPDATE SET title = 'x'",
      'plain.title',
    ],
    [
      'MERGE INTO plain p USING plain s ON p.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (1)',
      'plain.id',
    ],
    [
      "MERGE INTO plain p USING plain s ON p.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (1, 'x')",
      'plain.id plain.title',
    ],
    ['MERGE INTO plain p USING plain s ON p.id = s.id WHEN MATCHED THEN DELETE', ''],
  ])('%s', (sql, expected) => {
    expect(names(sql)).toBe(expected);
  });

  test('a row of a partition is a row of its parent, and the other way round', () => {
    expect(names("UPDATE events SET ip = '::1'")).toBe('events.ip events_2024.ip');
    expect(names("UPDATE events_2024 SET ip = '::1'")).toBe('events.ip events_2024.ip');
    expect(written("UPDATE events_2024 SET ip = '::1'")).toMatchObject({ columnTags: ['pii', 'pii.ip'] });
  });

  test('through a view, every column that the view uses may be written', () => {
    expect(written('UPDATE v_cust SET id = 1')).toMatchObject({ writesMasked: true });
    expect(written('INSERT INTO v_cust (id) VALUES (1)').columns).toContain('customers.ssn');
  });

  test('what a foreign key does by itself is written too', () => {
    expect(names('UPDATE orders SET id = 2 WHERE id = 1')).toBe('items.order_id orders.id');
    expect(names('UPDATE orders SET customer_id = 2')).toBe('orders.customer_id');
    expect(names('DELETE FROM orders')).toBe('items.order_id');
  });

  test('tags come with their groups, and masked is what is masked for the one who asks', () => {
    expect(written("UPDATE customers SET email = 'x'")).toMatchObject({
      columnTags: ['pii', 'pii.email'],
      writesMasked: true,
    });
    expect(written("UPDATE customers SET name = 'x'")).toMatchObject({ columnTags: [], writesMasked: false });
    expect(written('INSERT INTO customers (id, name) VALUES (1, $1)').writesMasked).toBe(false);
    expect(written('INSERT INTO customers VALUES (1, $1)').writesMasked).toBe(true);
    expect(planOf("UPDATE customers SET email = 'x'", { masks: false }).context).toMatchObject({
      columnTags: ['pii', 'pii.email'],
      writesMasked: false,
    });
  });

  test('a name that is not known here may be any table of that name', () => {
    expect(written("UPDATE elsewhere SET email = 'x'")).toMatchObject({ columns: [], writesMasked: false });
    expect(written("UPDATE other.customers SET email = 'x'")).toMatchObject({ columns: [] });
  });

  test('a column that the catalog does not have yet is told by its name', () => {
    expect(names('UPDATE plain SET brand_new = 1')).toBe('plain.brand_new');
  });
});
