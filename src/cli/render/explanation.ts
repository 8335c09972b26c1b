import { maskedNames } from '../../api/approval-words.ts';
import type { Explanation } from '../../api/explanation.ts';
import { durationText, sizeText } from '../../core/config/units.ts';
import { renderTable } from './table.ts';
import { visible } from './text.ts';

/** Of what stands below a title. */
const INDENT = 2;

/**
 * What policy would say of an operation, for people: the word, then everything that it would do, each with the rules that decide.
 *
 * Pure. Whatever strangers wrote is shown so that nothing hides in it or moves.
 *
 * @param width Columns of the terminal, which its tables keep to.
 * @returns Lines without LF.
 */
export function renderExplanation(
  explanation: Explanation,
  resource: string,
  width = Number.POSITIVE_INFINITY,
): string[] {
  const { pairs, more, rules, told, lacks = [], spent } = explanation;
  const rows = pairs.map(({ effect, action, object, through, rules: by }) => [
    effect,
    action,
    through === undefined ? object : `${object} (by ${through})`,
    by.length === 0 ? 'no rule permits it' : by.join(', '),
  ]);
  const reasons = rules.flatMap(({ id, reason }) => (reason === undefined ? [] : [`${id}: ${reason}`]));
  return [
    headOf(explanation),
    ...(lacks.length === 0 ? [] : [`and fail there: the target has no ${lacks.map(visible).join(', ')}`]),
    ...(spent === undefined ? [] : [`and be refused there now: ${visible(spent)}`]),
    ...(told === undefined ? [] : [visible(told.message), `what its client can do: ${visible(told.hint)}`]),
    ...section(
      'it would',
      rows.length === 0 ? [] : renderTable(['EFFECT', 'ACTION', 'OBJECT', 'BY'], rows, width - INDENT),
    ),
    ...(more === undefined ? [] : [`… and ${more} more`]),
    ...section('because', reasons.map(visible)),
    ...section('it would show', columnLines(explanation, width - INDENT)),
    ...section('hidden whole where policy says by pseudonyms', refusedPseudonyms(explanation)),
    ...section('masked in what it touches', maskedLines(explanation, resource, width - INDENT)),
  ];
}

/** Everything that is masked, and the rules that hide it. */
function maskedLines({ masked = [], maskedBy }: Explanation, resource: string, width: number): string[] {
  const named = maskedNames({ masked, resource }) ?? [];
  if (maskedBy === undefined) return named.map(visible);
  const rows = masked.map((name, at) => [visible(named[at] ?? name), hiding(maskedBy[name])]);
  return rows.length === 0 ? [] : renderTable(['DATA', 'BY'], rows, width);
}

function hiding(rules: readonly string[] | undefined): string {
  if (rules === undefined) return 'what is seen in it';
  return rules.length === 0 ? 'no rule shows it' : rules.map(visible).join(', ');
}

/** Each column of the result, what it is made of, and how it would be masked. */
function columnLines({ columns = [] }: Explanation, width: number): string[] {
  const rows = columns.map(({ name, from, computed, mask, members }) => [
    visible(name),
    `${computed === true ? 'computed from ' : ''}${from.map(visible).join(', ')}` || '–',
    members === undefined ? (mask ?? 'shown') : memberText(members),
  ]);
  return rows.length === 0 ? [] : renderTable(['COLUMN', 'FROM', 'MASK'], rows, width);
}

/** `$.email partial, $..ssn redact` */
function memberText(members: Readonly<Record<string, string>>): string {
  return Object.entries(members)
    .map(([path, mask]) => `${visible(path)} ${mask}`)
    .join(', ');
}

/** Which columns, and why. */
function refusedPseudonyms({ columns = [] }: Explanation): string[] {
  return columns.flatMap(({ name, pseudonymsRefused: why }) =>
    why === undefined ? [] : [`${visible(name)}: ${visible(why)}`],
  );
}

function headOf({
  effect,
  approvals = [],
  rows,
  limits,
  lacks = [],
  spent,
  policyVersion,
}: Explanation): string {
  const by = `by policy ${visible(policyVersion)}`;
  if (effect === 'deny') return `it would be denied, ${by}`;
  if (effect === 'hold')
    return `it would wait for the approval of ${approvals.map(visible).join(' and ')}, ${by}`;
  const bound = rows === undefined ? '' : `, and be undone if it changed more than ${rows} rows`;
  const runs = lacks.length === 0 && spent === undefined ? 'it would run' : 'it would be let through';
  return `${runs}, ${by}${bound}${limits === undefined ? '' : limitText(limits)}`;
}

function limitText({ rows, bytes, timeMs }: NonNullable<Explanation['limits']>): string {
  const all = [
    ...(rows === undefined ? [] : [`${rows} rows`]),
    ...(bytes === undefined ? [] : [sizeText(bytes)]),
    ...(timeMs === undefined ? [] : [durationText(timeMs)]),
  ];
  return `, and be ended if its answer came to more than ${all.join(' or ')}`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => ' '.repeat(INDENT) + line)];
}
