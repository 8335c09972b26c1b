/** What stands around every screen: title, context, notices, keys. Pure. */
import { drawn } from '../../../core/terminal/charset.ts';
import { allVisible } from '../../../core/visible.ts';
import { displayWidth } from '../../render/text.ts';
import { COMMAND_WORDS } from '../state/commands.ts';
import { readFilter } from '../state/filter.ts';
import { bodyRows, MAX_INPUT } from '../state/layout.ts';
import { overdueMs } from '../state/loads.ts';
import { SCREENS, type ScreenName, type UiState } from '../state/model.ts';
import { failureText } from '../state/notices.ts';
import { detailLines } from './details.ts';
import { helpLines, shortKeys, TITLES } from './help.ts';
import { ends, type Line, line, NOTHING, type Span, span, widthOf, wrapped } from './line.ts';
import { clockText } from './when.ts';

/** From here on the gateway is said to be slow, ms. */
const SLOW_MS = 2_000;
const CURSOR = '▏';
/** Of a longer notice the rest is left out. */
const MAX_NOTICE_ROWS = 4;
/** Narrower windows have the screens' names alone. */
const NAME_FROM_COLUMNS = 90;
const UNTIL_FROM_COLUMNS = 100;

export function titleLine(state: UiState): Line {
  const { tabs, mode } = titleParts(state);
  return ends([...nameSpans(state), ...tabs], mode, state.size.columns);
}

/** Where not all fits, the screens that are not shown keep their number alone, and then what is as usual goes: which screen it is stays. */
function titleParts(state: UiState): { readonly tabs: readonly Span[]; readonly mode: Line } {
  const room = state.size.columns - widthOf(nameSpans(state)) - 1;
  const forms = [
    { tabs: tabSpans(state), mode: modeSpans(state) },
    { tabs: tabSpans(state, 'short'), mode: modeSpans(state) },
    { tabs: tabSpans(state, 'short'), mode: modeSpans(state, 'short') },
  ];
  return forms.find(({ tabs, mode }) => widthOf(tabs) + widthOf(mode) <= room) ?? forms.at(-1)!;
}

function nameSpans({ size }: UiState): Line {
  return size.columns >= NAME_FROM_COLUMNS ? [span(' hoopctl ', 'strong')] : NOTHING;
}

/** One for each screen, in their order. */
function tabSpans(state: UiState, form?: 'short'): readonly Span[] {
  return SCREENS.map((name, i) => {
    const named = form === undefined || name === state.screen;
    const title = `${i + 1}${named ? ` ${TITLES[name]}` : ''}${badgeOf(state, name)}`;
    return name === state.screen ? span(`[${title}]`, 'chosen') : span(` ${title} `);
  });
}

/** The screen whose name stands at a column of the title. */
export function screenAt(state: UiState, column: number): ScreenName | undefined {
  let end = widthOf(nameSpans(state));
  if (column < end) return undefined;
  const { tabs } = titleParts(state);
  return SCREENS.find((_, i) => {
    end += widthOf([tabs[i]!]);
    return column < end;
  });
}

/** Requests that wait, and open tunnels, are seen from everywhere. */
function badgeOf({ lists, tunnels }: UiState, screen: ScreenName): string {
  const count =
    screen === 'approvals'
      ? lists.approvals.items.filter(({ status }) => status === 'pending').length
      : screen === 'resources'
        ? [...tunnels.values()].filter(({ kind }) => kind === 'open').length
        : 0;
  return count === 0 ? '' : ` (${count})`;
}

function modeSpans({ decides, connection }: UiState, form?: 'short'): Line {
  const states: Readonly<Record<UiState['connection']['kind'], Span>> = {
    online: span('● online ', 'good'),
    connecting: span('… connecting ', 'warn'),
    offline: span('✗ offline ', 'bad'),
    'logged-out': span('✗ logged out ', 'bad'),
    failed: span('✗ failed ', 'bad'),
    login: span('… logging in ', 'warn'),
  };
  const state = states[connection.kind];
  if (form === 'short')
    return decides ? [span('may decide ', 'warn'), { ...state, text: `${state.text.charAt(0)} ` }] : [state];
  return [span(decides ? 'may decide  ' : 'read-only  ', decides ? 'warn' : 'dim'), state];
}

