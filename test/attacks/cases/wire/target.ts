/** PG-W2, PG-W27: a target that is not what it should be. It hears no password, and the client no answer of its. */
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { encodeBackend } from '../../../../src/wire/postgres/backend.ts';
import { logInRaw, query, RawClient } from '../../../support/postgres/raw-client.ts';
import type { PostgresServer } from '../../../support/postgres/server.ts';
import { type Attack, must } from '../../attack.ts';
import type { World } from '../../world.ts';
import { octet, SSL } from './octets.ts';

/**
 * Another address of this machine: at the server's port nobody listens there but these cases, and the server's certificate does
 * not name it. hoopd itself listens there, so that its own certificate does.
 */
export const ELSEWHERE = '127.0.0.2';

/** Beside `pg`: the same server over TLS, as it is meant to be reached and in ways that must fail; and a short session. */
export function resources({ host, port, caFile }: PostgresServer): string {
  const to = (name: string, address: string, tls: string, more = '') => `
  ${name}:
    protocol: postgres
    target: { host: ${address}, port: ${port}, database: shop, ${tls} }
    credentials: { user: hoop, password: { file: ./pg.password } }
    ${more}`;
  return [
    to('verified', host, `tls: verify-full, caFile: ${caFile}`),
    to('other-authority', host, 'tls: verify-full, caFile: ca.pem'),
    to('no-authority', host, 'tls: verify-full'),
    to('other-host', ELSEWHERE, `tls: verify-full, caFile: ${caFile}`),
    to('misissued', ELSEWHERE, 'tls: verify-full, caFile: ca.pem'),
    to('short', host, 'tls: disable', 'session: { max: 3s }'),
  ].join('');
}

/** Somebody in the server's place, for as long as `act` takes; what it was sent by all who came. */
async function stand<T>(world: World, serve: (socket: Socket) => void, act: () => Promise<T>): Promise<T> {
  const open = new Set<Socket>();
  const listener: Server = createServer((socket) => {
    open.add(socket.on('error', () => undefined));
    serve(socket);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject).listen(world.stack.postgres.port, ELSEWHERE, resolve);
  });
  try {
    return await act();
  } finally {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => listener.close(resolve));
  }
}

/** What a client of a tunnel is told when it logs in; `let in` if it may. */
async function login(world: World, resource: string): Promise<string> {
  const tunnel = await world.also(resource);
  return world.at(tunnel).then(
    () => 'let in',
    (error: Error) => error.message,
  );
}

/** That the resource which is as it should be works, over the same TLS. */
async function mustWork(world: World): Promise<void> {
  const client = await world.at(await world.also('verified'));
  const lines = await client.ask(query('select ssl from pg_stat_ssl where pid = pg_backend_pid()'));
  must(lines.includes('DataRow t'), `dead: ${lines.join(' / ')}`);
}

const refusedLogin = (said: string) => /08006|08001|08004|28000|57P03/.test(said);

/** An impostor that answers each chunk in turn: the login fails, and it is sent nothing but a request for TLS. */
function impostor(id: string, what: string, ...answers: readonly Buffer[]): Attack {
  return {
    id,
    case: what,
    run: async (world) => {
      await mustWork(world);
      const heard: Buffer[] = [];
      const serve = (socket: Socket) => {
        const left = [...answers];
        socket.on('data', (chunk: Buffer) => {
          heard.push(chunk);
          const answer = left.shift();
          if (answer === undefined) socket.destroy();
          else socket.write(answer);
        });
      };
      const said = await stand(world, serve, () => login(world, 'other-host'));
      must(refusedLogin(said), said);
      const octets = Buffer.concat(heard);
      must(octets.length > 0, 'dead: nobody came');
      for (const word of ['hoop\0', 'user\0', 'SCRAM'])
        must(!octets.includes(word), `it was sent ${JSON.stringify(word)}`);
    },
  };
}

/** A server that cannot be known: the login fails, and says that it is about TLS. */
function unknown(what: string, resource: string): Attack {
  return {
    id: 'PG-W27',
    case: what,
    run: async (world) => {
      await mustWork(world);
      const said = await login(world, resource);
      must(refusedLogin(said), said);
    },
  };
}

