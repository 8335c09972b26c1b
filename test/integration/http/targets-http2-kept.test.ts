/** Connections of HTTP/2 that are shared and kept: how much they are given, how they end, and what is asked once more. */
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HoopError } from '../../../src/core/errors.ts';
import { noCredential } from '../../../src/protocols/http/credentials/configured.ts';
import type { HttpTarget } from '../../../src/protocols/http/target/http-target.ts';
import { httpTarget } from '../../../src/protocols/http/target/node-target.ts';
import type { OwnCertificate } from '../../../src/protocols/http/target/own-certificate.ts';
import { FLAG, FRAME, frame, type RawConnection, RawHttp2, setting } from '../../support/http/raw-http2.ts';
import { requestOf, TARGET_USUAL, whole } from '../../support/http/target.ts';
import { eventually } from '../../support/waiting.ts';

const PATIENCE = { connectMs: 2_000, answerMs: 2_000, headMs: 2_000, early: 3 };
const [NO_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CALM] = [0, 2, 7, 11];

const LEFT = new HoopError('ERR_SESSION_ENDED', 'left');

let raw: RawHttp2;
let target: HttpTarget;
let certificate: OwnCertificate | undefined;

beforeEach(async () => {
  raw = await RawHttp2.start();
  certificate = undefined;
  const place = { origin: `http://127.0.0.1:${raw.port}`, base: '' };
  target = httpTarget({
    ...TARGET_USUAL,
    patience: PATIENCE,
    place,
    ca: undefined,
    credential: noCredential,
    certificate: () => certificate ?? { cert: '', key: '' },
    version: 'http/2',
  });
});

afterEach(async () => {
  await target.close();
  raw.stop();
});

function ask(
  method = 'GET',
  body?: Readable,
  length?: number | 'chunked',
  signal = new AbortController().signal,
) {
  return target.request(requestOf(method, '/', length), body, signal, () => undefined);
}

const ok = (connection: RawConnection, stream: number) => connection.ok(stream);
const goneAfter = (last: number) => (c: RawConnection) => {
  c.goaway(last, NO_ERROR);
  c.socket.end();
};
const withMost = (streams: number) => {
  raw.greet = (c) => c.send(frame(FRAME.settings, 0, 0, setting(3, streams)));
};