export function contextLine({ me, size, nowMs, charset }: UiState): Line {
  if (me === undefined) return [];
  const as = me.tunnelsAs === undefined ? '' : ` · tunnels as ${me.tunnelsAs}`;
  const whole = drawn(` ${me.name} at ${me.gateway}${as}`, charset);
  // Who one is, and as whom tunnels are opened, is more than where.
  const text = displayWidth(whole) <= size.columns ? whole : drawn(` ${me.name}${as}`, charset);
  const until =
    size.columns < UNTIL_FROM_COLUMNS ? [] : line(`until ${clockText(me.deadline, nowMs)} `, 'dim');
  return ends(line(text, 'dim'), until, size.columns);
}

/**
 * What is typed, what is to be known, or how much there is: a line, or of what is longer than the window a few, over the last rows of
 * what is shown. Never over a request that is decided: each of its lines must have been seen.
 */
export function noticeLines(state: UiState): readonly Line[] {
  const { notice, input, overlay, size, charset } = state;
  const isOne = input !== undefined || overlay?.kind === 'quit' || overlay?.kind === 'decide';
  const [said] = notice === undefined ? statusLine(state) : line(notice.text, notice.tone);
  if (isOne || said === undefined || (notice === undefined && said.tone !== 'bad'))
    return [noticeLine(state)];
  const lines = wrapped(drawn(said.text.trimStart(), charset), size.columns - 2).slice(0, MAX_NOTICE_ROWS);
  if (lines.length === 1) return [noticeLine(state)];
  return lines.map((text) => line(` ${text}`, said.tone));
}

function noticeLine(state: UiState): Line {
  const { input, notice, overlay, size } = state;
  if (input !== undefined) return inputLine(state, input);
  if (overlay?.kind === 'quit') {
    const count = state.tunnels.size;
    return line(
      ` ${count === 1 ? 'a tunnel is' : `${count} tunnels are`} open and would end. Leave? y yes, any other key no`,
      'warn',
    );
  }
  if (notice !== undefined) return line(` ${notice.text}`, notice.tone);
  return ends(statusLine(state), placeSpans(state), size.columns);
}

function inputLine(state: UiState, input: NonNullable<UiState['input']>): Line {
  const { size, nowMs, screen, charset } = state;
  const { kind } = input;
  const text = endOf(drawn(allVisible(input.text), charset), size.columns);
  const full = [...input.text].length >= MAX_INPUT ? line('no room for more ', 'warn') : undefined;
  if (kind === 'reason')
    return ends([span(' why: ', 'accent'), span(text), span(CURSOR, 'accent')], full ?? [], size.columns);
  if (kind === 'filter') {
    const mistake = screen === 'feed' ? readFilter(input.text, nowMs).mistake : undefined;
    const left = [span(' /', 'accent'), span(text), span(CURSOR, 'accent')];
    return ends(
      left,
      mistake === undefined ? (full ?? placeSpans(state)) : line(`${mistake} `, 'bad'),
      size.columns,
    );
  }
  const [word = ''] = input.text.split(' ');
  const fits = COMMAND_WORDS.filter((known) => known.startsWith(word)).join(' ');
  return ends(
    [span(' :', 'accent'), span(text), span(CURSOR, 'accent')],
    line(`${fits} `, 'dim'),
    size.columns,
  );
}

/** Half of what is before the cursor fits in any case, and what stands on the right beside it. */
function endOf(text: string, columns: number): string {
  const room = Math.max(8, Math.floor(columns / 2));
  if (displayWidth(text) <= room) return text;
  const characters = [...text];
  let width = 1;
  let from = characters.length;
  while (from > 0 && width + displayWidth(characters[from - 1]!) <= room)
    width += displayWidth(characters[--from]!);
  return `…${characters.slice(from).join('')}`;
}

