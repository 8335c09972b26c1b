/** What a target is made with where a test is about something else. */
import { targetAddresses } from '../../../src/protocols/stream/addresses.ts';

export const TARGET_USUAL = {
  addresses: targetAddresses([]),
  patience: { connectMs: 5_000, answerMs: 10_000, headMs: 5_000, early: 4 },
} as const;
