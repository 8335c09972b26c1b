import type { Explanation } from '../../api/explanation.ts';
import type { AheadAnswer } from './protocol.ts';

/** Rule by which the gateway says that no approval is needed. */
const NOT_NEEDED = 'asks-only';

/** The gateway's word to machines of what it did not do: members that denials have in every protocol. */
export interface Word {
  readonly rule?: string;
  readonly approval?: string;
  readonly reason?: string;
  readonly hint?: string;
  readonly explanation?: Explanation;
}

/** What such a word answers to what was asked ahead. Pure. @returns Undefined: it is denied. */
export function aheadAnswer({ rule, approval, explanation }: Word): AheadAnswer | undefined {
  if (explanation !== undefined) return { approval, explanation };
  return approval !== undefined || rule === NOT_NEEDED ? { approval } : undefined;
}