function statusLine(state: UiState): Line {
  const { screen, loads, connection, nowMs } = state;
  const load = loads[screen];
  if (connection.kind === 'offline' && state.me !== undefined) {
    const seconds = Math.ceil((connection.retryMs - nowMs) / 1000);
    const heard = load.heardMs === undefined ? '' : ` this is of ${clockText(load.heardMs, nowMs)};`;
    const again = seconds > 0 ? `again in ${seconds} s, by r now` : 'trying again …';
    return line(`${heard} ${again}: ${connection.failure.message}`, 'bad');
  }
  if (load.failure !== undefined) return line(` ${failureText(load.failure)}`, 'bad');
  const overdue = overdueMs(state, screen);
  if (overdue > SLOW_MS)
    return line(` the gateway has not answered for ${Math.floor(overdue / 1000)} s …`, 'warn');
  if (state.overlay !== undefined) return [];
  const filter = state.filters[screen];
  const mistake = screen === 'feed' ? readFilter(filter, nowMs).mistake : undefined;
  if (mistake !== undefined) return line(` not searched: ${mistake}`, 'bad');
  if (filter !== '')
    return [
      span(' filter ', 'dim'),
      span(drawn(filter, state.charset), 'accent'),
      span('  Esc takes it away', 'dim'),
    ];
  if (screen !== 'feed' || load.heardMs === undefined) return [];
  return state.paused ? line(' held still: Space goes on', 'warn') : line(' live', 'good');
}

/** `3 of 120`, and that there is more. */
function placeSpans(state: UiState): Line {
  const { lists, screen, loads, overlay, size } = state;
  if (overlay?.kind === 'transcript')
    return line(`line ${overlay.top + 1} of ${overlay.lines.length} `, 'dim');
  if (overlay?.kind === 'details' || overlay?.kind === 'help') {
    const all = overlay.kind === 'help' ? helpLines(screen, size.columns - 2) : detailLines(state);
    const below = all.length - overlay.top - bodyRows(size);
    return below > 0 ? line(`${below} more ${below === 1 ? 'line' : 'lines'} below `, 'accent') : [];
  }
  if (overlay !== undefined) return [];
  const { shown, at } = lists[screen];
  const more = loads[screen].next === undefined ? '' : '+';
  return shown.length === 0 ? [] : line(`${at + 1} of ${shown.length}${more} `, 'dim');
}

/** Keys that mean something now, as many as fit; the help, which has all of them, in any case. */
export function bottomLine(state: UiState): Line {
  const keys = keysNow(state).map(([key, text]) => ({
    help: key === '?',
    spans: [span(` ${key} `, 'accent'), span(`${text} `, 'dim')],
  }));
  const after = keys.findIndex(({ help }) => help);
  const fits = (last: number) =>
    widthOf(keys.flatMap(({ spans }, i) => (i <= last || i === after ? spans : NOTHING))) <=
    state.size.columns;
  const last = keys.findLastIndex((_, i) => fits(i));
  return keys.flatMap(({ spans }, i) => (i <= last || i === after ? spans : NOTHING));
}

const READING = [
  ['↑↓', 'read'],
  ['Esc', 'back'],
] as const;

const AGAIN = [
  ['r', 'try again'],
  ['?', 'help'],
  ['q', 'quit'],
] as const;

function keysNow({
  screen,
  overlay,
  input,
  connection,
  me,
}: UiState): readonly (readonly [string, string])[] {
  if (input !== undefined)
    return [
      ['Enter', input.kind === 'filter' ? 'keep' : 'go'],
      ['Esc', input.kind === 'filter' ? 'clear' : 'back'],
      ['Ctrl-U', 'empty'],
    ];
  if (overlay?.kind === 'quit') return [];
  if (connection.kind === 'login')
    return [
      ['Esc', 'stop'],
      ['q', 'quit'],
    ];
  if (connection.kind === 'logged-out' && overlay === undefined) return [['L', 'log in'], ...AGAIN];
  const nothing = connection.kind === 'failed' || (connection.kind !== 'online' && me === undefined);
  if (nothing && overlay === undefined) return AGAIN;
  switch (overlay?.kind) {
    case 'help':
      return READING;
    case 'transcript':
      return overlay.status === 'live'
        ? [...READING, ['G', 'the newest'], ['p', 'watch it drawn']]
        : [...READING, ['r', 'read again'], ['p', 'play in its own time']];
    case 'decide':
      return overlay.word === 'deny'
        ? [['y', 'deny'], ['r', 'reason'], ...READING]
        : [['y', 'approve'], ...READING];
    case 'details':
      return [...READING, ...shortKeys(screen).filter(([key]) => !/^(Enter|\/|:|\?|q)$/.test(key))];
    default:
      return shortKeys(screen);
  }
}
