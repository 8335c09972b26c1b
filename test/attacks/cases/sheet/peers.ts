/** PG-N: what peers published. For a role that is no superuser and owns nothing of this, under a policy that lets it write a row. */
import { query, type RawClient } from '../../../support/postgres/raw-client.ts';
import { type Attack, act, FORMS, leak, must, same, send } from '../../attack.ts';
import type { World } from '../../world.ts';

const VAULT = '555-66-7788';
const THEIRS = '777-88-9966';
/** Of the other tenant alone. */
const KNOWN = 'quarterly-loss';

/** What only its definer may read, and everything that runs the definer's code for somebody else. */
const DEFINERS = `
CREATE TABLE vault (secret text); INSERT INTO vault VALUES ('${VAULT}');
CREATE FUNCTION sd_read() RETURNS text SECURITY DEFINER LANGUAGE sql AS 'SELECT secret FROM public.vault';
CREATE FUNCTION sd_wipe(text) RETURNS boolean SECURITY DEFINER LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.vault; RETURN true; END';
CREATE FUNCTION sd_index(text) RETURNS text IMMUTABLE SECURITY DEFINER LANGUAGE plpgsql AS 'BEGIN PERFORM public.sd_wipe($1); RETURN $1; END';
CREATE FUNCTION sd_trigger() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.vault; RETURN NEW; END';
CREATE FUNCTION wrapped() RETURNS text LANGUAGE sql AS 'SELECT public.sd_read()';
CREATE FUNCTION wrapped_twice() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN public.wrapped(); END';
CREATE TABLE checked (id int, a text CHECK (sd_wipe(a)));
CREATE TABLE defaulted (id int, a text DEFAULT sd_read());
CREATE TABLE triggered (id int);
CREATE TRIGGER wipes BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION sd_trigger();
CREATE TABLE indexed (id int, a text); CREATE INDEX ON indexed (sd_index(a));
CREATE TABLE ruled (id int); CREATE RULE wipes AS ON INSERT TO ruled DO ALSO SELECT sd_wipe('x');
CREATE VIEW shown AS SELECT wrapped_twice() AS x;
CREATE TABLE guarded (id int); INSERT INTO guarded VALUES (1); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY wipes ON guarded USING (sd_wipe('x'));
GRANT SELECT, INSERT, UPDATE, DELETE ON checked, defaulted, triggered, indexed, ruled, shown, guarded TO hoop;
`;

/** Two tenants in one table; the role's own is `a`. */
const TENANTS = `
CREATE TABLE tenant_rows (tenant text, secret text);
INSERT INTO tenant_rows VALUES ('a', 'my own row'), ('b', '${THEIRS}');
ALTER TABLE tenant_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON tenant_rows USING (tenant = current_setting('app.tenant', true));
CREATE TABLE words (tenant text, word text);
INSERT INTO words SELECT 'b', CASE WHEN g % 2 = 0 THEN '${KNOWN}' ELSE 'w' || g % 50 END FROM generate_series(1, 2000) g;
INSERT INTO words SELECT 'a', 'w' || g FROM generate_series(1, 20) g;
ALTER TABLE words ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON words USING (tenant = current_setting('app.tenant', true));
CREATE VIEW my_words WITH (security_invoker) AS SELECT word FROM words;
GRANT SELECT ON tenant_rows, words, my_words TO hoop;
ALTER ROLE hoop SET app.tenant = 'a';
`;

/** Where one row becomes many. */
const MANY = `
CREATE TABLE stock (id int PRIMARY KEY, qty int);
CREATE TABLE owners (id int PRIMARY KEY);
CREATE TABLE owned (id int, owner int REFERENCES owners ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE switch (id int PRIMARY KEY, state int);
CREATE RULE many AS ON UPDATE TO switch DO ALSO UPDATE stock SET qty = 0;
CREATE TABLE big AS SELECT g AS id FROM generate_series(1, 5000) g;
ALTER ROLE hoop SET min_parallel_table_scan_size = 0;
ALTER ROLE hoop SET parallel_setup_cost = 0;
ALTER ROLE hoop SET parallel_tuple_cost = 0;
GRANT SELECT, INSERT, UPDATE, DELETE ON stock, owners, owned, switch, big TO hoop;
ANALYZE;
`;

