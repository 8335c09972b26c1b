/**
 * From the list of commands to commander's program.
 */
import { Command, CommanderError } from 'commander';
import { HoopError } from '../core/errors.ts';
import { helpColumns, helpLayout } from '../core/terminal/help.ts';
import { wrapped, wrappedCommand } from '../core/terminal/prose.ts';
import {
  type CommandSpec,
  EXIT_TEXTS,
  HOOPD_CHECK,
  type Invocation,
  type OptionSpec,
  optionsOf,
} from './command.ts';
import { asOptions, commandMeant, optionMeant } from './other-words.ts';

export interface ProgramHooks {
  readonly version: string;
  /** Columns of the terminal that help is shown on; infinity, and by default: it goes elsewhere. */
  readonly width?: number;
  readonly out: (text: string) => void;
  readonly run: (spec: CommandSpec, invocation: Omit<Invocation, 'io'>) => Promise<void>;
}

const GROUP_SUMMARIES: Readonly<Record<string, string>> = {
  profile: 'gateways that this user has logged in to',
  resource: 'what can be reached',
  tunnel: 'tunnels in the background, on this machine',
  session: 'sessions at the gateway',
  revocation: 'what is kept out, after session kill',
  approval: 'what waits for a person to say yes',
  policy: 'ask what policy would say, test and replay it, begin with rules that are there',
  audit: 'search, export and verify the audit log',
};

/**
 * Builds the program; nothing is parsed or run yet. Only the command that `argv` begins with gets its options: the
 * others are names in a list of help, and half the time of a start would go into them. Without `argv` all get theirs.
 */
export function buildProgram(
  specs: readonly CommandSpec[],
  hooks: ProgramHooks,
  argv?: readonly string[],
): Command {
  const program = new Command('hoopctl')
    .description('Reach databases and more through a hoop gateway: verified, masked, recorded.')
    .version(hooks.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false);
  const groups = new Map<string, Command>();
  for (const spec of specs) {
    const parent = spec.path.length === 1 ? program : groupOf(program, groups, spec.path[0]!);
    const meant = argv === undefined || spec.path.every((word, i) => argv[i] === word);
    parent.addCommand(meant ? buildCommand(spec, hooks) : nameOnly(spec));
  }
  program.addHelpText(
    'after',
    wrapped('\nReference: docs/cli.md. Every command has --help and --json.', helpColumns(hooks.width)),
  );
  settle(program, hooks);
  return program;
}

/**
 * Runs the program on arguments.
 *
 * @throws {HoopError} `ERR_USAGE` for what commander refuses, with its own hint; whatever the command throws. Help and
 *   version return normally.
 */
