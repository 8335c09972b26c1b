import type { Principal } from '../identity/principal.ts';
import type { Moment } from './moments.ts';

/** A value that Cedar can hold and we use: no floats. */
export type PolicyValue =
  | boolean
  | number
  | string
  | readonly PolicyValue[]
  | { readonly [key: string]: PolicyValue };

interface EntityRef {
  /** Cedar type, from the vocabulary: `Resource`, `Table`, `Recording`, … */
  readonly type: string;
  /**
   * Unique id, from the resource downward: `pg-prod`, `pg-prod/public`, `pg-prod/public.customers`,
   * `pg-prod/public.customers.email`, `pg-prod/pg_catalog.lower`.
   */
  readonly id: string;
}

/** What an action is done to: one entity, with what rules may ask of it and where it hangs in the hierarchy. */
export interface PolicyObject extends EntityRef {
  readonly attrs: Readonly<Record<string, PolicyValue>>;
  /** What stands in evidence in the place of `id`, where that holds what nobody is to read there. */
  readonly shownId?: string;
  /** Attributes hold what a caller wrote beyond its id: evidence keeps none of them. */
  readonly holdsText?: true;
  /** Direct parent, which has its own: `Column` → `Table` → `Schema` → `Resource`. Undefined at the root. */
  readonly parent?: PolicyObject;
}

/** One thing a statement would do. A statement is allowed only if every one of its pairs is. */
export interface Pair {
  /** A verb of the vocabulary: `connect`, `reveal`, … */
  readonly action: string;
  readonly object: PolicyObject;
  /** The target says how many rows it changes, and the adapter can undo them: what a bound on rows needs. */
  readonly counted?: boolean;
  /** By what the target does it of itself, for people: `a trigger on public.orders`. Absent: the operation names it. */
  readonly through?: string;
}

export interface PolicyRequest extends Pair {
  readonly principal: Principal;
  readonly context: Readonly<Record<string, PolicyValue>>;
}

/** A rule that took part in a decision, by its `@id`, with what its author wrote for people. */
export interface RuleRef {
  readonly id: string;
  /** `@reason("…")`. */
  readonly reason?: string;
  /** `@hint("…")`: what the caller can do instead. */
  readonly hint?: string;
}

/** An allowed change may touch so many rows in one transaction and no more. */
export interface RowBound {
  readonly max: number;
  /** The permit whose `@rows` it is. */
  readonly rule: RuleRef;
}

/** What an answer may come to, each kind by itself. */
export interface AnswerLimits {
  /** Rows that are shown, of one transaction. */
  readonly rows?: AnswerLimit;
  /** Octets of them, as they are shown. */
  readonly bytes?: AnswerLimit;
  /** From the moment that the target is asked until its answer is whole, ms. */
  readonly time?: AnswerLimit;
}

export interface AnswerLimit {
  readonly max: number;
  /** The permit whose `@limit` it is. */
  readonly rule: RuleRef;
}

/** Of several limits the smallest of each kind. Pure. */
export function narrowest(all: readonly (AnswerLimits | undefined)[]): AnswerLimits | undefined {
  const least = (kind: keyof AnswerLimits): AnswerLimits => {
    const sorted = all.flatMap((one) => one?.[kind] ?? []).sort((a, b) => a.max - b.max);
    return sorted[0] === undefined ? {} : { [kind]: sorted[0] };
  };
  const limits = { ...least('rows'), ...least('bytes'), ...least('time') };
  return Object.keys(limits).length === 0 ? undefined : limits;
}

/**
 * What policy says of one pair. A hold is given only if every reason carries `@approval` and asking again with those
 * approvals allows; a denial with no rules is the default deny; `errors` non-empty is always a denial.
 */
export type Lacking = 'agent' | 'person';

export type Decision =
  | {
      readonly effect: 'allow';
      readonly rules: readonly RuleRef[];
      readonly rows?: RowBound;
      readonly limits?: AnswerLimits;
    }
  | {
      readonly effect: 'deny';
      readonly rules: readonly RuleRef[];
      readonly errors: readonly string[];
      /** Of an agent and the person it acts for, who must both be permitted, the only one to whom no policy permits it. */
      readonly lacks?: Lacking;
    }
  | ({ readonly effect: 'hold'; readonly rules: readonly RuleRef[] } & ApprovalsNeeded);

