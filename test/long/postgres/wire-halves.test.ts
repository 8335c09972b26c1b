/** A message that was begun and not finished: what it may cost, and for how long. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ErrorResponse, reportText } from '../../../src/wire/postgres/report.ts';
import { growthOf, MiB } from '../../support/memory.ts';
import { line, query, rawLogin } from '../../support/postgres/raw-client.ts';
import { pgEnv, type Stack, startStack, type Tunnel } from '../../support/stack.ts';
import { timePasses } from '../../support/waiting.ts';

let stack: Stack;
let tunnel: Tunnel;
let impatient: Tunnel;

beforeAll(async () => {
  stack = await startStack({
    sql: 'CREATE TABLE t (id int, name text); GRANT ALL ON t TO hoop;',
    resources: ({ host, port, caFile }) => `
  impatient:
    protocol: postgres
    target: { host: ${host}, port: ${port}, database: shop, tls: verify-full, caFile: ${caFile} }
    credentials: { user: hoop, password: { file: ./pg.password } }
    session: { idle: 2s }`,
  });
  [tunnel, impatient] = await Promise.all([stack.tunnel(), stack.tunnelTo('impatient')]);
});

afterAll(async () => {
  await Promise.all([tunnel?.close(), impatient?.close()]);
  await stack?.stop();
});

/** The head of a query of 60 MiB, and a little of it. */
function announced(): Buffer {
  const head = Buffer.from('Q\0\0\0\0select');
  head.writeUInt32BE(60 * 1024 * 1024, 1);
  return head;
}

test('sixty-four clients announce 60 MiB each and fall silent: nothing is taken for what has not come', async () => {
  const clients = await Promise.all(Array.from({ length: 64 }, () => rawLogin(tunnel)));
  const grown = await growthOf(
    { hoopd: stack.hoopd.child.pid, hoopctl: tunnel.running.child.pid },
    async () => {
      for (const client of clients) client.send(announced());
      await timePasses(1500, 'silence: whatever is taken for what has not come is taken by then');
    },
  );
  expect(grown.hoopd).toBeLessThan(48 * MiB);
  expect(grown.hoopctl).toBeLessThan(48 * MiB);
  for (const client of clients) client.close();
});

test('a half message waits for its other half, as at the server', async () => {
  const client = await rawLogin(tunnel);
  const whole = query("select 'late'");
  client.send(whole.subarray(0, 9));
  await timePasses(3000, 'a message that comes late');
  expect(await client.ask(whole.subarray(9))).toContain('DataRow late');
  client.close();
});

test('where the resource says how long a session may be silent, a half message does not extend it', async () => {
  const client = await rawLogin(impatient);
  client.send(announced());
  const startedAt = performance.now();
  const messages = await client.until('ErrorResponse');
  expect(messages.map(line)).toEqual(['ErrorResponse 57P01']);
  expect(reportText(messages[0] as ErrorResponse, 'M')).toBe('the session was idle for too long');
  expect(performance.now() - startedAt).toBeLessThan(4000);
  expect(await client.next()).toBeUndefined();
  client.close();
});

// libpq sends in blocks of 8 KiB and keeps the rest until more comes: a slow producer leaves half messages on the wire.
test('psql copies from a pipe that is slow in the middle of a row', async () => {
  const env = pgEnv(tunnel);
  const psql = spawn('psql', ['-X', '-w', '-c', '\\copy t from pstdin'], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  psql.stdout.on('data', (text) => (said += text));
  psql.stderr.on('data', (text) => (said += text));
  for (let i = 0; i < 4; i++) {
    psql.stdin.write(`${i}\t${'x'.repeat(997)}\n`.repeat(21));
    await timePasses(1200, 'rows that come slower than a session may be silent');
  }
  psql.stdin.end();
  await once(psql, 'close');
  expect(said.trim()).toBe('COPY 84');
});
