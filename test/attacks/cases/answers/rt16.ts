import {
  bind,
  closePortal,
  copyData,
  copyDone,
  copyFail,
  describePortal,
  execute,
  flush,
  parse,
  query,
  type RawClient,
  sync,
} from '../../../support/postgres/raw-client.ts';
import { ATTACK_COLUMNS, ATTACK_FIXTURE } from '../../../support/stack.ts';
import { eventually } from '../../../support/waiting.ts';
import { type Attack, type AttackGroup, act, actBy, must, same } from '../../attack.ts';
import type { World } from '../../world.ts';

/** Agents write freely, ten rows in a transaction; other things are masked, so that the masking path is taken. */
const BOUNDED = `
@id("use") permit (principal, action in [Action::"connect", Action::"sql.read", Action::"sql.transaction", Action::"sql.set", Action::"sql.copy-out", Action::"sql.lock"], resource);
@id("ten-rows") @rows("10") @reason("ten rows at a time") @hint("change fewer rows, or ask the shop's owner")
permit (principal, action in Action::"sql.write", resource);
@id("show") permit (principal, action == Action::"reveal", resource);
@id("pii-is-masked") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column) when { resource.tags.contains("pii") };
`;

const STOCK = `${ATTACK_FIXTURE}
CREATE TABLE stock (id int PRIMARY KEY, qty int NOT NULL, note text);
CREATE TABLE owners (id int PRIMARY KEY);
CREATE TABLE owned (id int PRIMARY KEY, owner int REFERENCES owners ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree ON DELETE CASCADE);
CREATE TABLE later (id int PRIMARY KEY, other int REFERENCES stock DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE parts (id int, qty int) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (25);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (25) TO (100);
CREATE VIEW shelf AS SELECT id, qty FROM stock;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO hoop;
`;

const RESET = `TRUNCATE stock, owners, owned, tree, later, parts;
INSERT INTO stock SELECT n, 1, 'x' FROM generate_series(1, 50) n;
INSERT INTO owners VALUES (1); INSERT INTO owned SELECT n, 1 FROM generate_series(1, 50) n;
INSERT INTO tree SELECT n, CASE WHEN n > 1 THEN 1 END FROM generate_series(1, 50) n;
INSERT INTO parts SELECT n, 1 FROM generate_series(1, 50) n`;

const EFFECT = `SELECT (SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM stock t),
  (SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM owned t),
  (SELECT count(*) FROM tree), (SELECT sum(qty) FROM parts), (SELECT count(*) FROM later)`;

/** A change of more rows than ten, by these statements one after the other. */
function change(what: string, ...steps: readonly string[]): Attack {
  return act({ case: what, steps, effect: EFFECT, reset: RESET });
}

/** The same by bare messages. */
function messages(what: string, send: (client: RawClient) => Promise<unknown>): Attack {
  return actBy({ case: what, send, effect: EFFECT, reset: RESET });
}

/** Within the bound: every message as the server itself has it. */
function honest(what: string, ...steps: readonly string[]): Attack {
  return same({ case: what, steps, reset: RESET });
}

function honestMessages(what: string, ...batches: readonly (readonly Buffer[])[]): Attack {
  return {
    case: what,
    run: async (world) => {
      const answers = async (client: RawClient) => {
        await world.admin(RESET);
        const lines: string[] = [];
        for (const batch of batches) lines.push(...(await client.ask(...batch)));
        return `${lines.join(' / ')} => ${await world.admin(EFFECT)}`;
      };
      const [direct, through] = [await answers(await world.direct()), await answers(await world.through())];
      must(direct === through, `direct: ${direct}\n  through: ${through}`);
    },
  };
}

const run = (sql: string, maxRows = 0) => [parse('', sql), bind('', ''), execute('', maxRows)];
const rows = (from: number, to: number) => `id BETWEEN ${from} AND ${to}`;
const lines = (count: number) => Array.from({ length: count }, (_, i) => copyData(`${100 + i}\t1\tx\n`));

/** What a refusal looks like, and that the session goes on as the server's would. */
const REFUSAL: Attack = {
  case: 'one refusal that says rule, bound and count; the connection goes on',
  run: async (world) => {
    await world.admin(RESET);
    const client = await world.through();
    const simple = await client.ask(query('DELETE FROM stock'));
    must(simple.join() === 'ErrorResponse 42501,ReadyForQuery I', simple.join());
    const extended = await client.ask(...run('DELETE FROM stock'), sync);
    must(
      extended.join() === 'ParseComplete,BindComplete,ErrorResponse 42501,ReadyForQuery I',
      extended.join(),
    );
    const text = client.received.toString();
    for (const said of ['ten-rows', '50 rows', 'allows 10', 'ask the shop'])
      must(text.includes(said), `it does not say "${said}"`);
    const inside = await client.ask(query('BEGIN'));
    inside.push(...(await client.ask(query('DELETE FROM stock'))), ...(await client.ask(query('COMMIT'))));
    const expected =
      'CommandComplete BEGIN,ReadyForQuery T,ErrorResponse 42501,ReadyForQuery E,CommandComplete ROLLBACK,ReadyForQuery I';
    must(inside.join() === expected, inside.join());
    const after = await client.ask(query('UPDATE stock SET qty = 2 WHERE id = 1'));
    must(after.join() === 'CommandComplete UPDATE 1,ReadyForQuery I', after.join());
  },
};

