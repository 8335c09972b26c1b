/** What hoopd holds does not follow how many messages pass through it: many small ones, with masks and without. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { growthOf, MiB } from '../support/memory.ts';
import { query, type RawClient, rawLogin } from '../support/postgres/raw-client.ts';
import { ALLOW_ALL, type Stack, startStack, type Tunnel } from '../support/stack.ts';
import { timePasses } from '../support/waiting.ts';

const FIXTURE = `
CREATE TABLE people (id int, email text);
GRANT ALL ON people TO hoop;
CREATE FUNCTION shout(n int) RETURNS int LANGUAGE plpgsql AS
  'BEGIN FOR i IN 1..n LOOP RAISE NOTICE ''notice %'', i; END LOOP; RETURN n; END';
`;
const MASKED = `${ALLOW_ALL}
@id("pii-is-masked") @mask("redact")
forbid (principal, action == Action::"reveal", resource is Column) when { resource.tags.contains("pii.email") };`;
const NOTICES = Number(process.env['HOOP_TEST_NOTICES'] ?? 1_000_000);
/** The heap takes its usual size during the first of them. */
const FIRST = 200_000;
/** V8 may give its young generation 64 MiB more at any time; holding on to the notices would be 500 MiB. */
const BOUND = 144 * MiB;

/** Reads and forgets, counting messages of one type by their type octet at their own lengths. */
function counting(one: RawClient, type: string, pauseMs = 0): { count: number; done: Promise<void> } {
  const seen = { count: 0, done: Promise.resolve() };
  one.socket.removeAllListeners('data');
  let rest: Buffer = Buffer.alloc(0);
  seen.done = new Promise((resolve) => {
    one.socket.on('data', (chunk: Buffer) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      while (at + 5 <= bytes.length) {
        const end = at + 1 + bytes.readUInt32BE(at + 1);
        if (end > bytes.length) break;
        if (bytes[at] === type.charCodeAt(0)) seen.count++;
        if (bytes[at] === 0x5a) resolve();
        at = end;
      }
      rest = bytes.subarray(at);
      if (pauseMs === 0) return;
      one.socket.pause();
      setTimeout(() => one.socket.resume(), pauseMs);
    });
  });
  return seen;
}

describe.each([
  ['nothing masked', { policy: ALLOW_ALL }, 0],
  // One notice more, of the gateway's own: what the function gives cannot be traced.
  ['a session with masks', { policy: MASKED, columns: { 'public.people.email': ['pii.email'] } }, 1],
])('%s', (_, options, own) => {
  let stack: Stack;
  let tunnel: Tunnel;

  beforeAll(async () => {
    stack = await startStack({ sql: FIXTURE, ...options });
    tunnel = await stack.tunnel();
  });

  afterAll(async () => {
    await tunnel?.close();
    await stack?.stop();
  });

  const growth = (act: () => Promise<void>) =>
    growthOf({ hoopd: stack.hoopd.child.pid, hoopctl: tunnel.running.child.pid }, act);

  /** @param pauseMs After each chunk the client rests so long; 0 reads as fast as it can. */
  async function flood(notices: number, pauseMs = 0): Promise<void> {
    const client = await rawLogin(tunnel);
    const seen = counting(client, 'N', pauseMs);
    client.send(query(`select shout(${notices})`));
    await seen.done;
    expect(seen.count).toBe(notices + own);
    client.close();
  }

  test('the first hundreds of different statements', async () => {
    const client = await rawLogin(tunnel);
    const { hoopd } = await growth(async () => {
      for (let i = 0; i < 400; i++) {
        const sql = `select p.id, count(*) from people p join people q on q.id = p.id where p.id < ${i} group by p.id order by 2 desc limit 5`;
        expect((await client.ask(query(sql))).at(-1)).toBe('ReadyForQuery I');
      }
      await timePasses(1000, 'what is held is let go');
    });
    expect(hoopd).toBeLessThan(160 * MiB);
    client.close();
  });

  test('a million notices to a client that reads them: every one arrives', async () => {
    await flood(FIRST);
    const grown = await growth(() => flood(NOTICES));
    expect(grown.hoopd).toBeLessThan(BOUND);
    expect(grown.hoopctl).toBeLessThan(BOUND);
  });

  test('a flood of notices to a slow client: the target waits', async () => {
    const grown = await growth(() => flood(FIRST, 10));
    expect(grown.hoopd).toBeLessThan(BOUND);
    expect(grown.hoopctl).toBeLessThan(BOUND);
  });

  test('a million small rows to a client that reads them', async () => {
    const client = await rawLogin(tunnel);
    const seen = counting(client, 'd');
    const grown = await growth(async () => {
      client.send(query("copy (select repeat('x', 100) from generate_series(1, 1000000)) to stdout"));
      await seen.done;
    });
    expect(seen.count).toBe(1_000_000);
    expect(grown.hoopd).toBeLessThan(BOUND);
    const other = await rawLogin(tunnel);
    expect(await other.ask(query('select 1'))).toContain('DataRow 1');
    other.close();
    client.close();
  });
});
