import type { AuditEventItem } from '../../api/contract.ts';
import type { PolicyReplayReport } from '../../api/policy-replay.ts';
import type { PolicyFile } from '../../policy/load.ts';

/** What the thread starts with. */
export interface ReplayWorkerData {
  readonly files: readonly PolicyFile[];
  /** The schema that the gateway's own policies are checked against: the thread's must be the same. */
  readonly schema: string;
  /** In which rules ask for the time. */
  readonly timeZone: string;
}

export type ReplayQuestion =
  | { readonly kind: 'events'; readonly events: readonly AuditEventItem[] }
  | { readonly kind: 'report'; readonly limit: number; readonly more: boolean };

/** The first comes by itself, each other one to a question. */
export type ReplayAnswer =
  | { readonly kind: 'loaded'; readonly policyVersion: string }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly string[] }
  | { readonly kind: 'counted'; readonly events: number; readonly at: string }
  | { readonly kind: 'report'; readonly report: PolicyReplayReport };
