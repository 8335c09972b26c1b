/**
 * hoopctl's entry. Only commander and the commands' data are loaded here; what a command needs, it loads itself.
 */
import type { CommandSpec, Invocation } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { describeFailure } from './failure.ts';
import { Io } from './io.ts';
import { runProgram, splitCommand } from './program.ts';
import { SignalHub } from './signals.ts';
import { VERSION } from './version.ts';

async function main(): Promise<number> {
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
  const run = async (spec: CommandSpec, invocation: Omit<Invocation, 'io'>) => {
    const io = new Io(process, process.env, signals, json);
    exitCode = (await spec.run({ ...invocation, io })) ?? 0;
  };
  try {
    await runProgram(COMMANDS, { version: VERSION, out: (text) => process.stdout.write(text), run }, argv);
    return exitCode;
  } catch (error) {
    const failure = describeFailure(error, json);
    process.stderr.write(failure.text);
    return failure.exitCode;
  }
}

const code = await main();
// A keychain's thread or a half-open connection must not keep a finished command alive; what was written must get out.
await Promise.all([process.stdout, process.stderr].map((out) => new Promise((done) => out.write('', done))));
process.exit(code);
