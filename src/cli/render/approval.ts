import {
  maskedNames,
  meaningOf,
  notMineText,
  notTriedText,
  pairsText,
  standingOf,
  stillDenyText,
  timeLeft,
} from '../../api/approval-words.ts';
import type { ApprovalItem } from '../../api/approvals.ts';
import { type Charset, exact } from '../../core/terminal/charset.ts';
import { wrapped } from '../../core/terminal/prose.ts';
import { allVisible, foreignCharacters } from '../../core/visible.ts';
import { renderFacts } from './table.ts';
import { visible } from './text.ts';

const BAR = '  | ';

/**
 * A request for approval as people decide it: who asks, why, exactly what, and what a yes would do.
 *
 * Pure. Whatever strangers wrote is shown so that nothing hides in it or moves.
 *
 * @param width Columns of the terminal. What was asked, exactly, is broken nowhere.
 * @returns Lines without LF.
 */
export function renderApproval(
  item: ApprovalItem,
  nowMs: number,
  width = Number.POSITIVE_INFINITY,
  charset: Charset = 'utf-8',
): string[] {
  const facts: (readonly [string, string | undefined])[] = [
    ['request', item.id],
    ['status', statusText(item, nowMs)],
    ['page', item.page],
    ['asked', item.at],
    ['by', item.person === undefined ? item.actor : `${item.actor} for ${item.person}`],
    ['attested', `${pairsText(item.attested)} (by ${item.issuer})`.trimStart()],
    ['says of itself', unchecked(pairsText(item.declared))],
    ['says why', unchecked(item.reason)],
    ['instance', item.instance],
    ['session', item.session],
    ['at', `${item.resource} (${item.protocol})`],
    ['would do', item.actions.join(', ')],
    ['to', item.objects.join(', ')],
    ['masked', maskedNames(item)?.join(', ')],
    ...item.rules.map(
      ({ id, reason }) => ['because', reason === undefined ? id : `${id}: ${reason}`] as const,
    ),
    ...item.needs.map(({ name, count, given }) => ['needs', `${name}: ${given} of ${count}`] as const),
    ...item.votes.map(({ by, names, at }) => ['yes', `${by} as ${names.join(', ')}, ${at}`] as const),
    ['ended by', item.endedBy],
    ['reason', item.endReason],
    ['used by', item.usedBy],
    ['policy', item.policyVersion],
    ['binding', item.binding],
  ];
  const means = meaning(item, nowMs).flatMap((line) => wrapped(line, width).split('\n'));
  const lines = [...renderFacts(facts, width), '', ...exactLines(item), '', ...means];
  return lines.map((line) => exact(line, charset));
}

/** `approval list` and `approval watch` in a few words. */
export function statusText(item: ApprovalItem, nowMs: number): string {
  const left = timeLeft(item, nowMs);
  return left === undefined ? standingOf(item) : `${item.status} until ${item.expiresAt} (${left})`;
}

function exactLines({ original, text, sha256 = {}, formatted }: ApprovalItem): string[] {
  if (original === undefined) return ['what was asked, values masked:', ...block(formatted ?? text)];
  const inLines =
    formatted === undefined || Object.values(original).includes(formatted)
      ? []
      : ['the same in lines, nothing else changed:', ...block(formatted)];
  const parts = Object.entries(original).flatMap(([name, value]) => {
    if (typeof value === 'string') {
      const hash = sha256[name] === undefined ? [] : [`SHA-256 ${visible(sha256[name])}`];
      return [`${visible(name)}, exactly:`, ...block(value), ...hash];
    }
    return value.map(
      (one, i) => `${visible(name)} ${i + 1}: ${one === null ? 'NULL' : `'${allVisible(one)}'`}`,
    );
  });
  const strange = foreignCharacters(JSON.stringify(Object.values(original)));
  const all = [...inLines, ...parts];
  return strange === '' ? all : [...all, `has characters beyond ASCII: ${strange}`];
}

function block(text: string): string[] {
  return text.split('\n').map((line) => BAR + allVisible(line));
}

function meaning(item: ApprovalItem, nowMs: number): string[] {
  const means = visible(meaningOf(item, nowMs));
  if (item.status !== 'pending') return [means];
  const others = notMineText(item);
  const still = stillDenyText(item);
  if (others !== undefined)
    return [
      means,
      visible(others),
      ...(still === undefined ? [] : [`${still} (hoopctl approval deny ${item.id})`]),
    ];
  const counts = notTriedText(item) ?? `What it would change is counted by: hoopctl approval try ${item.id}`;
  return [means, visible(counts), `Your yes is one as ${item.mine.map(visible).join(' and ')}.`];
}

/** What nobody vouches for says so. */
function unchecked(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : `${JSON.stringify(text)} (not checked)`;
}
