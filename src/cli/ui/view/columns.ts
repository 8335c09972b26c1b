/** The columns of each list. Pure. */
import { askedText, standingOf, timeLeft } from '../../../api/approval-words.ts';
import { eventRow, HEADINGS } from '../../audit/event-row.ts';
import type { List } from '../state/list.ts';
import type { Items, ScreenName, TunnelState, UiState } from '../state/model.ts';
import { type Span, span, type Tone } from './line.ts';
import type { Column } from './table.ts';
import { clockText } from './when.ts';

type ColumnsOf = { readonly [K in ScreenName]: (state: UiState) => readonly Column<Items[K]>[] };

const DECISION_TONES: Readonly<Record<string, Tone>> = { allow: 'good', deny: 'bad', hold: 'warn' };

export function decisionTone(decision: unknown): Tone {
  return DECISION_TONES[String(decision)] ?? 'plain';
}

/** From here on a resource and its tunnel have columns of their own. */
const APART_FROM = 60;

export const COLUMNS: ColumnsOf = {
  resources: ({ tunnels }) => [
    { heading: 'NAME', width: 'rest', cell: ({ name }) => name },
    { heading: 'PROTOCOL', width: 10, from: 68, cell: ({ protocol }) => protocol },
    // In a narrow list one column has both: whoever has a tunnel knows that it was allowed.
    {
      heading: 'TUNNEL',
      width: 16,
      below: APART_FROM,
      cell: (item) => (tunnels.has(item.name) ? tunnelSpan(tunnels.get(item.name)) : accessSpan(item)),
    },
    { heading: 'ACCESS', width: 14, from: APART_FROM, cell: accessSpan },
    { heading: 'MASKED', width: 6, from: 76, cell: ({ masks }) => (masks ? 'yes' : 'no') },
    { heading: 'TUNNEL', width: 16, from: APART_FROM, cell: ({ name }) => tunnelSpan(tunnels.get(name)) },
  ],
  feed: ({ nowMs, lists }) => {
    // As the command's table has them: what it does not know it leaves empty.
    const cell = (heading: (typeof HEADINGS)[number]) => (event: Items['feed']) =>
      eventRow(event)[HEADINGS.indexOf(heading)] ?? '';
    return [
      {
        heading: 'TIME',
        width: timeWidth(lists.feed, ({ at }) => at, nowMs),
        cell: ({ at }) => clockText(at, nowMs),
      },
      {
        heading: 'DECISION',
        width: 9,
        cell: (event) => span(cell('DECISION')(event), decisionTone(event['decision'])),
      },
      { heading: 'RESULT', width: 8, from: 60, cell: resultSpan },
      { heading: 'WHO', width: 14, from: 78, cell: (event) => cell('WHO')(event).replace(/ for .*/s, '') },
      { heading: 'RESOURCE', width: 10, from: 50, cell: cell('RESOURCE') },
      { heading: 'ROWS', width: 5, from: 90, cell: cell('ROWS') },
      { heading: 'WHAT', width: 'rest', cell: (event) => cell('TEXT')(event) || event.type },
    ];
  },
  approvals: ({ nowMs, lists, settledToo }) => [
    {
      heading: 'ASKED',
      width: timeWidth(lists.approvals, ({ at }) => at, nowMs),
      from: settledToo ? 70 : 60,
      cell: ({ at }) => clockText(at, nowMs),
    },
    // Where all of them wait, how long they will is worth more.
    ...(settledToo
      ? [
          {
            heading: 'STATUS',
            width: 14,
            cell: (item: Items['approvals']) => span(standingOf(item), STATUS_TONES[item.status] ?? 'plain'),
          },
        ]
      : []),
    { heading: 'LEFT', width: 6, from: settledToo ? 90 : 0, cell: (item) => timeLeft(item, nowMs) ?? '' },
    // Whether one's own yes is missing is worth its room in any window.
    { heading: 'NEEDS', width: 5, below: 90, cell: ownPart },
    { heading: 'WHO', width: 14, from: settledToo ? 90 : 78, cell: ({ actor }) => actor },
    { heading: 'RESOURCE', width: 10, from: 50, cell: ({ resource }) => resource },
    { heading: 'NEEDS', width: 14, from: 90, cell: needsText },
    { heading: 'WHAT', width: 'rest', cell: askedText },
  ],
  sessions: ({ nowMs, lists }) => [
    {
      heading: 'STARTED',
      width: timeWidth(lists.sessions, ({ startedAt }) => startedAt, nowMs),
      from: 50,
      cell: ({ startedAt }) => clockText(startedAt, nowMs),
    },
    {
      heading: 'STATE',
      width: 5,
      cell: ({ endedAt }) => (endedAt === undefined ? span('live', 'good') : span('ended', 'dim')),
    },
    {
      heading: 'WHO',
      width: 'rest',
      cell: ({ actor, person }) => (person && person !== actor ? `${actor} for ${person}` : actor),
    },
    { heading: 'RESOURCE', width: 12, cell: ({ resource }) => resource },
    { heading: 'OPS', width: 6, from: 70, cell: ({ operations }) => String(operations) },
    {
      heading: 'DENIED',
      width: 6,
      from: 60,
      cell: ({ denied }) => (denied > 0 ? span(String(denied), 'bad') : '0'),
    },
  ],
};

/** Hours alone where all that are listed are of today. */
function timeWidth<T>({ shown }: List<T>, atOf: (item: T) => string, nowMs: number): number {
  const last = shown.at(-1);
  return last === undefined ? HOURS : Math.max(HOURS, clockText(atOf(last), nowMs).length);
}

const HOURS = 8;

/** What became of an allowed operation, in the target's own word where it has one. */
function resultSpan({ outcome, status }: Items['feed']): Span {
  if (outcome === undefined) return span('');
  const word =
    typeof status === 'string' && status !== '' ? status : outcome === 'success' ? 'done' : String(outcome);
  return span(word, outcome === 'failure' ? 'bad' : 'plain');
}

const STATUS_TONES: Readonly<Record<string, Tone>> = {
  pending: 'warn',
  approved: 'good',
  denied: 'bad',
  failed: 'bad',
};

function needsText({ needs, mine }: Items['approvals']): string {
  const names = needs.map(({ name, count, given }) => `${name} ${given}/${count}`).join(', ');
  return mine.length > 0 ? `${names} (you)` : names;
}

/** `you` where one's own yes is missing, else how far it is. */
function ownPart({ status, needs, mine }: Items['approvals']): string | Span {
  if (mine.length > 0) return span('you', 'warn');
  if (status !== 'pending') return '';
  const sum = (of: (need: (typeof needs)[number]) => number) =>
    needs.reduce((all, need) => all + of(need), 0);
  return `${sum(({ given }) => given)}/${sum(({ count }) => count)}`;
}

function accessSpan({ access }: Items['resources']): Span {
  return access === 'allow' ? span('allowed', 'good') : span('needs approval', 'warn');
}

function tunnelSpan(tunnel: TunnelState | undefined): Span {
  switch (tunnel?.kind) {
    case undefined:
      return span('');
    case 'opening':
      return span('opening …', 'warn');
    case 'waiting':
      return span(`waits for ${tunnel.needs}`, 'warn');
    case 'open':
      return span(tunnel.where, 'good');
    case 'failed':
      return span('failed', 'bad');
  }
}
