import { STARS } from '../../masking/mask.ts';
import { CopyData } from '../../wire/postgres/copy.ts';
import type { CellDetector, RewrittenRow } from './rows.ts';

const TAB = 0x09;
const NEWLINE = 0x0a;

/**
 * Masks what detectors find in one line of COPY TO STDOUT in text format: fields are looked at one by one, so that
 * nothing matches across them. Only the default format comes here: others are refused while detectors are on.
 *
 * @param line The body of one CopyData message, with its newline.
 * @returns The new message, or undefined if nothing was found.
 * @see https://www.postgresql.org/docs/current/sql-copy.html "Text Format"
 */
export function maskCopyLine(line: Buffer, detector: CellDetector): RewrittenRow | undefined {
  const end = line.at(-1) === NEWLINE ? line.length - 1 : line.length;
  const parts: Uint8Array[] = [];
  let maskedValues = 0;
  detector.nextRow();
  for (let start = 0; start <= end; ) {
    const tab = line.indexOf(TAB, start);
    const stop = tab === -1 || tab > end ? end : tab;
    const field = line.subarray(start, stop);
    const shown = detected(field, detector);
    if (shown !== field) maskedValues++;
    parts.push(shown, line.subarray(stop, Math.min(stop + 1, line.length)));
    start = stop + 1;
  }
  if (maskedValues === 0) return undefined;
  const chunk = CopyData.encode({ data: Buffer.concat(parts) });
  // In COPY no row description says what is masked, and NULL is spelt.
  return { piece: { chunk, start: 0, end: chunk.length }, maskedValues, nullValues: 0 };
}

/** COPY's own word for NULL. */
const NULL_FIELD = Buffer.from('\\N');

function detected(field: Uint8Array, detector: CellDetector): Uint8Array {
  try {
    if (!detector.attends(field.length)) return STARS;
    if (!detector.suspects(field, 0, field.length, 'text')) return field;
    return detector.detect(field, 'text') ?? NULL_FIELD;
  } catch {
    return NULL_FIELD;
  }
}
