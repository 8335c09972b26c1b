import type { AuditQuery } from './contract.ts';

/** By what events are searched: the gateway's parameters, hoopctl's options and what stands before a colon in the feed. */
export const AUDIT_FILTER_NAMES = [
  'agent',
  'person',
  'model',
  'resource',
  'session',
  'instance',
  'run',
  'approval',
  'object',
  'action',
  'decision',
  'outcome',
  'type',
  'since',
  'until',
] as const satisfies readonly (keyof AuditQuery)[];

export type AuditFilterName = (typeof AUDIT_FILTER_NAMES)[number];

/** Of these any other value is none. */
export const AUDIT_FILTER_WORDS = {
  decision: ['allow', 'deny', 'hold', 'explained'],
  outcome: ['success', 'failure', 'unknown'],
} as const satisfies Partial<Record<AuditFilterName, readonly string[]>>;
