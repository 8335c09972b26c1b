import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closePayload, readClose } from '../../../src/wire/http/websocket/close.ts';
import {
  type FrameEvent,
  type FrameKind,
  FrameReader,
  frame,
} from '../../../src/wire/http/websocket/frames.ts';
import { isWebSocketKey, websocketAccept } from '../../../src/wire/http/websocket/handshake.ts';
import { Heartbeats } from '../../../src/wire/http/websocket/heartbeats.ts';

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** What a reader gives of these octets, pieces of one message joined. */
function read(from: 'client' | 'server', ...chunks: readonly Buffer[]): string[] {
  const reader = new FrameReader(from);
  const said: string[] = [];
  let message = '';
  for (const event of chunks.flatMap((chunk) => [...reader.push(chunk)])) {
    if (event.kind !== 'piece') {
      said.push(written(event));
      continue;
    }
    message += (event.first ? (event.binary ? 'binary ' : 'text ') : '') + event.bytes.toString('latin1');
    if (!event.last) continue;
    said.push(message);
    message = '';
  }
  return message === '' ? said : [...said, `${message}…`];
}

function written(event: Exclude<FrameEvent, { kind: 'piece' }>): string {
  return event.kind === 'fault' ? `fault ${event.code}` : `${event.kind} ${event.bytes.toString('latin1')}`;
}

describe('frames', () => {
  it.each<[what: string, from: 'client' | 'server', octets: string, said: readonly string[]]>([
    ['a text', 'server', '8105 48656c6c6f', ['text Hello']],
    ['a masked text', 'client', '8185 37fa213d 7f9f4d5158', ['text Hello']],
    ['one in two frames', 'server', '0103 48656c 8002 6c6f', ['text Hello']],
    ['a ping between them', 'server', '0103 48656c 8905 48656c6c6f 8002 6c6f', ['ping Hello', 'text Hello']],
    ['a pong', 'client', '8a85 37fa213d 7f9f4d5158', ['pong Hello']],
    ['an empty text', 'server', '8100', ['text ']],
    ['an empty text in empty frames', 'server', '0100 0000 0000 8000', ['text ']],
    ['an empty ping', 'client', '8980 00000000', ['ping ']],
    ['256 octets', 'server', `827e0100 ${'41'.repeat(256)}`, [`binary ${'A'.repeat(256)}`]],
    ['two messages', 'server', '8101 61 8201 62', ['text a', 'binary b']],
    ['half a message', 'server', '0101 61', ['text a…']],
    ['half a head', 'server', '827e01', []],
    ['a close', 'server', '8802 03e8', ['close \x03\xe8']],
    // What must not be.
    ['a client that does not mask', 'client', '8105 48656c6c6f', ['fault 1002']],
    ['a server that masks', 'server', '8185 37fa213d 7f9f4d5158', ['fault 1002']],
    ['a bit of compression', 'server', 'c105 48656c6c6f', ['fault 1002']],
    ['the other reserved bits', 'server', 'a100', ['fault 1002']],
    ['the last reserved bit', 'server', '9100', ['fault 1002']],
    ['unknown data', 'server', '8300', ['fault 1002']],
    ['unknown control', 'server', '8b00', ['fault 1002']],
    ['a ping in parts', 'server', '0901 61', ['fault 1002']],
    ['a long ping', 'server', '897e007e', ['fault 1002']],
    ['what goes on with nothing', 'server', '8001 61', ['fault 1002']],
    ['a message within another', 'server', '0101 61 8101 62', ['fault 1002', 'text a…']],
    ['a short length in three octets', 'server', '817e007d', ['fault 1002']],
    ['a short length in nine octets', 'server', '817f000000000000ffff', ['fault 1002']],
    ['a length with its highest bit', 'server', '827f8000000000000001', ['fault 1009']],
    ['a length over what a number holds', 'server', '827f0020000000000000', ['fault 1009']],
    ['whatever stands behind a fault', 'server', '8b00 8105 48656c6c6f', ['fault 1002']],
  ])('%s, from a %s', (_, from, octets, said) => {
    const bytes = hex(octets);
    expect(read(from, bytes)).toEqual(said);
    for (let at = 1; at < bytes.length; at++)
      expect(read(from, bytes.subarray(0, at), bytes.subarray(at)), `cut at ${at}`).toEqual(said);
    expect(read(from, ...[...bytes].map((octet) => Buffer.from([octet])))).toEqual(said);
  });

  it('of a gigabyte hold nothing', () => {
    const reader = new FrameReader('server');
    const head = hex('827f 0000000040000000');
    const piece = Buffer.alloc(64 * 1024);
    let octets = 0;
    for (const chunk of [head, ...Array.from({ length: 16_384 }, () => piece)])
      for (const event of reader.push(chunk)) octets += event.kind === 'piece' ? event.bytes.length : 0;
    expect(octets).toBe(0x40000000);
  });

  it('are read as they were written, whatever is in them, and however they are cut', () => {
    const message = fc.tuple(
      fc.constantFrom<FrameKind>('text', 'binary', 'ping', 'pong'),
      fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ minLength: 65_534, maxLength: 65_538 })),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), fc.boolean(), fc.nat(70_000), (all, masked, at) => {
        const sent = all.map(([kind, bytes]): [FrameKind, Uint8Array] => [
          kind,
          kind.startsWith('p') ? bytes.subarray(0, 125) : bytes,
        ]);
        const octets = Buffer.concat(
          sent.map(([kind, bytes]) => frame(kind, true, bytes, masked ? MASK : undefined)),
        );
        const from = masked ? 'client' : 'server';
        const said = read(from, octets.subarray(0, at), octets.subarray(at));
        expect(said).toEqual(sent.map(([kind, bytes]) => `${kind} ${Buffer.from(bytes).toString('latin1')}`));
      }),
      { numRuns: 60 },
    );
  });

  it('of noise end in a fault or go on, and nothing is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.constantFrom('client', 'server'), (bytes, from) => {
        const events = [...new FrameReader(from).push(Buffer.from(bytes))];
        expect(events.slice(0, -1).every(({ kind }) => kind !== 'fault')).toBe(true);
      }),
    );
  });
});

