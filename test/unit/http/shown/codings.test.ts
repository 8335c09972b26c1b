import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import zlib from 'node:zlib';
import { expect, it } from 'vitest';
import { type Coding, decoded } from '../../../../src/protocols/http/shown/codings.ts';

const ENCODE: Readonly<Record<Coding, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => zlib.gzipSync(bytes),
  deflate: (bytes) => zlib.deflateSync(bytes),
  br: (bytes) => zlib.brotliCompressSync(bytes),
  zstd: (bytes) => zlib.zstdCompressSync(bytes),
};
const TEXT = Buffer.from('{"email":"a@b.nl"}'.repeat(1000));

const encoded = (codings: readonly Coding[]): Buffer =>
  codings.reduce((bytes: Buffer, coding) => ENCODE[coding](bytes), TEXT);
const octets = (bytes: Buffer) => Readable.from([...bytes].map((byte) => Buffer.of(byte)));

it.each<Coding[][]>([
  [['gzip']],
  [['deflate']],
  [['br']],
  [['zstd']],
  [['gzip', 'gzip']],
  [['gzip', 'br', 'zstd']],
])('%j is undone, in any pieces', async (codings) => {
  const bytes = encoded(codings);
  expect(await buffer(decoded(Readable.from([bytes]), codings))).toEqual(TEXT);
  expect(await buffer(decoded(octets(bytes), codings))).toEqual(TEXT);
});

it.each<Coding>(['gzip', 'deflate', 'br', 'zstd'])(
  'a body in %s that breaks off, or is none, is an error',
  async (coding) => {
    const bytes = encoded([coding]);
    await expect(buffer(decoded(Readable.from([bytes.subarray(0, -3)]), [coding]))).rejects.toThrow();
    await expect(buffer(decoded(Readable.from([Buffer.from('plain text')]), [coding]))).rejects.toThrow();
  },
);

it('hands over no more than is read, and ends the source when nobody reads on', async () => {
  const bomb = zlib.gzipSync(Buffer.alloc(64 * 1024 * 1024));
  const source = Readable.from(
    (function* () {
      for (;;) yield bomb;
    })(),
  );
  const body = decoded(source, ['gzip']);
  await once(body, 'readable');
  expect(body.readableLength).toBeLessThan(1024 * 1024);
  const closed = new Promise((resolve) => source.once('close', resolve));
  body.destroy();
  await closed;
  expect(source.destroyed).toBe(true);
});

it('tells of a source that fails', async () => {
  const source = new Readable({ read: () => source.destroy(new Error('reset')) });
  await expect(buffer(decoded(source, ['gzip']))).rejects.toThrow();
});
