/**
 * What tools are asked to do, in the form in which a tunnel carries it. The same words stand for what runs, what is explained and
 * what is asked for ahead, because a yes is for exactly what was asked.
 */
import { z } from 'zod';
import type { AheadQuestion } from '../../client/local/protocol.ts';

/** Characters of what is sent: longer than anything that somebody reads. */
export const MAX_TEXT_CHARS = 256 * 1024;

/** Text that is sent as it is: half a character would be sent as another. */
export const textOfAtMost = (mostChars: number) =>
  z
    .string()
    .max(mostChars)
    .refine((text) => text.isWellFormed(), 'half of a surrogate pair is no character');

export const RESOURCE = z
  .string()
  .min(1)
  .max(128)
  .describe('Name of the resource, as list_resources gives it.');

/** Equal where a yes to the one is a yes to the other, as far as this side can tell. Pure. */
export function sameOperation(resource: string, question: AheadQuestion): string {
  return JSON.stringify([resource, question]);
}
