import { constants, createDeflate, createInflate } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { headerDictionary } from '../../../src/wire/http/spdy/dictionary.ts';
import { type SpdyEvent, SpdyReader, SpdyWriter } from '../../../src/wire/http/spdy/frames.ts';
import { HeaderReader, type Headers, HeaderWriter } from '../../../src/wire/http/spdy/header-block.ts';

const dictionary = headerDictionary();
const BLOCKS: readonly Headers[] = [
  [['streamtype', 'error']],
  [
    ['streamtype', 'stdout'],
    ['user-agent', 'kubectl'],
  ],
  [['streamtype', 'error']],
  [],
  [['long', 'x'.repeat(4000)]],
];

function plain(headers: Headers): Buffer {
  const number = (value: number) => Buffer.from([value >> 24, value >> 16, value >> 8, value]);
  const texts = headers.flat().flatMap((text) => [number(text.length), Buffer.from(text, 'latin1')]);
  return Buffer.concat([number(headers.length), ...texts]);
}

/** As zlib writes and reads them, one flush after each. */
async function flushed(zlib: ReturnType<typeof createDeflate>, octets: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  const take = (part: Buffer) => parts.push(part);
  zlib.on('data', take);
  await new Promise<void>((resolve) => zlib.write(octets, () => zlib.flush(constants.Z_SYNC_FLUSH, resolve)));
  zlib.off('data', take);
  return Buffer.concat(parts);
}

describe('headers of streams', () => {
  it('have the dictionary of the protocol', () => {
    expect(dictionary).toHaveLength(1423);
    expect(dictionary.subarray(0, 11)).toEqual(Buffer.from('\0\0\0\x07options'));
    expect(dictionary.subarray(-5).toString()).toBe('nq=0.');
  });

  it('are read as zlib compresses them, each with what came before', async () => {
    const [zlib, reader] = [createDeflate({ level: 9, dictionary }), new HeaderReader()];
    for (const block of [...BLOCKS, ...BLOCKS])
      expect(reader.read(await flushed(zlib, plain(block)))).toEqual(block);
    // What is far back is referred to still.
    for (let round = 0; round < 40; round++) {
      const block: Headers = [
        ['round', String(round)],
        ['filler', `${round}-`.repeat(400)],
        ['streamtype', 'error'],
      ];
      expect(reader.read(await flushed(zlib, plain(block)))).toEqual(block);
    }
  });

  it('are written so that zlib reads them', async () => {
    const [zlib, writer] = [createInflate({ dictionary }), new HeaderWriter()];
    for (const block of BLOCKS)
      expect(await flushed(zlib as never, writer.write(block))).toEqual(plain(block));
  });

  it.each<[what: string, octets: (good: Buffer) => Buffer]>([
    ['without a dictionary', (good) => Buffer.concat([Buffer.of(0x78, 0x9c), good.subarray(6)])],
    [
      'with another dictionary',
      (good) => Buffer.concat([good.subarray(0, 5), Buffer.of(0), good.subarray(6)]),
    ],
    ['cut short', (good) => good.subarray(0, 20)],
    ['of nothing', () => Buffer.alloc(0)],
  ])('are malformed %s', (_what, octets) => {
    const good = new HeaderWriter().write([['streamtype', 'error']]);
    expect(new HeaderReader().read(octets(good))).toBeUndefined();
  });

  it('are no more than is read, however small they come', async () => {
    const zlib = createDeflate({ level: 9, dictionary });
    const bomb = await flushed(zlib, plain([['x', 'a'.repeat(10_000_000)]]));
    expect(bomb.length).toBeLessThan(16 * 1024);
    expect(new HeaderReader().read(bomb)).toBeUndefined();
    const many = Array.from({ length: 65 }, (_, at) => [`h${at}`, ''] as const);
    expect(new HeaderReader().read(new HeaderWriter().write(many))).toBeUndefined();
  });
});