export const PEERS_SQL = `${DEFINERS}${TENANTS}${MANY}`;

const WIPED = {
  effect: 'SELECT count(*) FROM vault',
  reset: `DELETE FROM vault; INSERT INTO vault VALUES ('${VAULT}')`,
};
const wipes = (what: string, ...steps: readonly string[]) =>
  act({ id: 'PG-N2', case: what, steps, ...WIPED });
const reads = (what: string, ...steps: readonly string[]) =>
  leak({ id: 'PG-N2', case: what, steps, secret: VAULT });

const others = (what: string, ...steps: readonly string[]) =>
  leak({ id: 'PG-N6', case: what, steps: [...steps, 'ROLLBACK'], secret: THEIRS });

const CHANGED = {
  effect: `SELECT (SELECT string_agg(t::text, ',' ORDER BY id) FROM stock t), (SELECT count(*) FROM owned), (SELECT sum(owner) FROM owned)`,
  reset: `TRUNCATE stock, owners, owned, switch; INSERT INTO stock SELECT g, 1 FROM generate_series(1, 20) g;
INSERT INTO owners VALUES (1); INSERT INTO owned SELECT g, 1 FROM generate_series(1, 20) g; INSERT INTO switch VALUES (1, 0)`,
};
const many = (what: string, ...steps: readonly string[]) =>
  act({ id: 'PG-N5', case: what, steps, ...CHANGED });

/** A plan that depends on rows which the role may not see tells of them: two guesses must be answered alike. */
function estimate(what: string, explain: (word: string) => string | readonly string[]): Attack {
  return {
    id: 'PG-N3',
    case: what,
    run: async (world: World) => {
      for (const form of FORMS) {
        const told = async (client: RawClient) => {
          const plans = [];
          for (const word of [KNOWN, 'no-such-loss-1']) {
            const lines = [];
            for (const sql of [explain(word)].flat()) lines.push(...(await send(client, sql, form)));
            plans.push(lines.join(' / ').replaceAll(word, '…'));
          }
          return { differ: plans[0] !== plans[1], plans };
        };
        const control = await told(await world.direct());
        must(control.differ, `dead: the server's plans are alike: ${control.plans[0]}`);
        const through = await told(await world.through());
        must(!through.differ, `${form}: they differ: ${through.plans.join('\n  and: ')}`);
      }
    },
  };
}

const settingAtStart: Attack = {
  id: 'PG-N6',
  case: 'the setting, at start-up',
  run: async (world) => {
    const seen = async (log: typeof world.direct, options: Readonly<Record<string, string>>) => {
      const client = await log.call(world, { parameters: options }).catch(() => undefined);
      const lines = await client?.ask(query('SELECT secret FROM tenant_rows'));
      return lines?.some((one) => one.includes(THEIRS)) === true;
    };
    for (const options of [{ 'app.tenant': 'b' }, { options: '-c app.tenant=b' }]) {
      must(await seen(world.direct, options), 'dead: no effect on the server itself');
      must(!(await seen(world.through, options)), `it had its effect: ${JSON.stringify(options)}`);
    }
  },
};

