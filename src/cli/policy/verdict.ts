import type { Explanation } from '../../api/explanation.ts';
import type { ErrorCode, HoopError } from '../../core/errors.ts';
import { stepAfter } from '../../core/next-step.ts';
import type { PolicyCase } from './cases.ts';

/** What became of one case: empty, or in how far policy says something else. */
export type Failures = readonly string[];

/** What policy says of an operation, or of the connection alone. */
type Said = Pick<Explanation, 'effect' | 'told'> & Partial<Explanation>;

/**
 * Compares what policy says with what it must say. Pure.
 *
 * @returns A sentence for each difference.
 */
export function failuresOf(wanted: PolicyCase, said: Said): Failures {
  const { effect, rows, approvals = [], masked = [], told, pairs = [], lacks = [] } = said;
  const rules = new Set([
    ...(told === undefined ? [] : [told.rule]),
    ...pairs.flatMap(({ rules: by }) => by),
  ]);
  const failures: string[] = [];
  if (effect !== wanted.expect)
    failures.push(`expected ${wanted.expect}, got ${effect}${told === undefined ? '' : `: ${told.message}`}`);
  // A case about what is not there says nothing of what is.
  if (lacks.length > 0) failures.push(`it would fail there: the target has no ${lacks.join(', ')}`);
  if (wanted.rule !== undefined && !rules.has(wanted.rule))
    failures.push(`rule ${wanted.rule} did not decide, but ${listed([...rules], 'none')}`);
  if (wanted.rows !== undefined && rows !== wanted.rows)
    failures.push(`expected a bound of ${wanted.rows} rows, got ${rows ?? 'none'}`);
  if (wanted.approvals !== undefined && !isSame(wanted.approvals, approvals))
    failures.push(`expected approvals ${listed(wanted.approvals, 'none')}, got ${listed(approvals, 'none')}`);
  for (const name of wanted.masked) if (!masked.includes(name)) failures.push(`${name} is not masked`);
  for (const name of wanted.shown) if (masked.includes(name)) failures.push(`${name} is masked`);
  return failures;
}

/**
 * What is said where the connection itself is refused, or needs people. Pure.
 *
 * @returns Undefined: the error says nothing of policy.
 */
export function saidBy({ code, message, hint = '' }: HoopError): Said | undefined {
  const effect = REFUSED[code];
  return effect === undefined
    ? undefined
    : { effect, told: { rule: code, message, reason: message, hint, next: stepAfter(code) } };
}

const REFUSED: { readonly [code in ErrorCode]?: Explanation['effect'] } = {
  ERR_DENIED: 'deny',
  ERR_NO_ACCESS: 'deny',
  ERR_APPROVAL_REQUIRED: 'hold',
};

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one) => others.includes(one));
}

function listed(words: readonly string[], none: string): string {
  return words.length === 0 ? none : words.join(', ');
}
