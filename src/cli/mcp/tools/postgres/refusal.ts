import { NEXT_STEPS, type NextStep } from '../../../../core/next-step.ts';
import { type ErrorResponse, reportText } from '../../../../wire/postgres/report.ts';
import { type Refusal, stepOf, TEXT_CHARS } from '../../refusal.ts';
import { DATA, shownText } from '../../words.ts';

/**
 * Of a statement's own error. The gateway refuses by errors like the server's, with its word to machines in the hint; a server
 * can write the same, so all of it is marked. Pure.
 */
export function refusalInError(error: ErrorResponse): Refusal {
  const hint = reportText(error, 'H');
  const { rule, reason, next, approval, ...word } = wordIn(hint);
  const status = reportText(error, 'C') ?? '';
  const said = rule === undefined ? withCure(hint, status) : word.hint;
  return {
    status: shownText(status, 8),
    message: shownText(reportText(error, 'M') ?? '', TEXT_CHARS),
    ...(rule === undefined ? {} : { rule: shownText(rule, TEXT_CHARS) }),
    ...(reason === undefined ? {} : { reason: shownText(reason, TEXT_CHARS) }),
    ...(said === undefined ? {} : { hint: shownText(said, TEXT_CHARS) }),
    ...(approval === undefined ? {} : { approval: shownText(approval, 64) }),
    ...stepOf(next ?? (approval === undefined ? stepOfState(status) : 'ask')),
    untrusted: DATA,
  };
}

/** What names a thing that is not there: a schema, table, column, function or type. */
const UNKNOWN_NAME = /^(?:3F000|42P01|42703|42883|42704)$/;

/** What follows a server's own error, by its SQLSTATE's class and the few that differ from theirs. */
const STEPS: readonly (readonly [RegExp, NextStep])[] = [
  [/^(?:42501|28)/, 'report'],
  [/^57014/, 'less'],
  [/^(?:40|53|55P03|57P0[1-5])/, 'again'],
  // Data, integrity, cardinality, syntax and names, what the state of something forbids.
  [/^(?:0A|21|22|23|2F|34|3F|42|44|55)/, 'correct'],
];

function stepOfState(status: string): NextStep {
  return STEPS.find(([states]) => states.test(status))?.[1] ?? 'report';
}

function withCure(hint: string | undefined, status: string): string | undefined {
  if (!UNKNOWN_NAME.test(status)) return hint;
  const cure = 'describe_schema names what there is';
  return hint === undefined ? cure : `${hint}; ${cure}`;
}

interface Word {
  readonly rule?: string;
  readonly reason?: string;
  readonly hint?: string;
  readonly next?: NextStep;
  readonly approval?: string;
}

function wordIn(hint: string | undefined): Word {
  try {
    const value: unknown = JSON.parse(hint ?? '');
    if (typeof value !== 'object' || value === null) return {};
    const word = value as Readonly<Record<string, unknown>>;
    const texts = ['rule', 'reason', 'hint', 'approval'].filter((name) => typeof word[name] === 'string');
    return {
      ...Object.fromEntries(texts.map((name) => [name, word[name]])),
      ...(isStep(word['next']) ? { next: word['next'] } : {}),
    };
  } catch {
    return {};
  }
}

function isStep(word: unknown): word is NextStep {
  return typeof word === 'string' && Object.hasOwn(NEXT_STEPS, word);
}
