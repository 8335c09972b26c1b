/**
 * RT18: what tells of a masked value though no expression of the statement names it. The server compares it with what is written, puts
 * rows into partitions and in order by it, checks a type against it, or runs a text that a function is given.
 *
 * Each asks the same of two rows of which only the masked value differs. That the answers differ where no gateway stands shows that
 * there is something to be told; through the gateway they must not.
 */
import type { RawClient } from '../../../support/postgres/raw-client.ts';
import { ALLOW_ALL } from '../../../support/stack.ts';
import { type Attack, type AttackGroup, FORMS, leak, must, send } from '../../attack.ts';
import type { World } from '../../world.ts';

const POLICY = `${ALLOW_ALL}
@id("masked") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column)
when { resource.tags.contains("pii") };`;
const SECRET = 'apple-tree-7431';

/** Of the first row the pay is 7000, of the second 3000; `word` begins with z and with a. */
const TABLES = {
  checked: "pay int, cap int DEFAULT 9999, note text DEFAULT '', CHECK (pay < cap)",
  generated: 'pay int, cap int DEFAULT 9999, rest int GENERATED ALWAYS AS (1 / (pay - cap)) STORED',
  parts_of: 'pay int, cap int DEFAULT 9999',
  guarded: 'pay int, cap int DEFAULT 9999',
  triggered: 'pay int, cap int DEFAULT 9999',
  unequal: 'pay int, cap int DEFAULT 9999',
  only_some: "pay int, cap int DEFAULT 0, tag text DEFAULT 'one'",
  apart: 'pay int, room int, EXCLUDE USING gist (int4range(pay, pay + 10) WITH &&)',
  ordered: 'word text',
  indexed: 'word text',
  typed_z: 'word word_z',
  typed_a: 'word word_a',
  named: 'word text',
} as const;
const SQL = `
CREATE EXTENSION tablefunc;
CREATE DOMAIN word_z AS text; CREATE DOMAIN word_a AS text; CREATE TYPE both_z AS (n int, word word_z);
${Object.entries(TABLES)
  .map(([name, columns]) => `CREATE TABLE ${name} (id int PRIMARY KEY, ${columns});`)
  .join('\n')}
CREATE INDEX ON parts_of ((1 / (pay - cap)));
CREATE UNIQUE INDEX ON unequal ((pay < cap)) WHERE id > 8;
CREATE UNIQUE INDEX ON only_some (tag) WHERE pay < cap;
CREATE INDEX ON ordered (word); CREATE INDEX ON indexed (word);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON guarded USING (true) WITH CHECK (pay < cap);
CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no'; END$$;
CREATE TRIGGER t BEFORE UPDATE ON triggered FOR EACH ROW WHEN (NEW.pay > NEW.cap) EXECUTE FUNCTION fails();
CREATE VIEW chosen AS SELECT id, cap AS most FROM parts_of WHERE pay < cap WITH CHECK OPTION;
CREATE VIEW handed AS SELECT id, cap, note FROM checked;
CREATE TABLE kept (id int, pay int) PARTITION BY RANGE (pay);
CREATE TABLE kept_low PARTITION OF kept FOR VALUES FROM (0) TO (5000);
CREATE TABLE kept_high PARTITION OF kept FOR VALUES FROM (5000) TO (10000);
${['checked', 'generated', 'parts_of', 'guarded', 'triggered', 'unequal', 'only_some', 'apart', 'kept']
  .map((name) => `INSERT INTO ${name} (id, pay) VALUES (1, 7000), (2, 3000);`)
  .join('\n')}
INSERT INTO unequal VALUES (9, 1, 5000);
INSERT INTO ordered VALUES (1, 'zoo'), (2, 'ape'); INSERT INTO indexed VALUES (1, 'zoo'), (2, 'ape');
INSERT INTO typed_z VALUES (1, 'zoo'); INSERT INTO typed_a VALUES (1, 'ape'); INSERT INTO named VALUES (1, '${SECRET}');
GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop;`;
const MASKED = ['word', 'pay'];
const columns = Object.fromEntries(
  [...Object.entries(TABLES), ['kept', 'pay'] as const].flatMap(([name, has]) =>
    MASKED.filter((one) => has.startsWith(one)).map((one) => [`public.${name}.${one}`, ['pii']] as const),
  ),
);

type Ask = (of: {
  readonly id: number;
  readonly word: 'z' | 'a';
  readonly part: 'high' | 'low';
}) => readonly string[];

