import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { NotesFault, PolicyNotes } from './annotations.ts';
import { strongest } from './masks.ts';
import type { Sight } from './sight.ts';
import type { Vocabulary } from './vocabulary/index.ts';

interface Policy extends PolicyNotes {
  readonly effect: 'permit' | 'forbid';
  readonly file: string;
  readonly line: number;
  /** As `LoadedPolicy`'s. */
  readonly type?: string;
  readonly hides: boolean;
  readonly sight?: Sight;
}

interface Rule {
  readonly policy: Policy;
  readonly json: Pick<PolicyJson, 'principal' | 'action' | 'resource' | 'conditions'>;
}

interface Shadow<T extends Rule> extends NotesFault {
  readonly rule: T;
}

/**
 * Rules that change no decision since another speaks of all that they do: who edits them wonders why nothing happens.
 *
 * Only what heads say is compared, and conditions that are the same word for word: it finds fewer than there are, and none that
 * is not. Pure.
 *
 * @returns At most one for each rule, in their order. Never throws.
 */
export function shadowed<T extends Rule>(rules: readonly T[], vocabulary: Vocabulary): Shadow<T>[] {
  const scopes = rules.map((rule, at) => scopeOf(rule, at, vocabulary));
  const wide = Map.groupBy(scopes.filter(isWide), ({ heads }) => heads);
  return scopes.flatMap((narrow) => {
    for (const other of narrow.under.flatMap((heads) => wide.get(heads) ?? [])) {
      if (other === narrow || !covers(other, narrow)) continue;
      // Of two that say the same the later one is told of.
      if (other.at > narrow.at && saysTheSame(other, narrow)) continue;
      const fault = faultOf(narrow, other);
      if (fault !== undefined) return [{ rule: narrow.rule, ...fault }];
    }
    return [];
  });
}

/** No verb: what is about every one is covered by no list. */
const ANY = '';

type Head = PolicyJson['principal'] | PolicyJson['resource'];

interface Scope<T extends Rule = Rule> {
  readonly rule: T;
  readonly at: number;
  /** Of whom and of what it speaks, as one word. */
  readonly heads: string;
  /** Such words of all that speak of these and perhaps of more. */
  readonly under: readonly string[];
  /** Undefined: every one. */
  readonly verbs: ReadonlySet<string> | undefined;
  /** A text; the empty one: none. */
  readonly conditions: string;
}

function scopeOf<T extends Rule>(rule: T, at: number, vocabulary: Vocabulary): Scope<T> {
  const { principal, resource, conditions } = rule.json;
  const words = rule.policy.sight?.words;
  return {
    rule,
    at,
    heads: joined(wordOf(principal), wordOf(resource)),
    under: wider(principal).flatMap((who) => wider(resource).map((what) => joined(who, what))),
    // A word that is not known stands for itself.
    verbs: words && new Set(words.flatMap((word) => vocabulary.verbsOf(word) ?? [word])),
    conditions: conditions.length === 0 ? '' : JSON.stringify(conditions),
  };
}

/** It decides by itself: what waits for people does not. */
function isWide({ rule: { policy } }: Scope): boolean {
  return policy.sight !== undefined && policy.approval === undefined;
}

/** @param wide One of those under which the other's heads are. */
function covers(
  wide: Pick<Scope, 'verbs' | 'conditions'>,
  narrow: Pick<Scope, 'verbs' | 'conditions'>,
): boolean {
  if (wide.conditions !== '' && wide.conditions !== narrow.conditions) return false;
  const { verbs } = wide;
  return verbs === undefined || [...(narrow.verbs ?? [ANY])].every((verb) => verbs.has(verb));
}

function saysTheSame(one: Scope, other: Scope): boolean {
  const { effect } = one.rule.policy;
  return effect === other.rule.policy.effect && one.heads === other.heads && covers(other, one);
}

const joined = (who: string, what: string) => `${who} ${what}`;

/** Heads that cover this one: it says the same as they do, and more. */
function wider(head: Head): string[] {
  const all = ['All', wordOf(head)];
  if (head.op === 'is') {
    all.push(wordOf({ op: 'is', entity_type: head.entity_type }));
    if (head.in !== undefined) all.push(wordOf({ op: 'in', ...head.in }));
  } else if (head.op === '==' && 'entity' in head) {
    all.push(
      wordOf({ op: 'is', entity_type: named(head.entity).type }),
      wordOf({ op: 'in', entity: head.entity }),
    );
  }
  return [...new Set(all)];
}

function wordOf(head: Head): string {
  if (head.op === 'All') return 'All';
  const [type, within] = head.op === 'is' ? [head.entity_type, head.in] : ['', head];
  const entity = within !== undefined && 'entity' in within ? named(within.entity) : undefined;
  return JSON.stringify([head.op, type, entity?.type, entity?.id]);
}

interface Named {
  readonly type: string;
  readonly id: string;
}

function named(entity: Named | { readonly __entity: Named }): Named {
  return '__entity' in entity ? entity.__entity : entity;
}

function faultOf({ rule }: Scope, { rule: { policy: wide } }: Scope): NotesFault | undefined {
  const { policy: narrow } = rule;
  const [id, by] = [JSON.stringify(narrow.id), `${JSON.stringify(wide.id)} (${wide.file}:${wide.line})`];
  const fault = (message: string) => ({
    message,
    cure: `narrow ${JSON.stringify(wide.id)}, or leave this one out`,
  });
  if (narrow.effect === 'permit') {
    if (wide.effect === 'forbid') return fault(`rule ${id} permits nothing: rule ${by} forbids all of it`);
    return bounds(narrow) || namesMore(narrow, wide)
      ? undefined
      : fault(`rule ${id} adds nothing: rule ${by} permits all of it`);
  }
  if (wide.effect === 'permit') return undefined;
  if (narrow.approval !== undefined)
    return fault(`the approval of rule ${id} lifts nothing: rule ${by} forbids all of it without one`);
  // Of two that forbid the same each may have a reason of its own to tell.
  return narrow.mask !== undefined && narrow.hides && hidesMore(wide, narrow)
    ? fault(`the mask of rule ${id} is never the one that is shown: rule ${by} hides all of it, and more`)
    : undefined;
}

/** The smallest bound of all permits is the one that holds. */
function bounds({ rows, limit }: Policy): boolean {
  return rows !== undefined || limit !== undefined;
}

/** Of some types a permit speaks only by name. */
function namesMore({ type }: Policy, { type: widely }: Policy): boolean {
  return type !== undefined && type !== widely;
}

function hidesMore({ mask: wide = 'redact', lookups }: Policy, { mask }: Policy): boolean {
  return mask !== undefined && mask !== wide && lookups === undefined && strongest([mask, wide]) === wide;
}
