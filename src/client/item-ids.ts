import { PATHS } from '../api/contract.ts';
import { HoopError } from '../core/errors.ts';
import { madeWithin, TIME_CHARACTERS } from '../core/ids/form.ts';

interface Kind {
  /** The letters before the underline. */
  readonly prefix: string;
  readonly name: string;
  /** The command that lists them, and the one that takes one. */
  readonly list: string;
  readonly takes: string;
}

/** What has ids of its own form. Chain ids hold slashes, and have none. */
const KINDS: Readonly<Record<string, Kind>> = {
  [PATHS.sessions]: kind('ses', 'a session', 'hoopctl session list', 'hoopctl session show'),
  [PATHS.approvals]: kind('apr', 'a request', 'hoopctl approval list --status all', 'hoopctl approval show'),
  [PATHS.auditEvents]: kind('evt', 'an event', 'hoopctl audit search', 'hoopctl audit show'),
  [PATHS.revocations]: kind('rev', 'a revocation', 'hoopctl revocation list', 'hoopctl revocation lift'),
};

/** Of an id, behind its prefix. */
const LENGTH = 26;
/** Fewer would be met by chance. */
const MIN_LENGTH = 4;
/** That are named where several begin alike. */
const MAX_NAMED = 5;

function kind(prefix: string, name: string, list: string, takes: string): Kind {
  return { prefix, name, list, takes };
}

/** Ids that a table may shorten, since every command that takes one takes its beginning. Pure. */
export function isItemId(text: string): boolean {
  return Object.values(KINDS).some(({ prefix }) => isWhole(prefix, text));
}

/**
 * So many characters of each id as tell it from all the others, and never less than the moment in which it was made. Pure.
 *
 * @param ids Of one kind.
 */
export function shortLength(ids: readonly string[]): number {
  const sorted = [...new Set(ids)].sort();
  const prefix = (sorted[0]?.indexOf('_') ?? -1) + 1;
  const shared = sorted.slice(1).map((id, i) => commonLength(id, sorted[i]!) + 1);
  return Math.max(prefix + TIME_CHARACTERS, ...shared);
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** @throws {HoopError} `ERR_USAGE` it can be neither the id of such a thing nor its beginning: nothing would ever be found by it. */
export function demandId(path: string, id: string): void {
  const known = KINDS[path];
  if (known === undefined || isBeginning(known.prefix, id)) return;
  const { prefix, name, list } = known;
  throw new HoopError(
    'ERR_USAGE',
    `"${id.slice(0, 200)}" is not the id of ${name}: ${prefix}_ and ${LENGTH} characters, or as many of the first as only one has`,
    { hint: ofOtherKind(id) ?? `see: ${list}` },
  );
}

function isWhole(prefix: string, id: string): boolean {
  return isBeginning(prefix, id) && id.length === prefix.length + 1 + LENGTH;
}

/** The whole id is its own beginning. */
function isBeginning(prefix: string, id: string): boolean {
  const length = id.length - prefix.length - 1;
  if (length < MIN_LENGTH || length > LENGTH) return false;
  return id.startsWith(`${prefix}_`) && /^[0-9A-Z]+$/.test(id.slice(prefix.length + 1));
}

/** An id of ours, where one of another kind was expected. */
function ofOtherKind(id: string): string | undefined {
  const other = Object.values(KINDS).find(({ prefix }) => isBeginning(prefix, id));
  return other && `it is that of ${other.name}: ${other.takes} ${id}`;
}

/**
 * The id that somebody means who has written its beginning.
 *
 * @param path Of all of its kind.
 * @param id The whole one is given back as it is, and nobody is asked; so is what has no form.
 * @param listed Ids that may begin so, in any order; as few as one more than `MAX_NAMED` will do.
 * @throws {HoopError} `ERR_USAGE` it is none, or several begin so; `ERR_NO_ACCESS` none does.
 */
export async function wholeId(
  path: string,
  id: string,
  listed: (beginning: string) => Promise<readonly string[]>,
): Promise<string> {
  demandId(path, id);
  const known = KINDS[path];
  if (known === undefined || isWhole(known.prefix, id)) return id;
  const found = [...new Set(await listed(id))].filter((one) => one.startsWith(id));
  const [only] = found;
  if (only === undefined)
    throw new HoopError('ERR_NO_ACCESS', `no id of ${known.name} begins with ${id}, or no access to it`, {
      hint: `see: ${known.list}`,
    });
  if (found.length === 1) return only;
  const more = found.length > MAX_NAMED ? ', …' : '';
  throw new HoopError('ERR_USAGE', `the ids of several begin with ${id}: say more of the one that is meant`, {
    hint: `it is one of ${found.slice(0, MAX_NAMED).join(', ')}${more}`,
  });
}

/**
 * When a thing was made whose id begins so: RFC 3339, with the milliseconds around it in which it may have been written down.
 *
 * Pure. @param beginning At least the prefix and four characters.
 */
export function timesOf(beginning: string): { readonly since: string; readonly until: string } {
  const [first, last] = madeWithin(beginning.slice(beginning.indexOf('_') + 1));
  return { since: moment(first), until: moment(last + 2) };
}

/** At most what a date can say. */
function moment(ms: number): string {
  return new Date(Math.min(ms, Date.UTC(9999, 0))).toISOString();
}
