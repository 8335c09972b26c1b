/** A client's connection of HTTP/1.1: what is read of it when, and how it is answered and ended. */
import { Duplex } from 'node:stream';
import { expect, it, vi } from 'vitest';
import { HTTP_LIMITS } from '../../../src/protocols/http/limits.ts';
import { Http1Connection } from '../../../src/protocols/http/relay/http1/connection.ts';
import type { Incoming } from '../../../src/protocols/http/relay/incoming.ts';
import { eventually } from '../../support/waiting.ts';

/** The client: what it says is pushed, what it is told is kept. One that does not read holds all that is written. */
class Client extends Duplex {
  told = '';
  writes = 0;
  reads = true;
  /** Turns until one that is destroyed has closed. */
  closing = 0;
  #wait: (() => void) | undefined;

  constructor() {
    super({ writableHighWaterMark: 1024 });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: unknown, done: () => void): void {
    this.told += chunk.toString('latin1');
    this.writes++;
    if (this.reads) done();
    else this.#wait = done;
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), undefined, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.closing-- > 0) setImmediate(() => this._destroy(error, done));
    else done(error);
  }

  takes(): void {
    this.reads = true;
    this.#wait?.();
  }

  say(text: string): void {
    this.push(Buffer.from(text, 'latin1'));
  }
}

type Act = (incoming: Incoming) => void | Promise<void>;

/** @param act What becomes of each request. */
function connected(act: Act) {
  const client = new Client();
  const asked: Incoming[] = [];
  const malformed: boolean[] = [];
  const receiver = {
    request: async (incoming: Incoming) => {
      asked.push(incoming);
      await act(incoming);
    },
    malformed: (late: boolean) => {
      malformed.push(late);
      client.end('no\n', () => client.destroy());
    },
  };
  new Http1Connection(client, receiver).serve();
  const targets = () => asked.map(({ head }) => head.target);
  return { client, asked, malformed, targets };
}

const get = (target: string, ...more: string[]) =>
  `${[`GET ${target} HTTP/1.1`, 'Host: a', ...more].join('\r\n')}\r\n\r\n`;
const post = (length: number, ...more: string[]) =>
  `${['POST / HTTP/1.1', 'Host: a', `Content-Length: ${length}`, ...more].join('\r\n')}\r\n\r\n`;
const ok: Act = async ({ reply }) => {
  reply.head(200, [['content-length', '2']]);
  reply.write(Buffer.from('ok'));
  reply.end();
};
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const LAST = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok';

it('requests that are sent ahead are handed over one by one, and answered in order, each in one write', async () => {
  const waits: (() => void)[] = [];
  const { client, targets } = connected(async (incoming) => {
    await new Promise<void>((resolve) => waits.push(resolve));
    await ok(incoming);
  });
  client.say(get('/1') + get('/2') + get('/3', 'Connection: close') + get('/4'));
  for (let count = 1; count <= 3; count++) {
    await eventually(
      'it is asked',
      () => waits.length,
      (length) => length === count,
    );
    expect(targets()).toEqual(['/1', '/2', '/3'].slice(0, count));
    waits[count - 1]!();
  }
  await eventually('the end', () => client.closed);
  expect([client.told, client.writes, targets()]).toEqual([OK + OK + LAST, 3, ['/1', '/2', '/3']]);
});

it('what is sent ahead is bounded, and read once it is its turn', async () => {
  let answer = (): void => undefined;
  const { client, targets } = connected(async (incoming) => {
    if (incoming.head.target === '/1') await new Promise<void>((resolve) => (answer = resolve));
    await ok(incoming);
  });
  client.say(get('/1'));
  const ahead = get(`/2${'x'.repeat(2000)}`);
  const most = 2 + Math.ceil(HTTP_LIMITS.aheadBytes / ahead.length);
  for (let at = 0; at < 2 * most; at++) client.say(ahead);
  await eventually('it is read no more', () => client.isPaused());
  expect(client.readableLength).toBeGreaterThan((most - 4) * ahead.length);
  expect(targets()).toEqual(['/1']);
  answer();
  await eventually(
    'all are asked',
    () => targets().length,
    (count) => count === 1 + 2 * most,
  );
});

it('what is sent ahead of an answer that is cut is not asked', async () => {
  const { client, targets } = connected(({ reply }) => {
    reply.head(200, [['content-length', '9']]);
    reply.cut();
  });
  // As a socket under TLS does, it closes a little later than it is destroyed.
  client.closing = 5;
  client.say(get('/1') + get('/2'));
  await eventually('the end', () => client.closed);
  expect(targets()).toEqual(['/1']);
});

