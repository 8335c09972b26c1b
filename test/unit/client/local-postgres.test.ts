import { Duplex, PassThrough } from 'node:stream';
import fc from 'fast-check';
import { parse } from 'pg-protocol';
import { describe, expect, test } from 'vitest';
import { encodeFatal, refuseClient } from '../../../src/client/local/postgres/refusal.ts';
import { HoopError } from '../../../src/core/errors.ts';

const ERROR = new HoopError('ERR_DENIED', 'denied by policy', { hint: 'ask "dba"' });

function packet(code: number, body = ''): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + Buffer.byteLength(body), 0);
  head.writeUInt32BE(code, 4);
  return Buffer.concat([head, Buffer.from(body)]);
}

const SSL = packet(80877103);
const GSS = packet(80877104);
const STARTUP = packet(196608, 'user\0me\0database\0shop\0\0');

/** A local connection: what the client sends, and what it got. */
class Client extends Duplex {
  got = Buffer.alloc(0);
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.got = Buffer.concat([this.got, chunk]);
    done();
  }
}

async function refuse(...sent: Buffer[]): Promise<Buffer> {
  const client = new Client();
  refuseClient(client, ERROR);
  for (const chunk of sent) {
    client.push(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
  client.push(null);
  await new Promise((resolve) => client.once('close', resolve));
  return client.got;
}

async function decode(bytes: Buffer): Promise<Record<string, unknown>> {
  const stream = new PassThrough();
  let message: unknown;
  const parsed = parse(stream, (found) => {
    message = found;
  });
  stream.end(bytes);
  await parsed;
  return message as Record<string, unknown>;
}

describe('encodeFatal', () => {
  test('is what an independent parser reads as a FATAL error', async () => {
    expect(await decode(encodeFatal(ERROR))).toMatchObject({
      name: 'error',
      severity: 'FATAL',
      code: '42501',
      message: 'denied by policy',
      hint: expect.stringMatching(
        /^\{"rule":"ERR_DENIED",.*"hint":"ask .*"next":"report","retryable":false\}$/,
      ),
    });
  });

  test('drops NUL, cuts at 4 KiB between characters, and its length is exact', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0x10ffff), { maxLength: 200 }), (codes) => {
        const text = String.fromCodePoint(...codes);
        const bytes = encodeFatal({
          code: 'ERR_DENIED',
          message: `${text}${'ü'.repeat(3000)}`,
          hint: undefined,
        });
        expect(bytes.readUInt32BE(1)).toBe(bytes.length - 1);
        expect(bytes.length).toBeLessThan(4200 + 1200);
        expect(bytes.toString('utf8')).not.toMatch(/\ufffd\0\0$/);
      }),
      { numRuns: 100 },
    );
  });
});

describe('refuseClient', () => {
  const fatal = encodeFatal(ERROR);

  test.each([
    ['a startup', [STARTUP], fatal],
    ['encryption asked first', [SSL, STARTUP], Buffer.concat([Buffer.from('N'), fatal])],
    ['both kinds', [GSS, SSL, STARTUP], Buffer.concat([Buffer.from('NN'), fatal])],
    ['encryption asked for twice', [SSL, SSL, STARTUP], Buffer.from('N')],
    ['what was sent before the answer about encryption', [Buffer.concat([SSL, STARTUP])], Buffer.alloc(0)],
    ['TLS without asking', [Buffer.from('160301', 'hex')], Buffer.from('15030300020228', 'hex')],
    ['a cancel', [packet(80877102, '12345678')], Buffer.alloc(0)],
    ['HTTP', [Buffer.from('GET / HTTP/1.1\r\n\r\n')], Buffer.alloc(0)],
    ['a length beyond the cap', [Buffer.from([0, 0, 0x27, 0x11, 0, 3, 0, 0])], Buffer.alloc(0)],
    ['nothing', [], Buffer.alloc(0)],
  ])('answers %s', async (_, sent, expected) => {
    expect(await refuse(...sent)).toEqual(expected);
  });

  test('answers the same at every split and byte by byte', async () => {
    const expected = Buffer.concat([Buffer.from('N'), fatal]);
    for (let at = 0; at <= STARTUP.length; at++)
      expect(await refuse(SSL, STARTUP.subarray(0, at), STARTUP.subarray(at))).toEqual(expected);
    expect(await refuse(...Array.from(Buffer.concat([SSL, STARTUP]), (byte) => Buffer.of(byte)))).toEqual(
      expected,
    );
  });

  test('whatever comes, it closes and never throws', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 3 }), async (chunks) => {
        await refuse(...chunks.map((chunk) => Buffer.from(chunk)));
      }),
      { numRuns: 100 },
    );
  });
});
