import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CatalogConnection } from '../../../src/protocols/postgres/catalog/reader.ts';
import { CatalogService } from '../../../src/protocols/postgres/catalog/service.ts';
import { asksForTrees, catalogConnection } from '../../support/postgres/catalog-connection.ts';
import {
  bind,
  execute,
  parse,
  query,
  type RawClient,
  rawLogin,
  sync,
} from '../../support/postgres/raw-client.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';
import { eventually, timePasses } from '../../support/waiting.ts';

/** Everything but what somebody's own function does: that a trigger calls one shows whose knowledge a verdict is by. */
const NO_USER_FUNCTIONS = `
@id("all") permit (principal, action, resource);
@id("no-functions") forbid (principal, action == Action::"sql.call", resource is Function) when { resource.class == "user" };
`;
const FIXTURE = `
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';
CREATE TABLE orders (id int);
ALTER TABLE orders OWNER TO hoop;`;

const CREATE = 'CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note_change()';
const DROP = 'DROP TRIGGER IF EXISTS t ON orders';
const INSERT = 'INSERT INTO orders VALUES (1)';

let stack: Stack;
let tunnel: Tunnel;
let one: RawClient;
let two: RawClient;

beforeAll(async () => {
  stack = await startStack({ policy: NO_USER_FUNCTIONS, sql: FIXTURE });
  tunnel = await stack.tunnel();
});

afterAll(async () => {
  await tunnel?.close();
  await stack?.stop();
});

beforeEach(async () => {
  [one, two] = [await rawLogin(tunnel), await rawLogin(tunnel)];
  await one.ask(query(DROP));
});

afterEach(() => {
  one.close();
  two.close();
});

const run = (sql: string) => [parse('', sql), bind('', ''), execute('')];
const denied = (lines: readonly string[]) => lines.some((line) => line.startsWith('ErrorResponse 42501'));

/** Sends everything at once. @returns Whether anything was denied, per ReadyForQuery. */
async function together(client: RawClient, answers: number, ...messages: Buffer[]): Promise<boolean[]> {
  const seen = [denied(await client.ask(...messages))];
  while (seen.length < answers) seen.push(denied(await client.ask()));
  return seen;
}

describe('a statement is judged by every schema change that came before it', () => {
  test('on its own connection, answered or not', async () => {
    expect(await together(one, 1, query(INSERT))).toEqual([false]);
    expect(await together(one, 2, query(CREATE), query(INSERT))).toEqual([false, true]);
    expect(await together(one, 2, query(DROP), query(INSERT))).toEqual([false, false]);
  });

  test('in the extended protocol, where the commit comes with Sync', async () => {
    for (let i = 0; i < 5; i++) {
      expect(await together(one, 2, ...run(CREATE), sync, ...run(INSERT), sync)).toEqual([false, true]);
      expect(await together(one, 2, ...run(DROP), sync, ...run(INSERT), sync)).toEqual([false, false]);
    }
  });

  test('committed by a statement of its own, whichever way it is sent', async () => {
    const begin = query('BEGIN');
    const commit = query('COMMIT');
    expect(await together(one, 4, begin, query(CREATE), commit, query(INSERT))).toEqual([
      ...[false, false, false],
      true,
    ]);
    expect(await together(one, 3, begin, query(DROP), query('ROLLBACK'))).toEqual([false, false, false]);
    expect(await together(one, 1, query(INSERT))).toEqual([true]);
    const extended = [...run('BEGIN'), ...run(DROP), ...run('COMMIT'), ...run(INSERT), sync];
    expect(await together(one, 1, ...extended)).toEqual([false]);
    expect(await together(one, 2, query(`BEGIN; ${CREATE}; COMMIT`), query(INSERT))).toEqual([false, true]);
    expect(await together(one, 2, query(`BEGIN; ${DROP}; SAVEPOINT s`), query('COMMIT AND CHAIN'))).toEqual([
      false,
      false,
    ]);
    expect(await together(one, 2, query(INSERT), query('COMMIT'))).toEqual([false, false]);
  });

  test('by another session', async () => {
    for (let i = 0; i < 5; i++) {
      await one.ask(query(CREATE));
      expect(await together(two, 1, query(INSERT))).toEqual([true]);
      await one.ask(query(DROP));
      expect(await together(two, 1, ...run(INSERT), sync)).toEqual([false]);
    }
    await one.ask(query('BEGIN'));
    await one.ask(query('CREATE TABLE waits (id int)'));
    expect(await two.ask(query('SELECT * FROM waits'))).toContain('ErrorResponse 42P01');
    await one.ask(query('COMMIT'));
    expect(await two.ask(query('SELECT * FROM waits'))).not.toContain('ErrorResponse 42P01');
  });

  test('many changes by one who may do anything, each of which names what the last one made', async () => {
    const changes = Array.from({ length: 30 }, (_, i) => [
      `CREATE TABLE step_${i} (id int)`,
      `ALTER TABLE step_${i} ADD COLUMN name text`,
      `CREATE INDEX ON step_${i} (name)`,
      `ALTER TABLE step_${i} RENAME TO done_${i}`,
      `CREATE VIEW view_${i} AS SELECT * FROM done_${i}`,
    ]).flat();
    for (const sql of changes) expect((await one.ask(query(sql))).join()).not.toContain('ErrorResponse');
    await one.ask(query(`ALTER TABLE done_0 RENAME TO gone`));
    await one.ask(query(CREATE.replace('orders', 'gone')));
    expect(await together(two, 1, query('INSERT INTO gone VALUES (1)'))).toEqual([true]);
    expect(await together(one, 1, query('INSERT INTO gone VALUES (1)'))).toEqual([true]);
    expect(await one.ask(query('SELECT * FROM done_0'))).toContain('ErrorResponse 42P01');
  });

  test('past the gateway, soon after', async () => {
    expect(await together(one, 1, query(INSERT))).toEqual([false]);
    await stack.postgres.psql(CREATE);
    await timePasses(2100, 'the catalog is at most two seconds old');
    expect(await together(one, 1, query(INSERT))).toEqual([true]);
  });

  test('an early commit of another transaction is not mistaken for this one', async () => {
    await one.ask(query('BEGIN'));
    await one.ask(query(CREATE));
    await two.ask(query('CREATE TABLE between (id int)'));
    expect(await together(two, 1, query(DROP.replace('t ON orders', 'x ON between')))).toEqual([false]);
    await one.ask(query('COMMIT'));
    expect(await together(two, 1, query(INSERT))).toEqual([true]);
  });
});