describe('a connection', () => {
  it('is shared by requests at once, and used again', async () => {
    const waiting: (() => void)[] = [];
    raw.serve = (c, stream) => waiting.push(() => c.ok(stream));
    const asked = Array.from({ length: 20 }, () => whole(ask()));
    await eventually('all are asked', () => waiting.length === 20);
    for (const answer of waiting) answer();
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['200 ok']));
    raw.serve = ok;
    expect(await whole(ask('POST', Readable.from(['x']), 1))).toBe('200 ok');
    expect(raw.opened).toBe(1);
  });

  it('carries what a client says twice, and nothing that cannot be written takes the room of others', async () => {
    raw.serve = ok;
    const asking = requestOf('GET', '/');
    const { signal } = new AbortController();
    const said = (...headers: [string, string][]) =>
      whole(target.request({ ...asking, headers }, undefined, signal, () => undefined));
    expect(await said(['if-none-match', '"1"'], ['if-none-match', '"2"'], ['dnt', '1'], ['dnt', '1'])).toBe(
      '200 ok',
    );
    for (let at = 0; at < 1100; at++)
      await expect(said(['keep-alive', 'x'])).rejects.toMatchObject({
        code: 'ERR_HTTP2_INVALID_CONNECTION_HEADERS',
      });
    expect(await whole(ask())).toBe('200 ok');
  });

  it('breaks off a request whose early words are too much for who asks, and nothing else', async () => {
    raw.serve = (c, stream) => {
      c.head(stream, 0, [':status', '103'], ['link', '</a>']);
      c.ok(stream);
    };
    const { signal } = new AbortController();
    const tooMuch = target.request(requestOf('GET', '/'), undefined, signal, () => {
      throw new HoopError('ERR_LIMIT');
    });
    await expect(tooMuch).rejects.toMatchObject({ code: 'ERR_LIMIT' });
    expect(await whole(ask())).toBe('200 ok');
  });

  it('is given no more streams at once than the target takes; more go over another', async () => {
    withMost(2);
    const most = new Map<RawConnection, number>();
    const waiting: (() => void)[] = [];
    raw.serve = (c, stream) => {
      most.set(c, (most.get(c) ?? 0) + 1);
      waiting.push(() => c.ok(stream));
    };
    const asked = Array.from({ length: 5 }, () => whole(ask()));
    await eventually('all are asked', () => waiting.length === 5);
    expect([...most.values()].sort()).toEqual([1, 2, 2]);
    for (const answer of waiting) answer();
    await Promise.all(asked);
    raw.serve = ok;
    for (let round = 0; round < 3; round++) expect(await whole(ask())).toBe('200 ok');
    expect(raw.opened).toBe(3);
  });

  it('is let go where the certificate is another, once it has ended what it carries', async () => {
    raw.serve = (c, stream) => setTimeout(() => c.ok(stream), 50);
    const before = whole(ask());
    await eventually('it is asked', () => raw.streams.length === 1);
    certificate = { cert: 'other', key: 'other' };
    raw.serve = ok;
    expect(await whole(ask())).toBe('200 ok');
    expect(raw.opened).toBe(2);
    expect(await before).toBe('200 ok');
    await eventually('the first is closed', () => raw.connections.size === 1);
  });

  it('on which many requests were broken off is let go before the target ends it for that', async () => {
    raw.serve = () => undefined;
    for (let nth = 0; nth < 101; nth++) {
      const abort = new AbortController();
      const asked = ask('GET', undefined, undefined, abort.signal);
      await eventually('it is asked', () => raw.streams.length === nth + 1);
      abort.abort(LEFT);
      await expect(asked).rejects.toBe(LEFT);
    }
    expect(raw.opened).toBe(2);
  });

  it('on which somebody waited in vain carries nobody else', async () => {
    raw.serve = () => undefined;
    await expect(ask()).rejects.toMatchObject({ code: 'ERR_TARGET_LOST' });
    raw.serve = ok;
    expect(await whole(ask())).toBe('200 ok');
    expect(raw.opened).toBe(2);
  });

  it('is lost where a ping is not answered while somebody waits', async () => {
    await target.close();
    const place = { origin: `http://127.0.0.1:${raw.port}`, base: '' };
    const patience = { ...PATIENCE, answerMs: 60_000, headMs: 50 };
    target = httpTarget({
      ...TARGET_USUAL,
      patience,
      place,
      ca: undefined,
      credential: noCredential,
      version: 'http/2',
    });
    raw.serve = ({ socket }) => socket.pause();
    await expect(ask()).rejects.toMatchObject({
      detail: 'no answer to a ping within 50 ms',
    });
    // Who answers it may take its time.
    raw.serve = (c, stream) => setTimeout(() => c.ok(stream), 300);
    expect(await whole(ask())).toBe('200 ok');
  });
});

describe('who leaves', () => {
  it('takes the stream back, and nothing else', async () => {
    raw.serve = (c, stream, nth) => {
      if (nth > 1) c.ok(stream);
    };
    const abort = new AbortController();
    const body = new PassThrough();
    const asked = ask('POST', body, 'chunked', abort.signal);
    await eventually('it is asked', () => raw.streams.length === 1);
    abort.abort(LEFT);
    await expect(asked).rejects.toBe(LEFT);
    expect(body.destroyed).toBe(true);
    expect(await whole(ask())).toBe('200 ok');
    const [connection] = raw.connections;
    expect([...connection!.resets]).toEqual([[1, 8]]);
    expect(raw.opened).toBe(1);
  });

  it('amid an answer, too', async () => {
    raw.serve = (c, stream) => c.head(stream, 0, [':status', '200']);
    const answer = await ask();
    answer.body.destroy();
    const [connection] = raw.connections;
    await eventually('the target hears of it', () => connection!.resets.has(1));
  });

  it('while a connection is made waits no longer', async () => {
    raw.greet = ({ socket }) => void socket.pause();
    const abort = new AbortController();
    const asked = ask('GET', undefined, undefined, abort.signal);
    await eventually('it is dialled', () => raw.opened === 1);
    abort.abort(LEFT);
    await expect(asked).rejects.toBe(LEFT);
    expect(raw.streams).toEqual([]);
  });
});

