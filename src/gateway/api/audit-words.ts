import type { AuditQuery } from '../../api/contract.ts';
import { EVENT_TYPES } from '../../audit/event.ts';
import { nearest } from '../../core/config/mistake.ts';
import { HoopError } from '../../core/errors.ts';
import type { Vocabulary } from '../../policy/vocabulary/index.ts';
import { bounded } from '../../search/query.ts';

/**
 * A query with its types and actions written out: `approval.*` is all types that begin so, a group's name the actions of it.
 *
 * Pure. @throws {HoopError} `ERR_USAGE` a word is none: nothing would ever be found by it, and nobody told.
 */
export function writtenOut(query: AuditQuery, vocabulary: Vocabulary): AuditQuery {
  const { type, action } = query;
  return {
    ...query,
    ...(type ? { type: each('type', type, typesOf) } : {}),
    ...(action ? { action: each('action', action, (word) => actionsOf(word, vocabulary)) } : {}),
  };
}

function each(name: string, words: string, of: (word: string) => readonly string[]): string {
  return (bounded(name, words) ?? '').split(',').flatMap(of).join(',');
}

function typesOf(word: string): readonly string[] {
  const types = EVENT_TYPES.filter((known) =>
    word.endsWith('.*') ? known.startsWith(word.slice(0, -1)) : known === word,
  );
  if (types.length > 0) return types;
  throw none('type of event', word, EVENT_TYPES, 'operation.*, session.* or approval.*');
}

/** What an action's name begins with is looked for as it is; a group that no name begins with, by its members. */
function actionsOf(word: string, vocabulary: Vocabulary): readonly string[] {
  const name = word.toLowerCase().replace(/\.\*$/, '');
  const verbs = vocabulary.verbs.map(({ verb }) => verb);
  if (verbs.some((verb) => verb === name || verb.startsWith(`${name}.`))) return [name];
  const members = vocabulary.verbsOf(name);
  if (members !== undefined) return members;
  throw none('action', word, verbs, groupsOf(verbs));
}

/** `a, b and c` */
function groupsOf(verbs: readonly string[]): string {
  const groups = new Set(verbs.filter((verb) => verb.includes('.')).map((verb) => verb.split('.')[0]!));
  return [...groups]
    .sort()
    .join(', ')
    .replace(/, ([^,]*)$/, ' and $1');
}

function none(what: string, word: string, known: readonly string[], groups: string): HoopError {
  const meant = nearest(word, known);
  return new HoopError('ERR_USAGE', `no ${what} is ${word.slice(0, 64)}`, {
    hint: `${meant === undefined ? '' : `did you mean ${meant}? `}all of a group are such as ${groups}`,
  });
}