const S = Buffer.from('S');
const PLUS = 'SCRAM-SHA-256-PLUS';

/** Ends TLS here, begins it anew to the server, and passes on what is said. */
function between(world: World, near: Socket, hidesBinding: boolean): void {
  const { directory, postgres } = world.stack;
  const [key, cert] = ['tls.key', 'tls.crt'].map((name) => readFileSync(join(directory, name)));
  const far = connect(postgres.port, postgres.host, () => far.write(SSL));
  const end = () => {
    near.destroy();
    far.destroy();
  };
  far.on('error', end).on('close', end);
  near.on('close', end);
  // Both are asked for TLS first: the client asks us, we ask the server.
  const asked = [near, far].map((one) => new Promise((resolve) => one.once('data', resolve)));
  void Promise.all(asked).then(() => {
    near.write(S);
    const client = new TLSSocket(near, { isServer: true, key, cert });
    const server = connectTls({ socket: far, rejectUnauthorized: false });
    client.on('error', end).pipe(server);
    server.on('error', end).on('data', (chunk: Buffer) => {
      client.write(hidesBinding ? withoutBinding(chunk) : chunk);
    });
  });
}

/** A list of mechanisms without the one that binds; anything else as it is. */
function withoutBinding(chunk: Buffer): Buffer {
  if (!chunk.includes(`${PLUS}\0`)) return chunk;
  return encodeBackend({
    name: 'Authentication',
    request: { method: 'SASL', mechanisms: ['SCRAM-SHA-256'] },
  });
}

function middleman(what: string, hidesBinding: boolean): Attack {
  return {
    id: 'PG-W27',
    case: what,
    run: async (world) => {
      await stand(
        world,
        (socket) => between(world, socket, hidesBinding),
        async () => {
          const plain = await world.dial({ host: ELSEWHERE, port: world.stack.postgres.port });
          must((await octet(plain, SSL)) === 'S', 'dead: nobody stands between');
          plain.socket.removeAllListeners('data');
          const tls = connectTls({ socket: plain.socket, rejectUnauthorized: false });
          const client = await logInRaw(new RawClient(tls), world.target);
          must((await client.ask(query('select 1'))).includes('DataRow 1'), 'dead: nothing is passed on');
          const said = await login(world, 'misissued');
          must(refusedLogin(said), said);
        },
      );
    },
  };
}
const OK = encodeBackend({ name: 'Authentication', request: { method: 'Ok' } });
const READY = encodeBackend({ name: 'ReadyForQuery', status: 'I' });
const CLEARTEXT = encodeBackend({ name: 'Authentication', request: { method: 'CleartextPassword' } });

export const TARGET: readonly Attack[] = [
  impostor('PG-W2', "a login's answers right behind the yes to TLS", Buffer.concat([S, OK, READY])),
  impostor('PG-W2', 'a single octet more than the yes to TLS', Buffer.concat([S, Buffer.of(0x16)])),
  impostor('PG-W2', 'no TLS, and a question for the password', Buffer.from('N'), CLEARTEXT),
  impostor(
    'PG-W2',
    'an error instead of an answer, and a question for the password',
    Buffer.from('E'),
    CLEARTEXT,
  ),
  impostor('PG-W2', 'a yes to TLS, and then none', S, Buffer.concat([OK, READY])),
  unknown('a certificate of another authority', 'other-authority'),
  unknown('a certificate of no authority that is known', 'no-authority'),
  {
    id: 'PG-W27',
    case: 'a certificate of another name: somebody who passes everything on',
    run: async (world) => {
      await mustWork(world);
      const { host, port } = world.stack.postgres;
      let passed = 0;
      const serve = (near: Socket) => {
        passed++;
        const far = connect(port, host);
        near.pipe(far).pipe(near);
        far.on('error', () => near.destroy()).on('close', () => near.destroy());
        near.on('close', () => far.destroy());
      };
      const said = await stand(world, serve, () => login(world, 'other-host'));
      must(passed > 0, 'dead: nobody came');
      must(refusedLogin(said), said);
    },
  },
  middleman(
    'somebody between, with a certificate of his own that is verified: SCRAM is bound to the server’s',
    false,
  ),
  middleman('… who hides that SCRAM can be bound', true),
];
