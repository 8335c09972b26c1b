import type { Ahead } from '../api/contract.ts';
import type { ExplainedColumn, Explanation } from '../api/explanation.ts';
import type { Actor, Original, OutcomeWord } from '../audit/event.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Later } from '../core/later.ts';
import type { NextStep } from '../core/next-step.ts';
import type { MachineWord } from '../core/refusal-line.ts';
import type { Principal } from '../identity/principal.ts';
import type {
  AnswerLimits,
  Decision,
  Pair,
  PolicyObject,
  PolicyValue,
  Reach,
  Reveal,
  RowBound,
  RuleRef,
} from '../policy/model.ts';

/** One authorised use of one target by one principal. */
export interface SessionRef {
  readonly id: string;
  readonly principal: Principal;
  readonly actor: Actor;
  /** Name in the configuration, and its policy entity. */
  readonly resource: PolicyObject;
  readonly protocol: string;
  /** Why, in the caller's own words: for approvers, and believed by nobody. */
  readonly reason?: string;
  /**
   * Nothing runs in it, whatever policy says. `asks`: what needs an approval is asked for, and used later in another session;
   * `explains`: what policy would say is told, and nobody is asked.
   */
  readonly ahead?: Ahead;
  /** The caller's own word for what it asks people in this session. */
  readonly idempotencyKey?: string;
}

/** Protocol-neutral description of one thing asked of a target. */
export interface Operation {
  readonly session: SessionRef;
  /** Everything it would do; empty only with `refusal`. */
  readonly pairs: readonly Pair[];
  readonly context: Readonly<Record<string, PolicyValue>>;
  /** Masked text for people: audit, recording, approvals. */
  readonly text: string;
  /** What was really asked; sealed in the audit. */
  readonly original?: Original;
  /** The adapter could not understand it with certainty: denied whatever policy says, and on record. */
  readonly refusal?: Refusal;
  /** Absent: it can be approved by nobody, and what would need it is refused. */
  readonly approvable?: Approvable;
  /** Absent: nothing is known that could be asked in its place. */
  readonly nearby?: Nearby | undefined;
}

/** What could be asked in the place of an operation, by other names. Asked for only where it is denied. */
export interface Nearby {
  /** Names that are tried before those that rules write. */
  readonly also?: readonly string[];
  /** Of what is asked by them, where that is another verb than the operation's. */
  readonly action?: string;
  /** The same under a name; undefined: it takes none of this form. Pure. */
  at(name: string): Pick<Operation, 'pairs' | 'context'> | undefined;
  /** Ends no sentence. @param names 1…3 under which policy allows it. Pure. */
  hint(names: readonly string[]): string;
}

/** What an approval needs beside the operation. Asked for only where one is needed. */
export interface Approvable {
  /**
   * Whatever else decides what it would do: the exact bytes, and the definitions, as they are now at the target, of what
   * it names. The same only for the very same.
   *
   * @throws {HoopError} It cannot be known now: the operation is refused.
   */
  exact(): Later<string>;
  /**
   * The very thing that was asked, understood by what the last `exact` found at the target, which may be newer than what
   * it was understood by; undefined: it is the same. Absent: it always is. Asked for before people are.
   */
  anew?(): Later<Omit<Operation, 'session'> | undefined>;
  /** All that was asked, for those who decide, of the last `exact`; undefined: the operation's own `original` is all. */
  readonly original?: Original | undefined;
  /** What of all that it touches is masked for the one who asks. Absent or empty: nothing is. */
  readonly masked?: readonly MaskedData[];
  /** What it would show, column by column; absent: it shows none, or that is not certain. */
  readonly columns?: readonly ExplainedColumn[] | undefined;
  /** What it names and the target does not have, as far as that is certain: names for people. */
  readonly lacks?: readonly string[];
  /** Why it would be refused at this moment whatever policy says: what may be done so often was done. Absent: it would not. */
  readonly spent?: string | undefined;
  /** Whether it could be tried out, as far as was known at the last `exact`. Absent: nothing of its kind can. */
  readonly trial?: Trial | undefined;
  /** It is not to run yet, and getting it ready does nothing that needs an approval: that is for when it runs. */
  readonly prepares?: boolean;
  /** It opens something that stays: a yes to it is for a time and not for one use. */
  readonly opens?: true;
  /** False: a yes that is there is used, and nobody is asked for one. */
  readonly asks?: boolean;
  /** Where it can wait for people: not within a transaction, nor where others of its session would be held up. */
  readonly wait?: ApprovalWait | undefined;
}

/** Something that is masked for somebody. */
export interface MaskedData {
  /** For people. */
  readonly name: string;
  /** What policy is asked about it. None of them hidden: it is masked for the sake of what is seen in it. */
  readonly objects: readonly PolicyObject[];
}

