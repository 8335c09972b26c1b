import { describe, expect, it } from 'vitest';
import { eachMessage, type Frame, Pieces } from '../../../src/wire/postgres/frame.ts';
import { Framer } from '../../../src/wire/postgres/framer.ts';
import { BACKEND, type Direction, FRONTEND } from '../../../src/wire/postgres/types.ts';
import { BACKEND_FIXTURES, FRONTEND_FIXTURES, i32, message, str } from '../../support/postgres/messages.ts';

const FRONTEND_BYTES = FRONTEND_FIXTURES.map(({ bytes }) => bytes);
const BACKEND_BYTES = BACKEND_FIXTURES.map(({ bytes }) => bytes);
const STREAMS: readonly [Direction, readonly Buffer[]][] = [
  ['frontend', FRONTEND_BYTES],
  ['backend', BACKEND_BYTES],
];
const ALL = new Uint8Array(256).fill(1);

function drain(framer: Framer): Frame[] {
  const frames: Frame[] = [];
  for (let frame = framer.next(); frame !== undefined; frame = framer.next()) frames.push(frame);
  return frames;
}

function feed(framer: Framer, ...chunks: Buffer[]): Buffer[] {
  return chunks.flatMap((chunk) => {
    framer.push(chunk);
    return drain(framer).map((frame) => frame.raw);
  });
}

describe.each(STREAMS)('%s framing', (direction, messages) => {
  const stream = Buffer.concat(messages);

  it('gives the same messages at every split offset', () => {
    for (let at = 0; at <= stream.length; at++) {
      const got = feed(new Framer(direction), stream.subarray(0, at), stream.subarray(at));
      expect(got, `cut at ${at}`).toEqual(messages);
    }
  });

  it('gives the same messages octet by octet', () => {
    const framer = new Framer(direction);
    expect(feed(framer, ...Array.from(stream, (octet) => Buffer.from([octet])))).toEqual(messages);
    expect(framer.buffered).toBe(0);
  });

  it('gives the same messages when everything is pushed before anything is taken', () => {
    for (const size of [1, 2, 3, 7, 64]) {
      const framer = new Framer(direction);
      for (let at = 0; at < stream.length; at += size) framer.push(stream.subarray(at, at + size));
      expect(framer.buffered).toBe(stream.length);
      expect(drain(framer).map((frame) => frame.raw)).toEqual(messages);
    }
  });

  it('gives one run for what lies in one chunk, without a copy', () => {
    const framer = new Framer(direction);
    framer.push(stream);
    const run = framer.nextRun(ALL)!;
    expect(run).toEqual({ chunk: stream, start: 0, end: stream.length, count: messages.length });
    expect(run.chunk).toBe(stream);
    const seen: Buffer[] = [];
    eachMessage(run, (_type, _start, end) => seen.push(stream.subarray(0, end)));
    expect(seen.map((slice) => slice.length)).toEqual(
      messages.map((_, i) => Buffer.concat(messages.slice(0, i + 1)).length),
    );
    expect(framer.nextRun(ALL)).toBeUndefined();
    expect(framer.next()).toBeUndefined();
  });

  it('loses nothing between runs and frames at any split', () => {
    for (let at = 0; at <= stream.length; at++) {
      const framer = new Framer(direction);
      const pieces = new Pieces();
      let count = 0;
      for (const chunk of [stream.subarray(0, at), stream.subarray(at)]) {
        framer.push(chunk);
        for (;;) {
          const run = framer.nextRun(ALL);
          if (run !== undefined) pieces.add(run);
          const frame = framer.next();
          count += (run?.count ?? 0) + (frame === undefined ? 0 : 1);
          if (frame === undefined) break;
          pieces.add(frame);
        }
      }
      expect(Buffer.concat(pieces.take()).equals(stream), `cut at ${at}`).toBe(true);
      expect(count).toBe(messages.length);
    }
  });

  const known = new Set(Object.values(direction === 'frontend' ? FRONTEND : BACKEND));

  it('refuses every unknown type octet', () => {
    for (let type = 0; type < 256; type++) {
      if (known.has(type as never)) continue;
      const framer = new Framer(direction);
      framer.push(Buffer.concat([Buffer.from([type]), i32(4)]));
      expect(() => framer.next(), `type ${type}`).toThrow(
        expect.objectContaining({ code: 'ERR_MESSAGE_TYPE' }),
      );
    }
  });

  it.each([0x7fffffff, -1, -0x80000000, 0, 3])(
    'refuses length %i for every type, however it is cut',
    (length) => {
      for (const type of known) {
        const header = Buffer.concat([Buffer.from([type]), i32(length)]);
        const refuse = (framer: Framer) =>
          expect(() => framer.next()).toThrow(expect.objectContaining({ code: 'ERR_MESSAGE_LENGTH' }));
        const whole = new Framer(direction);
        whole.push(header);
        expect(whole.nextRun(ALL)).toBeUndefined();
        refuse(whole);
        refuse(whole);
        const cut = new Framer(direction);
        for (const octet of header.subarray(0, 4)) {
          cut.push(Buffer.from([octet]));
          expect(cut.next()).toBeUndefined();
        }
        cut.push(header.subarray(4));
        refuse(cut);
      }
    },
  );
});