export const PEERS: readonly Attack[] = [
  reads('a definer’s function behind a wrapper', 'SELECT wrapped()'),
  reads('… behind two', 'SELECT wrapped_twice()'),
  reads('… behind a view', 'SELECT x FROM shown'),
  reads('a DEFAULT', 'BEGIN', 'INSERT INTO defaulted (id) VALUES (1)', 'SELECT a FROM defaulted', 'ROLLBACK'),
  reads('a DEFAULT, returned', 'BEGIN', 'INSERT INTO defaulted (id) VALUES (1) RETURNING a', 'ROLLBACK'),
  reads(
    'a DEFAULT, written out',
    'BEGIN',
    'INSERT INTO defaulted VALUES (1, DEFAULT) RETURNING *',
    'ROLLBACK',
  ),
  wipes('a CHECK', "INSERT INTO checked VALUES (1, 'x')"),
  wipes(
    'a CHECK, by UPDATE',
    "UPDATE checked SET a = 'y' WHERE id = 1",
    "INSERT INTO checked VALUES (2, 'x')",
  ),
  wipes('a trigger', 'INSERT INTO triggered VALUES (1)'),
  wipes('an index over an expression', "INSERT INTO indexed VALUES (1, 'x')"),
  wipes('a rule', 'INSERT INTO ruled VALUES (1)'),
  wipes('a policy of row security', 'SELECT * FROM guarded'),
  estimate('EXPLAIN of a guess', (word) => `EXPLAIN SELECT 1 FROM words WHERE word = '${word}'`),
  ...['JSON', 'YAML', 'XML'].map((format) =>
    estimate(
      `… as ${format}`,
      (word) => `EXPLAIN (FORMAT ${format}) SELECT 1 FROM words WHERE word = '${word}'`,
    ),
  ),
  estimate('… through a view', (word) => `EXPLAIN SELECT 1 FROM my_words WHERE word = '${word}'`),
  estimate(
    '… in a join, sorted',
    (word) => `EXPLAIN SELECT s.id FROM stock s JOIN words w ON w.word = '${word}' ORDER BY s.qty`,
  ),
  estimate(
    '… of a change',
    (word) =>
      `EXPLAIN UPDATE stock SET qty = 1 WHERE id = 1 AND EXISTS (SELECT 1 FROM words WHERE word = '${word}')`,
  ),
  estimate('… of what was prepared', (word) => [
    `PREPARE guess AS SELECT 1 FROM words WHERE word = '${word}'`,
    'EXPLAIN EXECUTE guess',
    'DEALLOCATE guess',
  ]),
  estimate('… that runs it, and counts what it leaves out', (word) => [
    `EXPLAIN (ANALYZE, TIMING off, SUMMARY off) SELECT 1 FROM words WHERE word = '${word}'`,
  ]),
  same({
    id: 'PG-N3',
    case: 'EXPLAIN of what is nobody’s secret',
    steps: ['EXPLAIN SELECT 1 FROM big WHERE id = 1'],
  }),
  others('set_config', "SELECT set_config('app.tenant', 'b', false)", 'SELECT secret FROM tenant_rows'),
  others(
    'set_config within the query',
    "SELECT secret FROM tenant_rows, (SELECT set_config('app.tenant', 'b', false) OFFSET 0) s",
    'SELECT secret FROM tenant_rows',
  ),
  others(
    'set_config in a CTE',
    "WITH s AS MATERIALIZED (SELECT set_config('app.tenant', 'b', false)) SELECT secret FROM s, tenant_rows",
    'SELECT secret FROM tenant_rows',
  ),
  others('SET', "SET app.tenant = 'b'", 'SELECT secret FROM tenant_rows'),
  others('SET LOCAL', 'BEGIN', "SET LOCAL app.tenant = 'b'", 'SELECT secret FROM tenant_rows'),
  settingAtStart,
  same({ id: 'PG-N6', case: 'one’s own rows', steps: ['SELECT secret FROM tenant_rows'] }),
  many(
    'a CTE that deletes, under a SELECT',
    'WITH d AS (DELETE FROM stock RETURNING 1) SELECT count(*) FROM d',
  ),
  many('a CTE that updates, read by nobody', 'WITH u AS (UPDATE stock SET qty = 9) SELECT 1'),
  many(
    'two CTEs of a row each',
    'WITH a AS (DELETE FROM stock WHERE id = 1), b AS (DELETE FROM stock WHERE id = 2) SELECT 1',
  ),
  many('a cascade', 'DELETE FROM owners WHERE id = 1'),
  many('a cascade of an update', 'UPDATE owners SET id = 2 WHERE id = 1'),
  many('a rule that makes one row many', 'UPDATE switch SET state = 1 WHERE id = 1'),
  many(
    'rows that parallel workers read',
    'INSERT INTO stock SELECT id + 100, count(*) FROM big WHERE id > 4000 GROUP BY id',
  ),
];
