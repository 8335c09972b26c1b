import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Duplex } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TunnelFiles } from '../../../src/cli/connect/tunnel-files.ts';
import { makeTunnelTls } from '../../../src/cli/connect/tunnel-tls.ts';
import { Listener } from '../../../src/client/listener.ts';
import type { LocalDoor } from '../../../src/client/local/door.ts';
import { HttpDoor } from '../../../src/client/local/http/door.ts';
import { localHttp } from '../../../src/client/local/http/index.ts';
import { localKubernetes } from '../../../src/client/local/kubernetes/index.ts';
import { LocalTls } from '../../../src/client/local/tls.ts';
import { HoopError } from '../../../src/core/errors.ts';
import { bearerProof } from '../../../src/wire/http/local-check.ts';
import { eventually, timePasses } from '../../support/waiting.ts';

const NOW = Date.now();
const HOUR = 3_600_000;
const SECRET = 'open-sesame';
const AUTHORIZATION = `Authorization: Bearer ${SECRET}`;

let tls: LocalTls;
beforeAll(async () => {
  tls = await LocalTls.make(NOW, NOW + HOUR);
});

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** The gateway's side: what it gets comes back behind `heard:`. */
function echo(): Duplex {
  const chunks: Buffer[] = [];
  return new Duplex({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
    final(done) {
      this.push(`heard:${Buffer.concat(chunks).toString('latin1')}`);
      this.push(null);
      done();
    },
    read: () => undefined,
  });
}

async function listener(
  open: () => Promise<Duplex> = async () => echo(),
  door: LocalDoor = new HttpDoor(bearerProof(SECRET)),
) {
  const refused: HoopError[] = [];
  const listening = await Listener.onPort(0, {
    protocol: localHttp,
    open,
    tls,
    door,
    onRefused: (error) => refused.push(error),
  });
  cleanups.push(() => listening.close());
  return { port: listening.address.port, refused, listening };
}

type Wishes = ConnectionOptions & { readonly allowHalfOpen?: boolean };

