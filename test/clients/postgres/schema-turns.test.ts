/**
 * Two sessions of one client, for whom a column is masked: one asks, and the other has what it asked mean something else before the
 * server reads it. Each is shown to be live by what the server itself gives to the same messages.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { disguiseOf } from '../../attacks/leak.ts';
import { startWorld, type World } from '../../attacks/world.ts';
import {
  bind,
  describePortal,
  execute,
  line,
  parse,
  query,
  type RawClient,
  sync,
} from '../../support/postgres/raw-client.ts';
import { eventually, timePasses } from '../../support/waiting.ts';

const POLICY = `
@id("all") permit (principal, action, resource);
@id("masked") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column)
when { resource.tags.contains("handle") };
`;
const SECRET = 'zebra-seventeen';
const FIXTURE = `
CREATE TABLE people (id int PRIMARY KEY, email text);
INSERT INTO people VALUES (1, '${SECRET}');
CREATE SCHEMA mine AUTHORIZATION hoop; GRANT CREATE ON DATABASE shop TO hoop;
GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop;`;
/** Made anew by the one who asks, so that the gateway knows of it. */
const OWN = [
  'DROP SCHEMA IF EXISTS mine CASCADE',
  'CREATE SCHEMA mine',
  "CREATE TABLE mine.t AS SELECT 'own' AS email",
  'CREATE TABLE mine.people (id int, email text)',
  'CREATE TABLE mine.sink (x text)',
  'SET search_path = mine, public',
];

let world: World;

beforeAll(async () => {
  world = await startWorld(15, {
    policy: POLICY,
    sql: FIXTURE,
    columns: { 'public.people.email': ['handle'] },
  });
});

afterAll(() => world?.stop());
afterEach(() => world.closeClients());

const ask = async (client: RawClient, ...statements: readonly string[]) => {
  const lines: string[] = [];
  for (const sql of statements) lines.push(...(await client.ask(query(sql))));
  return lines;
};
const extended = (sql: string) => [parse('', sql), bind('', ''), describePortal(''), execute('')];
const SLEEP = 'SELECT pg_sleep(1)';

/** How the second session comes between. */
const WAYS: readonly {
  readonly way: string;
  readonly between: (one: RawClient, other: RawClient, asked: string, change: string) => Promise<void>;
  /** How many answers are due. */
  readonly cycles?: number;
}[] = [
  {
    way: 'behind its lock',
    between: async (one, other, asked, change) => {
      await ask(other, 'BEGIN', change);
      one.send(query(asked));
      await timePasses(200, 'the statement comes to the lock');
      await ask(other, 'COMMIT');
    },
  },
  {
    way: 'behind its lock, extended',
    between: async (one, other, asked, change) => {
      other.send(query('BEGIN'), ...extended(change), sync);
      await other.untilReady();
      await other.untilReady();
      one.send(...extended(asked), sync);
      await timePasses(200, 'the statement comes to the lock');
      other.send(...extended('COMMIT'), sync);
      await other.untilReady();
    },
  },
  {
    way: 'while the statement before it in one batch runs',
    between: async (one, other, asked, change) => {
      one.send(...extended(SLEEP), ...extended(asked), sync);
      await timePasses(200, 'the first runs');
      await ask(other, change);
    },
  },
  {
    way: 'while the statement before it in one string runs',
    between: async (one, other, asked, change) => {
      one.send(query(`${SLEEP}; ${asked}`));
      await timePasses(200, 'the first runs');
      other.send(...extended(change), sync);
      await other.untilReady();
    },
  },
  {
    way: 'while the message before it runs',
    cycles: 2,
    between: async (one, other, asked, change) => {
      one.send(query(SLEEP), query(asked));
      await timePasses(200, 'the first runs');
      await ask(other, 'BEGIN', change, 'COMMIT');
    },
  },
  {
    way: 'committed in a string that goes on',
    between: async (one, other, asked, change) => {
      other.send(query(`BEGIN; ${change}; COMMIT; ${SLEEP}`));
      await timePasses(300, 'it is committed, and nobody is told');
      one.send(query(asked));
    },
  },
  {
    way: 'committed in a batch that goes on',
    between: async (one, other, asked, change) => {
      other.send(...['BEGIN', change, 'COMMIT', SLEEP].flatMap(extended), sync);
      await timePasses(300, 'it is committed, and nobody is told');
      one.send(query(asked));
    },
  },
];

