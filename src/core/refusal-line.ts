import { ERROR_TABLE, type HoopError } from './errors.ts';
import { NEXT_STEPS, type NextStep, stepAfter } from './next-step.ts';

/** What machines are told of a refusal, in every protocol. */
export interface MachineWord {
  /** The first rule that decided; `default-deny` if none spoke, an error's code if nothing was decided. */
  readonly rule: string;
  readonly reason: string;
  /** What to do now, one sentence. */
  readonly hint: string;
  /** The same for programs: what follows by itself from a refusal. */
  readonly next: NextStep;
  /** How much at a time would be permitted, where it was counted. */
  readonly most?: number;
  /** What it may not use so: `public.customers.ssn`. */
  readonly leaveOut?: readonly string[];
  /** The same may be allowed later, as it is: under this request, which people decide (`apr_…`). */
  readonly approval?: string;
  /** Where that is what was asked for; an object of JSON. */
  readonly explanation?: object;
}

/** Octets of JSON for each of the two sentences, so that the whole stays below 1,200. */
const SENTENCE_BYTES = 400;
const RULE_BYTES = 128;
/** Names of what is to be left out, and octets of all of them. */
const MAX_NAMES = 4;
const NAMES_BYTES = 80;

/**
 * One line of JSON for machines: `{"rule":…,"reason":…,"hint":…,"next":…,"retryable":false}`, keys always in this order. Behind
 * `next` stand `most` and `leaveOut` where there are any; behind `retryable` an `approval`, and an `explanation`, where that was
 * asked for.
 *
 * Pure. At most 1,200 octets of UTF-8 before an explanation: longer texts are cut and end in `…`, and names that find no room are
 * left away. Control, format and line-separating characters are escaped, so that it is one line in any log and terminal.
 *
 * @returns The text, without a line end. Never throws.
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-7
 */
export function refusalLine(word: MachineWord): string {
  const { approval, explanation, next } = word;
  const members = [
    ['rule', quoted(word.rule, RULE_BYTES)],
    ['reason', quoted(word.reason, SENTENCE_BYTES)],
    ['hint', quoted(word.hint, SENTENCE_BYTES)],
    ...stepMembers(word),
    ['retryable', String(NEXT_STEPS[next].retryable)],
    ...(approval === undefined ? [] : [['approval', JSON.stringify(approval)]]),
    ...(explanation === undefined ? [] : [['explanation', inOneLine(JSON.stringify(explanation))]]),
  ];
  return objectOf(members);
}

/** As `refusalLine`, without the sentences: for texts that have them before it. Pure. */
export function stepLine(word: Omit<MachineWord, 'reason' | 'hint' | 'explanation'>): string {
  const { approval, next } = word;
  return objectOf([
    ['rule', quoted(word.rule, RULE_BYTES)],
    ...stepMembers(word),
    ['retryable', String(NEXT_STEPS[next].retryable)],
    ...(approval === undefined ? [] : [['approval', JSON.stringify(approval)]]),
  ]);
}

/** What machines are told of an error of ours that no rule decided; the code is its rule. Pure. */
export function wordOf({
  code,
  message,
  hint,
  approval,
}: Pick<HoopError, 'code' | 'message'> & {
  readonly hint?: string | undefined;
  readonly approval?: string | undefined;
}): Omit<MachineWord, 'explanation'> {
  return {
    rule: code,
    reason: message === '' ? ERROR_TABLE[code].text : message,
    hint: hint ?? OTHERWISE[stepAfter(code)],
    next: stepAfter(code),
    ...(approval === undefined ? {} : { approval }),
  };
}

/** What to do where nobody said more. */
const OTHERWISE: Readonly<Record<NextStep, string>> = {
  correct: 'send it in another form',
  less: 'ask for less at once',
  'leave-out': 'do without the part that is named',
  instead: 'do it in another way, or tell whom you work for',
  ask: 'send it again: it waits until people have decided',
  again: 'try again in a while; if it lasts, ask the operator of the gateway',
  reconnect: 'connect again, and send it again',
  login: 'ask the person you work for to log in again: hoopctl login',
  report: 'tell the person you work for, who can ask the operator of the gateway',
};

function stepMembers({
  next,
  most,
  leaveOut = [],
}: Pick<MachineWord, 'next' | 'most' | 'leaveOut'>): string[][] {
  const names = namesWithin(leaveOut);
  return [
    ['next', JSON.stringify(next)],
    ...(most === undefined ? [] : [['most', String(most)]]),
    ...(names.length === 0 ? [] : [['leaveOut', `[${names.join(',')}]`]]),
  ];
}

/** Whole names, for half of one names something else. */
function namesWithin(names: readonly string[]): readonly string[] {
  let left = NAMES_BYTES;
  return names.slice(0, MAX_NAMES).flatMap((name) => {
    if (name.length > left) return [];
    const json = inOneLine(JSON.stringify(name));
    const bytes = Buffer.byteLength(json);
    if (bytes > left) return [];
    left -= bytes;
    return [json];
  });
}

function objectOf(members: readonly (readonly string[])[]): string {
  return `{${members.map(([name, json]) => `"${name}":${json}`).join(',')}}`;
}

function quoted(text: string, maxBytes: number): string {
  let out = '';
  let bytes = 0;
  for (const character of text) {
    const escaped = inOneLine(JSON.stringify(character).slice(1, -1));
    bytes += Buffer.byteLength(escaped);
    if (bytes > maxBytes - 3) return `"${out}…"`;
    out += escaped;
  }
  return `"${out}"`;
}

/** @param json Has such characters within its strings alone. */
function inOneLine(json: string): string {
  return json.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escapeUnits);
}

function escapeUnits(character: string): string {
  return Array.from(
    character.split(''),
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  ).join('');
}
