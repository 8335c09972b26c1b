/** Limits on answers, against a real PostgreSQL: what a client gets, what the server did, what is on record. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEventItem } from '../../../src/api/contract.ts';
import {
  bind,
  execute,
  functionCall,
  parse,
  query,
  type RawClient,
  rawLogin,
  sync,
} from '../../support/postgres/raw-client.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';
import { timePasses } from '../../support/waiting.ts';

const POLICY = `
@id("all") permit (principal, action, resource);
@id("few") @limit("rows=10 time=700ms") @reason("ten at a time") @hint("use count(*), or a LIMIT")
permit (principal, action in [Action::"sql.select", Action::"sql.copy-out"], resource);
@id("short") @limit("bytes=2KiB")
permit (principal, action == Action::"sql.select", resource is Table) when { resource.name == "wide" };
@id("quick") @limit("time=700ms") permit (principal, action in [Action::"sql.call", Action::"sql.update"], resource);`;

const SQL = `
CREATE TABLE n AS SELECT g AS id FROM generate_series(1, 100000) g;
CREATE TABLE wide AS SELECT g AS id, repeat('x', 1000) AS t FROM generate_series(1, 9) g;
CREATE TABLE kept (id int);
INSERT INTO kept VALUES (1);
CREATE FUNCTION slow(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(30); RETURN $1; END';
GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop;`;

let stack: Stack;
let tunnel: Tunnel;
let client: RawClient;

beforeAll(async () => {
  stack = await startStack({ policy: POLICY, sql: SQL });
  tunnel = await stack.tunnel();
  client = await rawLogin(tunnel);
});

afterAll(async () => {
  client?.close();
  await tunnel?.close();
  await stack?.stop();
});

/** What a client is answered, rows counted. */
async function asked(...messages: readonly Buffer[]): Promise<string[]> {
  const lines = await client.ask(...messages);
  const counted: string[] = [];
  for (const line of lines) {
    const name = line.split(' ')[0] ?? '';
    const last = counted.at(-1) ?? '';
    if ((name === 'DataRow' || name === 'CopyData') && last.startsWith(name))
      counted[counted.length - 1] = `${name} × ${Number(last.split(' ')[2]) + 1}`;
    else if (name === 'DataRow' || name === 'CopyData') counted.push(`${name} × 1`);
    else if (name === 'ErrorResponse')
      counted.push(`ErrorResponse ${/42501|\b[0-9A-Z]{5}\b/.exec(line)?.[0]}`);
    else counted.push(line.startsWith('ReadyForQuery') || name === 'CommandComplete' ? line : name);
  }
  return counted;
}

const outcome = async (text: string): Promise<AuditEventItem | undefined> => {
  const { stdout } = await stack.hoopctl([
    'audit',
    'search',
    text,
    '--type',
    'operation.decided',
    '--limit',
    '1',
    '--json',
  ]);
  return stdout === '' ? undefined : (JSON.parse(stdout) as AuditEventItem);
};

const run = (sql: string, maxRows = 0) => [parse('', sql), bind('', ''), execute('', maxRows)];
const OK = 'SELECT id FROM kept';