/** Nothing may be committed for a client that is gone before the count is known. */
const GONE: Attack = {
  case: 'a client that is gone while its change runs',
  run: async (world) => {
    await world.admin(RESET);
    const locker = await world.direct();
    await locker.ask(query('BEGIN'));
    await locker.ask(query('UPDATE stock SET qty = qty WHERE id = 50'));
    const before = await world.admin(EFFECT);
    const client = await world.through();
    client.send(query('UPDATE stock SET qty = 9'));
    await waiting(world, 1);
    client.close();
    await waiting(world, 0);
    await locker.ask(query('ROLLBACK'));
    must((await world.admin(EFFECT)) === before, 'it was committed');
  },
};

async function waiting(world: World, count: number): Promise<void> {
  const sql = `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'`;
  const asked = async () => (await world.admin(sql)).trim();
  await eventually(`dead: never ${count} waiting for a lock`, asked, (found) => found === String(count));
}

/** Hints that teach the way round, and changes of whole tables. */
export const RT16: readonly AttackGroup[] = [
  {
    id: 'RT16',
    scenario: {
      policy: BOUNDED,
      sql: STOCK,
      columns: { ...ATTACK_COLUMNS, 'public.customers.note': ['pii'] },
    },
    attacks: [
      change(
        'a condition that is true of every row by arithmetic',
        'UPDATE stock SET qty = 0 WHERE id = id + 0',
      ),
      change('WHERE true', 'DELETE FROM stock WHERE true'),
      change('a tautology over random()', 'UPDATE stock SET qty = 0 WHERE random() < 2'),
      change('a condition by subquery', 'DELETE FROM stock WHERE id IN (SELECT id FROM stock)'),
      change(
        'many small changes in one transaction',
        'BEGIN',
        `DELETE FROM stock WHERE ${rows(1, 9)}`,
        `DELETE FROM stock WHERE ${rows(10, 18)}`,
        'COMMIT',
      ),
      change(
        'small changes between savepoints',
        'BEGIN',
        'SAVEPOINT a',
        `UPDATE stock SET qty = 0 WHERE ${rows(1, 9)}`,
        'RELEASE a',
        'SAVEPOINT b',
        `UPDATE stock SET qty = 0 WHERE ${rows(10, 18)}`,
        'COMMIT',
      ),
      change(
        'a commit that leaves the next transaction open',
        'BEGIN',
        'UPDATE stock SET qty = 0',
        'COMMIT AND CHAIN',
        'COMMIT',
      ),
      act({
        case: 'several changes in one string',
        forms: ['simple'],
        steps: [`DELETE FROM stock WHERE ${rows(1, 9)}; DELETE FROM stock WHERE ${rows(10, 18)}`],
        effect: EFFECT,
        reset: RESET,
      }),
      act({
        case: 'a whole transaction in one string',
        forms: ['simple'],
        steps: ['BEGIN; DELETE FROM stock; COMMIT'],
        effect: EFFECT,
        reset: RESET,
      }),
      change(
        'a CTE that changes, under a SELECT',
        'WITH gone AS (DELETE FROM stock RETURNING id) SELECT count(*) FROM gone',
      ),
      change(
        'a CTE that changes much, under a change of one row',
        'WITH gone AS (DELETE FROM stock WHERE id > 1 RETURNING id) UPDATE stock SET qty = 2 WHERE id = 1',
      ),
      change('PREPARE and EXECUTE', 'PREPARE p(int) AS DELETE FROM stock WHERE id > $1', 'EXECUTE p(0)'),
      change(
        'PREPARE and EXECUTE of a CTE that changes much',
        'PREPARE p AS WITH gone AS (DELETE FROM stock WHERE id > 1 RETURNING id) UPDATE stock SET qty = 2 WHERE id = 1',
        'EXECUTE p',
      ),
      change(
        'PREPARE and EXECUTE of what a foreign key carries on',
        'PREPARE p AS DELETE FROM owners WHERE id = 1',
        'EXECUTE p',
      ),
      messages('a name from PREPARE, bound by message', async (client) => {
        await client.ask(query('PREPARE p AS DELETE FROM stock'));
        await client.ask(bind('', 'p'), execute(''), sync);
      }),
      messages('a name from PREPARE, of a CTE, bound by message', async (client) => {
        const cte = 'WITH gone AS (DELETE FROM stock WHERE id > 1) UPDATE stock SET qty = 2 WHERE id = 1';
        await client.ask(query(`PREPARE p AS ${cte}`));
        await client.ask(bind('', 'p'), execute(''), sync);
      }),
      messages('a name from Parse, run by EXECUTE', async (client) => {
        await client.ask(parse('s', 'DELETE FROM stock'), sync);
        await client.ask(query('EXECUTE s'));
      }),
      messages('two portals bound first and executed later', (client) =>
        client.ask(
          parse('a', `DELETE FROM stock WHERE ${rows(1, 9)}`),
          parse('b', `DELETE FROM stock WHERE ${rows(10, 18)}`),
          bind('a', 'a'),
          bind('b', 'b'),
          execute('a'),
          execute('b'),
          sync,
        ),
      ),
      change(
        'a savepoint that is rolled back resets nothing',
        'BEGIN',
        `DELETE FROM stock WHERE ${rows(1, 9)}`,
        'SAVEPOINT a',
        'ROLLBACK TO a',
        `DELETE FROM stock WHERE ${rows(10, 18)}`,
        'COMMIT',
      ),
      change('MERGE', 'MERGE INTO stock s USING stock t ON s.id = t.id WHEN MATCHED THEN UPDATE SET qty = 0'),
      change(
        'MERGE that deletes',
        'MERGE INTO stock s USING stock t ON s.id = t.id WHEN MATCHED THEN DELETE',
      ),
      change('INSERT from a SELECT', 'INSERT INTO stock SELECT id + 1000, qty, note FROM stock'),
      change(
        'ON CONFLICT DO UPDATE',
        'INSERT INTO stock SELECT id, qty, note FROM stock ON CONFLICT (id) DO UPDATE SET qty = 0',
      ),
      change('EXPLAIN ANALYZE', 'EXPLAIN ANALYZE DELETE FROM stock'),
      change('EXPLAIN ANALYZE of EXECUTE', 'PREPARE p AS DELETE FROM stock', 'EXPLAIN ANALYZE EXECUTE p'),
      change('rows that a foreign key deletes', 'DELETE FROM owners WHERE id = 1'),
      change('rows that a foreign key updates', 'UPDATE owners SET id = 2 WHERE id = 1'),
      change('rows that a foreign key deletes in the same table', 'DELETE FROM tree WHERE id = 1'),
      change('through a view', 'UPDATE shelf SET qty = 0'),
      change('over partitions', 'UPDATE parts SET qty = 0'),
      change('with all rows returned', 'UPDATE stock SET qty = 0 RETURNING id, qty'),
      change('TRUNCATE', 'TRUNCATE stock CASCADE'),
      change(
        'WHERE CURRENT OF, row by row',
        'BEGIN',
        'DECLARE c CURSOR FOR SELECT id FROM stock FOR UPDATE',
        ...Array.from({ length: 11 }, () => [
          'FETCH c',
          'UPDATE stock SET qty = 0 WHERE CURRENT OF c',
        ]).flat(),
        'COMMIT',
      ),
      messages('all of it sent at once', (client) => {
        client.send(query('BEGIN'), query('UPDATE stock SET qty = 0'), query('COMMIT'));
        return allReady(client, 3);
      }),
      messages('a pipeline of small changes under one Sync', (client) =>
        client.ask(
          ...run(`DELETE FROM stock WHERE ${rows(1, 9)}`),
          ...run(`DELETE FROM stock WHERE ${rows(10, 18)}`),
          sync,
        ),
      ),
      messages('COMMIT in the same pipeline', (client) =>
        client.ask(...run('BEGIN'), ...run('UPDATE stock SET qty = 0'), ...run('COMMIT'), sync),
      ),
      messages('a portal that stops before its end', (client) =>
        client.ask(...run('DELETE FROM stock RETURNING id', 1), sync),
      ),
      messages('a portal that is closed before its end', (client) =>
        client.ask(...run('DELETE FROM stock RETURNING id', 1), closePortal(''), flush, sync),
      ),
      messages("FETCH from a change's portal", (client) =>
        client.ask(
          ...run('BEGIN'),
          parse('s', 'DELETE FROM stock RETURNING id'),
          bind('c', 's'),
          ...run('FETCH 1 FROM c'),
          ...run('COMMIT'),
          sync,
        ),
      ),
      messages('a statement executed again and again', (client) =>
        client.ask(
          parse('s', 'UPDATE stock SET qty = 0 WHERE id BETWEEN $1 AND $2'),
          ...[1, 9, 18, 27].flatMap((from) => [
            bind('', 's', { values: [String(from), String(from + 7)] }),
            execute(''),
          ]),
          sync,
        ),
      ),
      messages('COPY', async (client) => {
        await client.ask(query('COPY stock FROM STDIN'), ...lines(30), copyDone);
      }),
      messages('COPY in the extended protocol', (client) =>
        client.ask(...run('COPY stock FROM STDIN'), ...lines(30), copyDone, sync),
      ),
      messages('COPY within a transaction', (client) => {
        client.send(query('BEGIN'), query('COPY stock FROM STDIN'), ...lines(30), copyDone, query('COMMIT'));
        return allReady(client, 3);
      }),
      GONE,
      REFUSAL,
      honest('a change of ten rows', `UPDATE stock SET qty = 0 WHERE ${rows(1, 10)}`),
      honest('rows returned', `DELETE FROM stock WHERE ${rows(1, 3)} RETURNING id, note`),
      honest('nothing to change', 'DELETE FROM stock WHERE id = -1 RETURNING id'),
      honest('an error of the server', "INSERT INTO stock VALUES (1, 1, 'x')", 'SELECT 1'),
      honest('an error at the commit', 'INSERT INTO later VALUES (1, 1000)', 'SELECT count(*) FROM later'),
      honest('an error in a transaction', 'BEGIN', 'INSERT INTO stock VALUES (1, 1)', 'SELECT 1', 'ROLLBACK'),
      honest(
        'the next transaction counts anew',
        'BEGIN',
        `DELETE FROM stock WHERE ${rows(1, 9)}`,
        'COMMIT',
        'BEGIN',
        `DELETE FROM stock WHERE ${rows(10, 18)}`,
        'COMMIT',
        `DELETE FROM stock WHERE ${rows(19, 27)}`,
      ),
      honest(
        'PREPARE and EXECUTE of few',
        'PREPARE p(int) AS DELETE FROM stock WHERE id = $1',
        'EXECUTE p(3)',
      ),
      honestMessages(
        'a name from PREPARE, bound by message, of few',
        [query('PREPARE p AS UPDATE stock SET qty = 5 WHERE id = 1')],
        [bind('', 'p'), execute(''), sync],
      ),
      honestMessages('PREPARE in the extended protocol', [
        ...run('PREPARE p AS UPDATE stock SET qty = 5 WHERE id = 1'),
        sync,
      ]),
      honest(
        'chained transactions count anew',
        'BEGIN',
        `DELETE FROM stock WHERE ${rows(1, 9)}`,
        'COMMIT AND CHAIN',
        `DELETE FROM stock WHERE ${rows(10, 18)}`,
        'COMMIT',
      ),
      honest('what is only explained', 'EXPLAIN (COSTS off) DELETE FROM stock'),
      honest(
        'DELETE that a foreign key refuses',
        'INSERT INTO later VALUES (1, 1)',
        'DELETE FROM stock WHERE id = 1',
      ),
      honestMessages('COPY of few rows', [query('COPY stock FROM STDIN'), ...lines(5), copyDone]),
      honestMessages(
        'COPY that fails at its data',
        [query('COPY stock FROM STDIN'), copyData('no number\t1\tx\n'), copyDone],
        [query('SELECT 1')],
      ),
      honestMessages(
        'COPY that the client gives up',
        [query('COPY stock FROM STDIN'), ...lines(2), copyFail('enough')],
        [query('SELECT 1')],
      ),
      honestMessages(
        'COPY in the extended protocol, of few rows',
        [...run('COPY stock FROM STDIN'), ...lines(5), copyDone, sync],
        [query('SELECT 1')],
      ),
      honestMessages(
        'a simple query takes what has no name',
        [parse('', 'SELECT 1'), sync],
        [query('UPDATE stock SET qty = 5 WHERE id = 1')],
        [bind('', ''), execute(''), sync],
        [execute(''), sync],
      ),
      honestMessages(
        'a query that the server skips',
        [parse('', 'SELECT nothing_there'), query('UPDATE stock SET qty = 5 WHERE id = 1'), sync],
        [query('SELECT 1')],
      ),
      honestMessages(
        'a pipeline of few rows',
        [
          ...run('UPDATE stock SET qty = 5 WHERE id = 1'),
          ...run('UPDATE stock SET qty = 5 WHERE id = 2'),
          describePortal(''),
          ...run('SELECT qty FROM stock WHERE id = 1'),
          sync,
        ],
        [...run('INSERT INTO stock VALUES (1, 1)'), ...run('SELECT 1'), sync],
      ),
    ],
  },
];

async function allReady(client: RawClient, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await client.untilReady();
}