describe('caps', () => {
  it.each(['H', 'S', 'X', 'c'])('a frontend %s is exactly its header', (type) => {
    const framer = new Framer('frontend');
    framer.push(message(type, Buffer.alloc(1)));
    expect(() => framer.next()).toThrow(expect.objectContaining({ code: 'ERR_MESSAGE_LENGTH' }));
  });

  it('a cap is exact, and the message before the one that breaks it is still given', () => {
    const framer = new Framer('frontend', { largeBytes: 100 });
    const most = message('Q', Buffer.alloc(100, 0x20));
    framer.push(Buffer.concat([most, message('Q', Buffer.alloc(101, 0x20))]));
    expect(framer.next()?.raw).toEqual(most);
    expect(() => framer.next()).toThrow('a Query message cannot have the length 105 (at most 104)');
    expect(() => framer.nextRun(ALL)).toThrow(expect.objectContaining({ code: 'ERR_MESSAGE_LENGTH' }));
  });

  it('takes no memory for what is announced and does not come', () => {
    const before = process.memoryUsage().arrayBuffers;
    const framers = Array.from({ length: 200 }, () => new Framer('frontend'));
    for (const framer of framers) {
      framer.push(Buffer.concat([Buffer.from('Q'), i32(64 * 1024 * 1024)]));
      expect(framer.next()).toBeUndefined();
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 128 * 1024);
  });
});

describe('long messages', () => {
  it.each([
    [64 * 1024 * 1024 - 16, 65_536],
    [1024 * 1024, 1],
  ])('%i octets in pieces of %i cost linear time', (size, piece) => {
    const whole = message('Q', Buffer.alloc(size, 0x61), str(''));
    const framer = new Framer('frontend');
    const started = performance.now();
    const frames: Frame[] = [];
    for (let at = 0; at < whole.length; at += piece) {
      framer.push(whole.subarray(at, at + piece));
      frames.push(...drain(framer));
    }
    expect(frames).toHaveLength(1);
    expect(frames[0]?.raw.equals(whole)).toBe(true);
    expect(performance.now() - started).toBeLessThan(8_000);
  });

  it('a frame that was given stays as it is while others follow', () => {
    const framer = new Framer('frontend');
    const [first, second] = [message('Q', str('one')), message('Q', str('two'))];
    const frames: Frame[] = [];
    for (const octet of Buffer.concat([first, second])) {
      framer.push(Buffer.from([octet]));
      frames.push(...drain(framer));
    }
    expect(frames.map((frame) => frame.raw)).toEqual([first, second]);
    expect(frames[0]?.body).toEqual(str('one'));
  });
});

describe('forwarding', () => {
  it('stops a run at the first type that is not wanted', () => {
    const rows = [message('D', Buffer.from([0, 0])), message('D', Buffer.from([0, 0]))];
    const end = message('C', str('SELECT 2'));
    const wanted = new Uint8Array(256);
    wanted[BACKEND.DataRow] = 1;
    const framer = new Framer('backend');
    framer.push(Buffer.concat([...rows, end, ...rows]));
    expect(framer.nextRun(wanted)).toMatchObject({ start: 0, end: 14, count: 2 });
    expect(framer.nextRun(wanted)).toBeUndefined();
    expect(framer.next()?.raw).toEqual(end);
    expect(framer.nextRun(wanted)).toMatchObject({ count: 2 });
  });

  it('merges neighbours into one slice and keeps strangers apart', () => {
    const framer = new Framer('frontend');
    const stream = Buffer.concat([message('S'), message('H'), message('S')]);
    framer.push(stream);
    const [a, b, c] = drain(framer) as [Frame, Frame, Frame];
    const pieces = new Pieces();
    for (const frame of [a, b, c]) pieces.add(frame);
    expect(pieces.take()).toEqual([stream]);
    for (const frame of [a, c]) pieces.add(frame);
    expect(pieces.take()).toEqual([a.raw, c.raw]);
    expect(pieces.take()).toEqual([]);
  });

  it('gives back what no frame has taken', () => {
    const framer = new Framer('frontend');
    feed(framer, Buffer.concat([message('S'), Buffer.from('Q')]));
    framer.push(Buffer.from([0, 0, 0]));
    framer.push(Buffer.from([9]));
    expect(framer.takeRest()).toEqual(Buffer.from([0x51, 0, 0, 0, 9]));
    expect(framer.buffered).toBe(0);
    expect(feed(framer, message('S'))).toEqual([message('S')]);
  });
});