async function client(port: number, more: Wishes = {}): Promise<TLSSocket> {
  const wishes: Wishes = { port, host: '127.0.0.1', ca: tls.authority, allowHalfOpen: true, ...more };
  const socket = connect(wishes);
  cleanups.push(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

describe('TLS at a local port', () => {
  it.each([
    ['h2 first', ['h2', 'http/1.1'], 'h2'],
    ['as it likes best itself', ['http/1.1', 'h2'], 'h2'],
    ['HTTP/1.1 alone', ['http/1.1'], 'http/1.1'],
    ['nothing', undefined, false],
  ])('%s', async (_name, offered, agreed) => {
    const { port } = await listener();
    const socket = await client(port, offered === undefined ? {} : { ALPNProtocols: offered });
    expect(socket.alpnProtocol).toBe(agreed);
    expect(socket.getProtocol()).toBe('TLSv1.3');
    const asked = `GET / HTTP/1.1\r\nHost: localhost\r\n${AUTHORIZATION}\r\n\r\n`;
    socket.end(asked);
    expect(await text(socket)).toBe(`heard:${asked}`);
  });

  it('takes no client that speaks something else only, or older TLS', async () => {
    const { port } = await listener();
    await expect(client(port, { ALPNProtocols: ['spdy/3'] })).rejects.toThrow(/no.application.protocol/i);
    await expect(client(port, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })).rejects.toThrow();
  });

  it.each(['localhost', '127.0.0.1', '::1'])('is trusted as %s', async (name) => {
    const { port } = await listener();
    const socket = await client(port);
    const certificate = new X509Certificate(socket.getPeerCertificate().raw);
    expect(name === 'localhost' ? certificate.checkHost(name) : certificate.checkIP(name)).toBeTruthy();
    expect(certificate.checkIssued(new X509Certificate(tls.authority))).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(Date.parse(certificate.validTo)).toBeLessThan(NOW + HOUR + 61_000);
  });

  it('asks for the secret all the same, and says so inside of TLS', async () => {
    const { port, refused, listening } = await listener();
    const { status, body } = await get(port);
    expect({ status, code: (JSON.parse(body) as { code: string }).code }).toEqual({
      status: 401,
      code: 'ERR_LOCAL_AUTH',
    });
    // It may ask again with the secret, now that it is asked for it.
    expect(refused).toEqual([]);
    await listening.close();
    expect(refused).toMatchObject([{ code: 'ERR_LOCAL_AUTH' }]);
  });

  it('tells clients of a cluster of the file in which the secret is', async () => {
    const { door } = await localKubernetes.guard();
    const { port } = await listener(undefined, door);
    expect(JSON.parse((await get(port)).body)).toMatchObject({
      hint: expect.stringContaining('the kubeconfig'),
    });
  });

  it('says why there is no stream inside of TLS', async () => {
    const { port } = await listener(async () => {
      throw new HoopError('ERR_GATEWAY_UNREACHABLE');
    });
    expect(await get(port, { authorization: `Bearer ${SECRET}` })).toMatchObject({ status: 502 });
  });

  it.each<[string, Buffer, RegExp]>([
    ['does not trust it', Buffer.from([0x15, 3, 1, 0, 2, 2, 48]), /trust the authority/],
    ['speaks no TLS', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /with https/],
    ['speaks nothing known', Buffer.from('hello there, anybody home?\n'), /trust/],
  ])('tells of a client that %s, and the others go on', async (_name, octets, hint) => {
    const { port, refused } = await listener();
    const plain = connectPlain(port, '127.0.0.1').on('error', () => undefined);
    plain.resume().write(octets);
    await once(plain, 'close');
    expect(refused).toMatchObject([{ code: 'ERR_LOCAL_AUTH', hint: expect.stringMatching(hint) }]);
    expect(await get(port)).toMatchObject({ status: 401 });
  });

  it('tells of none that leaves', async () => {
    const { port, refused } = await listener();
    const plain = connectPlain(port, '127.0.0.1').on('error', () => undefined);
    await once(plain, 'connect');
    plain.resetAndDestroy();
    expect(await get(port, { authorization: 'Bearer guessed' })).toMatchObject({ status: 401 });
    expect(refused.length).toBe(1);
  });

  it('closes whoever agrees on nothing when others come, and all of them at its end', async () => {
    const { port, listening } = await listener();
    let closed = 0;
    for (let n = 0; n < 129; n++) {
      if (n === 128)
        await timePasses(1100, 'all may come at once; who has had a second is in the way of others');
      const socket = connectPlain(port, '127.0.0.1').on('error', () => undefined);
      cleanups.push(() => socket.destroy());
      socket.resume().once('close', () => closed++);
      await once(socket, 'connect');
    }
    await eventually('one is closed', () => closed === 1, Boolean, { withinMs: 5000 });
    const socket = await client(port, { allowHalfOpen: false });
    const ended = once(
      socket.on('error', () => undefined),
      'close',
    );
    await listening.close();
    await ended;
  });

  it('carries much, both ways', async () => {
    const much = Buffer.alloc(5_000_000, 'x');
    const { port } = await listener();
    const socket = await client(port);
    const heard = buffer(socket);
    socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\n${AUTHORIZATION}\r\n\r\n`);
    socket.end(much);
    expect((await heard).length).toBeGreaterThan(much.length);
  });
});

async function get(
  port: number,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  const sent = request({ port, host: '127.0.0.1', ca: tls.authority, headers, agent: false }).end();
  const [answer] = await once(sent, 'response');
  return { status: answer.statusCode, body: await text(answer) };
}

describe('what clients are told', () => {
  const files = new TunnelFiles();
  const directory = mkdtempSync(join(tmpdir(), 'local-tls-'));
  const file = (name: string, content: string) => {
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };
  const made = (env: Record<string, string | undefined>) => {
    files.dispose();
    return makeTunnelTls(files, env, NOW, NOW + HOUR);
  };
  const content = (path: string | undefined) => readFileSync(path ?? '', 'latin1');
  cleanups.push(() => files.dispose());

  it('the authority alone, and beside what the machine trusts', async () => {
    const { local, caFile, variables } = await made({});
    expect(content(caFile)).toBe(local.authority);
    expect(variables['NODE_EXTRA_CA_CERTS']).toBe(caFile);
    const { SSL_CERT_FILE: bundle = '', ...others } = variables;
    expect(others).toMatchObject({
      CURL_CA_BUNDLE: bundle,
      REQUESTS_CA_BUNDLE: bundle,
      GIT_SSL_CAINFO: bundle,
      AWS_CA_BUNDLE: bundle,
      GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: bundle,
    });
    expect(content(bundle).endsWith(local.authority)).toBe(true);
    expect(content(bundle).match(/BEGIN CERTIFICATE/g)!.length).toBeGreaterThan(10);
    expect(statSync(bundle).mode & 0o777).toBe(0o600);
    expect(content(caFile) + content(bundle)).not.toContain('PRIVATE');
    files.dispose();
    expect(() => statSync(dirname(bundle))).toThrow();
  });

  it('whatever a variable named is still trusted, each for itself', async () => {
    const env = {
      SSL_CERT_FILE: file('corp.pem', 'CORP'),
      REQUESTS_CA_BUNDLE: file('requests.pem', 'REQUESTS\n\n'),
      AWS_CA_BUNDLE: file('aws.pem', 'AWS'),
      NODE_EXTRA_CA_CERTS: file('node.pem', 'NODE'),
      CURL_CA_BUNDLE: '',
    };
    const { local, variables } = await made(env);
    const begins = Object.fromEntries(
      Object.entries(variables).map(([name, path]) => [
        name,
        content(path).replace(`\n${local.authority}`, ''),
      ]),
    );
    expect(begins).toEqual({
      SSL_CERT_FILE: 'CORP',
      CURL_CA_BUNDLE: 'CORP',
      GIT_SSL_CAINFO: 'CORP',
      AWS_CA_BUNDLE: 'AWS',
      GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: 'CORP',
      REQUESTS_CA_BUNDLE: 'REQUESTS',
      NODE_EXTRA_CA_CERTS: 'NODE',
    });
  });

  it('a file that cannot be read', async () => {
    await expect(made({ SSL_CERT_FILE: join(directory, 'none.pem') })).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      message: expect.stringContaining('none.pem'),
    });
    rmSync(directory, { recursive: true });
  });
});
