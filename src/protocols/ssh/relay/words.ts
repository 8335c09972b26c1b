import { visible } from '../../../core/visible.ts';
import { denialJson } from '../../../enforcement/denial.ts';
import type { Denial } from '../../../enforcement/operation.ts';

/** What a command that may not be run ends with: POSIX says so of one that is found and cannot be. */
export const DENIED_STATUS = 126;
/** What `ssh` ends with where the connection fails. */
export const FAILED_STATUS = 255;

/** What is told on a channel's standard error, each a line; with a terminal lines end as terminals want. */
export function lines(texts: readonly string[], terminal: boolean): Buffer {
  const end = terminal ? '\r\n' : '\n';
  return Buffer.from(texts.map((text) => `hoop: ${text}${end}`).join(''));
}

/** A denial: a sentence, and a line for machines. */
export function denialLines(denial: Denial): string[] {
  return [`${denial.code}: ${visible(denial.message)}`, denialJson(denial)];
}