export async function runProgram(
  specs: readonly CommandSpec[],
  hooks: ProgramHooks,
  argv: readonly string[],
): Promise<void> {
  const { own: typed, command } = splitCommand(argv);
  const own = asOptions(typed);
  const checked: ProgramHooks = {
    ...hooks,
    run: (spec, invocation) => {
      if (argv.includes('--') && !spec.takesCommand)
        throw usage(`${nameOf(spec)} takes no -- COMMAND`, nameOf(spec));
      if (argv.includes('--') && command.length === 0)
        throw usage('after -- a command is expected', nameOf(spec));
      return hooks.run(spec, { ...invocation, command });
    },
  };
  const program = buildProgram(specs, checked, own);
  try {
    await program.parseAsync([...forParsing(specs, own)], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    const path = pathOf(specs, own);
    const spec = specs.find((candidate) => nameOf(candidate) === path);
    const bare = !argv.includes('--') && spec !== undefined && looksLikeACommand(error, spec, own);
    const within = specs.filter(({ path: [first, second] }) => second !== undefined && first === own[0]);
    const behind = bare
      ? `what is to run stands behind --: hoopctl ${path} … -- COMMAND`
      : error.message === '(outputHelp)' && within.length > 0
        ? `one of ${within.map(nameOf).join(', ')}`
        : gatewaysOwn(error);
    throw usage(
      error.message.replace(/^error: /, ''),
      path,
      behind,
      bare ? undefined : meantBy(error, specs, own, spec),
    );
  }
}

/** Help for a command that there is not would be that of another: such a word is told as it is without asking for help. */
function forParsing(specs: readonly CommandSpec[], own: readonly string[]): readonly string[] {
  const words = own.slice(0, 2).filter((word) => !word.startsWith('-'));
  const known = specs.some(({ path }) => words.slice(0, path.length).every((word, i) => path[i] === word));
  return known ? own : own.filter((word) => word !== '--help' && word !== '-h');
}

/** What somebody who knows other programs, or other commands of this one, probably meant. */
function meantBy(
  { code, message }: CommanderError,
  specs: readonly CommandSpec[],
  own: readonly string[],
  spec: CommandSpec | undefined,
): string | undefined {
  const [, word = ''] = /'([^']*)'/.exec(message) ?? [];
  if (code === 'commander.unknownCommand')
    return commandMeant(
      own.filter((one) => !one.startsWith('-')),
      specs.map(nameOf),
    );
  if (code === 'commander.unknownOption')
    return optionMeant(word, own[0] === word, new Set(specs.flatMap(longOptionsOf)));
  const asked = spec?.options?.find(({ flags }) => flags.startsWith('-c, '));
  return code === 'commander.excessArguments' && asked !== undefined
    ? `its text stands behind -c: hoopctl ${nameOf(spec!)} RESOURCE -c 'TEXT'`
    : undefined;
}

function longOptionsOf(spec: CommandSpec): readonly string[] {
  return optionsOf(spec).map(({ flags }) => /--[a-z-]+/.exec(flags)?.[0] ?? '');
}

/** What the gateway's own program does, asked of this one: `hoopctl policy check`. */
function gatewaysOwn({ code, message }: CommanderError): string | undefined {
  if (code !== 'commander.unknownCommand') return undefined;
  const [, word = ''] = /'(check|serve|init|demo)'/.exec(message) ?? [];
  if (word === 'check') return HOOPD_CHECK;
  return word === '' ? undefined : `the gateway's own program does it: hoopd ${word}`;
}

/** `ssh host-1 ls`, `run ./agent.sh -v`: another program's words where ours were expected. */
function looksLikeACommand({ code }: CommanderError, spec: CommandSpec, own: readonly string[]): boolean {
  if (spec.takesCommand !== true) return false;
  const expected = spec.path.length + (spec.arguments?.length ?? 0);
  const words = own.filter((word) => !word.startsWith('-')).length;
  return code === 'commander.excessArguments' || (code === 'commander.unknownOption' && words > expected);
}

/** Everything behind the first `--` is another program's command line. */
export function splitCommand(argv: readonly string[]): {
  own: readonly string[];
  command: readonly string[];
} {
  const at = argv.indexOf('--');
  return at === -1 ? { own: argv, command: [] } : { own: argv.slice(0, at), command: argv.slice(at + 1) };
}

export function nameOf(spec: CommandSpec): string {
  return spec.path.join(' ');
}

function groupOf(program: Command, groups: Map<string, Command>, name: string): Command {
  const known = groups.get(name);
  if (known !== undefined) return known;
  const group = new Command(name).description(GROUP_SUMMARIES[name] ?? name).helpCommand(false);
  groups.set(name, group);
  program.addCommand(group);
  return group;
}

function nameOnly(spec: CommandSpec): Command {
  return new Command(spec.path.at(-1)).summary(spec.summary).description(spec.summary);
}

