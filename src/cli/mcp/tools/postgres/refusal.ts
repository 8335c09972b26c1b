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
  const said = rule === undefined ? hint : word.hint;
  return {
    status: shownText(reportText(error, 'C') ?? '', 8),
    message: shownText(reportText(error, 'M') ?? '', TEXT_CHARS),
    ...(rule === undefined ? {} : { rule: shownText(rule, TEXT_CHARS) }),
    ...(reason === undefined ? {} : { reason: shownText(reason, TEXT_CHARS) }),
    ...(said === undefined ? {} : { hint: shownText(said, TEXT_CHARS) }),
    ...(approval === undefined ? {} : { approval: shownText(approval, 64) }),
    ...stepOf(next ?? (approval === undefined ? 'report' : 'ask')),
    untrusted: DATA,
  };
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
