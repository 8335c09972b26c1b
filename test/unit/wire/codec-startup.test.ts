import { describe, expect, it } from 'vitest';
import {
  decodeStartup,
  encodeStartup,
  PROTOCOL_3_0,
  PROTOCOL_3_2,
  StartupFramer,
  type StartupPacket,
} from '../../../src/wire/postgres/startup.ts';
import { i32, raw, str } from '../../support/postgres/messages.ts';

function packet(...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([i32(body.length + 4), body]);
}

const startup = (
  version: number,
  entries: [string, string][],
  options: [string, string][] = [],
): StartupPacket => ({
  name: 'StartupMessage',
  version,
  parameters: new Map(entries),
  protocolOptions: new Map(options),
});

const FIXTURES: readonly [what: string, value: StartupPacket, bytes: Buffer][] = [
  ['SSLRequest', { name: 'SSLRequest' }, packet(i32(80_877_103))],
  ['GSSENCRequest', { name: 'GSSENCRequest' }, packet(i32(80_877_104))],
  [
    'CancelRequest of 3.0',
    { name: 'CancelRequest', processId: 77, key: raw(1, 2, 3, 255) },
    packet(i32(80_877_102), i32(77), raw(1, 2, 3, 255)),
  ],
  [
    'CancelRequest of 3.2',
    { name: 'CancelRequest', processId: -1, key: Buffer.alloc(256, 3) },
    packet(i32(80_877_102), i32(-1), Buffer.alloc(256, 3)),
  ],
  [
    'StartupMessage 3.0',
    startup(PROTOCOL_3_0, [
      ['user', "o'brien = x"],
      ['database', 'shop ü'],
      ['options', ''],
    ]),
    packet(
      i32(0x30000),
      ...[str('user'), str("o'brien = x"), str('database'), str('shop ü'), str('options'), str(''), raw(0)],
    ),
  ],
  [
    'StartupMessage 3.2 with a protocol option',
    startup(PROTOCOL_3_2, [['user', 'a']], [['_pq_.report', 'on']]),
    packet(i32(0x30002), str('user'), str('a'), str('_pq_.report'), str('on'), raw(0)),
  ],
  [
    'StartupMessage of a minor version to come',
    startup(0x3270f, [['user', 'a']]),
    packet(i32(0x3270f), str('user'), str('a'), raw(0)),
  ],
];

describe('packets of the startup phase', () => {
  it.each(FIXTURES)('%s', (_what, value, bytes) => {
    expect(decodeStartup(bytes.subarray(4))).toEqual(value);
    expect(encodeStartup(value)).toEqual(bytes);
  });

  it.each(FIXTURES)('%s, cut anywhere', (_what, value, bytes) => {
    for (let at = 0; at <= bytes.length; at++) {
      const framer = new StartupFramer();
      framer.push(bytes.subarray(0, at));
      const early = framer.next();
      framer.push(Buffer.concat([bytes.subarray(at), raw(9)]));
      expect(early ?? framer.next()).toEqual(value);
      expect(framer.takeRest()).toEqual(raw(9));
      expect(framer.next()).toBeUndefined();
    }
  });

  it('gives several, octet by octet, and what follows them', () => {
    const framer = new StartupFramer();
    const got: StartupPacket[] = [];
    for (const octet of Buffer.concat(FIXTURES.map(([, , bytes]) => bytes))) {
      framer.push(raw(octet));
      const one = framer.next();
      if (one !== undefined) got.push(one);
    }
    expect(got).toEqual(FIXTURES.map(([, value]) => value));
  });
});

describe('a parameter given twice', () => {
  it('counts with what was given last, in the place of the last', () => {
    const words = ['user', 'a', 'timezone', 'UTC', 'TimeZone', 'CET', 'timezone', 'EST', 'user', 'b'];
    const decoded = decodeStartup(Buffer.concat([i32(0x30000), ...words.map(str), raw(0)]));
    expect(decoded.name === 'StartupMessage' && [...decoded.parameters]).toEqual([
      ['TimeZone', 'CET'],
      ['timezone', 'EST'],
      ['user', 'b'],
    ]);
  });
});

describe('refused', () => {
  it.each([-1, 0, 3, 4, 7, 10_005, 0x7fffffff, -0x80000000])('length %i, before its body comes', (length) => {
    const framer = new StartupFramer();
    framer.push(i32(length));
    expect(() => framer.next()).toThrow(expect.objectContaining({ code: 'ERR_MESSAGE_LENGTH' }));
  });

  it.each([
    ['2.0', 0x20000],
    ['4.0', 0x40000],
    ['1234.5681', (1234 << 16) | 5681],
  ])('protocol %s', (name, version) => {
    expect(() => decodeStartup(Buffer.concat([i32(version), str('user'), str('a'), raw(0)]))).toThrow(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED', message: expect.stringContaining(name) }),
    );
  });

  const v3 = i32(0x30000);
  const malformed: readonly [what: string, body: Buffer][] = [
    ['no body', raw()],
    ['no parameters', v3],
    ['no user', Buffer.concat([v3, str('database'), str('a'), raw(0)])],
    ['an empty user', Buffer.concat([v3, str('user'), str(''), raw(0)])],
    ['no end', Buffer.concat([v3, str('user'), str('a')])],
    [
      'octets behind the end',
      Buffer.concat([v3, str('user'), str('a'), raw(0), str('role'), str('x'), raw(0)]),
    ],
    ['a name without a value', Buffer.concat([v3, str('user'), str('a'), str('x')])],
    ['a value without an end', Buffer.concat([v3, str('user'), raw(0x61)])],
    ['a user that is not UTF-8', Buffer.concat([v3, str('user'), raw(0xff, 0, 0)])],
    ['an SSLRequest with a body', Buffer.concat([i32(80_877_103), raw(0)])],
    ['a cancel key of 3 octets', Buffer.concat([i32(80_877_102), i32(1), raw(1, 2, 3)])],
    ['a cancel key of 257 octets', Buffer.concat([i32(80_877_102), i32(1), Buffer.alloc(257)])],
    ['a cancel without a key', Buffer.concat([i32(80_877_102), i32(1)])],
  ];
  it.each(malformed)('%s', (_what, body) => {
    expect(() => decodeStartup(body)).toThrow(expect.objectContaining({ code: 'ERR_PROTOCOL' }));
  });

  it('parameters that would be read as others', () => {
    const encode = (entries: [string, string][]) => encodeStartup(startup(PROTOCOL_3_0, entries));
    const protocol = expect.objectContaining({ code: 'ERR_PROTOCOL' });
    expect(() => encode([['user', 'a\0database\0x']])).toThrow(protocol);
    expect(() => encode([['', 'a']])).toThrow(protocol);
    expect(() => encode([['user', 'x'.repeat(10_000)]])).toThrow(
      expect.objectContaining({ code: 'ERR_MESSAGE_LENGTH' }),
    );
  });

  it('accepts the longest packet a server accepts', () => {
    const value = startup(PROTOCOL_3_0, [['user', 'x'.repeat(10_000 - 11)]]);
    const bytes = encodeStartup(value);
    expect(bytes).toHaveLength(10_004);
    const framer = new StartupFramer();
    framer.push(bytes);
    expect(framer.next()).toEqual(value);
  });
});