/** @param ask The same of one value and of the other; what it changes is undone. */
function tells(what: string, ask: Ask): Attack {
  const values = [
    { id: 1, word: 'z', part: 'high' },
    { id: 2, word: 'a', part: 'low' },
  ] as const;
  return {
    case: what,
    run: async (world) => {
      for (const form of FORMS) {
        const answers = async (open: () => Promise<RawClient>) => {
          const all: string[] = [];
          for (const value of values) {
            const client = await open();
            await send(client, 'BEGIN');
            const lines: string[] = [];
            for (const sql of ask(value)) lines.push(...(await send(client, sql, form)));
            await send(client, 'ROLLBACK');
            // What a row is called is no secret.
            all.push(lines.join(' / ').replaceAll(`DataRow ${value.id}`, 'DataRow'));
          }
          return all;
        };
        const bare = await answers(() => world.direct());
        must(bare[0] !== bare[1], `dead, ${form}: ${bare[0]}`);
        const [one, other] = await answers(() => world.through());
        must(one === other, `${form}: of the one ${one}\n  of the other ${other}`);
      }
    },
  };
}

const written: readonly Attack[] = [
  tells('a check, by UPDATE', ({ id }) => [`UPDATE checked SET cap = 5000 WHERE id = ${id}`]),
  tells('… by ON CONFLICT', ({ id }) => [
    `INSERT INTO checked (id, pay) VALUES (${id}, 1) ON CONFLICT (id) DO UPDATE SET cap = 5000`,
  ]),
  tells('… by MERGE', ({ id }) => [
    `MERGE INTO checked c USING (VALUES (${id})) v(i) ON c.id = v.i WHEN MATCHED THEN UPDATE SET cap = 5000`,
  ]),
  tells('… in a WITH', ({ id }) => [
    `WITH w AS (UPDATE checked SET cap = 5000 WHERE id = ${id} RETURNING id) SELECT count(*) FROM w`,
  ]),
  tells('… by a view', ({ id }) => [`UPDATE handed SET cap = 5000 WHERE id = ${id}`]),
  tells('… by a prepared statement', ({ id }) => [
    'PREPARE raises(int, int) AS UPDATE checked SET cap = $2 WHERE id = $1',
    `EXECUTE raises(${id}, 5000)`,
    'DEALLOCATE raises',
  ]),
  tells('a generated column that fails', ({ id }) => [`UPDATE generated SET cap = 7000 WHERE id = ${id}`]),
  tells('an index that fails', ({ id }) => [`UPDATE parts_of SET cap = 7000 WHERE id = ${id}`]),
  tells('a unique index over a comparison', ({ id }) => [
    `UPDATE unequal SET cap = 5000, id = ${id} + 20 WHERE id = ${id}`,
  ]),
  tells('a unique index of some rows', ({ id }) => [
    "INSERT INTO only_some VALUES (3, 1, 2, 'one')",
    `UPDATE only_some SET cap = 5000 WHERE id = ${id}`,
  ]),
  tells('the condition of a trigger', ({ id }) => [`UPDATE triggered SET cap = 5000 WHERE id = ${id}`]),
  tells('the condition of a view', ({ id }) => [`UPDATE chosen SET most = 5000 WHERE id = ${id}`]),
  tells('an exclusion constraint', ({ id }) => [
    `DELETE FROM apart WHERE id <> ${id}`,
    'INSERT INTO apart VALUES (3, 7005, 1)',
  ]),
];

/** Of whom a superuser is none. */
const guarded = tells('a row policy', ({ id }) => [`UPDATE guarded SET cap = 5000 WHERE id = ${id}`]);

