import { HINTS } from '../hints.ts';
import type { PostgresRefusal } from '../refusals.ts';
import { plainLiterals } from '../sql/parse/literals.ts';
import type { Planned } from './planner.ts';

/** What was really asked: sealed in the audit. */
export type Original = {
  readonly statement?: string;
  readonly parameters?: readonly (string | null)[];
};

/** In everything that a text mask shows but `keep-format`: `***`, `a***@e***.com`, `***1111`; pseudonyms of texts and of UUIDs. */
const MASK = /\*\*\*|anon_[a-z0-9]{16}|ffffffff-[0-9a-f]{4}-8[0-9a-f]{3}-/;
/** Longer texts are not read again: any mask in them counts. */
const MAX_CHARS = 8192;

/**
 * A mask that was read earlier and comes back as a value would take the place of what it hid.
 *
 * It keeps an honest mistake from doing harm: only constants and parameters are looked at, not what is computed or copied
 * in. What may be written at all is policy's to say.
 *
 * @returns A refusal if a statement that writes a masked column has a mask among its values. Pure.
 */
export function writesMaskBack(planned: Planned, original: Original): PostgresRefusal | undefined {
  if (planned.context['writesMasked'] !== true) return undefined;
  const { statement = '', parameters = [] } = original;
  const given = parameters.some((value) => value !== null && MASK.test(value));
  return given || holdsMask(statement) ? MASK_WRITTEN : undefined;
}

function holdsMask(text: string): boolean {
  if (!MASK.test(text)) return false;
  const literals = text.length > MAX_CHARS ? undefined : plainLiterals(text);
  if (literals === undefined) return true;
  return literals.some(({ kind, start, end }) => kind === 'string' && MASK.test(text.slice(start, end)));
}

const MASK_WRITTEN: PostgresRefusal = {
  code: 'ERR_DENIED',
  rule: 'mask-written-back',
  reason: 'a mask that you were shown would take the place of the value that it hides',
  hint: HINTS.keepMasked,
};