describe('closes', () => {
  it.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999])(
    '%d',
    (code) => {
      expect(readClose(closePayload({ code, reason: 'é' }))).toEqual({ code, reason: 'é' });
    },
  );

  it.each([0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535])('no frame says %d', (code) => {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    expect(readClose(payload)).toBeUndefined();
  });

  it('may say nothing, never half a code nor what is no UTF-8', () => {
    expect(readClose(Buffer.alloc(0))).toEqual({ code: 1005, reason: '' });
    expect(closePayload({ code: 1005, reason: 'x' })).toHaveLength(0);
    expect(readClose(hex('03'))).toBeUndefined();
    expect(readClose(hex('03e8 ff'))).toBeUndefined();
  });

  it('have room for 123 octets, cut between characters', () => {
    expect(closePayload({ code: 1000, reason: 'a'.repeat(200) })).toHaveLength(125);
    for (const character of ['é', '€', '😀']) {
      const { reason } = readClose(closePayload({ code: 1000, reason: `a${character.repeat(80)}` }))!;
      expect(reason).toMatch(new RegExp(`^a(?:${character})+$`, 'u'));
    }
  });
});

describe('the handshake', () => {
  it('is proven as RFC 6455 §1.3 has it', () => {
    expect(websocketAccept('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    expect(isWebSocketKey('dGhlIHNhbXBsZSBub25jZQ==')).toBe(true);
    for (const text of [
      '',
      'x',
      'dGhlIHNhbXBsZSBub25jZR==',
      'dGhlIHNhbXBsZSBub25jZQ',
      'dGhlIHNhbXBsZSBub25jZQ===',
    ])
      expect(isWebSocketKey(text), text).toBe(false);
  });
});

describe('pings', () => {
  it('are answered with their own octets, which go no further', () => {
    const beats = new Heartbeats();
    const asked = ['one', 'two', 'three'].map((text) => beats.ping(Buffer.from(text)));
    expect(asked.join()).not.toMatch(/one|two|three/);
    expect(String(beats.pong(asked[1]!))).toBe('two');
    // Whoever answers the second has answered the first: RFC 6455 §5.5.3.
    expect(beats.pong(asked[0]!)).toBeUndefined();
    expect(beats.pong(asked[1]!)).toBeUndefined();
    expect(beats.pong(Buffer.from('mine'))).toBeUndefined();
    expect(String(beats.pong(asked[2]!))).toBe('three');
  });

  it('that nobody answers are forgotten', () => {
    const beats = new Heartbeats();
    const asked = Array.from({ length: 1000 }, (_, at) => beats.ping(Buffer.from(String(at))));
    expect(beats.pong(asked[0]!)).toBeUndefined();
    expect(String(beats.pong(asked[999]!))).toBe('999');
  });
});
