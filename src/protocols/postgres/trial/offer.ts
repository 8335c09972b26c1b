import type { Trial } from '../../../enforcement/operation.ts';
import type { StatementPlan } from '../sql/meaning/plan.ts';
import { type TrialPlace, trialDocument } from './document.ts';

/** What was made of a text. */
interface Read {
  readonly plans: readonly StatementPlan[];
  /** Nobody knows what it does. */
  readonly unread?: boolean;
}

/** What is to be tried, as it was asked. */
interface Tried {
  readonly statement: string | undefined;
  readonly types: readonly number[];
  readonly bind: Parameters<typeof trialDocument>[2];
  /** Where it would run; undefined: that is not known. */
  readonly place: TrialPlace | undefined;
  /** It is not to run yet. */
  readonly prepares: boolean;
}

/**
 * How a statement would be tried out, or why it cannot be, as far as that can be told without asking the target. Pure.
 *
 * @param planned Of its whole text.
 */
export function trialOffer(planned: Read, tried: Tried): Trial {
  const { statement, types, bind, place, prepares } = tried;
  if (statement === undefined) return { not: notCountedOf('a function call') };
  if (planned.unread === true) return { not: 'nobody knows for certain what it does' };
  const why = prepares ? 'it is only prepared, and not run yet' : notCounted(planned.plans);
  if (why !== undefined) return { not: why };
  if (place === undefined) return { not: 'where its names are looked up is not known' };
  if (namesTemporary(place.path.schemas)) return { not: NAMES_TEMPORARY };
  const how = trialDocument(statement, types, bind, place);
  return how === undefined ? { not: 'it is too long to be kept for that' } : { how };
}

/**
 * Why rows cannot be counted that a text changes, in words that end a sentence; undefined: they can. Pure.
 *
 * @param statements All of the text.
 */
export function notCounted(
  statements: readonly Pick<StatementPlan, 'tag' | 'changesRows'>[],
): string | undefined {
  const [one, ...others] = statements;
  if (one === undefined || others.length > 0) return 'it is not one statement';
  return one.changesRows === true ? undefined : notCountedOf(one.tag);
}

function notCountedOf(what: string): string {
  return `only rows are counted that are changed, not what ${what} does`;
}

/** What is found there is the session's own, and not there for another one. */
export function namesTemporary(schemas: readonly string[]): boolean {
  return schemas.some((name) => name.startsWith('pg_temp_'));
}

export const NAMES_TEMPORARY = 'its session has temporary tables, which it may mean';