function conversation(): Buffer {
  const writer = new SpdyWriter();
  return Buffer.concat([
    writer.open(1, [['streamtype', 'stdin']]),
    writer.open(3, [['streamtype', 'stdout']]),
    writer.reply(1),
    writer.data(1, Buffer.from('hello'), false),
    writer.ping(7),
    writer.data(1, Buffer.from(' world'), true),
    writer.data(3, Buffer.alloc(0), true),
    // Settings and a window: read over.
    Buffer.from('800300040000000c0000000100000004000000ff', 'hex'),
    Buffer.from('8003000900000008000000010000ffff', 'hex'),
    writer.cancel(3),
    writer.goaway(3),
  ]);
}

const WHOLE = [
  'opened 1 streamtype=stdin',
  'opened 3 streamtype=stdout',
  'replied 1',
  'data 1 hello',
  'ping 7',
  'data 1  world last',
  'data 3  last',
  'reset 3',
  'goaway',
];

function read(octets: Buffer, cuts: readonly number[]): string[] {
  const reader = new SpdyReader();
  const words: string[] = [];
  let from = 0;
  for (const cut of [...cuts, octets.length]) {
    for (const event of reader.push(octets.subarray(from, cut))) add(words, event);
    from = cut;
  }
  return words;
}

function add(words: string[], event: SpdyEvent): void {
  const last = 'last' in event && event.last ? ' last' : '';
  if (event.kind === 'opened')
    words.push(
      `opened ${event.id} ${event.headers.map(([name, value]) => `${name}=${value}`).join()}${last}`,
    );
  else if (event.kind === 'data') {
    const begun = words.at(-1);
    const goesOn = begun?.startsWith(`data ${event.id} `) === true && !begun.endsWith(' last');
    if (goesOn && event.bytes.length > 0) words[words.length - 1] += `${event.bytes}${last}`;
    else words.push(`data ${event.id} ${event.bytes}${last}`);
  } else if (event.kind === 'fault') words.push(`fault ${event.reason}`);
  else words.push('id' in event ? `${event.kind} ${event.id}` : event.kind);
}

describe('frames', () => {
  it('are read the same wherever the octets are cut', () => {
    const octets = conversation();
    expect(read(octets, [])).toEqual(WHOLE);
    for (let cut = 1; cut < octets.length; cut++) expect(read(octets, [cut]), String(cut)).toEqual(WHOLE);
    expect(read(octets, [...octets.keys()].slice(1))).toEqual(WHOLE);
  });

  it.each<[what: string, hex: string, reason: string]>([
    ['another version', '8002000600000004' + '00000001', 'a frame is of another version'],
    ['an unknown kind', '8003000a00000000', 'a frame is of an unknown kind'],
    ['a frame that is too long', '8003000400ffffff', 'a frame is too long'],
    ['a ping that is too short', '8003000600000003000000', 'a frame has a wrong length'],
    ['data of no stream', '0000000000000001' + '00', 'data is of no stream'],
    [
      'headers that are none',
      '8003000100000010' + '00000001000000000000ffffffffffff',
      'the headers of a stream are malformed',
    ],
    ['a stream that is cut', '8003000100000002' + '0000', 'a frame is too short'],
  ])('are none: %s', (_what, hex, reason) => {
    const after = new SpdyWriter().ping(1);
    expect(read(Buffer.concat([Buffer.from(hex, 'hex'), after]), [])).toEqual([`fault ${reason}`]);
  });

  it('of any octets are read without an error, and hold no more than a frame', () => {
    let seed = 4711;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed / 2_147_483_648;
    };
    const good = conversation();
    for (let round = 0; round < 400; round++) {
      const octets = Buffer.from(good);
      for (let flips = 0; flips < 1 + (round % 5); flips++)
        octets[Math.floor(random() * octets.length)] = Math.floor(random() * 256);
      const cut = Math.floor(random() * octets.length);
      const events = read(octets, [cut]);
      // Cuts change nothing in what is malformed either.
      expect(events.map((one) => one.split(' ')[0])).toEqual(
        read(octets, []).map((one) => one.split(' ')[0]),
      );
    }
  });
});
