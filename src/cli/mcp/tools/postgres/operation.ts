import { z } from 'zod';
import type { AheadQuestion } from '../../../../client/local/protocol.ts';
import { MAX_TEXT_CHARS, textOfAtMost } from '../../operation.ts';

const PARAMETER = z.union([textOfAtMost(MAX_TEXT_CHARS), z.number(), z.boolean(), z.null()]);

export const SQL = {
  sql: textOfAtMost(MAX_TEXT_CHARS)
    .min(1)
    .describe('One SQL statement. Values belong into params as $1, $2, ….'),
  params: z
    .array(PARAMETER)
    .max(1_000)
    .optional()
    .describe('Values of $1, $2, … in order; the server finds out their types.'),
};

interface Statement {
  readonly sql: string;
  readonly params?: readonly (string | number | boolean | null)[] | undefined;
}

/** Pure. */
export function questionOf({ sql: text, params = [] }: Statement): AheadQuestion {
  const parameters = params.map((value) => (value === null ? null : String(value)));
  return { text, parameters, prepared: true };
}

export const sqlOperation = z.strictObject(SQL).transform(questionOf);