function buildCommand(spec: CommandSpec, hooks: ProgramHooks): Command {
  const command = new Command(spec.path.at(-1)).summary(spec.summary);
  command.description(
    spec.description === undefined ? spec.summary : `${spec.summary}\n\n${spec.description}`,
  );
  for (const { syntax, text } of spec.arguments ?? []) command.argument(syntax, text);
  for (const option of optionsOf(spec)) addOption(command, option, nameOf(spec));
  if (spec.takesCommand) command.usage(`${command.usage()} [-- command...]`);
  command.addHelpText('after', () => helpTail(spec, hooks.width));
  command.action((...actionArgs: unknown[]) => {
    const args = actionArgs
      .slice(0, -2)
      .flat()
      .filter((value): value is string => typeof value === 'string');
    return hooks.run(spec, { args, options: command.opts(), command: [] });
  });
  return command;
}

/** Numbers and times: of two the last counts, so that an alias may have one and be told another. */
const QUANTITY = /[<[](?:n|time|duration|factor)[>\]]$/;

/**
 * What takes one name or text is given once: of two somebody may mean both. All that is given has a value: a variable that is not set
 * must not widen a search or choose a default.
 */
function addOption(command: Command, { flags, text, whenEmpty }: OptionSpec, path: string): void {
  const [flag = ''] = /--[a-z-]+/.exec(flags) ?? [];
  const one = (value: string, before: unknown) => {
    if (value === '')
      throw usage(`${flag} is empty`, path, whenEmpty ?? 'is the variable set that was to say it?');
    if (before !== undefined && before !== value && !QUANTITY.test(flags))
      throw usage(`${flag} is given twice, as ${before} and as ${value}`, path);
    return value;
  };
  if (/[<[][a-z0-9-]+[>\]]$/.test(flags)) command.option(flags, text, one);
  else command.option(flags, text);
}

/** @param width Columns of a terminal: elsewhere an example stays on its line. */
function helpTail(spec: CommandSpec, width = Number.POSITIVE_INFINITY): string {
  const codes = [...new Set([0, 64, ...spec.exitCodes, 70])].sort((a, b) => a - b);
  const child = spec.takesCommand ? ['  with -- COMMAND: its own code, 128+n if signal n ended it'] : [];
  const prose = (line: string, hang: number) => wrapped(line, helpColumns(width), hang);
  return [
    '',
    'Examples:',
    ...spec.examples.map((example) => wrappedCommand(example, width, 2)),
    '',
    'Exit codes:',
    ...codes.map((code) => prose(`  ${String(code).padEnd(2)}  ${EXIT_TEXTS[code] ?? ''}`, 6)),
    ...child.map((line) => prose(line, 4)),
  ].join('\n');
}

/** Commander must neither print errors nor end the process: both are ours. */
function settle(command: Command, hooks: ProgramHooks): void {
  command.exitOverride();
  command.configureOutput({ writeOut: hooks.out, writeErr: () => undefined, outputError: () => undefined });
  command.showSuggestionAfterError();
  command.helpOption('-h, --help', 'print help');
  command.configureHelp(helpLayout(hooks.width));
  for (const child of command.commands) settle(child, hooks);
}

/** @param known Says it with certainty: what only looks alike is not told. */
function usage(message: string, path: string, behind?: string, known?: string): HoopError {
  const [text = '', ...more] = message.split('\n');
  const meant = /^\(Did you mean (.+)\?\)$/.exec(more.join(' ').trim())?.[1];
  const see = `see: ${['hoopctl', path, '--help'].filter((word) => word !== '').join(' ')}`;
  const said = text === '(outputHelp)' ? 'a command is missing' : text;
  const cure = known ?? (meant === undefined ? behind : `did you mean ${meant}?`);
  return new HoopError('ERR_USAGE', said, {
    hint: cure === undefined ? see : `${cure}${cure.endsWith('?') ? '' : ';'} ${see}`,
  });
}

/** The longest path of a command or group that the arguments begin with. */
function pathOf(specs: readonly CommandSpec[], argv: readonly string[]): string {
  for (const length of [2, 1]) {
    const words = argv.slice(0, length);
    if (words.length === length && specs.some((spec) => words.every((word, i) => spec.path[i] === word))) {
      return words.join(' ');
    }
  }
  return '';
}
