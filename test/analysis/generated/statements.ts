import fc, { type Arbitrary } from 'fast-check';
import { Expressions, PARAMETER } from './expressions.ts';
import type { Table, Vocabulary } from './vocabulary.ts';

const DEPTH = 3;

/** Statements of every kind that is analysed. */
export function statements(vocabulary: Vocabulary): Arbitrary<string> {
  const tables = fc.constantFrom(...vocabulary.tables);
  const made = fc.oneof(
    { arbitrary: tables.chain((one) => query(vocabulary, one)), weight: 6 },
    {
      arbitrary: fc.tuple(tables, tables).chain(([one, other]) => joined(vocabulary, one, other)),
      weight: 3,
    },
    { arbitrary: tables.chain((one) => grouped(vocabulary, one)), weight: 3 },
    { arbitrary: tables.chain((one) => united(vocabulary, one)), weight: 3 },
    { arbitrary: tables.chain((one) => insert(vocabulary, one)), weight: 2 },
    { arbitrary: tables.chain((one) => update(vocabulary, one)), weight: 2 },
  );
  return made.map(numbered);
}

function numbered(text: string): string {
  let count = 0;
  return text.replaceAll(PARAMETER, () => `$${++count}`);
}

const within = (vocabulary: Vocabulary, ...tables: readonly Table[]) =>
  new Expressions(
    vocabulary,
    tables.map((table, index) => ({ ...table, alias: `t${index + 1}` })),
  );

function query(vocabulary: Vocabulary, table: Table): Arbitrary<string> {
  const exprs = within(vocabulary, table);
  const plain = fc
    .tuple(exprs.anything(DEPTH), exprs.anything(DEPTH), exprs.of('boolean', 2), exprs.anything(1))
    .map(
      ([one, other, where, order]) =>
        `SELECT ${one} AS a, ${other} AS b, t1.* FROM ${table.name} t1 WHERE ${where} ORDER BY ${order} LIMIT 5`,
    );
  return fc.oneof(
    { arbitrary: plain, weight: 3 },
    plain.map((text) => `SELECT s.a, s, (SELECT s.b) FROM (${text}) s GROUP BY s, s.a, s.b`),
    plain.map((text) => `WITH c AS (${text}) SELECT x.b, y.* FROM c x JOIN c y USING (a)`),
    plain.map((text) => `SELECT (SELECT u.b FROM (${text}) u), v.a FROM (${text}) v ORDER BY 2`),
  );
}

function joined(vocabulary: Vocabulary, one: Table, other: Table): Arbitrary<string> {
  const exprs = within(vocabulary, one, other);
  const common = one.columns.filter(({ name }) => other.columns.some((column) => column.name === name));
  const using = common.slice(0, 2).map(({ name }) => name);
  const how = fc.constantFrom('JOIN', 'LEFT JOIN', 'FULL JOIN', 'RIGHT JOIN');
  return fc
    .tuple(how, exprs.of('boolean', 2), exprs.anything(2), fc.boolean())
    .map(([join, on, expr, named]) => {
      const condition = named && using.length > 0 ? `USING (${using.join(', ')})` : `ON ${on}`;
      return `SELECT *, ${expr} FROM ${one.name} t1 ${join} ${other.name} t2 ${condition}`;
    });
}

function grouped(vocabulary: Vocabulary, table: Table): Arbitrary<string> {
  const exprs = within(vocabulary, table);
  return fc
    .tuple(exprs.anything(2), exprs.aggregate(2), exprs.aggregate(1))
    .map(
      ([by, one, other]) =>
        `SELECT ${by} AS k, ${one}, ${other} FROM ${table.name} t1 GROUP BY ${by} ORDER BY k`,
    );
}

/** Arms of types that have to find one in common. */
function united(vocabulary: Vocabulary, table: Table): Arbitrary<string> {
  const exprs = within(vocabulary, table);
  const operation = fc.constantFrom('UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT ALL');
  const alike = exprs
    .anyType()
    .chain((type) => fc.tuple(exprs.of(type, 1), exprs.like(type, 1), exprs.like(type, 1)));
  const from = `FROM ${table.name} t1`;
  return fc.oneof(
    fc
      .tuple(alike, alike, operation, operation)
      .map(
        ([[a, b, c], [d, e, f], first, second]) =>
          `SELECT ${a}, ${e} ${from} ${first} SELECT ${b}, ${d} ${from} ${second} SELECT ${c}, ${f} ${from}`,
      ),
    fc
      .tuple(alike, alike)
      .map(
        ([[a, b, c], [d, e, f]]) =>
          `SELECT v.* ${from}, LATERAL (VALUES (${a}, ${f}), (${b}, ${d}), (${c}, ${e})) v`,
      ),
  );
}

function insert(vocabulary: Vocabulary, table: Table): Arbitrary<string> {
  const exprs = within(vocabulary);
  return fc
    .shuffledSubarray([...table.columns], { minLength: 1, maxLength: Math.min(4, table.columns.length) })
    .chain((columns) => {
      const values = fc.tuple(...columns.map(({ type }) => exprs.like(type, 1)));
      const names = columns.map(({ name }) => name).join(', ');
      return fc.tuple(values, values, fc.boolean()).map(([one, other, several]) => {
        const rows = several
          ? `VALUES (${one.join(', ')}), (${other.join(', ')})`
          : `SELECT ${one.join(', ')}`;
        return `INSERT INTO ${table.name} (${names}) ${rows} RETURNING *`;
      });
    });
}

function update(vocabulary: Vocabulary, table: Table): Arbitrary<string> {
  const exprs = within(vocabulary, table);
  return fc
    .shuffledSubarray([...table.columns], { minLength: 1, maxLength: Math.min(3, table.columns.length) })
    .chain((columns) => {
      const values = fc.tuple(...columns.map(({ type }) => exprs.like(type, 2)));
      return fc.tuple(values, exprs.of('boolean', 2)).map(([one, where]) => {
        const set = columns.map(({ name }, index) => `${name} = ${one[index]}`).join(', ');
        return `UPDATE ${table.name} t1 SET ${set} WHERE ${where} RETURNING t1.*`;
      });
    });
}