/** What was decided of such a text, and by which rule of the gateway's own. */
function onRecord(text: string): string[] {
  const events = world.decisions(text).map((one) => JSON.parse(one).event);
  return events.map(({ decision, reason = '' }) => `${decision} ${reason.split(':')[0]}`.trim());
}

const RENAMED = 'ALTER TABLE mine.t RENAME email TO gone';
const CASES: readonly { readonly asked: string; readonly change: string }[] = [
  { asked: 'SELECT (SELECT email FROM mine.t LIMIT 1) FROM public.people', change: RENAMED },
  { asked: 'SELECT (SELECT upper(email) FROM mine.t LIMIT 1) FROM public.people', change: RENAMED },
  {
    asked: 'INSERT INTO mine.sink SELECT (SELECT email FROM mine.t LIMIT 1) FROM public.people',
    change: RENAMED,
  },
  {
    asked: 'SELECT (SELECT email FROM mine.t LIMIT 1) FROM public.people',
    change: 'ALTER TABLE mine.t DROP COLUMN email CASCADE',
  },
  { asked: 'SELECT (SELECT email FROM people LIMIT 1)', change: 'DROP TABLE mine.people' },
  { asked: 'SELECT upper(email) FROM people', change: 'ALTER TABLE mine.people RENAME TO others' },
  {
    asked: "INSERT INTO mine.sink SELECT email FROM people UNION ALL SELECT 'x'",
    change: 'DROP TABLE mine.people CASCADE',
  },
];

async function seen(
  open: () => Promise<RawClient>,
  way: (typeof WAYS)[number],
  asked: string,
  change: string,
) {
  const [one, other] = [await open(), await open()];
  await ask(one, ...OWN);
  await way.between(one, other, asked, change);
  const lines: string[] = [];
  for (let left = way.cycles ?? 1; left > 0; left--) lines.push(...(await one.untilReady()).map(line));
  lines.push(...(await ask(one, 'SELECT x FROM mine.sink')));
  const found = [SECRET, SECRET.toUpperCase()].map((secret) => disguiseOf(one.received, secret));
  return { found: found.find((disguise) => disguise !== undefined), lines };
}

describe.each(WAYS)('what another session changes, $way', (way) => {
  test.each(CASES)(
    'does not have a name stand for what is masked: $asked, $change',
    async ({ asked, change }) => {
      const direct = await seen(() => world.direct(), way, asked, change);
      expect(direct.found, `dead: ${direct.lines.join(' / ')}`).toBe('clear');
      const through = await seen(() => world.through(), way, asked, change);
      expect(through.found, through.lines.join(' / ')).toBeUndefined();
    },
  );
});

