import type { NotReplayableReason, PolicyReplayReport, ReplayDifference } from '../../api/policy-replay.ts';
import { actorText } from '../with-gateway.ts';
import { renderTable } from './table.ts';
import { visible } from './text.ts';

/** Rules that are listed. */
const MAX_RULES = 20;

const REASONS: Readonly<Record<NotReplayableReason, string>> = {
  'not-recorded': 'from before hoopd kept what policy was asked',
  'too-large': 'what policy was asked was too large to be kept',
  'name-masked': 'what was touched is masked on record, or a text that is not kept in clear',
  'fact-not-recorded': 'the policies look at what no record holds',
  'unknown-action': 'the action is none of this hoopd',
  unreadable: 'written by another version of hoopd',
};

/**
 * What other policies would have decided, for people. Pure.
 *
 * @param width Columns of the terminal. @returns Lines without LF.
 */
export function renderReplay(report: PolicyReplayReport, width: number): string[] {
  const { policyVersion, verdicts, rules, notReplayable, differences, moreDifferences } = report;
  const changed = verdicts.filter(({ was, now }) => was !== now);
  const deciding = rules.slice(0, MAX_RULES);
  const missing = notReplayable.map(({ reason, what, count }) => [
    count,
    `${REASONS[reason] ?? visible(reason)}${what === undefined ? '' : `: ${what}`}`,
  ]);
  return [
    `policies ${visible(policyVersion)}, asked what was asked in ${spanOf(report)}`,
    countsOf(report),
    ...section(
      'what would change',
      changed.map(({ was, now, count }) => [count, `${was} → ${now}`]),
      ['DECISIONS', 'VERDICT'],
      width,
    ),
    ...section(
      'by rule',
      deciding.map((one) => [one.decided, one.changed, one.rule]),
      ['DECIDED', 'CHANGED', 'RULE'],
      width,
    ),
    ...(rules.length > deciding.length ? [`  … and ${rules.length - deciding.length} more rules`] : []),
    ...section('not replayable', missing, ['DECISIONS', 'WHY'], width),
    ...differences.flatMap(differenceLines),
    ...(moreDifferences === undefined ? [] : ['', `… and ${moreDifferences} more kinds of difference`]),
  ];
}

function spanOf({ events, newest, oldest, more }: PolicyReplayReport): string {
  const span = oldest === undefined ? '' : `, ${visible(oldest)} to ${visible(newest ?? oldest)}`;
  return `${events} decisions${span}${more === true ? '; older ones were not looked at' : ''}`;
}

function countsOf({ same, changed, refused, notReplayable }: PolicyReplayReport): string {
  const missing = notReplayable.reduce((sum, { count }) => sum + count, 0);
  return `${same} as they were decided, ${changed} otherwise, ${refused} refused under any policy, ${missing} not replayable`;
}

function differenceLines(one: ReplayDifference): string[] {
  const { was, now, count, at, events, resource, actions, objects, text, rulesWere, rules, reason } = one;
  const by = (names: readonly string[]) => (names.length === 0 ? 'no rule' : names.map(visible).join(', '));
  return [
    '',
    `${count} × ${was} → ${now}: ${actorText({ name: one.actor, person: one.person })} on ${visible(resource)}, last ${visible(at)}`,
    `  ${visible(text).replace(/\s+/g, ' ').trim()}`,
    `  ${visible(actions.join(', '))} on ${visible(objects.join(', '))}`,
    `  was by ${by(rulesWere)}; now by ${by(rules)}`,
    ...(reason === undefined ? [] : [`  ${visible(reason)}`]),
    `  ${events.map(visible).join(' ')}`,
  ];
}

function section(
  title: string,
  rows: readonly (readonly (string | number)[])[],
  headings: readonly string[],
  width: number,
): string[] {
  if (rows.length === 0) return [];
  return ['', `${title}:`, ...renderTable(headings, rows, width - 2).map((line) => `  ${line}`)];
}