describe('rows', () => {
  it('simple: so many are shown, then an error of the rule; the session goes on', async () => {
    expect(await asked(query('SELECT id FROM n ORDER BY id'))).toEqual([
      'RowDescription',
      'DataRow × 10',
      'ErrorResponse 42501',
      expect.stringMatching(/^ReadyForQuery.*I/),
    ]);
    const error = client.received.toString('latin1');
    expect(error).toContain('has more than 10 rows, and rule "few" limits it');
    expect(error).toContain('use count(*), or a LIMIT');
    expect((await asked(query(OK))).slice(0, 2)).toEqual(['RowDescription', 'DataRow × 1']);
  });

  it('as many as there may be are no more', async () => {
    const answer = await asked(query('SELECT id FROM n WHERE id <= 10'));
    expect(answer.slice(1, 3)).toEqual(['DataRow × 10', expect.stringContaining('SELECT 10')]);
  });

  it('a small answer that is whole before it could be cancelled fails all the same', async () => {
    for (let at = 0; at < 20; at++) {
      const answer = await asked(query('SELECT id FROM n WHERE id <= 11'));
      expect(answer.slice(1)).toEqual(['DataRow × 10', 'ErrorResponse 42501', expect.stringMatching(/I/)]);
      expect((await asked(query(OK)))[1]).toBe('DataRow × 1');
    }
  });

  it('extended: what follows in the batch is skipped, and nothing of it is kept', async () => {
    const answer = await asked(
      ...run('INSERT INTO kept VALUES (2)'),
      ...run('SELECT id FROM n'),
      ...run('INSERT INTO kept VALUES (3)'),
      sync,
    );
    expect(answer.filter((one) => /DataRow|Error|Ready/.test(one))).toEqual([
      'DataRow × 10',
      'ErrorResponse 42501',
      expect.stringMatching(/^ReadyForQuery.*I/),
    ]);
    expect(await stack.postgres.psql('SELECT count(*) FROM kept')).toBe('1');
    expect((await asked(...run(OK), sync)).filter((one) => one.startsWith('DataRow'))).toEqual([
      'DataRow × 1',
    ]);
  });

  it('portals with a row limit are one sum; its transaction has failed, and can be rolled back', async () => {
    await asked(query('BEGIN'));
    const answer = await asked(
      parse('', 'SELECT id FROM n'),
      bind('p', ''),
      execute('p', 6),
      execute('p', 6),
      sync,
    );
    expect(answer.filter((one) => /DataRow|Suspended|Error|Ready/.test(one))).toEqual([
      'DataRow × 6',
      'PortalSuspended',
      'DataRow × 4',
      'ErrorResponse 42501',
      expect.stringMatching(/^ReadyForQuery.*E/),
    ]);
    expect(await asked(query('ROLLBACK'))).toEqual([
      expect.stringContaining('ROLLBACK'),
      expect.stringMatching(/^ReadyForQuery.*I/),
    ]);
  });

  it('a cursor too', async () => {
    await asked(query('BEGIN'));
    await asked(query('DECLARE c CURSOR FOR SELECT id FROM n'));
    expect((await asked(query('FETCH 8 FROM c')))[1]).toBe('DataRow × 8');
    const answer = await asked(query('FETCH 8 FROM c'));
    expect(answer.slice(1)).toEqual(['DataRow × 2', 'ErrorResponse 42501', expect.stringMatching(/E/)]);
    await asked(query('ROLLBACK'));
  });

  it('prepared and executed in SQL', async () => {
    await asked(query('PREPARE p1 AS SELECT id FROM n'));
    expect((await asked(query('EXECUTE p1'))).slice(1, 3)).toEqual(['DataRow × 10', 'ErrorResponse 42501']);
    await asked(query('DEALLOCATE p1'));
  });

  it('COPY', async () => {
    for (const copy of ['COPY n TO STDOUT', 'COPY (SELECT id FROM n) TO STDOUT (FORMAT csv)']) {
      const answer = await asked(query(copy));
      expect(answer).toEqual([
        'CopyOutResponse',
        'CopyData × 10',
        'ErrorResponse 42501',
        expect.stringMatching(/^ReadyForQuery.*I/),
      ]);
    }
  });

  it('several statements in one string, and a function call, are not limited and do not run', async () => {
    const answer = await asked(query(`${OK}; DELETE FROM kept`));
    expect(answer).toEqual(['ErrorResponse 42501', expect.stringMatching(/I/)]);
    expect(await stack.postgres.psql('SELECT count(*) FROM kept')).toBe('1');
    const oid = Number(await stack.postgres.psql("SELECT 'slow(int)'::regprocedure::oid"));
    expect((await asked(functionCall(oid, '1')))[0]).toMatch(/^ErrorResponse/);
  });

  it('is on record: allowed, and ended by the gateway, with what was shown', async () => {
    expect(await outcome('"ORDER BY id"')).toMatchObject({
      decision: 'allow',
      outcome: 'failure',
      status: '42501',
      reason: 'refused: rows shown',
      rows: 10,
    });
  });

  it('is told ahead', async () => {
    const how = ['policy', 'explain', 'pg', '-c', 'SELECT id FROM n'];
    const { stdout } = await stack.hoopctl([...how, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ effect: 'allow', limits: { rows: 10, timeMs: 700 } });
    expect((await stack.hoopctl(how)).stdout).toContain(
      'ended if its answer came to more than 10 rows or 700ms',
    );
  });
});

it('octets: as they are shown, of the smallest limit of each kind', async () => {
  const answer = await asked(query('SELECT id, t FROM wide'));
  expect(answer.slice(1)).toEqual(['DataRow × 2', 'ErrorResponse 42501', expect.stringMatching(/I/)]);
  expect(await outcome('wide')).toMatchObject({ reason: 'refused: bytes shown', rows: 2 });
});

describe('time', () => {
  const slow: [string, string][] = [
    ['a query', 'SELECT slow(1)'],
    ['a query over a table', 'SELECT count(*) FROM n a, n b'],
    ['a change', 'UPDATE kept SET id = slow(id)'],
  ];
  it.each(slow)('%s is cancelled at the target, and the next runs', async (_what, sql) => {
    const begun = performance.now();
    const simple = await asked(query(sql));
    const extended = await asked(...run(sql), sync);
    expect(performance.now() - begun).toBeLessThan(15_000);
    for (const answer of [simple, extended])
      expect(answer.filter((one) => /Error|Ready/.test(one))).toEqual([
        'ErrorResponse 42501',
        expect.stringMatching(/^ReadyForQuery.*I/),
      ]);
    const active = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'hoop' AND state = 'active'";
    expect(await stack.postgres.psql(active)).toBe('0');
    expect((await asked(query(OK)))[1]).toBe('DataRow × 1');
  });

  it('what is done in time is not met by it later', async () => {
    await asked(query('BEGIN'));
    await asked(query(OK));
    await timePasses(900, 'longer than the limit that was met before');
    expect((await asked(query(OK)))[1]).toBe('DataRow × 1');
    expect((await asked(query('COMMIT')))[0]).toContain('COMMIT');
  });
});
