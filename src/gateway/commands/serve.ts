import { formatMistake } from '../../core/config/mistake.ts';
import { HoopError, toHoopError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { followConfig, readConfig } from '../config/follow.ts';
import { startGateway } from '../gateway.ts';
import { createLog, LOG_LEVELS, type LogLevel } from '../log.ts';
import type { Gateway } from '../running.ts';
import { tell } from './say.ts';

export interface ServeOptions {
  readonly config: string;
  readonly logLevel: string;
}

/** How long a dying process may take to put its evidence away, ms. */
const LAST_WORDS_MS = 2000;

/**
 * `hoopd serve`: starts the gateway and stays until it is told to stop.
 *
 * SIGHUP and changes of files reload; SIGTERM and SIGINT drain, a second one ends everything at once. An error that
 * nobody caught means that our own state cannot be trusted any more: what can be flushed is flushed, and the process
 * ends with 70 for its supervisor to start anew.
 *
 * @returns The exit code.
 * @throws {HoopError} `ERR_CONFIG`, `ERR_USAGE` before anything was started.
 */
export async function serve(options: ServeOptions): Promise<number> {
  const log = createLog(levelOf(options.logLevel));
  const { next: loaded, known } = readConfig(options.config);
  if (!loaded.ok) {
    for (const mistake of loaded.mistakes) tell(formatMistake(mistake));
    return 78;
  }
  // From the start: an early SIGHUP would end a process that does not listen for it yet.
  let reload: (() => void) | undefined;
  let asked = false;
  const hangUp = () => {
    if (reload === undefined) asked = true;
    else reload();
  };
  process.on('SIGHUP', hangUp);
  const gateway = await startGateway(loaded, { log });
  const followed = followConfig(options.config, loaded, known, gateway, log);
  reload = followed.reload;
  if (asked) reload();
  const code = await untilStopped(gateway, loaded.config.drain, log);
  followed.close();
  process.off('SIGHUP', hangUp);
  return code;
}

function levelOf(word: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === word);
  if (level === undefined)
    throw new HoopError('ERR_USAGE', `--log-level must be one of ${LOG_LEVELS.join(', ')}`);
  return level;
}

function untilStopped(gateway: Gateway, drainMs: number, log: Log): Promise<number> {
  return new Promise((resolve) => {
    let signals = 0;
    const stop = (signal: NodeJS.Signals) => {
      signals++;
      const graceMs = signals === 1 ? drainMs : 0;
      log.info('stopping', { signal, graceMs, sessions: gateway.sessions.size });
      gateway.close({ graceMs }).then(
        () => resolve(0),
        (error: unknown) => {
          log.error('the gateway did not stop cleanly', { error: String(error) });
          resolve(70);
        },
      );
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    const die = (error: unknown) => {
      const { message, detail } = toHoopError(error);
      log.error('an error was not caught: stopping', { error: detail ?? message, stack: stackOf(error) });
      setTimeout(() => process.exit(70), LAST_WORDS_MS).unref();
      gateway.close({ graceMs: 0 }).finally(() => process.exit(70));
    };
    process.on('uncaughtException', die);
    process.on('unhandledRejection', die);
  });
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error
    ? error.stack?.split('\n').slice(1, 6).join(' ').replace(/\s+/g, ' ')
    : undefined;
}
