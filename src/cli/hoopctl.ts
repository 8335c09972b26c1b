import type { CommandSpec, Invocation } from './command.ts';
import { describeFailure } from './failure.ts';
import { Io } from './io.ts';
import { runProgram, splitCommand } from './program.ts';
import { SignalHub } from './signals.ts';
import { VERSION } from './version.ts';

/** Is hoopctl: runs what this process was started with, and ends the process. */
export async function hoopctl(commands: readonly CommandSpec[]): Promise<never> {
  const { code, outs } = await run(commands);
  // A keychain's thread or a half-open connection must not keep a finished command alive, and what was written must
  // get out.
  await Promise.all(outs.map((out) => new Promise((done) => out.write('', done))));
  process.exit(code);
}

interface Ran {
  readonly code: number;
  /** Where it may have written. */
  readonly outs: readonly NodeJS.WriteStream[];
}

async function run(commands: readonly CommandSpec[]): Promise<Ran> {
  const argv = asked(process);
  const { own } = splitCommand(argv);
  const json = own.includes('--json');
  const profile = profileOf(own, process.env);
  const signals = new SignalHub();
  signals.listen();
  // A reader that left (`| head`) is noticed by the write that fails, not by an event that ends the process.
  process.stdout.on('error', () => undefined);
  const outs: NodeJS.WriteStream[] = [process.stdout];
  // Opened where somebody may write to it: help needs one of them alone, and opening takes a millisecond.
  const alsoStderr = () => {
    if (outs.length > 1) return;
    outs.push(process.stderr.on('error', () => undefined));
  };
  // A mistake of ours in the background must not look like an exit code of the contract, nor print a stack.
  process.on('uncaughtException', (error) => {
    alsoStderr();
    const failure = describeFailure(error, json, profile);
    process.stderr.write(failure.text, () => process.exit(failure.exitCode));
  });
  let exitCode = 0;
  const start = async (spec: CommandSpec, invocation: Omit<Invocation, 'io'>) => {
    alsoStderr();
    const io = new Io(process, process.env, signals, json);
    exitCode = (await spec.run({ ...invocation, io })) ?? 0;
  };
  try {
    await runProgram(
      commands,
      { version: VERSION, out: (text) => process.stdout.write(text), run: start },
      argv,
    );
    return { code: exitCode, outs };
  } catch (error) {
    alsoStderr();
    const failure = describeFailure(error, json, profile);
    process.stderr.write(failure.text);
    return { code: failure.exitCode, outs };
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
