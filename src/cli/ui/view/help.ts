/** Every key, for the help and for what stands at the bottom of each screen. */
import { SCREENS, type ScreenName } from '../state/model.ts';
import { fitted, type Line, line, NOTHING, span, wrapped } from './line.ts';

interface KeyHelp {
  readonly keys: string;
  readonly text: string;
  /** For the bottom line, where it is among the first that one needs. */
  readonly short?: string;
}

const EVERYWHERE: readonly KeyHelp[] = [
  { keys: '1 2 3 4, Tab', text: 'resources, feed, approvals, sessions' },
  {
    keys: '↑ ↓, j k',
    text: 'one row; Page up, Page down or Ctrl-B, Ctrl-F a page, g G the ends',
  },
  { keys: 'Enter', text: 'details, or a session’s transcript', short: 'details' },
  { keys: 'Esc', text: 'back; takes the filter away' },
  { keys: '/', text: 'filter as you type; on the feed it searches the audit', short: 'filter' },
  { keys: ':', text: 'go to a screen, a session (ses_…) or a request (apr_…)', short: 'go to' },
  { keys: 'r', text: 'ask the gateway again, now' },
  { keys: 'L', text: 'log in, where the login is missing or over' },
  {
    keys: 'm',
    text: 'the mouse, on or off: its wheel scrolls, a click chooses a row or a screen; while it is on, Shift selects text',
  },
  { keys: 'Ctrl-Z', text: 'back to the shell until fg; open tunnels stand still meanwhile' },
  { keys: '?', text: 'this help', short: 'help' },
  { keys: 'q, Ctrl-C', text: 'leave; open tunnels end', short: 'quit' },
];

/** By screen, in the order of its bottom line. */
const ON_SCREEN: Readonly<Record<ScreenName, readonly KeyHelp[]>> = {
  resources: [
    { keys: 'o', text: 'open a tunnel, or ask for the approval that it needs', short: 'open' },
    { keys: 'x', text: 'close it', short: 'close' },
    { keys: 'c', text: 'copy its connection string', short: 'copy' },
    { keys: 'e', text: 'copy the commands that use it' },
    { keys: 'f', text: 'what happened there: the feed of this resource', short: 'feed' },
  ],
  feed: [
    { keys: 'Space', text: 'hold the feed still, and let it go on', short: 'hold' },
    { keys: 's', text: 'the session of this operation', short: 'session' },
    { keys: 'c', text: 'copy the event’s id' },
  ],
  approvals: [
    { keys: 'W', text: 'allow deciding here, or be read-only again', short: 'read-only on/off' },
    { keys: 'a', text: 'approve: shows exactly what, and asks', short: 'approve' },
    { keys: 'd', text: 'deny: shows exactly what, and asks; r gives a reason', short: 'deny' },
    { keys: 'A', text: 'list those that are decided as well', short: 'all' },
    { keys: 'f', text: 'the story of this request in the feed' },
    { keys: 'c', text: 'copy the request’s id' },
  ],
  sessions: [
    { keys: 'Enter', text: 'what was asked and shown, as text; while the session lives, as it comes' },
    {
      keys: 'p',
      text: 'play it in its own time, or watch one that lives; terminals are drawn',
      short: 'play',
    },
    { keys: 'f', text: 'its operations in the feed', short: 'feed' },
    { keys: 'c', text: 'copy the session’s id', short: 'copy id' },
  ],
};

const FILTERS: readonly KeyHelp[] = [
  { keys: 'words', text: 'in what was asked, masked; the last one may be a beginning' },
  { keys: 'decision:deny', text: 'allow, deny, hold, explained' },
  { keys: 'outcome:failure', text: 'success, failure, unknown' },
  { keys: 'since:1h', text: 'from then on; until: before then' },
  { keys: 'type:approval.*', text: 'other events than operations; type:any for all' },
  { keys: 'agent: person: resource:', text: 'and model: object: action: session: instance: run: approval:' },
];

export const TITLES: Readonly<Record<ScreenName, string>> = {
  resources: 'Resources',
  feed: 'Feed',
  approvals: 'Approvals',
  sessions: 'Sessions',
};

const KEYS_COLUMNS = 28;

/** The whole help, the screen's own first. Pure. */
export function helpLines(screen: ScreenName, width: number): readonly Line[] {
  const others = SCREENS.filter((name) => name !== screen);
  return [
    ...screenSection(screen, width),
    ...section('Everywhere', EVERYWHERE, width),
    ...others.flatMap((name) => screenSection(name, width)),
  ];
}

function screenSection(screen: ScreenName, width: number): readonly Line[] {
  const keys = section(`On the screen ${TITLES[screen]}`, ON_SCREEN[screen], width);
  return screen === 'feed' ? [...keys, ...section('Filters of the feed', FILTERS, width)] : keys;
}

function section(title: string, keys: readonly KeyHelp[], width: number): readonly Line[] {
  const names = Math.min(KEYS_COLUMNS, Math.floor(width / 2));
  const rows = keys.flatMap((one) =>
    wrapped(one.text, width - names).map((text, i) => [
      ...fitted(line(i === 0 ? `  ${one.keys}` : '', 'accent'), names),
      span(text),
    ]),
  );
  return [line(title, 'strong'), ...rows, NOTHING];
}

/** Whether a key means something on a screen, be there a row or none. */
export function isScreenKey(screen: ScreenName, key: string): boolean {
  return ON_SCREEN[screen].some(({ keys }) => keys === key);
}

/** Keys and what they do in a word, the screen's own first. */
export function shortKeys(screen: ScreenName): readonly (readonly [key: string, text: string])[] {
  return [...ON_SCREEN[screen], ...EVERYWHERE].flatMap(({ keys, short }) =>
    short === undefined ? [] : [[keys.split(',')[0]!, short] as const],
  );
}
