/** What the switch that shows free text in plain columns alone is told by. */
export interface PlainOnly {
  /** Functions whose results are shown, beside the built-in ones: `schema.name`. */
  readonly functions: ReadonlySet<string>;
  /** Whether a value of the type may hold free text. */
  readonly holdsText: (type: number) => boolean;
}

/**
 * What a value has of free text: nothing; a column's value as it is; one of which letters' case and spaces around it are gone; or
 * something that was made of one.
 */
export type Kind = 'clear' | 'whole' | 'folded' | 'computed';

/** From the least to the most. */
const KINDS: readonly Kind[] = ['clear', 'whole', 'folded', 'computed'];

/** Where it comes from: the statement's own text, a column as it is, or anything else; of a query that reads itself not known yet. */
type Origin = 'written' | 'column' | 'made' | 'open';

export interface Value {
  readonly kind: Kind;
  readonly origin: Origin;
  /** Of which rows it speaks: each row of each thing in FROM has a name of its own. Never all of them where they are many. */
  readonly rows: ReadonlySet<string>;
  /** Of free text: several values in one, which can be taken apart again; each may speak of a row of its own. */
  readonly bundle?: true;
  /** Of free text: in its place may stand something that was computed of what is none, a series among it. */
  readonly mixed?: true;
  /** Of free text: from which column it is, and what computes with it. */
  readonly column?: string;
  readonly by?: string;
}

const NO_ROWS: ReadonlySet<string> = new Set();
/** More make no difference: of two already nothing is compared. */
const MAX_ROWS = 8;

export const WRITTEN: Value = { kind: 'clear', origin: 'written', rows: NO_ROWS };
export const MADE: Value = { kind: 'clear', origin: 'made', rows: NO_ROWS };
export const OPEN: Value = { kind: 'clear', origin: 'open', rows: NO_ROWS };

/** The most that is among them, of all their rows. It is written if all are, of one row: of several lists every pair is made. */
export function united(values: readonly Value[]): Value {
  const most = values.reduce((one, other) => (isMore(other.kind, one.kind) ? other : one), WRITTEN);
  const rows = rowsOf(values);
  return { ...most, ...traitsOf(values), origin: originOf(values, most.kind, rows.size), rows };
}

function originOf(values: readonly Value[], kind: Kind, rows: number): Origin {
  if (rows < 2 && values.every(({ origin }) => origin === 'written')) return 'written';
  return kind === 'clear' && values.some(({ origin }) => origin === 'open') ? 'open' : 'made';
}

function traitsOf(values: readonly Value[]): Pick<Value, 'bundle' | 'mixed'> {
  return {
    ...(values.some(({ bundle }) => bundle) ? { bundle: true } : {}),
    ...(values.some(({ mixed }) => mixed) ? { mixed: true } : {}),
  };
}

/** Several that may stand in one place, or in one value: free text beside what was computed of something else is mixed with it. */
export function together(values: readonly Value[]): Value {
  const all = united(values);
  const isMixed = values.some(({ kind, origin }) => kind === 'clear' && origin === 'made');
  return all.kind === 'clear' || !isMixed ? all : { ...all, mixed: true };
}

/** Put into one value: a row, an array. */
export function bundled(values: readonly Value[]): Value {
  const all = together(values);
  return all.kind === 'clear' ? all : { ...all, bundle: true };
}

/** One of them as it is: COALESCE, arms of UNION. Of one origin are values only if all are free text, or none is. */
export function chosen(values: readonly Value[]): Value {
  const [first, ...others] = values.filter(({ origin }) => origin !== 'open');
  const isOf = (one: Value) =>
    one.origin === first?.origin && (one.kind === 'clear') === (first.kind === 'clear');
  const origin = first === undefined ? 'open' : others.every(isOf) ? first.origin : 'made';
  return { ...together(values), origin };
}

/** Something that is clear whatever it was made of. */
export function cleared(values: readonly Value[]): Value {
  const { origin, rows } = united(values);
  return { kind: 'clear', origin, rows };
}

/** What is done with them shows more of free text than that it is there, if there is any. */
export function computed(values: readonly Value[], by: string): Value {
  const all = united(values);
  return all.kind === 'clear' ? all : { ...all, kind: 'computed', by: all.by ?? by };
}

export function isMore(one: Kind, other: Kind): boolean {
  return KINDS.indexOf(one) > KINDS.indexOf(other);
}

function rowsOf(values: readonly Value[]): ReadonlySet<string> {
  const filled = values.filter(({ rows }) => rows.size > 0);
  if (filled.length < 2) return filled[0]?.rows ?? NO_ROWS;
  return new Set(filled.flatMap(({ rows }) => [...rows]).slice(0, MAX_ROWS * filled.length));
}

/** Rows of what is seen through something in FROM, which may be there or not. */
export function seenThrough(value: Value, entry: string): Value {
  if (value.rows.size === 0) return ofRow(value, entry);
  const rows = [...value.rows].slice(0, MAX_ROWS).map((row) => `${entry}/${row}`);
  return { ...value, rows: new Set(rows) };
}

/** It speaks of one row; what is computed from several, or holds values of several, speaks of several still. */
export function ofRow(value: Value, row: string): Value {
  const isJoined = value.kind === 'computed' || value.bundle === true;
  return isJoined && value.rows.size > 1 ? ofRows(value, row) : { ...value, rows: new Set([row]) };
}

/** As `ofRow`, of one that comes from one of several places: how its parts go together differs from place to place. */
export function ofPlaces(value: Value, row: string): Value {
  return value.bundle === true ? ofRows(value, row) : ofRow(value, row);
}

/** One of many that come of one row, or of each other: what is computed there is not about one row any more. */
export function oneOfMany(value: Value, row: string): Value {
  return value.kind === 'computed' ? ofRows(value, row) : ofPlaces(value, row);
}

/** It speaks of several, whatever it is. */
export function ofRows(value: Value, row: string): Value {
  return { ...value, rows: new Set([row, `${row}+`]) };
}

/** Nothing that is decided by them differs. */
export function areAlike(one: Value, other: Value | undefined): boolean {
  return (
    one.kind === other?.kind &&
    one.origin === other.origin &&
    one.bundle === other.bundle &&
    one.mixed === other.mixed &&
    one.rows.size > 1 === other.rows.size > 1
  );
}
