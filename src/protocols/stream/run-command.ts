import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { HoopError } from '../../core/errors.ts';

export interface CommandCall {
  /** Program and arguments, as they are: no shell reads them. Whoever may list processes sees them. */
  readonly argv: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly timeoutMs: number;
}

/** What a command may print, octets. */
const STDOUT_BYTES = 64 * 1024;
/** What is looked at of its complaints, octets. */
const STDERR_BYTES = 4 * 1024;
/** Of the first line, what the log is told. */
const COMPLAINT_CHARS = 200;
/** Shorter words are no secrets, and stand in any complaint. */
const SECRET_CHARS = 6;
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Runs a command of the operator's in a process group of its own, and ends all of the group with it.
 *
 * @returns What it printed.
 * @throws {HoopError} `ERR_TARGET_CREDENTIAL` it cannot be started, is not done in time, prints too much, or exits with
 *   another code than 0. `detail` is for the log: nothing that it printed stands there but the first line of its complaints,
 *   without any word that is in its output or the environment.
 */
export function runCommand(call: CommandCall): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = start(call);
  const fail = (what: string) => {
    endGroup(child);
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    reject(commandError(what));
  };
  const late = setTimeout(() => fail(`was not done within ${call.timeoutMs} ms`), call.timeoutMs);
  const printed = collected(child.stdout, STDOUT_BYTES, () => fail('printed more than 64 KiB'));
  const complained = collected(child.stderr, STDERR_BYTES, () => undefined);
  child.once('error', (error: NodeJS.ErrnoException) => fail(`could not be started (${error.code})`));
  // What it leaves running would keep its output open.
  child.once('exit', () => endGroup(child));
  child.once('close', (code, signal) => {
    if (code === 0) return resolve(printed());
    const how = code === null ? `was ended by ${signal}` : `exited with code ${code}`;
    const secrets = [...Object.values(call.env), ...printed().split(/[\s"',:{}[\]]+/)];
    const why = firstLine(complained(), secrets);
    reject(commandError(why === '' ? how : `${how}: ${why}`));
  });
  // A command need not read what it is told.
  child.stdin.on('error', () => undefined);
  child.stdin.end(call.stdin);
  return promise.finally(() => clearTimeout(late));
}

function start({ argv, env }: CommandCall): ChildProcessWithoutNullStreams {
  const [file = '', ...args] = argv;
  try {
    return spawn(file, args, { env, detached: true, shell: false });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw commandError(`could not be started (${code})`);
  }
}

/** @param full Called when there is more than `most`, which is dropped. */
function collected(stream: Readable, most: number, full: () => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    if (bytes + chunk.length > most) full();
    else chunks.push(chunk);
    bytes += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function endGroup({ pid }: ChildProcessWithoutNullStreams): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}

function firstLine(text: string, secrets: readonly string[]): string {
  const long = secrets.filter((one) => one.length >= SECRET_CHARS).sort((a, b) => b.length - a.length);
  const hidden = long.reduce((shown, one) => shown.replaceAll(one, '***'), text);
  const [line = ''] = hidden.trim().split('\n', 1);
  return line.replace(UNSAFE, '?').slice(0, COMPLAINT_CHARS);
}

/** @param what The command did: `exited with code 2`. Never what it printed. */
export function commandError(what: string): HoopError {
  return new HoopError('ERR_TARGET_CREDENTIAL', undefined, { detail: `the command ${what}` });
}

/** What a command is given of this process's variables: those that are named, and `PATH`. Pure. */
export function passedOn(
  names: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const pairs = ['PATH', ...names].map((name) => [name, environment[name]] as const);
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined));
}