const placed: readonly Attack[] = [
  tells('the partition of a row', ({ id }) => [`SELECT tableoid::regclass::text FROM kept WHERE id = ${id}`]),
  tells('… by RETURNING', ({ id }) => [
    `UPDATE kept SET id = id WHERE id = ${id} RETURNING tableoid::regclass::text`,
  ]),
  tells('… in a condition', ({ id }) => [
    `SELECT 1 FROM kept k WHERE id = ${id} AND k.tableoid = 'kept_low'::regclass`,
  ]),
  tells('… by its name', ({ part }) => [`SELECT count(*) FROM kept_${part} WHERE id = 1`]),
  tells('… by what is deleted from it', ({ part }) => [`DELETE FROM kept_${part} WHERE id = 1`]),
  tells('… by COPY', ({ part }) => [`COPY kept_${part} (id) TO STDOUT`]),
  tells('… by a cursor', ({ part }) => [
    `DECLARE c CURSOR FOR SELECT id FROM kept_${part} WHERE id = 1`,
    'MOVE ALL c',
  ]),
  tells('… by what EXPLAIN counts', ({ id }) => [
    `EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off) SELECT id FROM kept WHERE id = ${id}`,
  ]),
  tells('… by what the server counts of the transaction', ({ id }) => [
    `UPDATE kept SET id = id WHERE id = ${id}`,
    "SELECT relname, n_tup_upd FROM pg_stat_xact_user_tables WHERE relname LIKE 'kept\\_%' ORDER BY 1",
  ]),
  tells('whether an indexed value is the one that is written', ({ id }) => [
    `UPDATE indexed SET word = 'zoo' WHERE id = ${id}`,
    "SELECT n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'indexed'",
  ]),
  tells('rows put in order', ({ id }) => [
    `CLUSTER ordered USING ordered_${id === 1 ? 'word_idx' : 'pkey'}`,
    'SELECT array_agg(id) FROM ordered',
  ]),
  tells('a domain that is given a check', ({ word }) => [
    `ALTER DOMAIN word_${word} ADD CHECK (value < 'm')`,
  ]),
  tells('… and looks at what is there later', ({ word }) => [
    `ALTER DOMAIN word_${word} ADD CONSTRAINT late CHECK (value < 'm') NOT VALID`,
    `ALTER DOMAIN word_${word} VALIDATE CONSTRAINT late`,
  ]),
  tells('a function that runs what it is given', ({ id }) => [
    `SELECT 1 FROM crosstab('select id, 1, 1 from checked where pay > 5000 and id = ${id}') AS t(a int, b int)`,
  ]),
  tells('… and fails by it', ({ id }) => [
    `SELECT * FROM crosstab('select id, 1, 1 / (pay - 7000) from checked where id = ${id}') AS t(a int, b int)`,
  ]),
  tells('… with a query in the place of a name', ({ id }) => [
    `SELECT count(*) FROM connectby('(select 2 as a, 1 as b from checked where pay > 5000 and id = ${id}) q',
      'a', 'b', '1', 0) AS t(a int, b int, c int)`,
    `SELECT 1 FROM connectby('(select 2 as a, 1 as b from checked where pay > 5000 and id = ${id}) q',
      'a', 'b', '1', 0) AS t(a int, b int, c int)`,
  ]),
  leak({
    case: "a column that is renamed in the server's own catalog",
    steps: [
      "UPDATE pg_attribute SET attname = 'zz' WHERE attrelid = 'named'::regclass AND attname = 'word'",
      'SELECT pg_sleep(4)',
      'SELECT zz FROM named',
    ],
    after: "UPDATE pg_attribute SET attname = 'word' WHERE attrelid = 'named'::regclass AND attname = 'zz'",
    forms: ['simple'],
    secret: SECRET,
  }),
];

/** What is no secret may be written as before: the server compares it with nothing that is. */
const honest: Attack = {
  case: 'and what is compared with nothing that is masked is written',
  run: async (world: World) => {
    const client = await world.through();
    for (const sql of [
      "UPDATE checked SET note = 'x' WHERE id = 1",
      "UPDATE handed SET note = 'x' WHERE id = 1",
      'INSERT INTO checked (id, pay, cap) VALUES (11, 1, 2)',
      'UPDATE checked SET pay = 1, cap = 2 WHERE id = 11',
      'INSERT INTO kept VALUES (11, 1)',
      'SELECT id, pay FROM kept',
      'UPDATE only_some SET id = id WHERE id = 1',
    ]) {
      const lines = await send(client, sql);
      must(!lines.join().includes('Error'), `${sql}: ${lines.join(' / ')}`);
    }
    await world.admin('DELETE FROM checked WHERE id = 11; DELETE FROM kept WHERE id = 11');
  },
};

export const RT18: readonly AttackGroup[] = [
  {
    id: 'RT18',
    scenario: { policy: POLICY, sql: SQL, columns, superuser: true },
    attacks: [...written, ...placed, honest],
  },
  { id: 'RT18', scenario: { policy: POLICY, sql: SQL, columns }, attacks: [guarded] },
];
