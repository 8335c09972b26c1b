import { Duplex, PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MAX_HEAD_BYTES,
  parseResponseHead,
  readResponseHead,
} from '../../../src/client/network/response-head.ts';
import { isHoopError } from '../../../src/core/errors.ts';

const HEAD =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: hoop-tunnel/1\r\nDPoP-Nonce:  n1 \r\nupgrade: second\r\n\r\n';

describe('parseResponseHead', () => {
  test('reads status, fields and what follows', () => {
    const head = parseResponseHead(Buffer.from(`${HEAD}R\0\0`));
    expect(head).toMatchObject({ status: 101, rest: Buffer.from('R\0\0') });
    expect(Object.fromEntries(head!.headers)).toEqual({ upgrade: 'hoop-tunnel/1', 'dpop-nonce': 'n1' });
  });

  test('every prefix is incomplete, not wrong', () => {
    for (let end = 0; end < HEAD.length; end++) {
      expect(parseResponseHead(Buffer.from(HEAD.slice(0, end)))).toBeUndefined();
    }
  });

  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
    ['no status', 'HTTP/1.1 OK\r\n\r\n'],
    ['a folded field', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nA : b\r\n\r\n'],
    ['a bare CR in a value', 'HTTP/1.1 200 OK\r\nA: b\rX: y\r\n\r\n'],
    ['no end', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(MAX_HEAD_BYTES)}`],
    ['an end too late', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(MAX_HEAD_BYTES)}\r\n\r\n`],
  ])('refuses %s', (_, text) => {
    expect(() => parseResponseHead(Buffer.from(text))).toThrow(/does not answer as it should/);
  });

  test('whatever comes, only our own errors leave', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string().map((s) => Buffer.from(`HTTP/1.1 ${s}\r\n\r\n`)),
    );
    fc.assert(
      fc.property(bytes, (chunk) => {
        try {
          parseResponseHead(Buffer.from(chunk));
        } catch (error) {
          expect(isHoopError(error)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('readResponseHead', () => {
  test('any split gives the same head and keeps the rest, paused', async () => {
    const all = Buffer.from(`${HEAD}first bytes`);
    for (let at = 1; at < all.length; at++) {
      const stream = new PassThrough();
      const head = readResponseHead(stream, AbortSignal.timeout(1000));
      stream.write(all.subarray(0, at));
      stream.write(all.subarray(at));
      const { rest } = await head;
      stream.end();
      expect(stream.isPaused()).toBe(true);
      let text = rest.toString();
      for await (const chunk of stream) text += chunk;
      expect(text).toBe('first bytes');
    }
  });

  test('an early end, an error and silence are failures, and the connection goes', async () => {
    const ended = new PassThrough();
    ended.end('HTTP/1.1 2');
    await expect(readResponseHead(ended, AbortSignal.timeout(1000))).rejects.toMatchObject({
      code: 'ERR_GATEWAY_UNREACHABLE',
    });
    const silent = new PassThrough();
    await expect(readResponseHead(silent, AbortSignal.timeout(20))).rejects.toThrow('no answer in time');
    expect(silent.destroyed).toBe(true);
    const broken = new Duplex({ read() {}, write: (_c, _e, done) => done() });
    const failing = readResponseHead(broken, AbortSignal.timeout(1000));
    broken.destroy(new Error('reset'));
    await expect(failing).rejects.toMatchObject({ code: 'ERR_GATEWAY_UNREACHABLE' });
  });
});