/** How the adapter would try something out, in its own words; or why it cannot, in words that end a sentence. */
export type Trial = { readonly how: string } | { readonly not: string };

/** What the one who asks is told while they wait. */
export interface Hold {
  readonly id: string;
  /** Under which names people say yes. */
  readonly approvals: readonly string[];
  /** Until when the operation itself waits, ms since the epoch. */
  readonly waitsUntil: number;
  readonly expiresAt: number;
  /** Where people decide with a browser. */
  readonly page?: string;
}

export interface ApprovalWait {
  /** Aborted when nobody waits any more: cancelled, disconnected. */
  readonly signal: AbortSignal;
  /** Tells the client that it waits. Called once for each request, before it waits. */
  told(hold: Hold): void;
  /** The very thing that was asked, understood anew: what it names may have changed while people thought. */
  again(): Later<Omit<Operation, 'session'>>;
}

/** @typeParam Rule The words of one protocol; the engine takes any. */
export interface Refusal<Rule extends string = string> {
  readonly code: ErrorCode;
  /** Stable word for machines, of a closed list: `GENERAL_REFUSALS`, and that of the protocol. */
  readonly rule: Rule;
  readonly reason: string;
  readonly hint?: string;
  /** What follows, where that is not the same for all that its rule refuses. */
  readonly next?: NextStep;
  /** Names of what it may not use so: `public.customers.ssn`. */
  readonly leaveOut?: readonly string[];
}

export type Verdict =
  | {
      readonly effect: 'allow';
      readonly operation: string;
      readonly policyVersion: string;
      /** It was approved until then, ms since the epoch: what it opens is closed at that moment. */
      readonly until?: number;
      /** Under which approvals that is; for as long as it is open, asking with them is asking as it was opened. */
      readonly approvals?: readonly string[];
      /** The adapter must count the rows that it changes, and undo it where they are more. */
      readonly rows?: RowBound;
      /** The adapter must end its answer where it goes over one of these. */
      readonly limits?: AnswerLimits;
    }
  | {
      readonly effect: 'deny';
      readonly operation: string;
      readonly denial: Denial;
      /** The first rule that decided, in its author's words; undefined where no rule did. */
      readonly by?: RuleRef;
      /** It was sent where nothing runs: its client was told what it wanted to know, and refused nothing. */
      readonly told?: true;
    };

/** What the adapter says to its client, in its own protocol. */
export interface Denial extends MachineWord {
  readonly code: ErrorCode;
  readonly message: string;
  /** The hint says from when it is permitted. */
  readonly passes?: true;
  readonly explanation?: Explanation;
}

export interface Outcome {
  readonly outcome: OutcomeWord;
  /** Why the gateway itself undid it. */
  readonly reason?: string;
  /** What the target answered, in its protocol's own code: `42501`, `403`, `exit 1`. */
  readonly status?: string;
  readonly rows?: number;
  readonly bytes?: number;
  readonly maskedValues?: number;
  readonly durationMs: number;
}

/** The one engine: adapters ask it one question per operation and obey the one answer. */
export interface Enforcer {
  /**
   * Decides whether one operation may go to the target, and records the decision first.
   *
   * Checks, in this order: credential still live, adapter's refusal, policy over all pairs and what the instance gave up
   * (any denial > any hold > allow), approval, audit append. Where an approval is needed and the operation can wait, it
   * does, and is asked anew when people have said yes. Every allow must be followed by exactly one `close`.
   *
   * @returns The verdict, at once where its event is stored at once. It may fail in both ways:
   * @throws {HoopError} `ERR_AUDIT_UNAVAILABLE`: treat as a denial and forward nothing; `ERR_LOGIN_EXPIRED`,
   *   `ERR_REVOKED`: end the session.
   */
  decide(operation: Operation): Later<Verdict>;
  /** Appends the outcome event. Never throws: an outcome that cannot be stored reads `unknown`. */
  close(session: SessionRef, operation: string, outcome: Outcome): void;
  /**
   * What policy says of all pairs together, without recording it: any denial > any hold > allow, and nothing at all is
   * denied. For questions that are not yet operations: opening a session, preparing a statement, listing resources.
   * Never throws.
   */
  evaluate(
    principal: Principal,
    pairs: readonly Pair[],
    context: Readonly<Record<string, PolicyValue>>,
  ): Decision;
  /** Whether a column or a detected kind of value is shown; remembered per principal, policy version and object. */
  reveal(session: Pick<SessionRef, 'principal'>, object: PolicyObject): Reveal;
  /**
   * Whether the principal might do it in some circumstances, here or in another session of its own: what an instance gave up
   * does not count, nor does what it waits for. Wrong in saying yes only; never throws.
   */
  mayEver(principal: Principal, action: string, object: PolicyObject, reach: Reach): boolean;
  /** The policy in force; a change means plans of masks must be made anew. */
  policyVersion(): string;
}
