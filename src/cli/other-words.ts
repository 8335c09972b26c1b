/**
 * What people type who come from other programs, and what it is called here. Pure.
 */

/** By what was typed: a command of ours, or two words of a group's. */
const COMMANDS: Readonly<Record<string, string>> = {
  ls: 'hoopctl resource list',
  get: 'hoopctl resource list',
  describe: 'hoopctl resource list',
  'resource get': 'hoopctl resource list',
  'resource show': 'hoopctl resource list',
  'resource describe': 'hoopctl resource list',
  status: 'hoopctl whoami, or hoopctl doctor',
  auth: 'hoopctl login, hoopctl whoami, hoopctl logout',
  config: 'hoopctl login --gateway URL --profile NAME; hoopctl doctor says what is set',
  logs: 'hoopctl audit search, or hoopctl session replay ID',
  events: 'hoopctl audit search',
  exec: 'hoopctl connect RESOURCE -- COMMAND, or hoopctl ssh HOST -- COMMAND',
  scp: 'hoopctl ssh-config > ~/.ssh/hoop, then scp itself',
  'tunnel open': 'hoopctl connect RESOURCE --background',
  'tunnel start': 'hoopctl connect RESOURCE --background',
  'tunnel stop': 'hoopctl tunnel close NAME',
  'tunnel kill': 'hoopctl tunnel close NAME',
  'audit tail': 'hoopctl ui, where the feed shows operations as they come',
  'session end': 'hoopctl session kill ID',
  'session stop': 'hoopctl session kill ID',
};

const OPTIONS: Readonly<Record<string, string>> = {
  '--all': 'approval list --status all; session list --limit 1000; tunnel list --all',
  '--state': 'session list --live; approval list --status NAME',
  '--user': '--person NAME, or --agent NAME',
  '--from': '--since 2h, and --until 1h',
  '--to': '--since 2h, and --until 1h',
  '--rule': 'words are looked for in rules and reasons too: hoopctl audit search NAME',
  '--text': 'words stand by themselves: hoopctl audit search WORDS',
  '--grep': 'words stand by themselves: hoopctl audit search WORDS',
  '--event': 'audit search --type TYPE, as in --type approval.*',
  '-n': '--limit N says how many',
  '--csv': '--json, one object in each line, is what other forms are made of (jq -r … | @csv)',
  '-a': 'approval list --status all; session list --limit 1000; tunnel list --all',
  '-w': 'what comes is shown by approval watch, session replay ID --follow, and hoopctl ui',
  '--watch': 'what comes is shown by approval watch, session replay ID --follow, and hoopctl ui',
  '--follow': 'what comes is shown by approval watch, session replay ID --follow, and hoopctl ui',
  '-o': '--json is the one other form of output',
  '--output': '--json is the one other form of output',
  '--format':
    '--json is the one other form of output; of a recorded terminal session replay ID --asciicast 3 too',
  '-v': 'hoopctl --version; what is wrong with a login or the network: hoopctl doctor',
  '--verbose': 'what is wrong with a login or the network: hoopctl doctor',
  '--debug': 'what is wrong with a login or the network: hoopctl doctor',
};

/** `help`, in front of a command, and `version` are asked for so everywhere: they get what the options give. */
export function asOptions(own: readonly string[]): readonly string[] {
  const [first, ...rest] = own;
  if (first === 'help') return [...rest, '--help'];
  return first === 'version' && rest.length === 0 ? ['--version'] : own;
}

/**
 * What was probably meant by a command that there is not.
 *
 * @param typed The words, without options. @param names Of all commands, such as `audit search`.
 */
export function commandMeant(typed: readonly string[], names: readonly string[]): string | undefined {
  const [word = '', second = ''] = typed;
  const known = COMMANDS[word] ?? COMMANDS[`${word} ${second}`];
  if (known !== undefined) return `here that is ${known}`;
  const verbs = names.filter((name) => name.endsWith(` ${word}`)).map((name) => `hoopctl ${name}`);
  return verbs.length === 0 ? undefined : `there is ${verbs.join(', ')}`;
}

/**
 * What was probably meant by an option that there is not.
 *
 * @param here Options of any command, such as `--profile`: they stand behind it.
 */
export function optionMeant(option: string, first: boolean, here: ReadonlySet<string>): string | undefined {
  const [name = ''] = option.split('=');
  if (first && here.has(name)) return `options stand behind the command: hoopctl COMMAND ${name}`;
  return OPTIONS[name];
}
