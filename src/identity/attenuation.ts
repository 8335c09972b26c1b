import { HoopError } from '../core/errors.ts';
import type { Attenuation, Principal } from './principal.ts';

/** Words that one `only` may hold. */
const MAX_WORDS = 64;
/** Names of actions and resources are no longer. */
const WORD = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** What the words of `only` can mean. Given by whoever knows policy and configuration. */
export interface AttenuationWords {
  /** The verbs that an action or a group of actions stands for; undefined for any other word. */
  verbsOf(word: string): readonly string[] | undefined;
  /** Whether there is such a resource for this principal, before it is narrowed. */
  isResource(principal: Principal, name: string): boolean;
  /** Of both what may have been meant by a word that is neither: a resource only where this principal may reach it. */
  nearest(principal: Principal, word: string): string | undefined;
}

/** What a token request asks to give up. */
export interface NarrowingRequest {
  /** Actions, groups of actions and resources, separated by commas. */
  readonly only?: string;
  readonly readOnly: boolean;
}

/**
 * Reads what a caller gives up. A word that names an action is never taken for a resource.
 *
 * Pure but for the questions to `words`.
 *
 * @param request From the token request.
 * @param principal Who asks; only resources it may reach can be named, so that names cannot be guessed.
 * @param renewal At a renewal unknown words are taken for resources that are gone: they permit nothing.
 * @returns Undefined if nothing is given up. Groups are written out, so that a later version that adds a verb to a group
 *   widens no token.
 * @throws {HoopError} `ERR_USAGE` a word that is neither, more than 64 of them, or a malformed one.
 * @see docs/decisions/0006-attenuation.md
 */
export function readAttenuation(
  { only, readOnly }: NarrowingRequest,
  principal: Principal,
  words: AttenuationWords,
  renewal: boolean,
): Attenuation | undefined {
  if (only === undefined) return readOnly ? { readOnly } : undefined;
  const all = only.split(',').map((word) => word.trim());
  if (all.length > MAX_WORDS) throw unclear(`names more than ${MAX_WORDS} things`);
  const actions = new Set<string>();
  const resources = new Set<string>();
  for (const word of all) {
    if (!WORD.test(word)) throw unclear('holds a word that is no name');
    const verbs = words.verbsOf(word);
    if (verbs !== undefined) for (const verb of verbs) actions.add(verb);
    else if (renewal || words.isResource(principal, word)) resources.add(word);
    else {
      const what = `names ${JSON.stringify(word)}, which is neither an action nor a resource you may reach`;
      throw unclear(what, words.nearest(principal, word));
    }
  }
  return {
    readOnly,
    ...(actions.size === 0 ? {} : { actions: [...actions].sort() }),
    ...(resources.size === 0 ? {} : { resources: [...resources].sort() }),
  };
}

function unclear(what: string, meant?: string): HoopError {
  return new HoopError('ERR_USAGE', `--only ${what}`, {
    hint:
      meant !== undefined
        ? `did you mean ${meant}?`
        : 'name resources (hoopctl resource list) and actions such as sql.select or sql.write, separated by commas',
  });
}

/**
 * What is left when both apply. Never wider than either.
 *
 * Pure.
 *
 * @param before What stands.
 * @param more What is given up now.
 * @returns One of the two, unchanged, where it says it all. Never throws.
 * @see docs/decisions/0006-attenuation.md
 */
export function narrowed(
  before: Attenuation | undefined,
  more: Attenuation | undefined,
): Attenuation | undefined {
  if (before === undefined || more === undefined) return before ?? more;
  const actions = both(before.actions, more.actions);
  const resources = both(before.resources, more.resources);
  const left: Attenuation = {
    readOnly: before.readOnly || more.readOnly,
    ...(actions === undefined ? {} : { actions }),
    ...(resources === undefined ? {} : { resources }),
  };
  return same(left, before) ? before : left;
}

/** Both lists: what is in each. No list: everything; an empty one: nothing. */
function both(
  a: readonly string[] | undefined,
  b: readonly string[] | undefined,
): readonly string[] | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.filter((word) => b.includes(word));
}

function same(a: Attenuation, b: Attenuation): boolean {
  return (
    a.readOnly === b.readOnly &&
    a.actions?.join() === b.actions?.join() &&
    a.resources?.join() === b.resources?.join()
  );
}

/**
 * The principal with no more than the attenuation leaves it.
 *
 * Pure.
 *
 * @param principal As its token or a new sign-in says.
 * @param attenuation What already stands, or is asked for.
 * @returns The principal itself if nothing changes. Never throws.
 * @see docs/decisions/0006-attenuation.md
 */
export function withAttenuation(principal: Principal, attenuation: Attenuation | undefined): Principal {
  const left = narrowed(principal.attenuation, attenuation);
  return left === principal.attenuation || left === undefined
    ? principal
    : { ...principal, attenuation: left };
}
