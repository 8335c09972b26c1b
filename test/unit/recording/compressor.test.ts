import { randomBytes } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Compressors } from '../../../src/recording/compressor.ts';

describe('compressors', () => {
  it('make one whole frame of each piece, whatever its size, with many waiting', async () => {
    const compressors = new Compressors();
    const sizes = [1, 127, 4096, 300_000, 700_001, 3_000_000, 5, 1_048_576];
    const pieces = sizes.flatMap((size) => [randomBytes(size), Buffer.alloc(size, 'a row of words, ')]);
    const frames = await Promise.all(pieces.map((piece) => compressors.compress(piece)));
    for (const [i, frame] of frames.entries()) {
      expect(zstdDecompressSync(frame).equals(pieces[i] as Buffer)).toBe(true);
    }
  });

  it('keep what they gave while they go on', async () => {
    const compressors = new Compressors();
    const first = await compressors.compress(Buffer.alloc(200_000, 'first '));
    const before = Buffer.from(first);
    for (let i = 0; i < 40; i++) await compressors.compress(randomBytes(150_000));
    expect(first.equals(before)).toBe(true);
  });
});
