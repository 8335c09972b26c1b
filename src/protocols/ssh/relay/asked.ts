import { createHash } from 'node:crypto';
import type { PseudoTtyInfo } from 'ssh2';
import type { Approvable, ApprovalWait, Nearby } from '../../../enforcement/operation.ts';
import type { Pair, PolicyObject, PolicyValue } from '../../../policy/model.ts';
import { type CleanText, forPeople } from '../../stream/for-people.ts';
import type { Question } from '../../stream/guard.ts';
import { commandOf, pathOf, subsystemOf } from '../entities.ts';
import { SSH_LIMITS } from '../limits.ts';
import { type CommandReading, readCommand } from '../reading/command.ts';
import type { SshRefusal } from '../refusals.ts';

/** What is to run in a channel. */
export type Start =
  | { readonly kind: 'exec'; readonly command: string }
  | { readonly kind: 'shell' }
  | { readonly kind: 'subsystem'; readonly name: string };

/** All that a client has asked of one channel. */
export interface Asked {
  readonly start: Start;
  readonly terminal: PseudoTtyInfo | undefined;
  readonly variables: ReadonlyMap<string, string>;
}

/** What is known of a command from its text. Pure. */
export function readingOf(start: Start): CommandReading | undefined {
  return start.kind === 'exec' ? readCommand(start.command) : undefined;
}

/** What a channel asks, for the guard: one operation, whatever it takes. Pure. @param clean As `DetectedValues.cleanText`. */
export function questionOf(host: PolicyObject, asked: Asked, clean: CleanText): Omit<Question, 'approvable'> {
  const { start } = asked;
  const refusal = refusalOf(start);
  const reading = readingOf(start);
  return {
    pairs: refusal === undefined ? pairsOf(host, asked, reading, clean) : [],
    context: contextOf(asked, reading?.transfer),
    text: forPeople(textOf(start), clean),
    original: originalOf(asked),
    nearby: commandsInstead(host, asked, clean),
    ...(refusal === undefined ? {} : { refusal }),
  };
}

/** Commands that rules write, in the place of another one or of a shell, which may want a terminal that they do not. */
function commandsInstead(
  host: PolicyObject,
  { start, variables }: Asked,
  clean: CleanText,
): Nearby | undefined {
  if (start.kind === 'subsystem') return undefined;
  return {
    action: 'ssh.exec',
    at: (command) => {
      const asked: Asked = { start: { kind: 'exec', command }, terminal: undefined, variables };
      const reading = readCommand(command);
      if (reading.argv === undefined || refusalOf(asked.start) !== undefined) return undefined;
      return { pairs: pairsOf(host, asked, reading, clean), context: contextOf(asked, reading.transfer) };
    },
    hint: (names) =>
      `run what is permitted here, such as ${names.map((name) => JSON.stringify(name)).join(', ')}`,
  };
}

/** Facts of what is asked; a signal has none but its name. */
export function contextOf(
  { terminal, variables }: Pick<Asked, 'terminal' | 'variables'>,
  transfer?: CommandReading['transfer'],
): Record<string, PolicyValue> {
  const { tool = '', recursive = false, removes = false } = transfer ?? {};
  const env = [...variables].map(([name, value]) => `${name}=${value}`);
  const envNames = [...variables.keys()];
  return { terminal: terminal !== undefined, env, envNames, signal: '', tool, recursive, removes };
}

function pairsOf(
  host: PolicyObject,
  { start, terminal }: Asked,
  reading: CommandReading | undefined,
  clean: CleanText,
): Pair[] {
  const pty = terminal === undefined ? [] : [{ action: 'ssh.pty', object: host }];
  if (start.kind === 'shell') return [{ action: 'ssh.shell', object: host }, ...pty];
  if (start.kind === 'subsystem')
    return [{ action: 'ssh.subsystem', object: subsystemOf(host, start.name, clean) }, ...pty];
  const exec = { action: 'ssh.exec', object: commandOf(host, reading ?? readCommand(start.command), clean) };
  return [exec, ...filesOf(host, reading?.transfer, clean), ...pty];
}

/** A command that moves files asks for the files too, whatever program it is: git keeps its own inside of one. */
function filesOf(host: PolicyObject, transfer: CommandReading['transfer'], clean: CleanText): Pair[] {
  if (transfer === undefined) return [];
  const { direction, paths, removes } = transfer;
  return paths.flatMap((path) => {
    const object = pathOf(host, path, clean);
    const verbs = [direction === 'read' ? 'sftp.get' : 'sftp.put', ...(removes ? ['sftp.remove'] : [])];
    return verbs.map((action) => ({ action, object }));
  });
}

/** As people read it. */
function textOf(start: Start): string {
  switch (start.kind) {
    case 'exec':
      return `exec ${start.command}`;
    case 'shell':
      return 'shell';
    case 'subsystem':
      return `subsystem ${start.name}`;
  }
}

/** All that was asked, for those who decide. */
function originalOf({ start, terminal, variables }: Asked): Record<string, string> {
  const env = [...variables].map(([name, value]) => `${name}=${value}`).join('\n');
  return {
    [start.kind]: start.kind === 'exec' ? start.command : start.kind === 'subsystem' ? start.name : 'a shell',
    ...(terminal === undefined ? {} : { terminal: terminal.term }),
    ...(env === '' ? {} : { environment: env }),
  };
}

/** ssh2 makes U+FFFD of what is no UTF-8: what the client meant is lost then. */
const UNREADABLE = /[\0\ufffd]/;

function refusalOf(start: Start): SshRefusal | undefined {
  if (start.kind === 'shell') return undefined;
  const text = start.kind === 'exec' ? start.command : start.name;
  if (UNREADABLE.test(text) || Buffer.byteLength(text) > SSH_LIMITS.commandBytes)
    return {
      code: 'ERR_SYNTAX',
      rule: 'command-unreadable',
      reason: 'it cannot be read with certainty',
      hint: 'send a command of at most 128 KiB of UTF-8 without NUL',
    };
  return undefined;
}

/** What a yes covers, and how the channel waits for it. */
export function approvable(
  question: Omit<Question, 'approvable'>,
  asked: Asked,
  wait: Pick<ApprovalWait, 'signal' | 'told'>,
): Approvable {
  const approval: Approvable = {
    exact: () => exactly(asked),
    wait: { ...wait, again: () => ({ ...question, approvable: approval }) },
  };
  return approval;
}

function exactly({ start, terminal, variables }: Asked): string {
  const meant = [start, terminal?.term ?? null, [...variables].toSorted()];
  return createHash('sha256').update(JSON.stringify(meant)).digest('hex');
}