it('a client that does not take its answers is asked for nothing more', async () => {
  const { client, targets } = connected(async ({ reply }) => {
    reply.head(200, []);
    reply.write(Buffer.alloc(4096));
    reply.end();
  });
  client.reads = false;
  client.say(get('/1') + get('/2') + get('/3'));
  await eventually('the first is answered', () => client.writableNeedDrain);
  await new Promise((resolve) => setImmediate(resolve));
  expect(targets()).toEqual(['/1']);
  client.takes();
  await eventually(
    'all are asked',
    () => targets().length,
    (count) => count === 3,
  );
});

it.each<[string, string, string]>([
  ['a client that has said all', get('/1') + get('/2'), OK + LAST],
  ['HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', LAST],
])('%s is answered, and the connection ends', async (_who, said, told) => {
  const { client } = connected(ok);
  client.say(said);
  client.push(null);
  await eventually('the end', () => client.closed);
  // Whether the end has come when the first is answered is chance.
  expect(client.told.replaceAll('connection: close\r\n', '')).toBe(
    told.replaceAll('connection: close\r\n', ''),
  );
});

it.each<[string, string]>([
  ['amid a head', 'GET / HT'],
  ['amid a body', `${post(5)}abc`],
  ['amid a body of chunks', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab'],
])('a client that leaves %s has not asked', async (_where, said) => {
  const ends: unknown[] = [];
  const { client, malformed } = connected(
    ({ body, reply }) =>
      new Promise<void>((resolve) => {
        body.on('error', (error) => ends.push(error)).resume();
        reply.onClose((whole) => resolve(void ends.push(whole)));
      }),
  );
  client.say(said);
  client.push(null);
  await eventually('the end', () => client.closed);
  expect([malformed, client.told]).toEqual([[false], 'no\n']);
  expect(ends.includes(true)).toBe(false);
});

it.each<[string, string, boolean]>([
  ['before an answer', 'no\n', false],
  [
    'amid an answer, which is cut',
    'HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nhalf',
    true,
  ],
])('a chunk that is malformed ends the connection %s', async (_when, told, begun) => {
  const { client, malformed } = connected(
    ({ body, reply }) =>
      new Promise<void>((resolve) => {
        if (begun) reply.head(200, [['content-length', '9']], true);
        if (begun) reply.write(Buffer.from('half'));
        body.resume();
        reply.onClose(() => resolve());
      }),
  );
  client.say('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n');
  if (begun) await eventually('the answer begins', () => client.told !== '');
  client.say(`x\r\n0\r\n\r\n${get('/hidden')}`);
  await eventually('the end', () => client.closed);
  expect([malformed, client.told]).toEqual([[false], told]);
});

it('a head that does not end in time is late; one that has ended is not', () => {
  vi.useFakeTimers();
  try {
    const { client, malformed } = connected(() => new Promise(() => undefined));
    const other = connected(() => new Promise(() => undefined));
    client.emit('data', Buffer.from('GET / HTTP/1.1\r\n'));
    other.client.emit('data', Buffer.from('GET / HTTP/1.1\r\n'));
    other.client.emit('data', Buffer.from('Host: a\r\n\r\n'));
    vi.advanceTimersByTime(HTTP_LIMITS.headMs - 1);
    client.emit('data', Buffer.from('X: a\r\n'));
    expect(malformed).toEqual([]);
    vi.advanceTimersByTime(1);
    expect([malformed, other.malformed]).toEqual([[true], []]);
  } finally {
    vi.useRealTimers();
  }
});

it.each([
  ['1.1', true],
  ['1.0', false],
])('a client of HTTP/%s that asks to be told before its body waits for that: %s', async (version, waits) => {
  const { client, asked } = connected(ok);
  client.say(`POST / HTTP/${version}\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n`);
  await eventually('it is asked', () => asked.length === 1);
  expect(asked[0]!.expectsContinue).toBe(waits);
});

it('a body is read as fast as it is taken', async () => {
  const { client, asked } = connected(() => new Promise(() => undefined));
  client.say(post(1_000_000));
  for (let at = 0; at < 100; at++) client.say('x'.repeat(10_000));
  await eventually('it is read no more', () => client.isPaused());
  expect(client.readableLength).toBeGreaterThan(800_000);
  let length = 0;
  asked[0]!.body.on('data', (chunk: Buffer) => {
    length += chunk.length;
  });
  await eventually(
    'all of it has come',
    () => length,
    (all) => all === 1_000_000,
  );
  expect(asked[0]!.bodyEnded()).toBe(true);
});

it('what is left of a body that nobody reads is passed over, and never a request', async () => {
  const { client, targets } = connected(ok);
  client.say(`${post(1_000_000)}${get('/hidden')}`);
  await eventually('it is answered', () => client.told === OK);
  client.say('x'.repeat(1_000_000 - get('/hidden').length) + get('/next'));
  await eventually('the next', () => targets().length === 2);
  expect(targets()).toEqual(['/', '/next']);
});

it.each<[string, string, Act, string]>([
  [
    'in chunks where its length is not said',
    get('/'),
    ({ reply }) => {
      reply.head(200, [['x', '1']]);
      reply.write(Buffer.from('abc'));
      reply.write(Buffer.alloc(0));
      reply.write(Buffer.alloc(17, 'd'));
      reply.end([['x-sum', '4']]);
    },
    `HTTP/1.1 200 OK\r\nx: 1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n11\r\n${'d'.repeat(17)}\r\n0\r\nx-sum: 4\r\n\r\n`,
  ],
  [
    'to its end where the version has no chunks',
    'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
    ({ reply }) => {
      reply.head(200, []);
      reply.write(Buffer.from('abc'));
      reply.end([['x-sum', '4']]);
    },
    'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc',
  ],
  [
    'and kept, by the old version too',
    'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
    ok,
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nok',
  ],
  [
    'without a body to HEAD',
    'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n',
    ({ reply }) => {
      reply.head(200, [['content-length', '9']]);
      reply.write(Buffer.from('abc'));
      reply.end();
    },
    'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n',
  ],
  [
    'without a body by 304',
    get('/'),
    ({ reply }) => {
      reply.head(304, [['content-length', '9']]);
      reply.end();
    },
    'HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n',
  ],
  [
    'behind what is said before it',
    get('/'),
    async (incoming) => {
      incoming.reply.goOn();
      incoming.reply.inform(103, [['link', '</a>']]);
      await ok(incoming);
      incoming.reply.inform(103, []);
    },
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`,
  ],
  [
    'and cut behind what was given',
    get('/'),
    ({ reply }) => {
      reply.head(200, [['content-length', '9']]);
      reply.write(Buffer.from('abc'));
      reply.cut();
    },
    'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc',
  ],
  [
    'and cut where less comes than was said',
    get('/'),
    ({ reply }) => {
      reply.head(200, [['content-length', '9']]);
      reply.write(Buffer.from('abc'));
      reply.end();
    },
    'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc',
  ],
  [
    'and cut before more comes than was said',
    get('/'),
    ({ reply }) => {
      reply.head(200, [['content-length', '3']]);
      reply.write(Buffer.from('abc'));
      reply.write(Buffer.from('HTTP/1.1 200 OK'));
      reply.end();
    },
    'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc',
  ],
])('an answer is given %s', async (_how, said, act, told) => {
  const { client } = connected(act);
  client.say(said);
  await eventually(
    'it is told',
    () => client.told,
    (text) => text.length >= told.length,
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(client.told).toBe(told);
  if (_how.includes('cut') || told.includes('connection: close'))
    await eventually('the end', () => client.closed);
});

it.each<[string, [string, string][]]>([
  ['a second line', [['x', 'a\r\nset-cookie: b']]],
  ['a control', [['x', 'a\x00']]],
  ['a character that is no octet', [['x', 'a\u0101']]],
  ['a name that is none', [['x: y\r\nz', 'a']]],
  ['chunks', [['Transfer-Encoding', 'chunked']]],
  [
    'two lengths',
    [
      ['content-length', '1'],
      ['Content-Length', '2'],
    ],
  ],
  ['a length that is none', [['content-length', '1, 2']]],
])('a head with %s is never written', async (_what, fields) => {
  let failure: unknown;
  const { client } = connected(async (incoming) => {
    try {
      incoming.reply.head(200, fields);
    } catch (error) {
      failure = error;
      await ok(incoming);
    }
  });
  client.say(get('/'));
  await eventually('it is answered', () => client.told !== '');
  expect([failure, client.told]).toEqual([expect.objectContaining({ code: 'ERR_INTERNAL' }), OK]);
});

it('another protocol has what was said behind the head; where nobody takes it up nothing behind it is read', async () => {
  const upgrade = get('/socket', 'Connection: Upgrade', 'Upgrade: x');
  let stream: Duplex | undefined;
  const { client, targets } = connected(({ takeOver }) => {
    stream = takeOver?.([['upgrade', 'x']]);
  });
  client.say(`${upgrade}first`);
  await eventually('it is taken over', () => stream !== undefined);
  let said = '';
  stream!.on('data', (chunk: Buffer) => {
    said += String(chunk);
  });
  client.say(get('/hidden'));
  await eventually('all is said', () => said === `first${get('/hidden')}`);
  expect([targets(), client.told]).toEqual([
    ['/socket'],
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n',
  ]);
  const other = connected(ok);
  other.client.say(upgrade + get('/hidden'));
  await eventually('the end', () => other.client.closed);
  expect([other.targets(), other.client.told]).toEqual([['/socket'], LAST]);
});
