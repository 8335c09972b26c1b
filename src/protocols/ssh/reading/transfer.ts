/** Which programs that move files an `exec` starts, recognised by how their clients start them; all else is not one. */

export interface Transfer {
  readonly tool: 'scp' | 'rsync' | 'git';
  /** As the client sees it: `read` copies from the target. */
  readonly direction: 'read' | 'write';
  /** As they stand in the command, one or more: relative ones to the login's home. */
  readonly paths: readonly string[];
  readonly recursive: boolean;
  /** What is there and not at the other side is removed, or what was copied is. */
  readonly removes: boolean;
}

const PACKS = /^(?:upload-pack|upload-archive|receive-pack)$/;

/**
 * @param argv As `wordsOf` gives it.
 * @returns undefined: none that is known, or with an option whose effect is not. Pure, never throws.
 */
export function transferOf(argv: readonly string[]): Transfer | undefined {
  const [program, ...words] = argv;
  switch (program) {
    case 'scp':
      return scp(words);
    case 'rsync':
      return rsync(words);
    case 'git-upload-pack':
    case 'git-upload-archive':
      return git('read', words);
    case 'git-receive-pack':
      return git('write', words);
    case 'git':
      return PACKS.test(words[0] ?? '')
        ? git(words[0] === 'receive-pack' ? 'write' : 'read', words.slice(1))
        : undefined;
    default:
      return undefined;
  }
}

/** Programs that move files, by whatever path they are started. */
const MOVES_FILES = /^(?:.*\/)?(?:scp|rsync|git-upload-pack|git-upload-archive|git-receive-pack)$/;

/**
 * @param argv Of which `transferOf` knows none.
 * @returns Whether it is a program that moves files all the same: then nobody knows which. Pure.
 */
export function movesUnknown([program = '', first = '']: readonly string[]): boolean {
  return MOVES_FILES.test(program) || (/^(?:.*\/)?git$/.test(program) && PACKS.test(first));
}

/** `scp -r -t -- /data`: the half of scp that its client starts (OpenSSH before 9.0, and with `-O`). */
function scp(words: readonly string[]): Transfer | undefined {
  const { options, paths } = split(words);
  if (!options.every((option) => /^-[dfprtv]+$/.test(option))) return undefined;
  const letters = options.join('');
  const [to, from] = [letters.includes('t'), letters.includes('f')];
  if (to === from || paths.length === 0 || (to && paths.length > 1)) return undefined;
  return {
    tool: 'scp',
    direction: to ? 'write' : 'read',
    paths,
    recursive: letters.includes('r'),
    removes: false,
  };
}

/** Only one repository, and no option: one that names a program or a helper is none of the client's. */
function git(direction: 'read' | 'write', words: readonly string[]): Transfer | undefined {
  const [path = ''] = words;
  if (words.length !== 1 || path === '' || path.startsWith('-')) return undefined;
  return { tool: 'git', direction, paths: [path], recursive: true, removes: false };
}

/** Letters that rsync's client passes on; behind `e` stand its capabilities. `s` would send the paths by another way. */
const RSYNC_LETTERS = /^-([ACDEHILNOPRSUWXbcdgiklmnopqrtuvxyz]*)(?:e[0-9]*(?:\.[A-Za-z]*)?)?$/;
/** Long options that touch no path but those at the end, and start nothing. */
const RSYNC_LONG = new Set(
  (
    'append append-verify block-size bwlimit checksum-choice checksum-seed compress-choice compress-level ' +
    'copy-unsafe-links delay-updates delete delete-after delete-before delete-delay delete-during delete-excluded ' +
    'delete-missing-args existing force fsync group groupmap iconv ignore-errors ignore-existing ' +
    'ignore-missing-args info inplace links list-only max-alloc max-delete max-size min-size mkpath ' +
    'modify-window munge-links new-compress no-i-r no-implied-dirs no-inc-recursive no-r no-relative no-W ' +
    'no-whole-file numeric-ids old-compress omit-dir-times open-noatime one-file-system partial perms preallocate ' +
    'remove-sent-files remove-source-files safe-links size-only skip-compress stats stop-after stop-at timeout times ' +
    'usermap use-qsort'
  ).split(' '),
);

/** `rsync --server --sender -logDtpre.iLsfxCIvu . /data`. */
function rsync([server, ...words]: readonly string[]): Transfer | undefined {
  if (server !== '--server') return undefined;
  const sender = words[0] === '--sender';
  const { options, paths } = split(sender ? words.slice(1) : words);
  // A place of its own, which the client puts before the paths.
  const [dot, ...rest] = paths;
  if (dot !== '.' || rest.length === 0 || (!sender && rest.length > 1)) return undefined;
  if (!options.every((option) => RSYNC_LETTERS.test(option) || RSYNC_LONG.has(longName(option))))
    return undefined;
  const letters = options.map((option) => RSYNC_LETTERS.exec(option)?.[1] ?? '').join('');
  const long = options.map(longName);
  return {
    tool: 'rsync',
    direction: sender ? 'read' : 'write',
    paths: rest,
    recursive: /[rd]/.test(letters),
    removes: long.some((name) => /^(?:delete|remove-)/.test(name)),
  };
}

function longName(option: string): string {
  return /^--([a-zA-Z-]+)(?:=.*)?$/s.exec(option)?.[1] ?? '';
}

/** Options stand before paths; `--` ends them. Whatever else begins with `-` among the paths makes it none. */
function split(words: readonly string[]): { options: readonly string[]; paths: readonly string[] } {
  const first = words.findIndex((word) => word === '--' || !word.startsWith('-') || word === '-');
  const at = first === -1 ? words.length : first;
  const ended = words[at] === '--';
  const paths = words.slice(ended ? at + 1 : at);
  const unclear = paths.some((path) => path === '' || (!ended && path.startsWith('-')));
  return { options: words.slice(0, at), paths: unclear ? [] : paths };
}
