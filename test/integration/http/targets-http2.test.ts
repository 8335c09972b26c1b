/** Targets of HTTP/2 that are slow or wrong, frame by frame, each beside the same target as it should be. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noCredential } from '../../../src/protocols/http/credentials/configured.ts';
import type { HttpTarget } from '../../../src/protocols/http/target/http-target.ts';
import { httpTarget } from '../../../src/protocols/http/target/node-target.ts';
import {
  block,
  FLAG,
  FRAME,
  frame,
  type RawConnection,
  RawHttp2,
  setting,
  words,
} from '../../support/http/raw-http2.ts';
import { requestOf, TARGET_USUAL, whole } from '../../support/http/target.ts';

const PATIENCE = { connectMs: 200, answerMs: 200, headMs: 150, early: 3 };
const [NO_ERROR, INTERNAL_ERROR, CANCEL] = [0, 2, 8];
const MUCH = Buffer.alloc(16_384, 'x');
const STATUS = [':status', '200'] as const;

let raw: RawHttp2;
let target: HttpTarget;

beforeEach(async () => {
  raw = await RawHttp2.start();
  target = make();
});

afterEach(async () => {
  await target.close();
  raw.stop();
});

function make(): HttpTarget {
  const place = { origin: `http://127.0.0.1:${raw.port}`, base: '' };
  const options = { ...TARGET_USUAL, patience: PATIENCE, place, ca: undefined, credential: noCredential };
  return httpTarget({ ...options, version: 'http/2' });
}

function ask(method = 'GET', body?: Readable, length?: number) {
  return target.request(requestOf(method, '/', length), body, new AbortController().signal, () => undefined);
}

type Behaviour = (connection: RawConnection, stream: number) => void;

const headOf =
  (...fields: readonly (readonly [string, string])[]): Behaviour =>
  (connection, stream) =>
    connection.head(stream, FLAG.endStream, ...fields);
/** The same again and again, for as long as it is taken. */
const flood =
  (octets: (stream: number) => Uint8Array): Behaviour =>
  (connection, stream) => {
    const more = () => {
      if (!connection.socket.writable) return;
      if (connection.socket.write(octets(stream))) setImmediate(more);
      else connection.socket.once('drain', more);
    };
    more();
  };

