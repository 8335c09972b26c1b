import { z } from 'zod';
import { parseConfigDocument } from '../../core/config/document.ts';
import { formatMistake, sortMistakes } from '../../core/config/mistake.ts';
import { mistakesFromIssues } from '../../core/config/mistakes-from-zod.ts';
import { expected, names, section, text, whole } from '../../core/config/shape.ts';

const MAX_CASES = 10_000;
/** It may have lines. */
const COMMAND = /^[^\0]{1,1048576}$/u;
const EFFECT = expected('allow, hold or deny', 'write what policy must say');
const ADVICE = 'write one "- resource: …" per case';
const CASES = expected('a list of cases', ADVICE);
const COUNT = { error: () => `expected 1 to ${MAX_CASES} cases; ${ADVICE}` };

const oneCase = section(
  {
    name: text('a name', 'write what the case is for').optional(),
    resource: text('a resource', 'write its name'),
    command: text('an operation', 'write it as a client sends it', COMMAND),
    params: names('values', "write them as text, ['42']").default([]),
    host: text('a host', 'write its name').optional(),
    expect: z.enum(['allow', 'hold', 'deny'], EFFECT),
    rule: text('the id of a rule', 'write that of one that decides').optional(),
    rows: whole(1, 999_999_999, 50).optional(),
    approvals: names('names of approvals', 'write [dba]').optional(),
    masked: names('names of what is masked', 'write [NAME, …]').default([]),
    shown: names('names of what is not masked', 'write [NAME, …]').default([]),
  },
  'write resource, command and expect',
);
const file = section({ tests: z.array(oneCase, CASES).min(1, COUNT).max(MAX_CASES, COUNT) }, 'write tests:');

/** One operation, and what policy must say of it. */
export type PolicyCase = z.output<typeof oneCase>;

type ReadCases =
  | { readonly ok: true; readonly cases: readonly PolicyCase[] }
  | { readonly ok: false; readonly mistakes: readonly string[] };

/**
 * Reads cases from YAML. Pure; never throws.
 *
 * @param name Of the file, for what is wrong.
 * @returns The cases, or a line for everything that is wrong, by place.
 */
export function readCases(content: string, name: string): ReadCases {
  const document = parseConfigDocument(content, name);
  const parsed = document.mistakes.length > 0 ? undefined : file.safeParse(document.value);
  if (parsed?.success === true) return { ok: true, cases: parsed.data.tests };
  const wrong = parsed === undefined ? [] : mistakesFromIssues(parsed.error.issues, document, name);
  return { ok: false, mistakes: sortMistakes([...document.mistakes, ...wrong]).map(formatMistake) };
}