/** What lifts a hold. */
export interface ApprovalsNeeded {
  /** Names under which people say yes: all of them, sorted. */
  readonly approvals: readonly string[];
  /** How many people, where that is more than one. */
  readonly quorum?: Readonly<Record<string, number>>;
  /** The shortest that a rule gives to what is opened, ms from the yes. */
  readonly windowMs?: number;
}

/** Of several needs together: every name, of each the most people, of the times the shortest. Pure. */
export function together(needs: readonly ApprovalsNeeded[]): ApprovalsNeeded {
  const quorum: Record<string, number> = {};
  for (const [name, count] of needs.flatMap((one) => Object.entries(one.quorum ?? {})))
    quorum[name] = Math.max(count, quorum[name] ?? 1);
  const windows = needs.flatMap(({ windowMs }) => windowMs ?? []);
  return {
    approvals: [...new Set(needs.flatMap(({ approvals }) => approvals))].sort(),
    ...(Object.keys(quorum).length === 0 ? {} : { quorum }),
    ...(windows.length === 0 ? {} : { windowMs: Math.min(...windows) }),
  };
}

/**
 * Masks by strength, weakest first; the strongest of several wins. `partial` shows characters, `keep-format` what kind of
 * characters, `pseudonym` which values are equal, `redact` that there is a value, `null` nothing at all.
 */
export const MASK_KINDS = ['partial', 'keep-format', 'pseudonym', 'redact', 'null'] as const;
export type MaskKind = (typeof MASK_KINDS)[number];

/** Whether values of a column or field, or of a detected kind, are shown: the answer to the action `reveal`. */
export type Reveal =
  | { readonly show: true }
  | {
      readonly show: false;
      readonly mask: MaskKind;
      readonly rules: readonly RuleRef[];
      /** Absent: nothing may be asked of a hidden value. */
      readonly lookups?: Lookups;
    };

/** So many questions whether a hidden value equals one that is given, in any stretch of time of so many ms. */
export interface Lookups {
  readonly count: number;
  readonly ms: number;
}

/** What several allow together: the fewest, in the longest time. Undefined: one of them allows none. Pure. */
export function fewest(all: readonly (Lookups | undefined)[]): Lookups | undefined {
  const known = all.filter((one) => one !== undefined);
  if (known.length === 0 || known.length < all.length) return undefined;
  return {
    count: Math.min(...known.map(({ count }) => count)),
    ms: Math.max(...known.map(({ ms }) => ms)),
  };
}

/**
 * Where something might be done: to the very object, or to any of its type at its resource, whatever it is called and
 * whatever it is like.
 */
export type Reach = 'object' | 'resource';

/** The decision point. Pure but for the time: same request, same version and same phase, same answer. */
export interface PolicyEngine {
  /** Changes whenever the policies do: the first 16 hex digits of the SHA-256 of schema and policies. */
  readonly version: string;
  /** Empty where no rule asks for the time; otherwise another word with each minute: what was asked before may get another answer. */
  phase(): string;
  decide(request: PolicyRequest): Decision;
  /** Fails closed: no permit of `reveal`, an error or a plain forbid gives the mask `redact`. */
  reveal(principal: Principal, object: PolicyObject): Reveal;
  /**
   * Names that permits of a verb write: of what they name below a resource, without its own, and the texts of their conditions. Each
   * once, by place; of no meaning by themselves.
   */
  written(action: string, resource: string): readonly string[];
  /**
   * Times of the next two weeks, in order, at which a verb that is denied may be permitted: where each of the rules that deny it looks
   * at the time or is lifted by a yes, or, if there are none, a permit of it looks at the time.
   */
  moments(action: string, denying: readonly RuleRef[]): Iterable<Moment>;
  /**
   * Whether the principal might do it in some circumstances: with an approval, at another time, with other values. Wrong in
   * saying yes only; never throws.
   *
   * @param reach `resource`: to any object of that type at its resource.
   */
  mayEver(principal: Principal, action: string, object: PolicyObject, reach: Reach): boolean;
}
