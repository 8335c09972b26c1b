/** What looks like what was approved and is something else: asked anew, or refused. Each beside the same done honestly. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HeldShop } from '../../support/postgres/held.ts';
import { bind, execute, flush, parse, query, sync } from '../../support/postgres/raw-client.ts';

let shop: HeldShop;
beforeAll(async () => {
  shop = await HeldShop.start();
  await shop.server.psql('GRANT CREATE ON SCHEMA public TO hoop; ALTER FUNCTION f OWNER TO hoop');
});
afterAll(() => shop?.stop());

const ticketOf = (session: string) => shop.requests(session).at(-1)?.id;

describe('a yes', () => {
  it('to EXECUTE of a prepared statement is for what stands behind the name now', async () => {
    const { id: session, client } = await shop.raw();
    const prepared = (value: string) => parse('p', `INSERT INTO t VALUES ('${value}')`);
    const run = query('EXECUTE p');
    await client.ask(prepared('seen'), sync);
    await client.ask(query('BEGIN'));
    await client.ask(run);
    await client.ask(query('ROLLBACK'));
    await shop.approve(ticketOf(session)!);
    await client.ask(query('DEALLOCATE p'));
    await client.ask(prepared('hidden'), sync);
    await client.ask(query('BEGIN'));
    expect((await client.ask(run))[0]).toBe('ErrorResponse 42501');
    await client.ask(query('ROLLBACK'));
    await client.ask(query('DEALLOCATE p'));
    await client.ask(prepared('seen'), sync);
    await client.ask(query('BEGIN'));
    expect((await client.ask(run))[0]).toBe('CommandComplete INSERT 0 1');
    await client.ask(query('COMMIT'));
    expect([await shop.count('seen'), await shop.count('hidden')]).toEqual([1, 0]);
    client.close();
  });

  it('is not used where the schema was changed in the same transaction, which nobody else sees yet', async () => {
    const { id: session, client } = await shop.raw();
    const insert = query("INSERT INTO t SELECT f('plain')");
    await client.ask(query('BEGIN'));
    await client.ask(insert);
    await client.ask(query('ROLLBACK'));
    await shop.approve(ticketOf(session)!);
    await client.ask(query('BEGIN'));
    const replaced = await client.ask(
      query("CREATE OR REPLACE FUNCTION f(text) RETURNS text LANGUAGE sql AS $$ SELECT 'forged' $$"),
    );
    expect(replaced[0]).toBe('CommandComplete CREATE FUNCTION');
    expect((await client.ask(insert))[0]).toBe('ErrorResponse 42501');
    await client.ask(query('ROLLBACK'));
    await client.ask(query('BEGIN'));
    expect((await client.ask(insert))[0]).toBe('CommandComplete INSERT 0 1');
    await client.ask(query('COMMIT'));
    expect([await shop.count('plain'), await shop.count('forged')]).toEqual([1, 0]);
    client.close();
  });

  it('is not for how a session with other settings reads it', async () => {
    const { id: session, client } = await shop.raw();
    const insert = query("INSERT INTO t VALUES ('01/02/2026'::date::text)");
    await client.ask(query('BEGIN'));
    await client.ask(insert);
    await client.ask(query('ROLLBACK'));
    await shop.approve(ticketOf(session)!);
    await client.ask(query("SET DateStyle = 'ISO, DMY'"));
    await client.ask(query('BEGIN'));
    expect((await client.ask(insert))[0]).toBe('ErrorResponse 42501');
    await client.ask(query('ROLLBACK'));
    const told = shop.requests(session).map(({ original }) => original?.['read by']);
    expect(told.toSorted()).toEqual(['datestyle = ISO, DMY', undefined]);
    await client.ask(query('RESET DateStyle'));
    await client.ask(query('BEGIN'));
    expect((await client.ask(insert))[0]).toBe('CommandComplete INSERT 0 1');
    await client.ask(query('COMMIT'));
    expect([await shop.count('2026-01-02'), await shop.count('2026-02-01')]).toEqual([1, 0]);
    client.close();
  });

  it('to a portal is for its one running: executed again it is refused, and nobody is asked', async () => {
    const { id: session, client } = await shop.raw();
    const call = [parse('', 'SELECT put($1)'), bind('', '', { values: ['once'] })];
    await client.ask(query('BEGIN'));
    await client.ask(...call, execute(''), sync);
    await client.ask(query('ROLLBACK'));
    await shop.approve(ticketOf(session)!);
    await client.ask(query('BEGIN'));
    client.send(...call, execute(''), flush);
    await client.until('CommandComplete');
    const again = await client.ask(execute(''), sync);
    expect(again).toContain('ErrorResponse 42501');
    await client.ask(query('ROLLBACK'));
    expect(shop.requests(session)).toHaveLength(1);
    client.close();
  });

  it.each([
    ["SET DateStyle = 'ISO, DMY'", '03'],
    ["SELECT set_config('DateStyle', 'ISO, DMY', false)", '05'],
  ])('is not used in a batch behind %s, which the server says only at its end', async (changes, month) => {
    const { id: session, client } = await shop.raw();
    const run = (sql: string) => [parse('', sql), bind('', ''), execute('')];
    const insert = run(`INSERT INTO t VALUES ('${month}/04/2026'::date::text)`);
    await client.ask(query('BEGIN'));
    await client.ask(...insert, sync);
    await client.ask(query('ROLLBACK'));
    await shop.approve(ticketOf(session)!);
    const batch = await client.ask(...run(changes), ...insert, sync);
    expect(batch).toContain('ErrorResponse 42501');
    expect(await shop.count(`2026-04-${month}`)).toBe(0);
    client.close();
  });

  it('is used once where the statement is sent twice in one batch', async () => {
    const { id: session, client } = await shop.raw();
    const insert = [parse('', "INSERT INTO t VALUES ('twice')"), bind('', ''), execute('')];
    await client.ask(query('BEGIN'));
    await client.ask(...insert, sync);
    await client.ask(query('ROLLBACK'));
    await shop.approve(ticketOf(session)!);
    const answers = await client.ask(...insert, bind('', ''), execute(''), sync);
    expect(answers.at(-2)).toBe('ErrorResponse 42501');
    expect(await shop.count('twice')).toBe(0);
    client.close();
  });
});
