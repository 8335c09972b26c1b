import type { Readable } from 'node:stream';

/**
 * Counts secrets in raw bytes. Knows nothing of masking, policies or PostgreSQL: it is handed bytes and strings, so
 * that it cannot be wrong in the same way as what it checks.
 */

/** Keeps a copy of every byte that a socket delivers, before whoever else reads it. */
export class ByteTap {
  readonly #chunks: Buffer[] = [];

  /** Attach before the first byte arrives: before `connect`. */
  attach(stream: Readable): void {
    stream.on('data', (chunk: Buffer) => this.#chunks.push(Buffer.from(chunk)));
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/**
 * How often any of the secrets stands in the bytes: as it is, reversed, as hex in either case, or as base64 at any
 * alignment. Occurrences of one secret in several forms count each.
 *
 * @param bytes Everything a client received.
 * @param secrets Whole values, at least 6 characters each: shorter ones would be found by chance.
 * @returns 0 if none was found. Never throws.
 */
export function countLeaks(bytes: Buffer, secrets: readonly string[]): number {
  let found = 0;
  for (const secret of secrets) {
    for (const form of formsOf(secret)) found += occurrences(bytes, form);
  }
  return found;
}

function formsOf(secret: string): Set<string> {
  const raw = Buffer.from(secret);
  const hex = raw.toString('hex');
  const forms = new Set([secret, [...secret].reverse().join(''), hex, hex.toUpperCase()]);
  for (let before = 0; before < 3; before++) {
    // The characters at either end also depend on the neighbours: only those fixed by the secret itself are searched.
    const encoded = Buffer.concat([Buffer.alloc(before), raw]).toString('base64');
    const start = Math.ceil((before * 8) / 6);
    const end = Math.floor(((before + raw.length) * 8) / 6);
    forms.add(encoded.slice(start, end));
  }
  return forms;
}

function occurrences(bytes: Buffer, form: string): number {
  let count = 0;
  for (let at = bytes.indexOf(form); at !== -1; at = bytes.indexOf(form, at + form.length)) count++;
  return count;
}
