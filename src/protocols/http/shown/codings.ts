import { pipeline, type Readable } from 'node:stream';
import zlib from 'node:zlib';

/** Content codings that are undone, as a target is told. */
export const CODINGS = ['gzip', 'deflate', 'br', 'zstd'] as const;

export type Coding = (typeof CODINGS)[number];

/** More than one after the other is a mistake; more than this is an attack. */
const MAX_CODINGS = 3;

/**
 * Reads a Content-Encoding. Pure.
 *
 * @returns In the order in which they were applied, without `identity`; undefined where one of them is not known.
 * @see RFC 9110 §8.4
 */
export function readCodings(value: string | undefined): readonly Coding[] | undefined {
  const names = (value ?? '').split(',').map((name) => name.trim().toLowerCase());
  const codings = names
    .filter((name) => name !== '' && name !== 'identity')
    .map((name) => CODINGS.find((coding) => coding === name.replace(/^x-(?=gzip$)/, '')));
  return codings.length > MAX_CODINGS || codings.includes(undefined) ? undefined : (codings as Coding[]);
}

/** Octets that are decoded at once. */
const PIECE = { chunkSize: 64 * 1024 };
/** Windows as HTTP allows them, 2 to this power octets: what a target could make us hold. @see RFC 9659 §3 */
const ZSTD_WINDOW = 23;

const DECODERS: Readonly<Record<Coding, () => NodeJS.ReadWriteStream & Readable>> = {
  gzip: () => zlib.createGunzip(PIECE),
  deflate: () => zlib.createInflate(PIECE),
  br: () => zlib.createBrotliDecompress(PIECE),
  zstd: () =>
    zlib.createZstdDecompress({ ...PIECE, params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW } }),
};

/**
 * A body without its codings. It flows as fast as it is read, however much a little of it decodes to: nothing is gathered.
 *
 * @param body Destroyed with what is returned.
 * @returns Emits an error if the body breaks off, or is not in these codings.
 */
export function decoded(body: Readable, codings: readonly Coding[]): Readable {
  return codings.reduceRight<Readable>((coded, coding) => {
    const decoder = DECODERS[coding]();
    // The error is the decoder's own, and whoever reads that sees it.
    pipeline(coded, decoder, () => undefined);
    return decoder;
  }, body);
}
