import { pbkdf2Sync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HoopError } from '../../../src/core/errors.ts';
import { Secret } from '../../../src/core/secret.ts';
import {
  connectUpstream,
  type Upstream,
  type UpstreamOptions,
} from '../../../src/protocols/postgres/target/upstream.ts';
import { type BackendMessage, decodeBackend, encodeBackend } from '../../../src/wire/postgres/backend.ts';
import { Framer } from '../../../src/wire/postgres/framer.ts';
import { encodeFrontend, type FrontendMessage } from '../../../src/wire/postgres/frontend.ts';
import { parseVerifier, SaltedKeyCache } from '../../../src/wire/scram/index.ts';
import { scramKeys } from '../../../src/wire/scram/keys.ts';
import { saslprep } from '../../../src/wire/scram/saslprep.ts';
import { makeCertificates } from '../../support/postgres/certificates.ts';
import { type PostgresServer, startPostgres, untilRunning } from '../../support/postgres/server.ts';

/** Passwords whose preparation is not themselves, or could go wrong. */
const ODD_PASSWORDS = [
  'gr\u00fc\u00df dich',
  'u\u0308ber\u00adall',
  '\u2168\u00aa\ufb01\u3000x',
  '\u00ad',
  '\u0627\ufb21',
  '\u0627\ufb2f',
  '\ufe8ea',
  '\ufe8e1\u0627',
  '\u06271',
  '\u037e\u2126\u212b',
  'x\u0007\u2168',
  '\u00fc\u200e\u2168',
  '\ue000\u2168',
  '\u200bx',
  'emoji \u{1f600} \u2168',
  "o'clock\\",
];
const ROLES = `
  CREATE ROLE hoop LOGIN PASSWORD 'geheim';
  CREATE ROLE old LOGIN; SET password_encryption = 'md5'; ALTER ROLE old PASSWORD 'geheim';
  SET password_encryption = 'scram-sha-256';
  CREATE ROLE plain LOGIN PASSWORD 'geheim';
  CREATE ROLE trusted LOGIN;
  CREATE ROLE nologin PASSWORD 'geheim';
  CREATE ROLE "o'brien = x host=evil" LOGIN PASSWORD 'geheim';
`;

let server: PostgresServer;
const saltedKeys = new SaltedKeyCache();
const open: Upstream[] = [];

beforeAll(async () => {
  server = await startPostgres({
    database: 'shop',
    sql: ROLES,
    settings: { log_connections: 'on', log_disconnections: 'on' },
    hba: [
      'hostssl all old 127.0.0.1/32 md5',
      'host all plain 127.0.0.1/32 password',
      'host all trusted 127.0.0.1/32 trust',
      'hostnossl all hoop 127.0.0.1/32 scram-sha-256',
    ],
  });
});

afterAll(async () => {
  for (const one of open) one.socket.destroy();
  await server?.stop();
});

function options(changes: Partial<UpstreamOptions> = {}): UpstreamOptions {
  return {
    host: server.host,
    port: server.port,
    database: server.database,
    user: 'hoop',
    password: new Secret('geheim'),
    tls: { mode: 'verify-full', ca: readFileSync(server.caFile) },
    timeoutMs: 10_000,
    saltedKeys,
    ...changes,
  };
}

async function connect(changes: Partial<UpstreamOptions> = {}): Promise<Upstream> {
  const upstream = await connectUpstream(options(changes));
  open.push(upstream);
  return upstream;
}

