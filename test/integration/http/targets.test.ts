/** Targets that are down, slow or wrong, each beside the same target as it should be. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';
import { noCredential } from '../../../src/protocols/http/credentials/configured.ts';
import type { HttpTarget } from '../../../src/protocols/http/target/http-target.ts';
import { httpTarget, type TargetOptions } from '../../../src/protocols/http/target/node-target.ts';
import { requestOf, TARGET_USUAL, whole } from '../../support/http/target.ts';
import { eventually } from '../../support/waiting.ts';

const GOOD = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const PATIENCE = { connectMs: 150, answerMs: 150, headMs: 150, early: 3 };

/** What is done with each connection's requests, in turn; the last stays. */
let serve: (socket: Socket, request: string) => void;
let heard: string[];
let sockets: Set<Socket>;
let server: Server;
let target: HttpTarget;

beforeEach(async () => {
  heard = [];
  sockets = new Set();
  server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      const request = chunk.toString('latin1');
      heard.push(request);
      if (/^[A-Z]+ \/good /.test(request)) socket.write(GOOD);
      else serve(socket, request);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  target = make();
});

afterEach(async () => {
  await target.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

function make(more: Partial<TargetOptions> = {}): HttpTarget {
  const { port } = server.address() as AddressInfo;
  const place = { origin: `http://127.0.0.1:${port}`, base: '' };
  return httpTarget({
    ...TARGET_USUAL,
    patience: PATIENCE,
    place,
    ca: undefined,
    credential: noCredential,
    ...more,
  });
}

function ask(
  method: string,
  path: string,
  body?: Readable,
  length = 0,
  signal = new AbortController().signal,
) {
  return target.request(requestOf(method, path, body && length), body, signal, () => undefined);
}

const write = (text: string) => (socket: Socket) => void socket.write(text);
const drip = (head: string, piece: string) => (socket: Socket) => {
  socket.write(head);
  const timer = setInterval(() => socket.write(piece), 10);
  socket.on('close', () => clearInterval(timer));
};

describe('before an answer', () => {
  it.each<[string, (socket: Socket) => void, RegExp]>([
    ['closes', (socket) => socket.end(), /ECONNRESET/],
    ['resets', (socket) => socket.resetAndDestroy(), /ECONNRESET/],
    ['says nothing', () => undefined, /^no answer within 150 ms$/],
    ['sends no HTTP', write('220 mail.example ESMTP\r\n'), /^malformed: /],
    ['sends noise', write('\0\x01\xff'.repeat(99)), /^malformed: /],
    ['closes amid its head', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-'), /ECONNRESET/],
    ['never ends its head', write('HTTP/1.1 200 OK\r\nx-a: b\r\n'), /^no whole head within 150 ms$/],
    [
      'never ends its head, bit by bit',
      drip('HTTP/1.1 200 OK\r\n', 'a: b\r\n'),
      /^no whole head within 150 ms$/,
    ],
    [
      'sends headers without end',
      write(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(200_000)}`),
      /^malformed: the head is longer/,
    ],
    [
      'sends one header without end',
      write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(200_000)}`),
      /^malformed: the head is longer/,
    ],
    [
      'has two lengths',
      write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok'),
      /^malformed: /,
    ],
    [
      'has a length beside chunks',
      write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'),
      /^malformed: /,
    ],
    ['has a length that is none', write('HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'), /^malformed: /],
    ['informs without end', drip('', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'), /^more than 3 heads/],
    ['informs and is silent', write('HTTP/1.1 102 Processing\r\n\r\n'), /^no answer within 150 ms$/],
    [
      'switches protocols unasked',
      write('HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      /./,
    ],
  ])('a target that %s', async (_what, behave, detail) => {
    serve = behave;
    await expect(ask('GET', '/bad')).rejects.toMatchObject({
      code: 'ERR_TARGET_LOST',
      detail: expect.stringMatching(detail),
    });
    // Its connection is not used again, and it was asked once.
    await eventually('the connection is closed', () => sockets.size === 0);
    expect(heard).toHaveLength(1);
    expect(await whole(ask('GET', '/good'))).toBe('200 ok');
  });

  it('a target that is down, and one that takes connections and does nothing', async () => {
    const silent = createServer((socket) => void socket.on('error', () => undefined).resume());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const port = (silent.address() as AddressInfo).port;
    const { authority } = await makeLocalCertificates(['127.0.0.1'], Date.now());
    const stuck = make({ place: { origin: `https://127.0.0.1:${port}`, base: '' }, ca: authority });
    const asked = () =>
      stuck.request(requestOf('GET', '/'), undefined, new AbortController().signal, undefined);
    await expect(asked()).rejects.toMatchObject({
      code: 'ERR_TARGET_UNREACHABLE',
      detail: 'no connection within 150 ms',
    });
    silent.close();
    await once(silent, 'close');
    await expect(asked()).rejects.toMatchObject({
      code: 'ERR_TARGET_UNREACHABLE',
      detail: expect.stringMatching(/^ECONNREFUSED/),
    });
    await stuck.close();
  });
});

describe('amid an answer', () => {
  it.each<[string, (socket: Socket) => void]>([
    ['closes before its length', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')],
    [
      'closes before its last chunk',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n'),
    ],
    [
      'has a chunk that is none',
      write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n'),
    ],
    [
      'resets',
      (socket) =>
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf', () => socket.resetAndDestroy()),
    ],
  ])('a target that %s', async (_what, behave) => {
    serve = behave;
    await expect(whole(ask('GET', '/bad'))).rejects.toThrow();
    await eventually('the connection is closed', () => sockets.size === 0);
    expect(heard).toHaveLength(1);
    expect(await whole(ask('GET', '/good'))).toBe('200 ok');
  });

  it('it may break off where nobody reads it yet, and that is told to who does', async () => {
    serve = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
      setImmediate(() => socket.resetAndDestroy());
    };
    const { body } = await ask('GET', '/cut');
    // Without a listener for it: an error that nobody hears would end the process.
    await eventually('the body is gone', () => body.destroyed, Boolean);
    expect(body.errored).toMatchObject({ code: 'ERR_TARGET_LOST' });
  });

  it('a body may be silent longer than anything before it', async () => {
    serve = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no');
      setTimeout(() => socket.write('k'), 2 * PATIENCE.answerMs);
    };
    expect(await whole(ask('GET', '/slow'))).toBe('200 ok');
  });

  it.each([
    ['at once', 0],
    ['later', 20],
  ])('what comes behind an answer, %s, is nobody else’s', async (_when, laterMs) => {
    const forged = 'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged';
    serve = (socket) => {
      if (laterMs === 0) return void socket.write(GOOD + forged);
      socket.write(GOOD, () => setTimeout(() => socket.write(forged), laterMs));
    };
    expect(await whole(ask('GET', '/twice'))).toBe('200 ok');
    if (laterMs > 0) await eventually('the connection is closed', () => sockets.size === 0);
    for (let round = 0; round < 3; round++) expect(await whole(ask('GET', '/good'))).toBe('200 ok');
  });
});

describe('a kept connection', () => {
  const kept = async () => {
    expect(await whole(ask('GET', '/good'))).toBe('200 ok');
    heard = [];
    await eventually('it is free', () => sockets.size === 1);
  };
  const closedAtOnce = () => {
    serve = (socket) => {
      if (heard.length === 1) socket.destroy();
      else socket.write(GOOD);
    };
  };

  it('is used again', async () => {
    await kept();
    const [socket] = sockets;
    expect(await whole(ask('POST', '/good', Readable.from(['x']), 1))).toBe('200 ok');
    expect([...sockets]).toEqual([socket]);
  });

  it('is not used where the target keeps it for no longer than a request may take to come there', async () => {
    serve = (socket) => socket.write(GOOD.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=1\r\n\r\n'));
    expect(await whole(ask('GET', '/short'))).toBe('200 ok');
    await eventually('the connection is closed', () => sockets.size === 0);
  });

  it.each(['GET', 'OPTIONS'])('that the target closes meanwhile: %s is asked once more', async (method) => {
    await kept();
    closedAtOnce();
    expect(await whole(ask(method, '/again'))).toBe('200 ok');
    expect(heard).toHaveLength(2);
  });

  it.each<[string, string, string | undefined]>([
    ['a body', 'POST', 'x'],
    ['no body', 'DELETE', undefined],
    ['no body', 'POST', ''],
  ])('what may change something is asked once: with %s, %s', async (_body, method, body) => {
    await kept();
    closedAtOnce();
    const sent = body === undefined ? undefined : Readable.from(body === '' ? [] : [body]);
    await expect(ask(method, '/once', sent, body?.length)).rejects.toMatchObject({ code: 'ERR_TARGET_LOST' });
    expect(heard.filter((one) => one.includes(' /once '))).toHaveLength(1);
  });

  it('once a word of the answer came, it is not asked again', async () => {
    await kept();
    serve = (socket) => socket.write('HTTP/1.1 2', () => socket.resetAndDestroy());
    await expect(ask('GET', '/word')).rejects.toMatchObject({ code: 'ERR_TARGET_LOST' });
    expect(heard).toHaveLength(1);
  });

  it.each([
    ['GET', '200 ok', 2],
    ['DELETE', '408 late', 1],
  ])('whose target was tired of waiting: %s gets %s', async (method, answer, times) => {
    await kept();
    serve = (socket) => {
      if (heard.length === 1)
        socket.end('HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 4\r\n\r\nlate');
      else socket.write(GOOD);
    };
    expect(await whole(ask(method, '/late'))).toBe(answer);
    expect(heard).toHaveLength(times);
  });

  it('does not carry the body of a DELETE, and no other request goes where one went', async () => {
    await kept();
    const [first] = sockets;
    let second: Socket | undefined;
    serve = (socket) => {
      second = socket;
      socket.write(GOOD);
    };
    expect(
      await whole(ask('DELETE', '/one', Readable.from([Buffer.from('GET /good HTTP/1.1\r\n\r\n')]), 22)),
    ).toBe('200 ok');
    expect(heard.join('')).toMatch(
      /^DELETE \/one .*connection: close\r\n\r\nGET \/good HTTP\/1\.1\r\n\r\n$/s,
    );
    expect(second).not.toBe(first);
    await eventually('it is closed', () => second?.destroyed === true);
    expect(await whole(ask('GET', '/good'))).toBe('200 ok');
  });

  it('a new connection that is closed is not made a second time', async () => {
    serve = (socket) => socket.destroy();
    await expect(ask('GET', '/new')).rejects.toMatchObject({ code: 'ERR_TARGET_LOST' });
    expect(heard).toHaveLength(1);
  });
});

describe('a body on its way there', () => {
  it.each<[string, readonly string[], number]>([
    ['longer', ['abc', 'GET /next HTTP/1.1'], 3],
    ['shorter', ['ab'], 3],
  ])(
    'that is %s than was said closes the connection: nothing of it is another request',
    async (_what, pieces, length) => {
      serve = () => undefined;
      await expect(
        ask('POST', '/body', Readable.from(pieces.map((one) => Buffer.from(one))), length),
      ).rejects.toMatchObject({
        code: 'ERR_TARGET_LOST',
      });
      await eventually('the connection is closed', () => sockets.size === 0);
      expect(heard.join('')).not.toContain('/next');
      expect(await whole(ask('GET', '/good'))).toBe('200 ok');
    },
  );

  it('goes on behind an answer that came before its end, and the connection is kept', async () => {
    serve = (socket, request) => {
      if (request.startsWith('POST')) socket.write(GOOD);
    };
    const body = new Readable({ read: () => undefined });
    body.push('ab');
    expect(await whole(ask('POST', '/early', body, 3))).toBe('200 ok');
    body.push('c');
    body.push(null);
    await eventually('all of it is there', () => heard.join('').endsWith('abc'));
    const [socket] = sockets;
    expect(await whole(ask('GET', '/good'))).toBe('200 ok');
    expect([...sockets]).toEqual([socket]);
  });
});

describe('who may be asked', () => {
  it('an address of the machine’s own is not dialled, nor a name that leads to one', async () => {
    const { port } = server.address() as AddressInfo;
    for (const host of ['169.254.169.254', '[::ffff:169.254.169.254]', '0.0.0.0', '[::]']) {
      target = make({ place: { origin: `http://${host}:${port}`, base: '' } });
      await expect(ask('GET', '/good')).rejects.toMatchObject({ code: 'ERR_TARGET_UNREACHABLE' });
    }
    expect(heard).toEqual([]);
  });

  it('no variable of the environment turns the check of certificates off', async () => {
    const { server: own } = await makeLocalCertificates(['127.0.0.1'], Date.now());
    const stranger = createTlsServer({ cert: own.cert, key: own.key }, (socket) => {
      socket
        .on('error', () => undefined)
        .on('data', () => heard.push('told'))
        .end(GOOD);
    });
    stranger.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      target = make({
        place: { origin: `https://127.0.0.1:${(stranger.address() as AddressInfo).port}`, base: '' },
      });
      await expect(ask('GET', '/good')).rejects.toMatchObject({ code: 'ERR_TARGET_TLS' });
      expect(heard).toEqual([]);
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
      stranger.close();
    }
  });

  it('requests beyond the bound are refused, and room comes back', async () => {
    serve = () => undefined;
    target = make({ patience: { ...PATIENCE, connectMs: 60_000, answerMs: 60_000 } });
    const abort = new AbortController();
    const many = Array.from({ length: 1024 }, () =>
      ask('GET', '/wait', undefined, 0, abort.signal).catch(({ code }: { code: string }) => code),
    );
    await eventually('all wait', () => heard.length === many.length);
    await expect(ask('GET', '/good')).rejects.toMatchObject({ code: 'ERR_LIMIT' });
    abort.abort();
    await Promise.all(many);
    await eventually(
      'there is room',
      () => whole(ask('GET', '/good')).catch(() => ''),
      (got) => got === '200 ok',
    );
  });
});
