import type { FieldState } from '../../../masking/json/field-states.ts';
import { JsonMasker } from '../../../masking/json/json-masker.ts';
import type { MaskShape } from '../../../masking/mask.ts';

/** Of a document in which members are masked, octets: it is read in one go, while others wait. */
export const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

const JSONB_VERSION = 1;
const BLANK = new Set([0x20, 0x09, 0x0a, 0x0d]);
const [OPEN_BRACE, OPEN_BRACKET] = [0x7b, 0x5b];

/**
 * Masks members of one document.
 *
 * @param cell As on the wire; never changed.
 * @returns The same if none of them is there; undefined where nobody can say where they stand: it is no object or array
 *   (a text may hold a document that no path leads into), longer than `MAX_DOCUMENT_BYTES`, or beyond a bound of `JsonMasker`.
 *   Never throws.
 */
export function maskedDocument(cell: Buffer, shape: MaskShape, fields: FieldState): Buffer | undefined {
  const head = shape === 'jsonb-binary' ? 1 : 0;
  if (cell.length > MAX_DOCUMENT_BYTES || (head === 1 && cell[0] !== JSONB_VERSION)) return undefined;
  const text = cell.subarray(head);
  if (!hasMembers(text)) return undefined;
  try {
    const masker = new JsonMasker(fields, undefined);
    const shown = [masker.push(text), masker.end()].flatMap((part) => part ?? []);
    return masker.maskedValues === 0 ? cell : Buffer.concat([cell.subarray(0, head), ...shown]);
  } catch {
    return undefined;
  }
}

function hasMembers(text: Buffer): boolean {
  let at = 0;
  while (BLANK.has(text[at] ?? 0)) at++;
  return text[at] === OPEN_BRACE || text[at] === OPEN_BRACKET;
}
