/** What other policies would have decided of what is on record: `POST /v1/policy/replay`. Types only. */
import type { AuditQuery } from './contract.ts';

/** The request. */
export interface PolicyReplayRequest {
  /** `*.cedar`: the whole set that is tried. 1 … 500, and 1 Mi characters together. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** Which decisions; `type`, `limit` and `cursor` are not among its filters. */
  readonly query: Omit<AuditQuery, 'type' | 'limit' | 'cursor'>;
  /** How many kinds of difference are told, 0 … 1000. */
  readonly limit: number;
}

/** The answer, NDJSON: progress about once a second, then the report; or what is wrong with the policies. */
export type PolicyReplayItem =
  | {
      readonly kind: 'progress';
      /** Decisions looked at, newest first. */
      readonly events: number;
      /** When the last one was made. */
      readonly at: string;
    }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly string[] }
  | { readonly kind: 'report'; readonly report: PolicyReplayReport };

export type ReplayVerdict = 'allow' | 'hold' | 'deny';

/** Why it cannot be said what other policies would have decided. */
export type NotReplayableReason =
  | 'not-recorded'
  | 'too-large'
  | 'name-masked'
  | 'fact-not-recorded'
  | 'unknown-action'
  | 'unreadable';

export interface PolicyReplayReport {
  readonly schemaVersion: 1;
  /** Of the set that was tried. */
  readonly policyVersion: string;
  /** Decisions looked at: `same` + `changed` + `refused` + all of `notReplayable`. */
  readonly events: number;
  /** RFC 3339: of the newest and the oldest of them. Absent: there was none. */
  readonly newest?: string;
  readonly oldest?: string;
  /** There are older ones that match and were not looked at. */
  readonly more?: true;
  readonly same: number;
  readonly changed: number;
  /** Refused before policy was asked, and so by any. */
  readonly refused: number;
  /** By what was decided and what would be. */
  readonly verdicts: readonly {
    readonly was: ReplayVerdict;
    readonly now: ReplayVerdict;
    readonly count: number;
  }[];
  /** How many decisions each rule took part in, and how many of these are other ones than they were. */
  readonly rules: readonly { readonly rule: string; readonly decided: number; readonly changed: number }[];
  readonly notReplayable: readonly {
    readonly reason: NotReplayableReason;
    /** Of `fact-not-recorded` the facts, of `unknown-action` the action. */
    readonly what?: string;
    readonly count: number;
  }[];
  /** Kinds of difference, the most frequent first: the same question of the same actor with the same answers is one. */
  readonly differences: readonly ReplayDifference[];
  /** How many more kinds there are than are told; of very many it is a lower bound. */
  readonly moreDifferences?: number;
}

export interface ReplayDifference {
  readonly was: ReplayVerdict;
  readonly now: ReplayVerdict;
  readonly count: number;
  /** `evt_…`: the newest of them. */
  readonly events: readonly string[];
  /** RFC 3339: the newest. */
  readonly at: string;
  readonly actor: string;
  readonly person?: string;
  readonly resource: string;
  readonly actions: readonly string[];
  readonly objects: readonly string[];
  /** As it is on record: masked. */
  readonly text: string;
  /** Ids of the rules that decided, and would decide. */
  readonly rulesWere: readonly string[];
  readonly rules: readonly string[];
  /** What its client would be told where it would no longer be allowed. */
  readonly reason?: string;
}
