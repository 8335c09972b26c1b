import type { PolicySource } from './split.ts';

/** Both count from 1; columns in UTF-16 units, as editors do. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Line and column of a UTF-16 offset. */
export function placeAt(text: string, offset: number): Place {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line++;
    start = at + 1;
  }
  return { line, column: Math.min(offset, text.length) - start + 1 };
}

/** Place in the file of an octet offset in one of its policies: Cedar counts UTF-8. */
export function placeOf(file: string, source: PolicySource, octets: number): Place {
  const before = Buffer.from(source.text).subarray(0, octets).toString();
  return placeAt(file, source.offset + before.length);
}
