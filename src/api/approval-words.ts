/** What a request for approval means, in words: the same on every screen. Whatever a stranger wrote is as they wrote it. */
import { spanText } from '../core/span.ts';
import type { ApprovalItem, ApprovalStatus, ApprovalTrial, FirstRows, ShownValue } from './approvals.ts';

/**
 * What a yes would do, or what became of the request: whole sentences.
 *
 * Pure. Names in it are not made safe for a screen: whoever shows it does that.
 */
export function meaningOf(item: ApprovalItem, nowMs: number): string {
  const { status, window, actor, resource, expiresAt } = item;
  if (status !== 'pending') return SETTLED[status](item, nowMs);
  const who = `this instance of ${actor}`;
  const does =
    window === undefined
      ? `exactly this is done once, for ${who}, within ${leftText(expiresAt, nowMs)}.`
      : `${who} may open ${resource} as often as it likes for ${spanText(window * 1000)} from then on.`;
  return `Once all have said yes, ${does} Whatever differs in anything is asked again.`;
}

type Settled = Exclude<ApprovalStatus, 'pending'>;

const SETTLED: Readonly<Record<Settled, (item: ApprovalItem, nowMs: number) => string>> = {
  approved: ({ window, usedBy, expiresAt }, nowMs) => {
    if (window !== undefined) return `It is open for another ${leftText(expiresAt, nowMs)}.`;
    return usedBy === undefined
      ? 'It is done when exactly the same is sent again.'
      : 'It was done once. The same is asked again.';
  },
  denied: () => 'It was refused, and is not done.',
  expired: () =>
    'Nobody decided in time, which is not a no. Nobody can decide it any more: sent again, it is asked anew, as another request.',
  cancelled: () => 'It was taken back, and is not done.',
  failed: () => 'It could not be decided. The same is asked again.',
};

/** `approved, used` is one that was for one use. */
export function standingOf({ status, usedBy }: ApprovalItem): string {
  return status === 'approved' && usedBy !== undefined ? 'approved, used' : status;
}

/** How long it may still be decided or used: `59 min`; undefined: not any more. Pure. */
export function timeLeft({ status, expiresAt, usedBy }: ApprovalItem, nowMs: number): string | undefined {
  const open = status === 'pending' || (status === 'approved' && usedBy === undefined);
  return open && Date.parse(expiresAt) > nowMs ? leftText(expiresAt, nowMs) : undefined;
}

function leftText(expiresAt: string, nowMs: number): string {
  return spanText(Date.parse(expiresAt) - nowMs);
}

/** What is masked for the one who asks, each by its name; undefined: nothing is. */
export function maskedNames({
  masked,
  resource,
}: Pick<ApprovalItem, 'masked' | 'resource'>): readonly string[] | undefined {
  return masked?.map((name) => (name === `${resource}/detected` ? 'whatever detectors find' : name));
}

/** `runId=7 repository=org/shop`. */
export function pairsText(record: Readonly<Record<string, string>>): string {
  return Object.entries(record)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

/** Why what it would change cannot be counted; undefined: it can, or nothing is to be decided any more. Pure. */
export function notTriedText({ status, notTried }: ApprovalItem): string | undefined {
  if (status !== 'pending' || notTried === undefined) return undefined;
  return `What it would change cannot be counted: ${notTried}.`;
}

/** What a text is that is masked from its first octet to its last. */
const ALL_MASKED = "'***'";

/**
 * What is asked, in a line of a list: the masked text, or, where nothing of that is left, what it would do to what. Pure.
 *
 * @returns Not made safe for a screen.
 */
export function askedText({ text, actions, objects }: ApprovalItem): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line === ALL_MASKED ? `${actions.join(', ')}: ${objects.join(', ')}` : line;
}

/** Whose yes is missing, where it is not that of whoever looks; undefined: it is, or nothing is to be decided any more. Pure. */
export function notMineText({ status, mine, notMine }: ApprovalItem): string | undefined {
  if (status !== 'pending' || mine.length > 0) return undefined;
  return notMine === undefined ? 'It waits for others.' : `It waits for others: ${notMine}.`;
}

/** That whoever looks may still say no to what waits for others; undefined: they may not, or a yes of theirs is missing as well. Pure. */
export function stillDenyText({ status, mine, mayDeny }: ApprovalItem): string | undefined {
  if (status !== 'pending' || mine.length > 0 || mayDeny !== true) return undefined;
  return 'You may still say no: that ends it, whoever has said yes.';
}

/** What a try came to, and what is to be known of that. Pure. */
export function trialWords(trial: ApprovalTrial): {
  readonly outcome: string;
  readonly notes: readonly string[];
} {
  const { command = '', rows = 0, fails, changed, catches, notShown } = trial;
  const notes = [
    ...(notShown === undefined ? [] : [`Rows are not shown: ${notShown}.`]),
    ...(changed
      ? ['What is defined at the target has changed since it was asked: it will be asked anew.']
      : []),
    ...(catches ? ['Code in it catches errors: what it undid by itself is counted as well.'] : []),
  ];
  const outcome =
    fails === undefined
      ? `${command} of ${rows} ${rows === 1 ? 'row' : 'rows'}. It was undone; nothing was kept.`
      : `It would fail: ${fails.reason} (${fails.status}). Nothing was kept.`;
  return { outcome, notes };
}

/** One row, before and after: a line for each column. */
export interface RowWords {
  readonly title: string;
  readonly lines: readonly {
    readonly column: string;
    readonly before: string;
    readonly after: string;
    /** Of a row that is there before and after, as far as it is shown. */
    readonly changed: boolean;
  }[];
}

/** The first rows of a try, as everybody shows them. Pure. */
export function rowWords({ object, columns, rows, leftOut }: FirstRows): {
  readonly heading: string;
  readonly rows: readonly RowWords[];
  readonly leftOut: string | undefined;
} {
  const heading = `The first ${rows.length === 1 ? 'row' : `${rows.length} rows`} of ${object}`;
  const tables = rows.map(({ before, after }, at) => ({
    title: `${at + 1}: ${fateOf(before, after)}`,
    lines: columns.map((column, index) => {
      const [was, is] = [valueText(before?.[index]), valueText(after?.[index])];
      return {
        column,
        before: was,
        after: is,
        changed: before !== undefined && after !== undefined && was !== is,
      };
    }),
  }));
  return {
    heading,
    rows: tables,
    leftOut: leftOut.length === 0 ? undefined : `Not shown: ${leftOut.join(', ')}.`,
  };
}

function fateOf(before: unknown, after: unknown): string {
  if (before === undefined) return 'would be new';
  return after === undefined ? 'would be gone' : 'would be changed';
}

/** `'text'`, `NULL`; nothing where there is no such row. */
function valueText(value: ShownValue | undefined): string {
  if (value === undefined) return '';
  const { text, masked, cut } = value;
  const said = text === null ? 'NULL' : masked === true ? text : `'${text}${cut === true ? '…' : ''}'`;
  return masked === true ? `${said} (masked)` : said;
}
