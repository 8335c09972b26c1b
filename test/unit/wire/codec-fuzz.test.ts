import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isHoopError } from '../../../src/core/errors.ts';
import { decodeBackend, encodeBackend } from '../../../src/wire/postgres/backend.ts';
import { Framer } from '../../../src/wire/postgres/framer.ts';
import { decodeFrontend, encodeFrontend } from '../../../src/wire/postgres/frontend.ts';
import { decodeStartup, encodeStartup } from '../../../src/wire/postgres/startup.ts';
import { BACKEND, type Direction, FRONTEND } from '../../../src/wire/postgres/types.ts';
import { BACKEND_FIXTURES, FRONTEND_FIXTURES, i32, message } from '../../support/postgres/messages.ts';

const TIME = { interruptAfterTimeLimit: 1_500, numRuns: 4_000 };

/** What `act` gives, or undefined if it throws an error of ours; anything else thrown fails the test. */
function orOurError<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (!isHoopError(error)) throw error;
    expect(error.code).toMatch(/^ERR_(?:PROTOCOL|MESSAGE_LENGTH|MESSAGE_TYPE|UNSUPPORTED)$/);
    return undefined;
  }
}

/** A message as drawn, with some octets of its body replaced, removed or added, and its length set right again. */
function mutated(fixtures: readonly { readonly bytes: Buffer }[]): fc.Arbitrary<Buffer> {
  const edit = fc.record({ at: fc.nat(), remove: fc.nat(4), insert: fc.uint8Array({ maxLength: 6 }) });
  return fc
    .tuple(fc.constantFrom(...fixtures), fc.array(edit, { maxLength: 4 }))
    .map(([{ bytes }, edits]) => {
      let body = [...bytes.subarray(5)];
      for (const { at, remove, insert } of edits) {
        const start = at % (body.length + 1);
        body = [...body.slice(0, start), ...insert, ...body.slice(start + remove)];
      }
      return message(String.fromCharCode(bytes[0]!), Buffer.from(body));
    });
}

const anyMessage = (types: Readonly<Record<string, number>>) =>
  fc
    .tuple(fc.constantFrom(...Object.values(types)), fc.uint8Array({ maxLength: 80 }))
    .map(([type, body]) => message(String.fromCharCode(type), Buffer.from(body)));

describe('decode then encode gives the same octets, or decode fails with an error of ours', () => {
  const frontend = fc.oneof(mutated(FRONTEND_FIXTURES), anyMessage(FRONTEND));
  it('frontend', () => {
    fc.assert(
      fc.property(frontend, (bytes) => {
        const value = orOurError(() => decodeFrontend(bytes[0]!, bytes.subarray(5)));
        if (value !== undefined) expect(encodeFrontend(value).equals(bytes)).toBe(true);
      }),
      TIME,
    );
  });

  const backend = fc.oneof(mutated(BACKEND_FIXTURES), anyMessage(BACKEND));
  it('backend', () => {
    fc.assert(
      fc.property(backend, (bytes) => {
        const value = orOurError(() => decodeBackend(bytes[0]!, bytes.subarray(5)));
        if (value !== undefined) expect(encodeBackend(value).equals(bytes)).toBe(true);
      }),
      TIME,
    );
  });

  it('startup', () => {
    const codes = fc.constantFrom(0x30000, 0x30002, 80_877_102, 80_877_103, 80_877_104, 0x20000);
    const words = fc.array(fc.constantFrom('user', 'database', 'a', '', '\ufeff', 'ü'), { maxLength: 8 });
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((octets) => Buffer.from(octets)),
      words.map((list) => Buffer.from(`user\0x\0${list.map((word) => `${word}\0`).join('')}\0`)),
    );
    fc.assert(
      fc.property(codes, body, (code, rest) => {
        const bytes = Buffer.concat([i32(rest.length + 8), i32(code), rest]);
        const value = orOurError(() => decodeStartup(bytes.subarray(4)));
        if (value === undefined) return;
        // Of a parameter given twice only the last is kept.
        const encoded = encodeStartup(value);
        expect(encoded.equals(bytes) || encoded.length < bytes.length).toBe(true);
        expect(decodeStartup(encoded.subarray(4))).toEqual(value);
      }),
      TIME,
    );
  });
});

describe('the framer', () => {
  /** Everything a framer says of these chunks: messages in order, then perhaps an error's code. */
  function told(direction: Direction, chunks: readonly Uint8Array[]): (Buffer | string)[] {
    const framer = new Framer(direction, { largeBytes: 10_000 });
    const all: (Buffer | string)[] = [];
    try {
      for (const chunk of chunks) {
        framer.push(chunk);
        for (let frame = framer.next(); frame !== undefined; frame = framer.next()) all.push(frame.raw);
      }
    } catch (error) {
      if (!isHoopError(error)) throw error;
      all.push(error.code);
    }
    return all;
  }

  const stream = fc
    .array(
      fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...BACKEND_FIXTURES).map(({ bytes }) => bytes) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }).map((octets) => Buffer.from(octets)) },
      ),
      { maxLength: 8 },
    )
    .map((parts) => Buffer.concat(parts));

  it('says the same of the same bytes however they are cut', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 10 }), (bytes, cuts) => {
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
        expect(told('backend', chunks)).toEqual(told('backend', [bytes]));
      }),
      TIME,
    );
  });
});
