import { charsetOf, worded } from '../core/terminal/charset.ts';
import { Outlet } from '../core/terminal/output.ts';
import { columnsOf } from '../core/terminal/prose.ts';
import type { CommandSpec, Invocation } from './command.ts';
import { describeFailure } from './failure.ts';
import { Io } from './io.ts';
import { runProgram, splitCommand } from './program.ts';
import { SignalHub } from './signals.ts';
import { VERSION } from './version.ts';

/** Is hoopctl: runs what this process was started with, and ends the process. */
export async function hoopctl(commands: readonly CommandSpec[]): Promise<never> {
  // A reader that left (`| head`) is noticed by the write that fails, not by an event that ends the process.
  const out = new Outlet(process.stdout);
  const told = new Telling(process.argv.slice(2), process.env);
  const code = await run(commands, told);
  // A keychain's thread or a half-open connection must not keep a finished command alive, and what was written must
  // get out.
  const failed = await out.settled();
  await told.settled();
  process.exit(failed !== undefined && code === 0 ? await told.failure(failed) : code);
}

/** Tells of failures on standard error, which is opened where there is one: help needs none, and opening takes a millisecond. */
class Telling {
  readonly #env: NodeJS.ProcessEnv;
  readonly #profile: string | undefined;
  readonly json: boolean;
  #stream: NodeJS.WriteStream | undefined;

  constructor(argv: readonly string[], env: NodeJS.ProcessEnv) {
    const { own } = splitCommand(argv);
    this.#env = env;
    this.#profile = profileOf(own, env);
    this.json = own.includes('--json');
  }

  open(): NodeJS.WriteStream {
    this.#stream ??= process.stderr.on('error', () => undefined);
    return this.#stream;
  }

  /** @returns The exit code, once the text is out. */
  async failure(error: unknown): Promise<number> {
    const stream = this.open();
    const form = { json: this.json, width: columnsOf(stream, this.#env), charset: charsetOf(this.#env) };
    const { text, exitCode } = describeFailure(error, form, this.#profile);
    await new Promise((done) => stream.write(text, done));
    return exitCode;
  }

  async settled(): Promise<void> {
    const stream = this.#stream;
    if (stream !== undefined) await new Promise((done) => stream.write('', done));
  }
}

async function run(commands: readonly CommandSpec[], told: Telling): Promise<number> {
  const signals = new SignalHub();
  signals.listen();
  // A mistake of ours in the background must not look like an exit code of the contract, nor print a stack.
  process.on('uncaughtException', (error) => {
    void told.failure(error).then((code) => process.exit(code));
  });
  let exitCode = 0;
  const start = async (spec: CommandSpec, invocation: Omit<Invocation, 'io'>) => {
    told.open();
    const io = new Io(process, process.env, signals, told.json);
    exitCode = (await spec.run({ ...invocation, io })) ?? 0;
  };
  const hooks = {
    version: VERSION,
    width: columnsOf(process.stdout, process.env),
    out: (text: string) => process.stdout.write(worded(text, charsetOf(process.env))),
    run: start,
  };
  try {
    await runProgram(commands, hooks, asked(process));
    return exitCode;
  } catch (error) {
    return told.failure(error);
  }
}

/** The profile that was chosen; undefined: the one that needs no name. */
function profileOf(own: readonly string[], env: NodeJS.ProcessEnv): string | undefined {
  const at = own.indexOf('--profile');
  const joined = own.find((word) => word.startsWith('--profile='))?.slice('--profile='.length);
  return (at === -1 ? joined : own[at + 1]) ?? (env['HOOPCTL_PROFILE'] || undefined);
}

/** What is to be done. Nobody who sits at a terminal and asks for nothing is told that something is missing. */
function asked({ argv }: NodeJS.Process): readonly string[] {
  const given = argv.slice(2);
  return given.length === 0 && isAtTerminal(process) ? ['ui'] : given;
}

/** Looking at the streams opens them: who asks for something does not wait for that. */
function isAtTerminal({ stdin, stdout, env }: NodeJS.Process): boolean {
  return stdin.isTTY === true && stdout.isTTY === true && env['TERM'] !== 'dumb';
}
