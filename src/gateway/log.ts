import pino, { type DestinationStream, type Logger } from 'pino';
import type { Log, LogFields } from '../core/log.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Longest field value, UTF-16 units: a hostile name must not fill a disk. */
const MAX_VALUE = 2048;

/**
 * Writes one JSON object per line, with `time` (RFC 3339), `level` and `msg`.
 *
 * Nothing but names, words and numbers can be logged: the `Log` interface takes no objects, so a token, a statement
 * or an error with its fields cannot slip in whole. Effects: writes synchronously, so that the last words before an
 * exit are not lost.
 *
 * @param destination Default standard error.
 */
export function createLog(level: LogLevel, destination: DestinationStream = standardError()): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return wrap(logger);
}

function standardError(): DestinationStream {
  return pino.destination({ dest: 2, sync: true });
}

function wrap(logger: Logger): Log {
  return {
    debug: (message, fields) => logger.debug(plain(fields), message),
    info: (message, fields) => logger.info(plain(fields), message),
    warn: (message, fields) => logger.warn(plain(fields), message),
    error: (message, fields) => logger.error(plain(fields), message),
    child: (fields) => wrap(logger.child(plain(fields))),
  };
}

function plain(fields: LogFields = {}): Record<string, string | number | boolean> {
  const out: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string')
      out[name] = value.length > MAX_VALUE ? `${value.slice(0, MAX_VALUE)}…` : value;
    else if (typeof value === 'number' || typeof value === 'boolean') out[name] = value;
  }
  return out;
}
