import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ask, BOB, HeldShop } from '../../support/postgres/held.ts';
import {
  bind,
  describeStatement,
  execute,
  functionCall,
  parse,
  query,
  sync,
  terminate,
} from '../../support/postgres/raw-client.ts';
import { eventually } from '../../support/waiting.ts';

let shop: HeldShop;
beforeAll(async () => {
  shop = await HeldShop.start();
});
afterAll(() => shop?.stop());

const literal =
  (value: string): Ask =>
  (client) =>
    client.query(`INSERT INTO t VALUES ('${value}')`);
const bound =
  (value: string): Ask =>
  (client) =>
    client.query('INSERT INTO t VALUES ($1)', [value]);

describe('a statement that policy holds', () => {
  const ways: readonly (readonly [string, Ask])[] = [
    ['simple', literal('simple')],
    ['with a parameter as text', bound('text')],
    [
      'with a parameter in binary',
      (client) => client.query("INSERT INTO t VALUES (convert_from($1, 'UTF8'))", [Buffer.from('binary')]),
    ],
    ['named', (client) => client.query({ name: 'n', text: 'INSERT INTO t VALUES ($1)', values: ['named'] })],
  ];
  it.each(ways)('%s: runs after the yes, once, and is asked anew the next time', async (way, ask) => {
    const value = way.split(' ').at(-1)!;
    const { id: session, client, notices } = await shop.open();
    const run = ask(client);
    const { id } = await shop.asked(session);
    expect(await shop.count(value)).toBe(0);
    await eventually('the client is told', () => notices.length > 0);
    expect(notices[0]).toMatch(new RegExp(`^01H02 waiting for the approval of "dba" until .*${id}`));
    await shop.approve(id);
    expect((await run).rowCount).toBe(1);
    const again = ask(client);
    const next = await shop.asked(session);
    expect(next.id).not.toBe(id);
    const refused = expect(again).rejects.toMatchObject({
      code: '42501',
      hint: expect.stringContaining('not twice'),
    });
    await shop.desk.deny(next.id, BOB, 'not twice');
    await refused;
    expect(await shop.count(value)).toBe(1);
    const events = await shop.events(id);
    expect(events.map(({ type }) => type)).toEqual([
      'approval.requested',
      'approval.granted',
      'approval.used',
      'operation.decided',
    ]);
    expect(events.at(-1)).toMatchObject({ decision: 'allow', session });
    await client.end();
  });

  const others: readonly (readonly [
    string,
    Ask,
    (client: pg.Client) => Promise<pg.Client> | pg.Client,
    Ask,
  ])[] = [
    ['another literal', literal('one'), (same) => same, literal('two')],
    ['another value', bound('one'), (same) => same, bound('two')],
    [
      'another blank',
      literal('one'),
      (same) => same,
      (client) => client.query("INSERT INTO  t VALUES ('one')"),
    ],
    ['another session', literal('one'), async () => (await shop.open()).client, literal('one')],
    [
      'another instance',
      literal('one'),
      async () => (await shop.open(await shop.another())).client,
      literal('one'),
    ],
    [
      'another agent',
      literal('one'),
      async () => (await shop.open(await shop.another('other'))).client,
      literal('one'),
    ],
  ];
  it.each(others)(
    '%s is another question, and the yes stays for what was asked',
    async (_, ask, whose, other) => {
      const before = await shop.count('one');
      const session = await shop.open();
      const id = await shop.ticket(session, ask);
      await shop.approve(id);
      const client = await whose(session.client);
      expect(await shop.ticket({ ...session, client }, other)).not.toBe(id);
      expect(await shop.count('two')).toBe(0);
      expect(await shop.count('one')).toBe(before);
      expect(await shop.inTransaction(session, ask)).toBe(1);
      expect(await shop.count('one')).toBe(before + 1);
      await client.end();
      await session.client.end();
    },
  );

  const replaced = [
    ['a view', 'CREATE OR REPLACE VIEW w AS SELECT v || v AS v FROM words', 'wordword'],
    [
      'a function',
      'CREATE OR REPLACE FUNCTION f(text) RETURNS text LANGUAGE sql AS $$ SELECT upper($1) $$',
      'WORDWORD',
    ],
    [
      'the function of a trigger',
      `CREATE OR REPLACE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN new.v := 'kept'; RETURN new; END $$`,
      'kept',
    ],
    ['a trigger', 'DROP TRIGGER kept ON t', 'WORDWORD'],
  ] as const;
  it.each(replaced)('is asked anew where %s was replaced meanwhile', async (_, sql, value) => {
    const ask: Ask = (client) => client.query('INSERT INTO t SELECT f(v) FROM w');
    const { id: session, client } = await shop.open();
    const before = await shop.count(value);
    const run = ask(client);
    const { id } = await shop.asked(session);
    await shop.server.psql(sql);
    await shop.approve(id);
    const next = await shop.asked(session);
    // Read anew by what is defined now, and not by what was known a moment ago.
    expect(next.objects.includes('it/public.kept')).toBe(!sql.startsWith('DROP TRIGGER'));
    expect(await shop.count(value)).toBe(before);
    await shop.approve(next.id);
    expect((await run).rowCount).toBe(1);
    expect(await shop.count(value)).toBe(before + 1);
    await client.end();
  });

  it('says what of the tables that it touches is masked for the one who asks', async () => {
    const { id: session, client } = await shop.open(await shop.another('other'));
    const run = client.query('INSERT INTO t SELECT city FROM people');
    const { id, masked } = await shop.asked(session);
    expect(masked).toEqual(['it/public.people.email']);
    await shop.approve(id);
    await run;
    const other = client.query("INSERT INTO t VALUES ('masks nothing')");
    const next = await shop.asked(session);
    expect(next).not.toHaveProperty('masked');
    await shop.approve(next.id);
    await other;
    await client.end();
  });

  it('names a table that somebody else made a moment ago: asked once, and the yes is enough', async () => {
    const { id: session, client } = await shop.open();
    // What is known of the schema is fresh, and does not have it.
    await client.query('SELECT 1');
    await shop.server.psql("CREATE TABLE made AS SELECT 'just made' AS v; GRANT ALL ON made TO hoop");
    const run = client.query('INSERT INTO t SELECT v FROM made');
    const { id, objects } = await shop.asked(session);
    expect(objects).toContain('it/public.made');
    await shop.approve(id);
    expect((await run).rowCount).toBe(1);
    expect(shop.desk.list().filter((one) => one.session === session)).toHaveLength(1);
    await client.end();
  });

  it('may be a call by the message for it: with these arguments, once', async () => {
    const oid = Number(await shop.server.psql("SELECT 'put(text)'::regprocedure::oid::int"));
    const { id: session, client } = await shop.raw();
    client.send(functionCall(oid, 'called'));
    const { id } = await shop.asked(session);
    expect(await shop.count('called', 'log')).toBe(0);
    await shop.approve(id);
    await client.until('FunctionCallResponse');
    await client.untilReady();
    expect(await shop.count('called', 'log')).toBe(1);
    client.send(functionCall(oid, 'called again'));
    await shop.desk.deny((await shop.asked(session)).id, BOB, undefined);
    await client.until('ErrorResponse');
    expect(await shop.count('called again', 'log')).toBe(0);
    client.close();
  });

  it('is asked of nobody where policy denies it anyway', async () => {
    const { id, client } = await shop.open();
    await expect(client.query("UPDATE t SET v = 'x'")).rejects.toMatchObject({ code: '42501' });
    expect(shop.requests(id)).toEqual([]);
    await client.end();
  });

  it('runs once where two people say yes at once', async () => {
    const { id: session, client } = await shop.open();
    const run = literal('both')(client);
    const { id } = await shop.asked(session);
    const both = await Promise.allSettled([shop.approve(id), shop.approve(id, BOB)]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect((await run).rowCount).toBe(1);
    expect(await shop.count('both')).toBe(1);
    await client.end();
  });

  it('keeps nobody else waiting', async () => {
    const [held, other] = [await shop.open(), await shop.open()];
    const run = literal('alone')(held.client);
    const { id } = await shop.asked(held.id);
    expect((await other.client.query('SELECT v FROM words')).rows).toEqual([{ v: 'word' }]);
    expect(shop.desk.find(id)?.state).toBe('pending');
    await shop.approve(id);
    expect((await run).rowCount).toBe(1);
    await Promise.all([held.client.end(), other.client.end()]);
  });
});

describe('a client that does not wait', () => {
  it('is answered a cancel request as the server would, and a later yes is for nothing', async () => {
    const session = await shop.open();
    const { client } = session;
    const run = literal('cancelled')(client);
    const refused = expect(run).rejects.toMatchObject({ code: '57014' });
    const { id } = await shop.asked(session.id);
    await shop.cancel(session);
    await refused;
    expect(shop.desk.find(id)?.state).toBe('cancelled');
    await expect(shop.approve(id)).rejects.toMatchObject({ code: 'ERR_USAGE' });
    expect((await client.query('SELECT v FROM words')).rowCount).toBe(1);
    expect(await shop.count('cancelled')).toBe(0);
    await client.end();
  });

  const leaves = [
    ['whose connection is lost', ({ socket }) => void socket.destroy()],
    ['that says Terminate', ({ socket }) => void socket.end(terminate)],
    ['that closes its half', ({ socket }) => void socket.end()],
  ] as readonly (readonly [string, (session: Awaited<ReturnType<HeldShop['open']>>) => void])[];
  it.each(leaves)('%s withdraws what it asked', async (_, leave) => {
    const session = await shop.open();
    const run = literal('left')(session.client).catch((error: unknown) => error);
    const { id } = await shop.asked(session.id);
    leave(session);
    await eventually('it is withdrawn', () => shop.desk.find(id)?.state === 'cancelled');
    await expect(shop.approve(id)).rejects.toMatchObject({ code: 'ERR_USAGE' });
    session.socket.destroy();
    expect(await run).toBeInstanceOf(Error);
    expect(await shop.count('left')).toBe(0);
  });

  it.each([
    ['with what it asks', (ask: Buffer) => [Buffer.concat([ask, terminate])]],
    ['behind more', (ask: Buffer) => [Buffer.concat([ask, query('SELECT 1')]), terminate]],
    ['later, in two pieces', (ask: Buffer) => [ask, terminate.subarray(0, 2), terminate.subarray(2)]],
  ])('that says Terminate %s, and stays connected, withdraws it', async (_, pieces) => {
    const { id: session, client } = await shop.raw();
    const [first, ...more] = pieces(Buffer.from(query("INSERT INTO t VALUES ('bye')")));
    client.send(first!);
    const { id } = (await eventually('it is asked', () => shop.requests(session)[0]))!;
    for (const piece of more) client.send(piece);
    await eventually('it is withdrawn', () => shop.desk.find(id)?.state === 'cancelled');
    await expect(shop.approve(id)).rejects.toMatchObject({ code: 'ERR_USAGE' });
    expect(await shop.count('bye')).toBe(0);
    client.close();
  });

  it('whose login is revoked is ended, and what it asked is withdrawn', async () => {
    const caller = await shop.another();
    const session = await shop.open(caller);
    const run = literal('revoked')(session.client).catch((error: unknown) => error);
    const { id } = await shop.asked(session.id);
    const operator = await shop.running.person(['operators'], { name: 'olga' });
    const json = { instance: caller.issued.instance };
    expect((await operator.call('POST', '/v1/revocations', { json })).status).toBe(200);
    expect(await run).toBeInstanceOf(Error);
    await eventually('it is withdrawn', () => shop.desk.find(id)?.state === 'cancelled');
    expect(await shop.count('revoked')).toBe(0);
  });
});

describe('where it cannot wait', () => {
  it('gets a ticket in a transaction, which has failed as any does, and runs once in a new one', async () => {
    const { id: session, client } = await shop.raw();
    const ask = query("INSERT INTO t VALUES ('ticket')");
    await client.ask(query('BEGIN'));
    expect(await client.ask(ask)).toEqual(['ErrorResponse 42501', 'ReadyForQuery E']);
    expect(await client.ask(query('COMMIT'))).toEqual(['CommandComplete ROLLBACK', 'ReadyForQuery I']);
    await shop.approve((await shop.asked(session)).id);
    await client.ask(query('BEGIN'));
    expect(await client.ask(ask)).toEqual(['CommandComplete INSERT 0 1', 'ReadyForQuery T']);
    expect(await client.ask(ask)).toEqual(['ErrorResponse 42501', 'ReadyForQuery E']);
    await client.ask(query('ROLLBACK'));
    expect(await shop.count('ticket')).toBe(0);
    client.close();
  });

  it('rolls a whole pipeline back: one error, one ReadyForQuery; with the yes all of it runs', async () => {
    const { id: session, client } = await shop.raw();
    const insert = (table: string) => [
      parse('', `INSERT INTO ${table} VALUES ('pipe')`),
      bind('', ''),
      execute(''),
    ];
    const batch = [...insert('log'), ...insert('t'), sync];
    const answers = await client.ask(...batch);
    expect(answers.filter((line) => line.startsWith('ErrorResponse'))).toEqual(['ErrorResponse 42501']);
    expect(answers.at(-1)).toBe('ReadyForQuery I');
    expect([await shop.count('pipe', 'log'), await shop.count('pipe')]).toEqual([0, 0]);
    await shop.approve((await shop.asked(session)).id);
    expect((await client.ask(...batch)).filter((line) => line.startsWith('CommandComplete'))).toHaveLength(2);
    expect([await shop.count('pipe', 'log'), await shop.count('pipe')]).toEqual([1, 1]);
    client.close();
  });

  it('prepares without a yes, as drivers do first, and asks at Bind', async () => {
    const { id: session, client } = await shop.raw();
    const prepared = await client.ask(parse('s', 'INSERT INTO t VALUES ($1)'), describeStatement('s'), sync);
    expect(prepared).toEqual(['ParseComplete', 'ParameterDescription', 'NoData', 'ReadyForQuery I']);
    expect(shop.requests(session)).toEqual([]);
    client.send(bind('', 's', { values: ['later'] }), execute(''), sync);
    const { id } = await shop.asked(session);
    expect(await shop.count('later')).toBe(0);
    await shop.approve(id);
    await client.until('CommandComplete');
    await client.untilReady();
    expect(await shop.count('later')).toBe(1);
    client.close();
  });
});

describe('in time', () => {
  it('survives a restart of hoopd, for one new session of the same instance, once', async () => {
    const old = await shop.open();
    const ask = literal('restarted');
    const id = await shop.ticket(old, ask);
    await shop.restart();
    expect(shop.desk.find(id)?.state).toBe('pending');
    await shop.approve(id);
    const session = await shop.open();
    expect(await shop.inTransaction(session, ask)).toBe(1);
    expect(await shop.ticket(session, ask)).not.toBe(id);
    expect(await shop.count('restarted')).toBe(1);
    await session.client.end();
  });

  it('is over: neither the question nor a yes holds longer, and that is no denial', async () => {
    const session = await shop.open();
    const ask = literal('late');
    const id = await shop.ticket(session, ask);
    await shop.approve(id);
    const waiting = await shop.open();
    const run = literal('waiting')(waiting.client);
    const refused = expect(run).rejects.toMatchObject({ message: expect.stringContaining('expired') });
    expect((await shop.asked(waiting.id)).state).toBe('pending');
    shop.pass(11_000);
    expect(await shop.ticket(session, ask)).not.toBe(id);
    expect(shop.desk.find(id)?.state).toBe('expired');
    await refused;
    expect([await shop.count('late'), await shop.count('waiting')]).toEqual([0, 0]);
    await Promise.all([session.client.end(), waiting.client.end()]);
  });
});