describe('what the target has not done is asked once more', () => {
  const first = (behave: (c: RawConnection, stream: number) => void) => {
    raw.serve = (c, stream, nth) => (nth === 1 ? behave(c, stream) : c.ok(stream));
  };
  it.each<[string, (c: RawConnection, stream: number) => void]>([
    ['refuses the stream', (c, stream) => c.reset(stream, REFUSED_STREAM)],
    ['goes away before it', goneAfter(0)],
    ['goes away before it, angry', (c) => c.goaway(0, CALM)],
  ])('a target that %s', async (_what, behave) => {
    for (const [method, body, length] of [
      ['GET', undefined, undefined],
      ['POST', 'a body', 6],
      ['PUT', 'a body', 'chunked'],
      ['DELETE', undefined, undefined],
    ] as const) {
      raw.streams.length = 0;
      raw.bodies.length = 0;
      first(behave);
      expect(await whole(ask(method, body && Readable.from([Buffer.from(body)]), length))).toBe('200 ok');
      await eventually('the body is there', () => body === undefined || raw.bodies.join('').endsWith(body));
      expect(raw.streams).toHaveLength(2);
    }
  });

  it('a body that is on its way goes on where it was', async () => {
    const body = new PassThrough();
    raw.heard = (c, type, stream) => {
      if (type === FRAME.data && raw.streams.length === 1) c.reset(stream, REFUSED_STREAM);
    };
    raw.serve = (c, stream, nth) => {
      if (nth === 1) return;
      body.end(' later');
      c.ok(stream);
    };
    const asked = whole(ask('POST', body, 'chunked'));
    body.write('early');
    expect(await asked).toBe('200 ok');
    await eventually('all of it is there', () => raw.bodies.join('').endsWith('early later'));
  });

  it('a body of which more was sent than is kept is not', async () => {
    raw.heard = (c, type, stream) => {
      if (type === FRAME.data && raw.bodies.join('').length > 40_000) c.reset(stream, REFUSED_STREAM);
    };
    raw.serve = () => undefined;
    const pieces = Array.from({ length: 10 }, () => Buffer.alloc(10_000, 'x'));
    const asked = ask('POST', Readable.from(pieces), 'chunked');
    await expect(asked).rejects.toMatchObject({ code: 'ERR_TARGET_LOST' });
    expect(raw.streams).toHaveLength(1);
  });

  it('once, not twice', async () => {
    raw.serve = (c, stream) => c.reset(stream, REFUSED_STREAM);
    await expect(ask()).rejects.toMatchObject({ code: 'ERR_TARGET_LOST' });
    expect(raw.streams).toHaveLength(2);
  });
});

describe('what the target may have done', () => {
  const kept = async () => {
    expect(await whole(ask())).toBe('200 ok');
    raw.streams.length = 0;
    raw.serve = (c, stream, nth) => (nth === 1 ? c.socket.resetAndDestroy() : c.ok(stream));
  };

  it.each(['GET', 'HEAD', 'OPTIONS'])(
    '%s is asked once more where a kept connection is gone',
    async (method) => {
      await kept();
      const { serve } = raw;
      raw.serve = (c, stream, nth) =>
        nth === 1 ? serve(c, stream, nth) : c.head(stream, FLAG.endStream, [':status', '200']);
      const { status, body } = await ask(method);
      await buffer(body);
      expect([status, raw.streams.length]).toEqual([200, 2]);
    },
  );

  it.each<[string, string | undefined]>([
    ['POST', 'x'],
    ['DELETE', undefined],
    ['PATCH', ''],
  ])('%s is not', async (method, body) => {
    await kept();
    const sent = body === undefined ? undefined : Readable.from(body === '' ? [] : [Buffer.from(body)]);
    await expect(ask(method, sent, body?.length)).rejects.toMatchObject({ code: 'ERR_TARGET_LOST' });
    expect(raw.streams).toHaveLength(1);
  });

  it('nor where the connection was new, or the stream was reset, or the target had looked at it', async () => {
    raw.serve = ({ socket }) => socket.resetAndDestroy();
    await expect(ask()).rejects.toMatchObject({ code: 'ERR_TARGET_LOST' });
    raw.serve = (c, stream) => c.reset(stream, INTERNAL_ERROR);
    await expect(ask()).rejects.toMatchObject({ code: 'ERR_TARGET_LOST' });
    raw.serve = (c, stream) => c.goaway(stream, CALM);
    await expect(ask('POST')).rejects.toMatchObject({ code: 'ERR_TARGET_LOST' });
    expect(raw.streams).toHaveLength(3);
  });

  it('what it has begun when it goes away is answered to its end', async () => {
    raw.serve = (c, stream) => {
      c.goaway(stream, NO_ERROR);
      setTimeout(() => {
        c.ok(stream);
        c.socket.end();
      }, 50);
    };
    const asked = whole(ask());
    await eventually('it is asked', () => raw.streams.length === 1);
    raw.serve = ok;
    expect(await whole(ask())).toBe('200 ok');
    expect(await asked).toBe('200 ok');
    expect(raw.opened).toBe(2);
  });
});
