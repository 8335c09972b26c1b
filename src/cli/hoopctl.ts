import type { CommandSpec, Invocation } from './command.ts';
import { describeFailure } from './failure.ts';
import { Io } from './io.ts';
import { runProgram, splitCommand } from './program.ts';
import { SignalHub } from './signals.ts';
import { VERSION } from './version.ts';

/** Is hoopctl: runs what this process was started with, and ends the process. */
export async function hoopctl(commands: readonly CommandSpec[]): Promise<never> {
  const code = await run(commands);
  // A keychain's thread or a half-open connection must not keep a finished command alive, and what was written must
  // get out.
  await Promise.all(
    [process.stdout, process.stderr].map((out) => new Promise((done) => out.write('', done))),
  );
  process.exit(code);
}

async function run(commands: readonly CommandSpec[]): Promise<number> {
  const argv = process.argv.slice(2);
  const json = splitCommand(argv).own.includes('--json');
  const signals = new SignalHub();
  signals.listen();
  // A reader that left (`| head`) is noticed by the write that fails, not by an event that ends the process.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  // A mistake of ours in the background must not look like an exit code of the contract, nor print a stack.
  process.on('uncaughtException', (error) => {
    const failure = describeFailure(error, json);
    process.stderr.write(failure.text, () => process.exit(failure.exitCode));
  });
  let exitCode = 0;
  const start = async (spec: CommandSpec, invocation: Omit<Invocation, 'io'>) => {
    const io = new Io(process, process.env, signals, json);
    exitCode = (await spec.run({ ...invocation, io })) ?? 0;
  };
  try {
    await runProgram(
      commands,
      { version: VERSION, out: (text) => process.stdout.write(text), run: start },
      argv,
    );
    return exitCode;
  } catch (error) {
    const failure = describeFailure(error, json);
    process.stderr.write(failure.text);
    return failure.exitCode;
  }
}