describe('who waits', () => {
  test('nobody whose names are not among those that are changed', async () => {
    const [one, other] = [await world.through(), await world.through()];
    await ask(one, ...OWN);
    await ask(other, 'BEGIN', 'CREATE TABLE mine.made (n int)', 'ALTER TABLE mine.sink ADD COLUMN y int');
    one.send(query('SELECT email FROM public.people'));
    expect((await one.untilReady()).map(line)).toContain('DataRow ***');
    one.send(query(`${SLEEP}; SELECT count(*) FROM mine.t`));
    expect((await ask(other, 'COMMIT')).at(-1)).toBe('ReadyForQuery I');
    expect((await one.untilReady()).map(line)).toContain('DataRow 1');
  });

  test('what is asked waits for the other session to end its transaction, and is judged by what it has made', async () => {
    const [one, other] = [await world.through(), await world.through()];
    await ask(one, ...OWN);
    await ask(other, 'BEGIN', "ALTER TABLE mine.t ADD COLUMN more text DEFAULT 'more'");
    one.send(query('SELECT * FROM mine.t'));
    await timePasses(100, 'the statement waits meanwhile');
    await ask(other, 'COMMIT');
    expect((await one.untilReady()).map(line)).toContain('DataRow own|more');
  });

  test('not for ever: schema-changing', async () => {
    const [one, other, third] = [await world.through(), await world.through(), await world.through()];
    await ask(one, ...OWN);
    await ask(other, 'BEGIN', RENAMED);
    expect(await ask(one, 'SELECT email AS asked FROM mine.t')).toEqual([
      'ErrorResponse 55P03',
      'ReadyForQuery I',
    ]);
    expect(onRecord('SELECT email AS asked FROM mine.t')).toEqual(['deny schema-changing']);
    expect(await ask(other, 'ROLLBACK')).toContain('ReadyForQuery I');
    expect(await ask(one, 'SELECT email FROM mine.t')).toContain('DataRow own');
    third.send(query('SELECT pg_sleep(8) FROM mine.t'));
    await eventually(
      'it runs',
      () => world.look("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(8)%'"),
      (found) => found.trim() === '1',
    );
    expect(await ask(other, 'BEGIN', 'DROP TYPE IF EXISTS mine.none CASCADE', 'COMMIT')).toContain(
      'ErrorResponse 55P03',
    );
    expect(await ask(other, 'ROLLBACK')).toContain('ReadyForQuery I');
    await third.untilReady();
    expect(await ask(other, RENAMED)).toContain('CommandComplete ALTER TABLE');
  }, 40_000);

  test('and is on record, the end of a transaction or a batch too', async () => {
    const [one, other, third] = [await world.through(), await world.through(), await world.through()];
    await ask(one, ...OWN);
    third.send(query('SELECT pg_sleep(15) FROM mine.t'));
    await eventually(
      'it runs',
      () => world.look("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(15)%'"),
      (found) => found.trim() === '1',
    );
    const change = 'DROP TYPE IF EXISTS mine.none CASCADE';
    await ask(other, 'BEGIN', change);
    const committed = await other.ask(...extended('COMMIT /* too soon */'), sync);
    expect(committed.slice(-2)).toEqual(['ErrorResponse 55P03', 'ReadyForQuery E']);
    expect(onRecord('COMMIT /* too soon */')).toEqual(['allow', 'deny schema-changing']);
    // What keeps nothing does not wait.
    expect(await ask(other, 'ROLLBACK')).toContain('ReadyForQuery I');
    await ask(other, 'BEGIN', change);
    const undone = await other.ask(...extended('ROLLBACK'), sync);
    expect(undone.slice(-2)).toEqual(['CommandComplete ROLLBACK', 'ReadyForQuery I']);
    const kept = await other.ask(...extended('CREATE TABLE mine.kept ()'), ...extended(change), sync);
    expect(kept.slice(-2)).toEqual(['ErrorResponse 55P03', 'ReadyForQuery I']);
    expect(onRecord('‹end of a batch›')).toEqual(['deny schema-changing']);
    expect(await world.look("SELECT count(*) FROM pg_class WHERE relname = 'kept'")).toContain('0');
    await third.untilReady();
    const later = await other.ask(...extended('CREATE TABLE mine.kept ()'), ...extended(change), sync);
    expect(later.at(-2)).toBe('CommandComplete DROP TYPE');
    expect(onRecord('‹end of a batch›')).toHaveLength(1);
  }, 40_000);

  test('a session that has left still counts', async () => {
    const [one, other] = [await world.through(), await world.through()];
    await ask(one, ...OWN);
    other.send(query(RENAMED));
    await timePasses(8, 'the change is on its way');
    other.close();
    const lines = await ask(one, 'SELECT (SELECT email FROM mine.t LIMIT 1) FROM public.people');
    expect(lines.join(), lines.join()).not.toContain(SECRET);
  });
});
