/** What a screen says when it has nothing to list: what is so, why, and what to do. Pure. */
import { readFilter } from '../state/filter.ts';
import { bodyRows } from '../state/layout.ts';
import type { LoginCode, ScreenName, UiState } from '../state/model.ts';
import { largeText } from './large-text.ts';
import { fitted, type Line, line, NOTHING, span, widthOf, wrapped } from './line.ts';
import { qrLines } from './qr.ts';

/** In lower windows large letters would push the code out of sight. */
const LARGE_FROM_ROWS = 18;
/** Of text beside a QR code: addresses are broken, sentences are not. */
const LEAST_COLUMNS = 44;

/** Where there is no list to be shown at all. @returns Undefined: there is one. */
export function connectionLines(state: UiState): readonly Line[] | undefined {
  const { connection, me, size } = state;
  const width = size.columns - 4;
  switch (connection.kind) {
    case 'online':
      return undefined;
    case 'connecting':
      return me === undefined ? indented([line('connecting to the gateway …', 'dim')]) : undefined;
    case 'offline': {
      if (me !== undefined) return undefined;
      const seconds = Math.max(0, Math.ceil((connection.retryMs - state.nowMs) / 1000));
      return indented([
        line('The gateway cannot be reached', 'bad'),
        NOTHING,
        ...said(connection.failure, width),
        NOTHING,
        ...told(`It is tried again in ${seconds} s; r tries now. hoopctl doctor looks for the cause.`, width),
      ]);
    }
    case 'logged-out':
      return indented([
        line('You are not logged in', 'warn'),
        NOTHING,
        ...said(connection.failure, width),
        NOTHING,
        ...keyed('L', 'logs in here: it shows a code, and you confirm it in any browser', width),
        ...keyed('r', 'looks again, if you have logged in elsewhere', width),
      ]);
    case 'failed':
      return indented([
        line(connection.failure.code === 'ERR_USAGE' ? 'Something is missing' : 'This cannot go on', 'bad'),
        NOTHING,
        ...said(connection.failure, width),
        NOTHING,
        ...keyed('r', 'tries again; hoopctl --help lists every command', width),
      ]);
    case 'login':
      return loginBody(connection.code, connection.note, state);
  }
}

function told(text: string, width: number): readonly Line[] {
  return wrapped(text, width).map((one) => line(one));
}

/** What a key does, below each other where the window is narrow. */
function keyed(key: string, text: string, width: number): readonly Line[] {
  return wrapped(text, width - 2).map((one, i) => [span(i === 0 ? `${key} ` : '  ', 'accent'), span(one)]);
}

/** Space between the text and the QR code beside it. */
const GAP = 2;

/** What to do, and beside it the same for a phone's camera, where the window has room for both. */
function loginBody(
  code: LoginCode | undefined,
  note: string | undefined,
  { size, charset }: Pick<UiState, 'size' | 'charset'>,
): readonly Line[] {
  const width = size.columns - 4;
  const rows = bodyRows(size);
  if (rows < LARGE_FROM_ROWS) return shortLogin(code, note, width);
  const text = (columns: number, more: readonly Line[] = []) =>
    indented([...loginLines(code, note, columns), ...more]);
  if (code?.qr === undefined) return text(width);
  const least = Math.max(LEAST_COLUMNS, ...largeText(code.userCode, width).map((row) => row.length));
  const qr = qrLines(code.qr, { columns: width - least - GAP, rows }, charset);
  if (qr === undefined)
    return text(width, [line('In a larger window there is a QR code of it as well.', 'dim')]);
  const left = size.columns - widthOf(qr[0]!) - GAP;
  const lines = text(left - GAP);
  return Array.from({ length: Math.max(lines.length, qr.length) }, (_, i) => [
    ...fitted(lines[i] ?? NOTHING, left),
    ...(qr[i] ?? NOTHING),
  ]);
}

/** What must be known, in as few lines as that takes. */
function shortLogin(code: LoginCode | undefined, note: string | undefined, width: number): readonly Line[] {
  if (code === undefined) return loginLines(code, note, width).map((one): Line => [span('  '), ...one]);
  return [
    [span('  code '), span(code.userCode, 'strong'), span(' at')],
    ...wrapped(code.uri, width).map((text): Line => [span('  '), span(text, 'accent')]),
    line(`  ${note ?? 'Waiting …'}`, 'dim'),
  ];
}

function loginLines(code: LoginCode | undefined, note: string | undefined, width: number): readonly Line[] {
  if (code === undefined) return [line('asking the identity provider for a code …', 'dim')];
  return [
    line(`Log in ${code.as}`, 'strong'),
    NOTHING,
    line('Open in any browser'),
    ...wrapped(code.uri, width).map((text) => line(text, 'accent')),
    NOTHING,
    line('and confirm that it shows this code'),
    NOTHING,
    ...largeText(code.userCode, width).map((text) => line(text, 'strong')),
    NOTHING,
    line(note ?? `It ends at ${new Date(code.expiresAt).toTimeString().slice(0, 5)}. Waiting …`, 'dim'),
  ];
}

function said(
  { message, hint }: { readonly message: string; readonly hint?: string | undefined },
  width: number,
) {
  return [
    ...wrapped(message, width).map((text) => line(text)),
    ...(hint === undefined ? [] : wrapped(hint, width).map((text) => line(text, 'accent'))),
  ];
}

const EMPTY_WORDS: Readonly<Record<ScreenName, readonly string[]>> = {
  resources: [
    'There is nothing here that you may reach.',
    'Whoever runs the gateway gives access, by policy.',
  ],
  feed: [
    'No operation is on record that you may see.',
    'What you and your agents do through the gateway appears here as it happens.',
  ],
  approvals: ['Nothing waits for approval.', 'A lists those that are decided.'],
  sessions: ['No session is on record that you may see.'],
};

/** Below the headings of a list without rows. */
export function emptyLines(state: UiState): readonly Line[] {
  const { screen, loads, filters, lists } = state;
  const { heardMs, failure, waits } = loads[screen];
  if (failure !== undefined && heardMs === undefined) return indented(said(failure, state.size.columns - 4));
  if (heardMs === undefined) return indented([line('loading …', 'dim')]);
  const mistake = screen === 'feed' ? readFilter(filters.feed, state.nowMs).mistake : undefined;
  if (mistake !== undefined)
    return indented([
      ...wrapped(mistake, state.size.columns - 4).map((one) => line(one, 'bad')),
      line('/ mends the filter', 'accent'),
    ]);
  if (filters[screen] === '')
    return indented(
      EMPTY_WORDS[screen].flatMap((text) =>
        wrapped(text, state.size.columns - 4).map((one) => line(one, 'dim')),
      ),
    );
  if (screen === 'feed' && (waits || filters.feed !== state.feedFilter))
    return indented([line('searching …', 'dim')]);
  const all = lists[screen].items.length;
  const rest = screen === 'feed' || all === 0 ? '' : ` of ${all}`;
  return indented(
    wrapped(`Nothing${rest} fits "${filters[screen]}".`, state.size.columns - 4).map((one) =>
      line(one, 'dim'),
    ),
  );
}

function indented(lines: readonly Line[]): readonly Line[] {
  return [NOTHING, ...lines.map((one): Line => [span('  '), ...one])];
}