describe('before an answer', () => {
  it.each<[string, Behaviour, RegExp]>([
    ['closes', ({ socket }) => socket.end(), /before its answer/],
    ['resets the connection', ({ socket }) => socket.resetAndDestroy(), /ECONNRESET|before its answer/],
    ['says nothing', () => undefined, /^no answer within 200 ms$/],
    ['sends noise', ({ socket }) => socket.write('\xff'.repeat(99)), /ERR_HTTP2/],
    ['resets the stream', (c, stream) => c.reset(stream, INTERNAL_ERROR), /NGHTTP2_INTERNAL_ERROR/],
    ['resets the stream as if all were well', (c, stream) => c.reset(stream, NO_ERROR), /before its answer/],
    ['takes the request back', (c, stream) => c.reset(stream, CANCEL), /before its answer/],
    ['goes away in anger', (c, stream) => c.goaway(stream, INTERNAL_ERROR), /ERR_HTTP2_SESSION_ERROR/],
    ['sends a body without a head', (c, s) => c.send(frame(FRAME.data, 0, s, Buffer.from('x'))), /./],
    ['has no status', headOf(['x-a', 'b']), /NGHTTP2_PROTOCOL_ERROR/],
    ['has a status that is none', headOf([':status', 'ok']), /NGHTTP2_PROTOCOL_ERROR/],
    ['has two statuses', headOf(STATUS, STATUS), /NGHTTP2_PROTOCOL_ERROR/],
    ['switches protocols', headOf([':status', '101']), /NGHTTP2_PROTOCOL_ERROR/],
    ['has a field of a request', headOf(STATUS, [':path', '/']), /NGHTTP2_PROTOCOL_ERROR/],
    ['has two lengths', headOf(STATUS, ['content-length', '0'], ['content-length', '1']), /PROTOCOL/],
    ['has a length that is none', headOf(STATUS, ['content-length', '-1']), /PROTOCOL/],
    ['says Connection', headOf(STATUS, ['connection', 'x']), /NGHTTP2_PROTOCOL_ERROR/],
    ['says Transfer-Encoding', headOf(STATUS, ['transfer-encoding', 'chunked']), /NGHTTP2_PROTOCOL_ERROR/],
    ['says Keep-Alive', headOf(STATUS, ['keep-alive', '5']), /NGHTTP2_PROTOCOL_ERROR/],
    ['says Upgrade', headOf(STATUS, ['upgrade', 'x']), /NGHTTP2_PROTOCOL_ERROR/],
    ['informs and is silent', (c, s) => c.head(s, 0, [':status', '102']), /^no answer within 200 ms$/],
    [
      'informs without end',
      (c, s) => {
        for (let nth = 0; nth < 9; nth++) c.head(s, 0, [':status', '103'], ['link', '</a>']);
      },
      /^more than 3 heads/,
    ],
    [
      'never ends its head',
      (c, s) => c.send(frame(FRAME.headers, 0, s, block(STATUS))),
      // Nothing may stand amid a head: not even the answer to a ping.
      /^ERR_HTTP2_ERROR: Protocol error$/,
    ],
    [
      'pushes what nobody asked for',
      (c, s) =>
        c.send(frame(FRAME.pushPromise, FLAG.endHeaders, s, Buffer.concat([words(2), block(STATUS)]))),
      /./,
    ],
    [
      'sends a head without end',
      (c, s) => {
        c.send(frame(FRAME.headers, 0, s, block(STATUS)));
        flood(() => frame(FRAME.continuation, 0, s, block(['x-a', 'b'])))(c, s);
      },
      /./,
    ],
    [
      'sends continuations with nothing in them',
      (c, s) => {
        c.send(frame(FRAME.headers, 0, s, block(STATUS)));
        flood(() => frame(FRAME.continuation, 0, s))(c, s);
      },
      /./,
    ],
    [
      'sends too many fields',
      headOf(STATUS, ...Array.from({ length: 2_000 }, (_, nth) => [`x-${nth}`, 'y'] as const)),
      /./,
    ],
    [
      'sends what is no frame of its size',
      (c, s) => c.send(frame(FRAME.rstStream, 0, s, Buffer.alloc(3))),
      /./,
    ],
    [
      'opens a window beyond all bounds',
      (c) => c.send(frame(FRAME.windowUpdate, 0, 0, words(2 ** 31 - 1))),
      /./,
    ],
  ])('a target that %s', async (_what, behave, detail) => {
    raw.serve = behave;
    await expect(ask()).rejects.toMatchObject({
      code: 'ERR_TARGET_LOST',
      detail: expect.stringMatching(detail),
    });
    expect(raw.streams).toHaveLength(1);
    raw.serve = (connection, stream) => connection.ok(stream);
    expect(await whole(ask())).toBe('200 ok');
  });
});

describe('before it stands', () => {
  it.each<[string, (connection: RawConnection) => void, string, RegExp]>([
    ['says nothing', ({ socket }) => socket.pause(), 'ERR_TARGET_UNREACHABLE', /^no settings within 200 ms$/],
    ['speaks HTTP/1.1', (c) => c.socket.write('HTTP/1.1 400 Bad\r\n\r\n'), 'ERR_TARGET_LOST', /ERR_HTTP2/],
    ['closes', (c) => c.socket.end(), 'ERR_TARGET_LOST', /./],
    [
      'takes no stream',
      (c) => c.send(frame(FRAME.settings, 0, 0, setting(3, 0))),
      'ERR_TARGET_LOST',
      /no stream/,
    ],
    [
      'has a setting that is none',
      (c) => c.send(frame(FRAME.settings, 0, 0, setting(5, 1))),
      'ERR_TARGET_LOST',
      /ERR_HTTP2/,
    ],
  ])('a target that %s is asked nothing', async (_what, greet, code, detail) => {
    const usual = raw.greet;
    raw.greet = greet;
    await expect(ask('POST', Readable.from(['secret']), 6)).rejects.toMatchObject({
      code,
      detail: expect.stringMatching(detail),
    });
    expect([raw.streams, raw.bodies]).toEqual([[], []]);
    raw.greet = usual;
    expect(await whole(ask())).toBe('200 ok');
  });
});

