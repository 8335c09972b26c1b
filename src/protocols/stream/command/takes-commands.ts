/** Whether a program is one that may do what its standard input says: a shell, an interpreter, a client of a database. */
import { posix } from 'node:path';

/** How an interpreter is told what to do by its words. Whatever option is in none of these may mean its standard input. */
interface Options {
  /** Take no word, and change nothing about where commands come from. */
  readonly plain?: RegExp;
  /** Take the next word. */
  readonly valued?: RegExp;
  /** What is to be done stands in it, or in the word behind it. */
  readonly inline: RegExp;
  /** The first word that is no option is a file of commands; else it means something else. */
  readonly file: boolean;
  /** What stands inline is a shell's text. */
  readonly shell?: true;
}

const SHELL: Options = {
  plain: /^(-[aefhkmnuvxl]+|--(login|norc|noprofile|posix))$/,
  valued: /^[-+][oO]$/,
  inline: /^-[aefhkmnuvxl]*c$/,
  file: true,
  shell: true,
};
const FISH: Options = { plain: /^(-[ln]+|--login)$/, inline: /^-l?c$/, file: true, shell: true };
const SHELLS = ['sh', 'bash', 'rbash', 'dash', 'ash', 'zsh', 'ksh', 'rksh', 'mksh', 'lksh', 'yash'];

const INTERPRETERS: ReadonlyMap<string, Options> = new Map([
  ...SHELLS.map((name) => [name, SHELL] as const),
  ['fish', FISH],
  [
    'python',
    { plain: /^-[bBdEhIOPqsSuvVx]+$/, valued: /^-[WX]$/, inline: /^-[bBdEIOPqsSuvx]*c/, file: true },
  ],
  ['pypy', { plain: /^-[bBdEhIOPqsSuvVx]+$/, inline: /^-[bBdEIOPqsSuvx]*c/, file: true }],
  ['perl', { plain: /^-[aclnpstTwWX]+$/, inline: /^-[aclnpstTwWX0]*[eE]/, file: true }],
  ['ruby', { plain: /^-[aclnpsSvwW]+$/, inline: /^-[aclnpsSwW]*e/, file: true }],
  ['node', { inline: /^(-e|-p|-pe|--eval(=.*)?|--print(=.*)?)$/, file: true }],
  ['nodejs', { inline: /^(-e|-p|-pe|--eval(=.*)?|--print(=.*)?)$/, file: true }],
  ['php', { inline: /^-r$/, file: true }],
  ['lua', { inline: /^-e/, file: true }],
  [
    'psql',
    {
      plain: /^-([AaEeLnqtwXx1]+|[hpUdv].+)$/,
      valued: /^-[hpUdvPFR]$/,
      inline: /^-[AaEeLnqtwXx1]*c/,
      file: false,
    },
  ],
  [
    'mysql',
    { plain: /^-([ABNqrstvwE]+|[hPuDS].+)$/, valued: /^-[hPuDS]$/, inline: /^-[ABNqrstvwE]*e/, file: false },
  ],
]);
const MYSQL = ['mariadb'];

/** Whatever their words are: their input may be what they do, or they start what nobody can tell by the words. */
const ALWAYS = new Set(
  (
    '. source eval csh tcsh pwsh rc es xonsh nu elvish su runuser newgrp sg login busybox toybox chroot unshare nsenter ' +
    'setpriv capsh fakeroot flock watch script screen tmux expect tclsh wish xargs parallel at batch crontab ssh slogin ' +
    'sftp ftp telnet nc ncat socat docker podman nerdctl kubectl crictl lxc lxc-attach machinectl systemd-run systemd-nspawn ' +
    'ed ex vi vim nvim emacs bc dc m4 irb pry ipython jupyter deno bun ts-node tsx ghci erl iex elixir r rscript octave ' +
    'julia scala jshell groovy clojure clj sbcl guile gdb lldb mongo mongosh redis-cli valkey-cli sqlite sqlplus sqlcmd ' +
    'clickhouse-client cqlsh isql usql'
  ).split(' '),
);

/** They start the program that their words name. */
const STARTERS = new Set(
  (
    'exec command builtin env nice nohup timeout setsid stdbuf ionice chrt taskset time sudo doas strace ltrace ' +
    'unbuffer numactl prlimit'
  ).split(' '),
);
/** Of starters: a shell, or a text that is split once more. */
const STARTS_A_SHELL = /^(-[A-Za-z]*[siS].*|--shell.*|--login.*|--split-string.*)$/;

/** Names of one's own standard input, by themselves or as an option says them: `-f-`, `--file=/dev/stdin`. */
const INPUT = /^(--?[A-Za-z]*=?)?(-|\/dev\/(stdin|tty|fd\/.*)|\/proc\/.*\/fd\/.*)$/;

/** They do what their words say, unless one of these is among them. */
const UNLESS: ReadonlyMap<string, RegExp> = new Map([
  ...['awk', 'gawk', 'mawk', 'sed', 'make', 'gmake', 'ip', 'tc', 'nft'].map((name) => [name, INPUT] as const),
  ['find', /^-(exec|ok)/],
]);

/**
 * @param argv One word or more, the program first.
 * @param within Asked of a text that a shell is given by its words.
 * @returns False: what it does stands in its words, in a file, or in the program itself, as far as the program is known by its
 *   name. True: it may stand on its standard input. Pure, linear, never throws.
 */
export function takesCommands(argv: readonly string[], within: (text: string) => boolean): boolean {
  const [program = '', ...words] = argv;
  const name = nameOf(program);
  if (ALWAYS.has(name)) return true;
  const unless = UNLESS.get(name);
  if (unless !== undefined) return words.some((word) => unless.test(word));
  const options = INTERPRETERS.get(MYSQL.includes(name) ? 'mysql' : name);
  if (options !== undefined) return fromInput(options, words, within);
  if (!STARTERS.has(name)) return false;
  if (words.some((word) => STARTS_A_SHELL.test(word))) return true;
  return words.some((word, at) => isKnown(nameOf(word)) && takesCommands(words.slice(at), within));
}

/** `/usr/bin/python3.11` is `python`; hosts whose files have no case call `SH` too. */
function nameOf(program: string): string {
  return posix
    .basename(program)
    .toLowerCase()
    .replace(/\.exe$/, '')
    .replace(/(?<=.)[\d.]+$/, '');
}

function isKnown(name: string): boolean {
  return (
    INTERPRETERS.has(name) ||
    MYSQL.includes(name) ||
    ALWAYS.has(name) ||
    UNLESS.has(name) ||
    STARTERS.has(name)
  );
}

function fromInput(options: Options, words: readonly string[], within: (text: string) => boolean): boolean {
  const { plain, valued, inline, file } = options;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (inline.test(word)) return textTakes(options, words.slice(at + 1), within);
    if (valued?.test(word)) at++;
    else if (/^[-+]/.test(word) && !plain?.test(word)) return true;
    else if (!word.startsWith('-') && file) return INPUT.test(word);
  }
  return true;
}

/** @param words Those behind the option that says what to do: the text of it first. */
function textTakes(options: Options, words: readonly string[], within: (text: string) => boolean): boolean {
  const [text] = words;
  if (text === undefined || /^[-+]/.test(text)) return true;
  return options.shell ? within(text) : words.some((word) => INPUT.test(word));
}
