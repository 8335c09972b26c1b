import type { ApprovalStatus } from '../api/approvals.ts';
import type { Actor, Original } from '../audit/event.ts';
import type { Principal } from '../identity/principal.ts';
import type { RuleRef } from '../policy/model.ts';

/** So many people must say yes under this name: `@approval("dba")`. */
interface Need {
  readonly name: string;
  readonly count: number;
}

/** One person's yes. */
interface Vote {
  /** Names that it was given under. */
  readonly names: readonly string[];
  readonly issuer: string;
  readonly subject: string;
  /** For people. */
  readonly by: string;
  readonly at: number;
}

/** What a caller calls a question, and what was asked under that; neither can be read from it. */
export interface AskedUnder {
  /** Of the caller and its word. */
  readonly key: string;
  /** Of what was sent. */
  readonly body: string;
}

/** A question to people about one operation, as it was asked. */
export interface Asked {
  /** SHA-256 of everything that an approval covers, see `bindingOf`. */
  readonly binding: string;
  readonly needs: readonly Need[];
  /** Session that it was asked in. */
  readonly session: string;
  readonly resource: string;
  readonly protocol: string;
  readonly actor: Actor;
  readonly rules: readonly RuleRef[];
  /** Why, in the words of the one who asks. */
  readonly reason?: string;
  /** Masked, for people. */
  readonly text: string;
  /** What was really asked. Kept until the request is settled, for those alone who decide it. */
  readonly original?: Original;
  /** By which it can be tried out, in its adapter's own words. Kept as long as `original`, shown to nobody. */
  readonly trial?: string;
  /** Why it cannot be, in words that end a sentence. */
  readonly notTried?: string;
  readonly actions: readonly string[];
  readonly objects: readonly string[];
  /** What of these is masked for the one who asks, when it was asked. Absent: nothing was known to be. */
  readonly masked?: readonly string[];
  readonly policyVersion: string;
  /** It opens something that may be used for so long after the yes, as often as it is asked for, ms. Absent: one use. */
  readonly windowMs?: number;
  /** Asked ahead, in a session where nothing runs: it is for another, whether that session is over or not. */
  readonly ahead?: true;
  /** The caller has a word for it. */
  readonly under?: AskedUnder;
  /** Nothing of it outlives the credential that it was asked with, ms since the epoch. */
  readonly deadline: number;
}

/** A request for approval, and what has become of it. Immutable: each change makes a new one. */
export interface Approval extends Asked {
  /** `apr_…`. */
  readonly id: string;
  /** It leaves `pending` once, and for good; what an approved one was used for stands in `usedBy`. */
  readonly state: ApprovalStatus;
  /** ms since the epoch. */
  readonly at: number;
  /** Neither the question nor the yes holds longer, ms since the epoch. */
  readonly expiresAt: number;
  readonly votes: readonly Vote[];
  /** Who ended it and why, where that was a denial or a cancellation. */
  readonly endedBy?: string;
  readonly endReason?: string;
  /** The session that an approved one belongs to, where the one that asked is over: one, once. */
  readonly boundTo?: string;
  /** The one operation that it was used for (`op_…`). */
  readonly usedBy?: string;
}

/** Names that still lack a yes, in the order of the request. */
export function missing({ needs, votes }: Pick<Approval, 'needs' | 'votes'>): readonly string[] {
  const given = (name: string) => votes.filter((vote) => vote.names.includes(name)).length;
  return needs.filter(({ name, count }) => given(name) < count).map(({ name }) => name);
}

/** Whether it was asked on this person's authority: by themselves, or by an agent that acts for them. */
export function askedOnAuthorityOf({ actor }: Pick<Approval, 'actor'>, by: Principal): boolean {
  return isSamePerson(actor, by) || actor.person === by.name;
}

/** Identity is issuer and subject. */
export function isSamePerson(
  one: { readonly issuer: string; readonly subject: string },
  { issuer, subject }: { readonly issuer: string; readonly subject: string },
): boolean {
  return one.issuer === issuer && one.subject === subject;
}