/** What an attempt fails with; it must be ours, and not hold the password. */
async function failure(changes: Partial<UpstreamOptions>): Promise<HoopError> {
  const error = await connect(changes).then(
    () => new Error('it connected'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(HoopError);
  expect(inspect(error, { depth: 9 })).not.toContain('geheim');
  return error as HoopError;
}

/** Sends messages and collects what comes up to ReadyForQuery. */
function ask({ socket, rest }: Upstream, ...messages: FrontendMessage[]): Promise<BackendMessage[]> {
  const framer = new Framer('backend');
  const answers: BackendMessage[] = [];
  framer.push(rest);
  return new Promise((resolve, reject) => {
    const take = (chunk: Buffer) => {
      framer.push(chunk);
      for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
        answers.push(decodeBackend(frame.type, frame.body));
      }
      if (answers.at(-1)?.name !== 'ReadyForQuery') return;
      socket.pause().off('data', take).off('close', lost);
      resolve(answers);
    };
    const lost = () => reject(new Error('the connection was lost'));
    socket.on('data', take).on('close', lost).resume();
    socket.write(Buffer.concat(messages.map(encodeFrontend)));
  });
}

/** One value of one row, as text. */
async function value(upstream: Upstream, sql: string): Promise<string | undefined> {
  const answers = await ask(upstream, { name: 'Query', sql });
  const row = answers.find((one) => one.name === 'DataRow');
  return row?.name === 'DataRow' ? row.values[0]?.toString() : undefined;
}

describe('a login', () => {
  it('goes over verified TLS with SCRAM, bound to the certificate, and ends ready', async () => {
    const upstream = await connect({
      applicationName: 'hoop test',
      startupParameters: { DateStyle: 'ISO, DMY' },
    });
    expect(upstream.serverVersion).toBeGreaterThanOrEqual(150_000);
    expect(upstream.backendKey?.key).toHaveLength(4);
    expect(upstream.parameters.get('client_encoding')).toBe('UTF8');
    expect(upstream.parameters.get('application_name')).toBe('hoop test');
    expect(upstream.parameters.get('DateStyle')).toBe('ISO, DMY');
    expect(upstream.rest).toHaveLength(0);
    expect(upstream.socket.isPaused()).toBe(true);
    expect(upstream.socket.listenerCount('data')).toBe(0);
    expect(await value(upstream, 'select version from pg_stat_ssl where pid = pg_backend_pid()')).toBe(
      'TLSv1.3',
    );
  });

  it('speaks the codec’s messages to a real server', async () => {
    const upstream = await connect();
    const simple = await ask(upstream, { name: 'Query', sql: 'select 1 as one; select; ' });
    const one = ['RowDescription', 'DataRow', 'CommandComplete'];
    expect(simple.map((message) => message.name)).toEqual([...one, ...one, 'ReadyForQuery']);
    const answers = await ask(
      upstream,
      { name: 'Parse', statement: 's', sql: 'select $1::int4 + $2::int4, null', parameterTypes: [23] },
      { name: 'Describe', kind: 'S', target: 's' },
      {
        name: 'Bind',
        portal: '',
        statement: 's',
        parameterFormats: [1, 0],
        parameters: [Buffer.from([0, 0, 0, 40]), Buffer.from('2')],
        resultFormats: [1, 0],
      },
      { name: 'Describe', kind: 'P', target: '' },
      { name: 'Execute', portal: '', maxRows: 0 },
      { name: 'Close', kind: 'S', target: 's' },
      { name: 'Sync' },
    );
    expect(answers.map((one) => one.name)).toEqual([
      'ParseComplete',
      'ParameterDescription',
      'RowDescription',
      'BindComplete',
      'RowDescription',
      'DataRow',
      'CommandComplete',
      'CloseComplete',
      'ReadyForQuery',
    ]);
    expect(answers[1]).toMatchObject({ typeOids: [23, 23] });
    expect(answers[5]).toEqual({ name: 'DataRow', values: [Buffer.from([0, 0, 0, 42]), null] });
    const failed = await ask(upstream, { name: 'Query', sql: 'select broken' });
    expect(failed[0]).toMatchObject({ name: 'ErrorResponse' });
  });

  it('copies in and out through the codec', async () => {
    const upstream = await connect();
    await ask(upstream, { name: 'Query', sql: 'create temp table t (a int, b text)' });
    const copied = await ask(
      upstream,
      { name: 'Query', sql: 'copy t from stdin' },
      { name: 'CopyData', data: Buffer.from('1\tone\n2\t\\N\n') },
      { name: 'CopyDone' },
    );
    expect(copied.map((one) => one.name)).toEqual(['CopyInResponse', 'CommandComplete', 'ReadyForQuery']);
    const out = await ask(upstream, { name: 'Query', sql: 'copy t to stdout' });
    expect(out[0]).toEqual({ name: 'CopyOutResponse', format: 0, columnFormats: [0, 0] });
    expect(out.flatMap((one) => (one.name === 'CopyData' ? [one.data.toString()] : []))).toEqual([
      '1\tone\n',
      '2\t\\N\n',
    ]);
  });

  it('takes names as they are, whatever is in them', async () => {
    const upstream = await connect({ user: "o'brien = x host=evil" });
    expect(await value(upstream, 'select current_user')).toBe("o'brien = x host=evil");
  });

  it('works without TLS where that is said, and over TLS to anybody where that is said', async () => {
    const plain = await connect({ tls: { mode: 'disable' } });
    expect(await value(plain, 'select ssl from pg_stat_ssl where pid = pg_backend_pid()')).toBe('f');
    await connect({ tls: { mode: 'require' } });
    await connect({ tls: { mode: 'require', servername: 'db.example.com' } });
  });

  it('checks the chain but not the name where that is said', async () => {
    const ca = readFileSync(server.caFile);
    await connect({ tls: { mode: 'verify-ca', ca, servername: 'db.example.com' } });
    await connect({ tls: { ca, servername: 'localhost' } });
    expect(await failure({ tls: { mode: 'verify-ca' } })).toMatchObject({ code: 'ERR_TARGET_TLS' });
  });

  it('uses old methods only where the server is known', async () => {
    const ca = readFileSync(server.caFile);
    await connect({ user: 'old' });
    await connect({ user: 'plain', tls: { mode: 'verify-ca', ca } });
    await connect({ user: 'trusted', tls: { mode: 'disable' } });
    for (const mode of ['disable', 'require'] as const) {
      const error = await failure({ user: 'plain', tls: { mode } });
      expect(error).toMatchObject({
        code: 'ERR_TARGET_AUTH',
        detail: expect.stringContaining('not verified'),
      });
    }
    expect(await failure({ user: 'old', tls: { mode: 'require' } })).toMatchObject({
      code: 'ERR_TARGET_AUTH',
    });
  });

  it('prepares passwords as the server does', async () => {
    for (const [i, password] of ODD_PASSWORDS.entries()) {
      const quoted = password.replaceAll("'", "''");
      const sql = `CREATE ROLE odd${i} LOGIN PASSWORD '${quoted}'; SELECT rolpassword FROM pg_authid WHERE rolname = 'odd${i}'`;
      const verifier = parseVerifier(await server.psql(sql));
      const prepared = saslprep(password);
      const keys = scramKeys(pbkdf2Sync(prepared, verifier.salt, verifier.iterations, 32, 'sha256'));
      expect(keys.storedKey, inspect(password)).toEqual(verifier.storedKey);
    }
    await connect({ user: 'odd1', password: new Secret(ODD_PASSWORDS[1]!) });
  });
});

describe('a login that fails', () => {
  it('with the wrong password', async () => {
    const error = await failure({ password: new Secret('geheim2') });
    expect(error).toMatchObject({ code: 'ERR_TARGET_AUTH', detail: expect.stringMatching(/^28P01: /) });
  });

  it('as a role that may not, or does not exist', async () => {
    expect(await failure({ user: 'nologin' })).toMatchObject({ code: 'ERR_TARGET_AUTH' });
    expect(await failure({ user: 'nobody' })).toMatchObject({ code: 'ERR_TARGET_AUTH' });
  });

  it('to a database that is not there', async () => {
    const error = await failure({ database: 'nowhere' });
    expect(error).toMatchObject({
      code: 'ERR_TARGET_UNREACHABLE',
      detail: expect.stringMatching(/^3D000: /),
    });
  });

  it('against another authority, or another name', async () => {
    const { caFile } = await inTemporary(makeCertificates);
    expect(await failure({ tls: { ca: caFile } })).toMatchObject({ code: 'ERR_TARGET_TLS' });
    expect(await failure({ tls: {} })).toMatchObject({ code: 'ERR_TARGET_TLS' });
    const ca = readFileSync(server.caFile);
    const error = await failure({ tls: { ca, servername: 'db.example.com' } });
    expect(error).toMatchObject({ code: 'ERR_TARGET_TLS', detail: expect.stringContaining('ALTNAME') });
  });

  it('at a port where nobody listens, or a name nobody has', async () => {
    const refused = await failure({ port: 1 });
    expect(refused).toMatchObject({
      code: 'ERR_TARGET_UNREACHABLE',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
    expect(await failure({ host: 'nowhere.invalid' })).toMatchObject({ code: 'ERR_TARGET_UNREACHABLE' });
  });

  it('with a NUL in a name, an empty one, or a parameter that is not the caller’s', async () => {
    expect(await failure({ user: 'hoop\0options\0-c' })).toMatchObject({ code: 'ERR_PROTOCOL' });
    expect(await failure({ database: 'shop\0user\0admin' })).toMatchObject({ code: 'ERR_PROTOCOL' });
    expect(await failure({ user: '' })).toMatchObject({ code: 'ERR_CONFIG' });
    for (const name of ['user', 'Database', 'replication', 'client_encoding']) {
      expect(await failure({ startupParameters: { [name]: 'true' } })).toMatchObject({ code: 'ERR_CONFIG' });
    }
  });

  it('when the caller gives up, at once and with the caller’s reason', async () => {
    const reason = new HoopError('ERR_REVOKED');
    expect(await failure({ signal: AbortSignal.abort(reason) })).toBe(reason);
  });
});

describe('a cancel', () => {
  it('ends what the connection is doing, which stays usable', async () => {
    const upstream = await connect();
    const started = Date.now();
    const answers = ask(upstream, { name: 'Query', sql: 'select pg_sleep(60)' });
    await untilRunning(server, 'pg_sleep(60)');
    await upstream.cancel();
    const error = (await answers).find((one) => one.name === 'ErrorResponse');
    expect(inspect(error)).toContain(inspect(Buffer.from('57014')));
    expect(Date.now() - started).toBeLessThan(20_000);
    expect(await value(upstream, 'select 1')).toBe('1');
  });

  it('of nothing is nothing', async () => {
    const upstream = await connect({ tls: { mode: 'disable' } });
    await upstream.cancel();
    expect(await value(upstream, 'select 1')).toBe('1');
  });
});

describe('a server that is not what it should be', () => {
  const peers: Server[] = [];
  afterAll(() => {
    for (const one of peers) one.close();
  });

  /** A listener that answers every chunk in turn with one of these, then falls silent. */
  async function peer(...answers: (Buffer | 'end')[]): Promise<number> {
    const listener = createServer((socket: Socket) => {
      const left = [...answers];
      socket
        .on('error', () => undefined)
        .on('data', () => {
          const answer = left.shift();
          if (answer === 'end') socket.destroy();
          else if (answer !== undefined) socket.write(answer);
        });
    });
    peers.push(listener);
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    return (listener.address() as { port: number }).port;
  }

  const message = encodeBackend;
  const ok = message({ name: 'Authentication', request: { method: 'Ok' } });
  const sasl = message({
    name: 'Authentication',
    request: { method: 'SASL', mechanisms: ['SCRAM-SHA-256'] },
  });
  const ready = message({ name: 'ReadyForQuery', status: 'I' });
  const disable = { tls: { mode: 'disable' } } as const;

  it('sends octets before TLS begins', async () => {
    const port = await peer(Buffer.concat([Buffer.from('S'), ok, ready]));
    const error = await failure({ port });
    expect(error).toMatchObject({
      code: 'ERR_TARGET_TLS',
      detail: expect.stringContaining('before TLS began'),
    });
  });

  it('offers no TLS, says something else, or speaks no TLS', async () => {
    const none = await failure({ port: await peer(Buffer.from('N')) });
    expect(none).toMatchObject({ code: 'ERR_TARGET_NO_TLS', hint: expect.stringContaining('tls: disable') });
    for (const answer of [Buffer.from('E'), Buffer.from('G')]) {
      expect(await failure({ port: await peer(answer) })).toMatchObject({ code: 'ERR_TARGET_TLS' });
    }
    const port = await peer(Buffer.from('S'), Buffer.concat([ok, ready]));
    expect(await failure({ port })).toMatchObject({ code: 'ERR_TARGET_TLS' });
  });

  it('closes, at any point', async () => {
    for (const answers of [['end'], [Buffer.from('S'), 'end']] as const) {
      const error = await failure({ port: await peer(...answers) });
      expect(error.code).toMatch(/^ERR_TARGET_(UNREACHABLE|TLS)$/);
    }
    const port = await peer(sasl, 'end');
    expect(await failure({ port, ...disable })).toMatchObject({ code: 'ERR_TARGET_UNREACHABLE' });
  });

  it('never answers', async () => {
    for (const tls of [disable, {}]) {
      const started = Date.now();
      const error = await failure({ port: await peer(), timeoutMs: 200, ...tls });
      expect(error).toMatchObject({ code: 'ERR_TARGET_UNREACHABLE', detail: 'no answer within 200 ms' });
      expect(Date.now() - started).toBeLessThan(3_000);
    }
  });

  it('starts TLS and never goes on', async () => {
    const error = await failure({ port: await peer(Buffer.from('S')), timeoutMs: 200 });
    expect(error).toMatchObject({ code: 'ERR_TARGET_UNREACHABLE', detail: 'no answer within 200 ms' });
  });

  it('skips its own proof', async () => {
    const first = Buffer.from('r=wrong,s=c2FsdA==,i=4096');
    const liars: readonly Buffer[][] = [
      [Buffer.concat([sasl, ok, ready])],
      [sasl, message({ name: 'Authentication', request: { method: 'SASLContinue', data: first } })],
      [message({ name: 'Authentication', request: { method: 'SASLFinal', data: Buffer.from('v=AAAA') } })],
      [
        message({
          name: 'Authentication',
          request: { method: 'SASL', mechanisms: ['PLAIN', 'SCRAM-SHA-1'] },
        }),
      ],
      [message({ name: 'Authentication', request: { method: 'GSS' } })],
    ];
    for (const answers of liars) {
      const error = await failure({ port: await peer(...answers), ...disable });
      expect(error).toMatchObject({ code: 'ERR_TARGET_AUTH' });
    }
  });

  it('breaks the protocol', async () => {
    const broken: readonly [Buffer, string][] = [
      [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'ERR_MESSAGE_LENGTH'],
      [Buffer.from([0x7a, 0, 0, 0, 4]), 'ERR_MESSAGE_TYPE'],
      [message({ name: 'DataRow', values: [] }), 'ERR_PROTOCOL'],
      [Buffer.concat([ok, message({ name: 'DataRow', values: [] })]), 'ERR_PROTOCOL'],
    ];
    for (const [answer, code] of broken) {
      expect(await failure({ port: await peer(answer), ...disable })).toMatchObject({ code });
    }
  });

  it('talks without end', async () => {
    const notice = message({ name: 'NoticeResponse', fields: [['M', 'soon']] });
    const port = await peer(Buffer.concat(Array(1_100).fill(notice)));
    expect(await failure({ port, ...disable })).toMatchObject({ detail: 'the server never becomes ready' });
  });

  it('sends more behind its first ReadyForQuery, which is not lost', async () => {
    const more = message({ name: 'NoticeResponse', fields: [['M', 'hello']] });
    const port = await peer(Buffer.concat([ok, ready, more, more.subarray(0, 3)]));
    const upstream = await connect({ port, ...disable });
    expect(upstream.rest).toEqual(Buffer.concat([more, more.subarray(0, 3)]));
    expect(upstream).toMatchObject({ serverVersion: 0, backendKey: undefined });
    await expect(upstream.cancel()).rejects.toThrow(expect.objectContaining({ code: 'ERR_UNSUPPORTED' }));
  });
});

describe('somebody in between, with encryption to each side', () => {
  /** The servers' list of SASL mechanisms, and one from which the bound mechanism was taken out. */
  const offered = encodeBackend({
    name: 'Authentication',
    request: { method: 'SASL', mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] },
  });
  const stripped = encodeBackend({
    name: 'Authentication',
    request: { method: 'SASL', mechanisms: ['SCRAM-SHA-256'] },
  });

  /** A relay with a certificate of its own; `edit` sees what the server says. */
  async function relay(edit: (chunk: Buffer) => Buffer): Promise<Server> {
    const { keyFile, certFile } = await inTemporary(makeCertificates);
    const listener = createServer(async (client) => {
      const target = createConnection(server.port, server.host);
      for (const socket of [client, target]) socket.on('error', () => undefined);
      target.write((await once(client, 'data'))[0]);
      client.pause().write((await once(target, 'data'))[0]);
      target.pause();
      const near = new TLSSocket(client, { isServer: true, key: keyFile, cert: certFile });
      const far = connectTls({ socket: target, rejectUnauthorized: false });
      near.on('error', () => far.destroy()).pipe(far);
      far.on('error', () => near.destroy()).on('data', (chunk: Buffer) => near.write(edit(chunk)));
      far.on('end', () => near.end());
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    return listener;
  }

  it.each([
    ['is found out by channel binding', (chunk: Buffer) => chunk, 'channel binding check failed'],
    [
      'is found out when it takes the offer of channel binding away',
      (chunk: Buffer) => (chunk.equals(offered) ? stripped : chunk),
      'channel binding',
    ],
  ])('%s, even where no certificate is checked', async (_what, edit, detail) => {
    const listener = await relay(edit);
    const { port } = listener.address() as { port: number };
    const error = await failure({ port, tls: { mode: 'require' } });
    expect(error).toMatchObject({ code: 'ERR_TARGET_AUTH', detail: expect.stringContaining(detail) });
    listener.close();
  });
});

describe('the server going away', () => {
  it('between login and use does not end the process', async () => {
    const upstream = await connect();
    const closed = new Promise((resolve) => upstream.socket.once('close', resolve));
    await server.crash();
    await server.restart();
    upstream.socket.resume();
    await closed;
    expect(await value(await connect(), 'select 1')).toBe('1');
  });
});

/** What files that are made in a temporary directory hold. */
async function inTemporary<K extends string>(
  make: (directory: string) => Promise<Readonly<Record<K, string>>>,
): Promise<Record<K, Buffer>> {
  const directory = mkdtempSync(join(tmpdir(), 'hoop-test-'));
  try {
    const files = Object.entries(await make(directory)) as [K, string][];
    return Object.fromEntries(files.map(([name, file]) => [name, readFileSync(file)])) as Record<K, Buffer>;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
