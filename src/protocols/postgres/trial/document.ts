import { z } from 'zod';
import type { Bind } from '../../../wire/postgres/extended.ts';
import type { SearchPath } from '../sql/meaning/name-scope.ts';

/** All that a statement is run by, as it was when people were asked. */
export interface TrialStatement {
  readonly statement: string;
  readonly types: readonly number[];
  readonly formats: readonly (0 | 1)[];
  /** Octets in hexadecimal. */
  readonly values: readonly (string | null)[];
  /** Where names were looked up, and as whom. */
  readonly schemas: readonly string[];
  readonly user: string;
  /** By which settings its literals were read, by name. */
  readonly readBy: Readonly<Partial<Record<(typeof READ_BY)[number], string>>>;
  /** What the target had defined. */
  readonly definitions: string;
}

/** Settings that the server reports, and by which it takes the same literal for something else. */
const READ_BY = ['datestyle', 'intervalstyle', 'timezone'] as const;

const format = z.union([z.literal(0), z.literal(1)]);
const shape = z.strictObject({
  statement: z.string(),
  types: z.array(z.number()),
  formats: z.array(format),
  values: z.array(z.string().nullable()),
  schemas: z.array(z.string()),
  user: z.string(),
  readBy: z.partialRecord(z.enum(READ_BY), z.string()),
  definitions: z.string(),
});

/** Longer ones are not kept beside a request. */
const MAX_CHARS = 64 * 1024;

export interface TrialPlace {
  readonly path: SearchPath;
  /** Settings as the server has reported them, by their names in lower case. */
  readonly settings: ReadonlyMap<string, string>;
  readonly definitions: string;
}

/** @returns undefined where it is too long. Pure. */
export function trialDocument(
  statement: string,
  types: readonly number[],
  bind: Pick<Bind, 'parameterFormats' | 'parameters'> | undefined,
  { path: { schemas, user }, settings, definitions }: TrialPlace,
): string | undefined {
  const formats = bind?.parameterFormats ?? [];
  const values = (bind?.parameters ?? []).map((value) => value?.toString('hex') ?? null);
  const readBy = Object.fromEntries(
    READ_BY.flatMap((name) => {
      const value = settings.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const document = JSON.stringify({ statement, types, formats, values, schemas, user, readBy, definitions });
  return document.length > MAX_CHARS ? undefined : document;
}

/** @returns undefined for what no such document is. */
export function parseTrial(document: string): TrialStatement | undefined {
  try {
    return shape.parse(JSON.parse(document));
  } catch {
    return undefined;
  }
}