describe('the knowledge of one target', () => {
  let client: pg.Client;
  let asked: number;
  let hold: Promise<void> | undefined;
  let broken: boolean;
  let service: CatalogService;

  const connect = async (): Promise<CatalogConnection> => {
    if (broken) throw new Error('unreachable');
    const connection = catalogConnection(client);
    return {
      get usable() {
        return !broken;
      },
      close: () => undefined,
      query: async (sql, timeoutMs) => {
        if (!asksForTrees(sql)) asked++;
        if (broken) throw new Error('lost');
        const answer = await connection.query(sql, timeoutMs);
        await hold;
        return answer;
      },
    };
  };

  beforeEach(async () => {
    const { host, port, database, admin, caFile } = stack.postgres;
    client = new pg.Client({ host, port, database, ...admin, ssl: { ca: readFileSync(caFile, 'utf8') } });
    await client.connect();
    [asked, hold, broken] = [0, undefined, false];
    service = new CatalogService({
      connect,
      resource: { type: 'Resource', id: 'pg', attrs: {} },
      tags: new Map(),
      learned: () => undefined,
      clock: { now: () => Date.now() },
    });
  });

  afterEach(() => client.end());

  test('many changes and many who wait for them make few questions', async () => {
    await service.current();
    const waiting = Array.from({ length: 50 }, () => {
      service.invalidate('anything');
      return service.current();
    });
    const all = await Promise.all(waiting);
    expect(new Set(all).size).toBe(1);
    expect(asked).toBeLessThanOrEqual(3);
  });

  test('a session that may be judged without its own changes is, and nobody else', async () => {
    const [mine, theirs] = [{}, {}];
    const before = await service.current();
    service.invalidate('anything', mine);
    expect(service.lately(mine)).toBe(before);
    expect(service.lately(theirs)).toBeUndefined();
    expect(service.fresh).toBeUndefined();
    service.invalidate('anything', theirs);
    expect([service.lately(mine), service.lately(theirs)]).toEqual([undefined, undefined]);
    await service.current();
    expect(service.lately(mine)).toBeDefined();
    service.invalidate('anything');
    expect(service.lately(mine)).toBeUndefined();
  });

  test('so are those that are seen while an answer is under way', async () => {
    await service.current();
    let release = () => {};
    hold = new Promise((resolve) => {
      release = resolve;
    });
    service.invalidate('anything');
    await expect.poll(() => asked).toBe(2);
    service.invalidate('anything');
    release();
    await expect.poll(() => asked).toBe(3);
    await expect.poll(() => service.fresh).toBeDefined();
  });

  test('changes that nobody waits for are asked for together, and soon', async () => {
    await service.current();
    const session = {};
    const before = asked;
    for (let i = 0; i < 50; i++) service.invalidate('anything', session);
    expect(asked).toBe(before);
    await expect.poll(() => service.fresh).toBeDefined();
    expect(asked).toBe(before + 1);
  });

  test('an answer that was asked for before a change is not taken for one after it', async () => {
    await service.current();
    let release = () => {};
    hold = new Promise((resolve) => {
      release = resolve;
    });
    service.invalidate('anything');
    const earlier = service.current();
    // Its answer is on its way when the schema changes.
    await eventually('asked twice', () => asked >= 2);
    await timePasses(100, 'the answer is read and held');
    await stack.postgres.psql('DROP TABLE IF EXISTS arrived; CREATE TABLE arrived (id int)');
    service.invalidate('anything');
    expect(service.fresh).toBeUndefined();
    const later = service.current();
    hold = undefined;
    release();
    expect((await later).catalog.lookupRelation('public', 'arrived')).toBeDefined();
    expect((await earlier).catalog.lookupRelation('public', 'arrived')).toBeUndefined();
    expect(asked).toBe(3);
  });

  test('what cannot be read is not judged by', async () => {
    const before = await service.current();
    broken = true;
    service.invalidate('anything');
    expect(service.fresh).toBeUndefined();
    await expect(service.current()).rejects.toThrow('unreachable');
    expect(service.fresh).toBeUndefined();
    broken = false;
    await stack.postgres.psql('DROP TABLE IF EXISTS meanwhile; CREATE TABLE meanwhile (id int)');
    const after = await service.current();
    expect(after.catalog.lookupRelation('public', 'meanwhile')).toBeDefined();
    expect(before.catalog.lookupRelation('public', 'meanwhile')).toBeUndefined();
  });
});
