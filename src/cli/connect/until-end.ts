import type { HoopError } from '../../core/errors.ts';
import type { Io } from '../io.ts';
import { Interrupted } from '../signals.ts';
import { onParentExit } from './parent-watch.ts';

/**
 * Waits for what ends a tunnel without a command: a signal, the end of whoever started it, or the credential's. Says
 * which, unless a person at the keyboard did it.
 *
 * @param keep Whoever started it may go, and its terminal may close: neither ends it.
 * @param onFinal Tells of the credential's end.
 * @returns Resolves when the parent has ended. @throws {Interrupted} A signal. @throws {HoopError} The credential's end.
 */
export function untilEnd(
  io: Io,
  keep: boolean,
  onFinal: (listener: (error: HoopError) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (keep) io.signals.ignore('SIGHUP');
    const gone = () => {
      io.note(`the process that started this tunnel has ended, and so does the tunnel${CURE}`);
      resolve();
    };
    const unwatch = keep ? () => undefined : onParentExit(io.parentPid, gone);
    const end = (reason: unknown) => {
      unwatch();
      reject(reason);
    };
    const interrupted = () => {
      if (io.signal.reason instanceof Interrupted) tellSignal(io, io.signal.reason);
      end(io.signal.reason);
    };
    if (io.signal.aborted) interrupted();
    io.signal.addEventListener('abort', interrupted, { once: true });
    onFinal(end);
  });
}

const CURE = '; with --keep it would stay';

function tellSignal(io: Io, { signal }: Interrupted): void {
  if (signal === 'SIGHUP')
    io.note(`the terminal of this tunnel has closed (SIGHUP), and so does the tunnel${CURE}`);
  if (signal === 'SIGTERM') io.note('the tunnel was told to end (SIGTERM)');
}
