import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { HoopError } from '../../core/errors.ts';
import type { Io } from '../io.ts';
import type { EndingSignal } from '../signals.ts';

/**
 * Runs a command with our terminal and waits for it.
 *
 * Signals that would end us are the child's meanwhile. SIGINT is not passed on where we share a terminal: the terminal
 * has sent it to the child already, and many programs take a second one for impatience.
 *
 * @param also Is given what passes further signals on, whoever has sent them.
 * @returns The child's exit code, 128+n if signal n ended it, 127 if there is no such command, 126 if it cannot run.
 */
export function runChild(
  io: Io,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  also?: (pass: (signal: EndingSignal) => void) => void,
): Promise<number> {
  const [file, ...args] = command;
  if (file === undefined) throw new HoopError('ERR_USAGE', 'after -- a command is expected');
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: 'inherit', env });
    const release = io.signals.take((signal) => {
      if (signal !== 'SIGINT' || !io.streams.stdin.isTTY) child.kill(signal);
    });
    also?.((signal) => child.kill(signal));
    child.once('error', (error: NodeJS.ErrnoException) => {
      release();
      const missing = error.code === 'ENOENT';
      io.note(
        missing
          ? `${file}: there is no such command`
          : `${file} cannot be run (${error.code ?? error.message})`,
      );
      resolve(missing ? 127 : 126);
    });
    child.once('exit', (exitCode, signal) => {
      release();
      resolve(exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
