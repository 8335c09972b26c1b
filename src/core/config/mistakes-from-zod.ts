import type { z } from 'zod';
import type { ConfigDocument } from './document.ts';
import { type Mistake, nearest } from './mistake.ts';

/** Turns zod's issues into mistakes with places; one unknown key gives one mistake. Pure; never throws. */
export function mistakesFromIssues(
  issues: readonly z.core.$ZodIssue[],
  document: ConfigDocument,
  file: string,
): Mistake[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return unknownKeys(issue, document, file);
    const [problem, cure] = split(issue.code === 'invalid_key' ? innermost(issue) : issue.message);
    const place = document.locate(issue.path, issue.code === 'invalid_key');
    return [{ file, ...place, path: dotted(issue.path), problem, cure }];
  });
}

function innermost(issue: z.core.$ZodIssueInvalidKey): string {
  return issue.issues[0]?.message ?? issue.message;
}

function unknownKeys(
  issue: z.core.$ZodIssueUnrecognizedKeys,
  document: ConfigDocument,
  file: string,
): Mistake[] {
  const known = issue.message.split(', ');
  return issue.keys.map((key) => {
    const path = [...issue.path, key];
    const meant = nearest(key, known);
    const cure = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`;
    return { file, ...document.locate(path, true), path: dotted(path), problem: 'unknown key', cure };
  });
}

function split(message: string): [problem: string, cure: string] {
  const at = message.lastIndexOf('; ');
  return at < 0 ? [message, ''] : [message.slice(0, at), message.slice(at + 2)];
}

export function dotted(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}
