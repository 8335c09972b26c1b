import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Duplex, Writable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpDoor } from '../../../src/client/local/http/door.ts';
import { refuseClient } from '../../../src/client/local/http/refusal.ts';
import { HoopError, toHoopError } from '../../../src/core/errors.ts';
import { bearerProof } from '../../../src/wire/http/local-check.ts';

const SECRET = 'open-sesame';
const door = new HttpDoor(bearerProof(SECRET));
const basic = (secret: string, user = 'hoop') => Buffer.from(`${user}:${secret}`).toString('base64');
const request = (...fields: string[]) =>
  ['GET /a HTTP/1.1', 'Host: 127.0.0.1:9', ...fields, '', ''].join('\r\n');
const AUTHORIZED = `Authorization: Basic ${basic(SECRET)}`;

let server: Server | undefined;
afterEach(() => void server?.close());

/** A local connection over a real socket: what the client says, chunk by chunk, and what became of it. */
async function knock(...chunks: readonly (string | Buffer)[]): Promise<{ passed?: string; answer: string }> {
  const outcome = Promise.withResolvers<string | undefined>();
  server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (local) => {
    void through(local, outcome.resolve);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').setNoDelay(true);
  client.on('error', () => undefined);
  let answer = '';
  client.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  await once(client, 'connect');
  for (const chunk of chunks) {
    client.write(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const passed = await outcome.promise;
  if (passed === undefined && !client.closed) await once(client, 'close');
  client.destroy();
  return passed === undefined ? { answer } : { passed, answer };
}

async function through(local: Socket, done: (passed: string | undefined) => void): Promise<void> {
  try {
    const admitted = await door.admit(local);
    const written: Buffer[] = [];
    const remote = new Writable({
      write: (bytes: Buffer, _encoding, took) => {
        written.push(bytes);
        took();
      },
    }) as unknown as Duplex;
    await admitted?.introduce(remote);
    done(admitted === undefined ? undefined : Buffer.concat(written).toString('latin1'));
    local.destroy();
  } catch (error) {
    door.refuse(local, toHoopError(error));
    done(undefined);
  }
}

describe('the local end of an HTTP tunnel', () => {
  it.each([
    ['Basic, whoever the user is', request(`Authorization: Basic ${basic(SECRET, 'anybody')}`)],
    ['Bearer', request(`authorization:   bearer ${SECRET}`)],
    ['a name of this machine, and a page of its own', request(AUTHORIZED, 'Origin: http://localhost:3000')],
  ])('opens a stream for %s, and gives it every octet', async (_, text) => {
    expect(await knock(`${text}rest`)).toMatchObject({ passed: `${text}rest` });
  });

  it.each([
    ['no secret', request(), 401],
    ['another secret', request(`Authorization: Basic ${basic('open-sesamf')}`), 401],
    ['a secret that only begins like it', request(`Authorization: Bearer ${SECRET}s`), 401],
    ['two secrets, one of them right', request(AUTHORIZED, 'Authorization: Bearer x'), 401],
    ['the secret in another field', request(`X-Authorization: Bearer ${SECRET}`), 401],
    [
      'another host: a page that had its name point here',
      request(AUTHORIZED).replace('127.0.0.1:9', 'evil.test:9'),
      403,
    ],
    ['a page of another site', request(AUTHORIZED, 'Origin: https://evil.test'), 403],
    ['a page without an origin', request(AUTHORIZED, 'Origin: null'), 403],
  ])('answers %s by itself', async (_, text, status) => {
    const { passed, answer } = await knock(text);
    expect(passed).toBeUndefined();
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer.includes('www-authenticate: Basic')).toBe(status === 401);
    expect(answer).not.toContain(SECRET);
  });

  it('reads a head however it is split', async () => {
    const text = request(AUTHORIZED);
    for (const at of [1, 3, 17, text.indexOf('\r\n'), text.length - 3, text.length - 1])
      expect(await knock(text.slice(0, at), text.slice(at))).toMatchObject({ passed: text });
  });

  it('leaves what it cannot read to the gateway: HTTP/2 and TLS', async () => {
    expect(await knock('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).toMatchObject({
      passed: expect.stringContaining('PRI'),
    });
    expect(await knock(Buffer.from([0x16, 3, 1, 0, 5]))).toMatchObject({ passed: expect.any(String) });
  });

  it('opens nothing for a head without an end, nor for silence', async () => {
    const { passed, answer } = await knock(`GET / HTTP/1.1\r\nX: ${'a'.repeat(100 * 1024)}`);
    expect([passed, answer.slice(0, 12)]).toEqual([undefined, 'HTTP/1.1 413']);
  });

  it('says why a socket of its owner gets no stream, once it is asked', async () => {
    server = createServer((local) =>
      refuseClient(local, new HoopError('ERR_REVOKED', undefined, { hint: 'log in' })),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('utf8');
    let answer = '';
    client.on('data', (text: string) => {
      answer += text;
    });
    client.write(request());
    await once(client, 'close');
    expect(answer).toContain('"code":"ERR_REVOKED"');
    expect(answer).toContain('connection: close');
  });
});
