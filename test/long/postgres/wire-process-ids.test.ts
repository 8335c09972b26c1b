import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeStartup } from '../../../src/wire/postgres/startup.ts';
import { cannot } from '../../support/cannot.ts';
import { line, query, type RawClient, rawConnect, rawLogin } from '../../support/postgres/raw-client.ts';
import { type PostgresServer, startPostgres, untilRunning } from '../../support/postgres/server.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';

/** Two servers behind one name, each with process ids of its own, as containers have them. */
const unable = cannot('process ids as in containers: namespaces need root', process.getuid?.() !== 0);

let first: Stack;
let second: PostgresServer;
let tunnel: Tunnel;
let balancer: Server;
/** Where the balancer leads now. */
let port: number;

beforeAll(async () => {
  if (unable) return;
  balancer = createServer((socket) => {
    const target = connect(port, '127.0.0.1');
    pipeline(socket, target, socket, () => undefined);
  });
  await new Promise<void>((resolve) => balancer.listen(0, '127.0.0.1', resolve));
  const at = { host: '127.0.0.1', port: (balancer.address() as AddressInfo).port };
  first = await startStack({ ownPids: true, targetTls: 'disable', target: () => at });
  port = first.postgres.port;
  const password = readFileSync(join(first.directory, 'pg.password'), 'utf8');
  second = await startPostgres({
    ownPids: true,
    database: 'shop',
    sql: `CREATE ROLE hoop LOGIN PASSWORD '${password}'`,
    hba: ['host all all 127.0.0.1/32 scram-sha-256'],
  });
  tunnel = await first.tunnel();
});

afterAll(async () => {
  await tunnel?.close();
  await first?.stop();
  await second?.stop();
  balancer?.close();
});

async function at(server: PostgresServer): Promise<{ client: RawClient; pid: number }> {
  port = server.port;
  const client = await rawLogin(tunnel);
  return { client, pid: client.key?.processId ?? 0 };
}

/** A session with each server, both processes of the same id. */
async function coinciding() {
  let [one, two] = [await at(first.postgres), await at(second)];
  while (one.pid !== two.pid) {
    const [behind, server] = one.pid < two.pid ? [one, first.postgres] : [two, second];
    behind.client.close();
    const next = await at(server);
    if (behind === one) one = next;
    else two = next;
  }
  return [one, two] as const;
}

async function sleeps(
  { client }: { client: RawClient },
  server: PostgresServer,
): Promise<{ readonly answer: Promise<string[]> }> {
  const answer = client.ask(query('select pg_sleep(30)'));
  await untilRunning(server, 'select pg_sleep');
  return { answer };
}

async function cancel({ client }: { client: RawClient }, server: PostgresServer): Promise<void> {
  port = server.port;
  const { processId = 0, key = Buffer.alloc(4) } = client.key ?? {};
  const canceller = await rawConnect(tunnel);
  canceller.socket.write(encodeStartup({ name: 'CancelRequest', processId, key }));
  await new Promise((resolve) => canceller.socket.resume().once('close', resolve));
}

test.skipIf(unable)("small process ids, as in a container: a session's own are its own", async () => {
  const { client, pid } = await at(first.postgres);
  expect(pid).toBeLessThan(1000);
  expect(await client.ask(query('select pg_backend_pid()'))).toContain(`DataRow ${pid}`);
  client.close();
});

test.skipIf(unable)(
  'two servers, one process id: a cancel ends the statement of its own key only',
  async () => {
    const [one, two] = await coinciding();
    const { answer: ofOne } = await sleeps(one, first.postgres);
    const { answer: ofTwo } = await sleeps(two, second);
    await cancel(two, second);
    expect(await ofTwo).toContain('ErrorResponse 57014');
    one.client.send(query('select 1'));
    await cancel(one, first.postgres);
    expect(await ofOne).toContain('ErrorResponse 57014');
    expect((await one.client.untilReady()).map(line)).toContain('DataRow 1');
    for (const { client } of [one, two]) client.close();
  },
);

test.skipIf(unable)(
  'a cancel by SQL with the process id that was announced ends no stranger’s statement',
  async () => {
    const [mine, stranger] = [await at(first.postgres), await at(first.postgres)];
    const { answer: ofStranger } = await sleeps(stranger, first.postgres);
    const pid = mine.client.key?.processId;
    // The statement that asks is the one that is cancelled: by its own session's id nobody else can be meant.
    expect(await mine.client.ask(query(`select pg_cancel_backend(${pid}), pg_sleep(5)`))).toContain(
      'ErrorResponse 57014',
    );
    await cancel(stranger, first.postgres);
    expect(await ofStranger).toContain('ErrorResponse 57014');
    for (const { client } of [mine, stranger]) client.close();
  },
);
