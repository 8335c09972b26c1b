import type { ExplainedColumn } from '../../../../api/explanation.ts';
/**
 * PostgreSQL's values as JSON: those that JSON has without loss as they are, all others as the text that the server gives.
 */
import { shownText, textOf } from '../../words.ts';

/**
 * The oids of `pg_type.dat` that have had theirs since there were such files.
 *
 * @see https://www.postgresql.org/docs/current/catalog-pg-type.html
 */
const TYPES: Readonly<Record<number, string>> = {
  16: 'boolean',
  17: 'bytea',
  19: 'name',
  20: 'bigint',
  21: 'smallint',
  23: 'integer',
  25: 'text',
  26: 'oid',
  114: 'json',
  142: 'xml',
  700: 'real',
  701: 'double precision',
  790: 'money',
  869: 'inet',
  1005: 'smallint[]',
  1007: 'integer[]',
  1009: 'text[]',
  1015: 'character varying[]',
  1016: 'bigint[]',
  1042: 'character',
  1043: 'character varying',
  1082: 'date',
  1083: 'time',
  1114: 'timestamp',
  1184: 'timestamp with time zone',
  1186: 'interval',
  1231: 'numeric[]',
  1266: 'time with time zone',
  1700: 'numeric',
  2249: 'record',
  2278: 'void',
  2950: 'uuid',
  3802: 'jsonb',
};
const NUMBERS: ReadonlySet<number> = new Set([20, 21, 23, 26, 700, 701]);
const BOOLEAN = 16;

/** Pure. @returns `oid 16390` for a type that is not the server's own. */
export function typeName(oid: number): string {
  return TYPES[oid] ?? `oid ${oid}`;
}

export type Shown = string | number | boolean | null;

/** @param value Text of the server's; null: NULL. @param mostChars Longer ones are cut. Pure. */
export function shownValue(value: Buffer | null, oid: number, mostChars: number): Shown {
  if (value === null) return null;
  const text = textOf(value);
  if (text === undefined) return `(${value.length} octets that are no text)`;
  if (oid === BOOLEAN && (text === 't' || text === 'f')) return text === 't';
  if (NUMBERS.has(oid)) return numberIn(text) ?? shownText(text, mostChars);
  return shownText(text, mostChars);
}

/** Undefined where a number of JSON would be another one. */
function numberIn(text: string): number | undefined {
  const value = Number(text);
  const exact = Number.isSafeInteger(value) || (Number.isFinite(value) && /[.e]/.test(text));
  return text !== '' && exact ? value : undefined;
}

/** How a column comes masked. Pure. */
export function maskOf({
  mask,
  members,
}: Partial<ExplainedColumn> = {}): Pick<ExplainedColumn, 'mask' | 'members'> {
  return { ...(mask === undefined ? {} : { mask }), ...(members === undefined ? {} : { members }) };
}
