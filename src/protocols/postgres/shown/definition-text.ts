/** What the server writes a definition of: names in quotes and without, constants, numbers, and signs between them. */
const PIECES =
  /"(?:[^"]|"")*"|[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|[\p{L}_][\p{L}\p{M}\p{N}_$]*|\d[\p{L}\p{N}_.]*|\s+|[^\s\p{L}\p{N}_'"]/gsu;
const CONSTANT = "'***'";
/** A longer one is hidden whole. */
const MAX_OCTETS = 1024 * 1024;

/**
 * The definition of a view or rule, as the server has written it, without its constants if it speaks of what is masked.
 *
 * The server writes out the name of each relation that a definition reads, whatever its columns are called there.
 *
 * @param named Names of what holds masked data, or may give it, without their schemas.
 * @returns `text` itself if it speaks of none of these; undefined if it is no such text, and nothing of it may be shown. Pure.
 */
export function withoutConstants(text: Uint8Array, named: ReadonlySet<string>): Uint8Array | undefined {
  if (text.length > MAX_OCTETS) return undefined;
  const whole = Buffer.from(text.buffer, text.byteOffset, text.length).toString('utf8');
  const pieces = whole.match(PIECES) ?? [];
  if (pieces.join('') !== whole) return undefined;
  if (!pieces.some((piece) => named.has(nameIn(piece)))) return text;
  return Buffer.from(pieces.map((piece) => (isConstant(piece) ? CONSTANT : piece)).join(''));
}

function nameIn(piece: string): string {
  return piece.startsWith('"') ? piece.slice(1, -1).replaceAll('""', '"') : piece;
}

function isConstant(piece: string): boolean {
  return /^(?:[eE]?'|\d)/.test(piece);
}