describe('amid an answer', () => {
  const half = (c: RawConnection, stream: number) => {
    c.head(stream, 0, STATUS);
    c.send(frame(FRAME.data, 0, stream, Buffer.from('half')));
  };
  it.each<[string, Behaviour]>([
    ['closes', ({ socket }) => socket.end()],
    ['resets the connection', ({ socket }) => socket.resetAndDestroy()],
    ['resets the stream', (c, stream) => c.reset(stream, INTERNAL_ERROR)],
    ['resets the stream as if all were well', (c, stream) => c.reset(stream, NO_ERROR)],
    ['takes the stream back', (c, stream) => c.reset(stream, CANCEL)],
    ['goes away in anger', (c, stream) => c.goaway(stream, INTERNAL_ERROR)],
    [
      'goes away and closes',
      (c, s) => {
        c.goaway(s, NO_ERROR);
        c.socket.end();
      },
    ],
    ['sends no frame', ({ socket }) => socket.write('\xff'.repeat(99))],
    ['has trailers of an answer', (c, stream) => c.head(stream, FLAG.endStream, STATUS)],
    ['has trailers that do not end it', (c, stream) => c.head(stream, 0, ['x-sum', '1'])],
    [
      'sends more than it was let',
      (c, s) => flood(() => frame(FRAME.data, 0, s, Buffer.alloc(16_384)))(c, s),
    ],
  ])('a target that %s: it never looks whole', async (_what, behave) => {
    raw.serve = (c, stream) => {
      half(c, stream);
      setImmediate(() => behave(c, stream));
    };
    const answer = await ask();
    const failed = (async () => {
      // Nobody reads: what is sent beyond the window must break it off.
      if (_what.startsWith('sends more'))
        await once(answer.body, 'error').catch((error) => Promise.reject(error));
      return buffer(answer.body);
    })();
    await expect(failed).rejects.toThrow();
    raw.serve = (c, stream) => c.ok(stream);
    expect(await whole(ask())).toBe('200 ok');
  });

  it.each([
    ['all of it came', 3, true],
    ['less of it came', 4, false],
    ['it did not say how long it is', undefined, false],
  ])('a body that is let go in place of being ended: %s', async (_what, length, isWhole) => {
    raw.serve = (c, stream) => {
      const lengths = length === undefined ? [] : [['content-length', String(length * MUCH.length)] as const];
      c.head(stream, 0, STATUS, ...lengths);
      for (let nth = 0; nth < 3; nth++) c.send(frame(FRAME.data, 0, stream, MUCH));
      c.reset(stream, NO_ERROR);
    };
    const { body } = await ask();
    const read = buffer(body);
    if (isWhole) expect((await read).length).toBe(3 * MUCH.length);
    else await expect(read).rejects.toThrow();
  });

  it('a body shorter or longer than its length is cut off', async () => {
    for (const body of ['o', 'okay']) {
      raw.serve = (c, stream) => {
        c.head(stream, 0, STATUS, ['content-length', '2']);
        c.send(frame(FRAME.data, FLAG.endStream, stream, Buffer.from(body)));
      };
      await expect(whole(ask())).rejects.toThrow();
    }
  });

  it('a body may be silent longer than anything before it, and have trailers', async () => {
    raw.serve = (c, stream) => {
      c.head(stream, 0, STATUS);
      setTimeout(() => c.send(frame(FRAME.data, 0, stream, Buffer.from('ok'))), 2 * PATIENCE.answerMs);
      setTimeout(() => c.head(stream, FLAG.endStream, ['x-sum', '1']), 2 * PATIENCE.answerMs + 20);
    };
    const answer = await ask();
    expect(await buffer(answer.body)).toEqual(Buffer.from('ok'));
    expect(answer.trailers()).toEqual(['x-sum', '1']);
  });

  it('values are octets; what is malformed does not go on', async () => {
    raw.serve = (c, s) =>
      c.head(
        s,
        FLAG.endStream,
        STATUS,
        ['x-octets', 'a\xe9'],
        ['x-nul', 'a\0b'],
        ['x-line', 'a\r\nb: c'],
        ['x b', 'c'],
      );
    const { rawHeaders, body } = await ask();
    body.resume();
    expect(rawHeaders).toEqual(['x-octets', 'a\xe9']);
  });
});
