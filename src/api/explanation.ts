import type { NextStep } from '../core/next-step.ts';

/** What policy would say of one operation that is not run: what hoopd tells hoopctl. Types only. */

export interface Explanation {
  readonly schemaVersion: 1;
  /** Whether it would run, wait for people, or be refused. */
  readonly effect: 'allow' | 'hold' | 'deny';
  /** Of a hold: under which names people say yes. */
  readonly approvals?: readonly string[];
  /** Of an allow: it may change so many rows and no more. */
  readonly rows?: number;
  /** Of an allow: what its answer may come to, and not more. */
  readonly limits?: { readonly rows?: number; readonly bytes?: number; readonly timeMs?: number };
  /** What its client would be told, unless it is allowed. */
  readonly told?: {
    readonly message: string;
    readonly rule: string;
    readonly reason: string;
    readonly hint: string;
    /** The same for programs. */
    readonly next: NextStep;
    readonly leaveOut?: readonly string[];
  };
  /** Everything that it would do, in its own order; empty where it is refused before policy is asked. */
  readonly pairs: readonly ExplainedPair[];
  /** In the words of their authors, each once. */
  readonly rules: readonly { readonly id: string; readonly reason?: string; readonly hint?: string }[];
  /** How many more pairs there are than are told. */
  readonly more?: number;
  /**
   * What of all that it touches is masked for the one who asks: columns, members and headers; `RESOURCE/detected` is whatever
   * detectors find. Absent: nothing.
   */
  readonly masked?: readonly string[];
  /** Of each of these the ids of the rules that hide it; empty: no rule shows it. Without it: it is masked for the sake of what is seen in it. */
  readonly maskedBy?: Readonly<Record<string, readonly string[]>>;
  /** What it would show, in order; absent: it shows no columns, or what they are made of is not certain. */
  readonly columns?: readonly ExplainedColumn[];
  /**
   * What it names and the target does not have: it would fail there, whatever policy says. Told only of what is not denied. Absent:
   * nothing, or that is not known.
   */
  readonly lacks?: readonly string[];
  /** Of an allow: it would be refused all the same at this moment, since what may be done so often was done. Why. */
  readonly spent?: string;
  readonly policyVersion: string;
}

/** One column of a result. */
export interface ExplainedColumn {
  readonly name: string;
  /** Columns whose data it has; none: constants, and what is computed of nothing. */
  readonly from: readonly string[];
  /** It is made of these, and none of them as it is. */
  readonly computed?: true;
  /** How it would be masked; absent: it would be shown, but for what detectors find in it. */
  readonly mask?: string;
  /** Where `mask` is `members`: which members of its documents, by their paths, and how each would be masked. */
  readonly members?: Readonly<Record<string, string>>;
  /** Policy would show it by pseudonyms, which this caller is not given: why. */
  readonly pseudonymsRefused?: string;
}

/** One action on one object, judged by itself. */
export interface ExplainedPair {
  readonly action: string;
  readonly object: string;
  readonly effect: 'allow' | 'hold' | 'deny';
  /** By what the target does it of itself: `a trigger on public.orders`. Absent: the operation names it. */
  readonly through?: string;
  /** Ids of the rules that decided; none: no rule permits it. */
  readonly rules: readonly string[];
}
