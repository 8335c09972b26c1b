/**
 * `hoopctl connect --background`: starts a process that is the tunnel, in a session of its own, and leaves when it is ready.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { configDir } from '../../client/store/private-files.ts';
import { systemClock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import { wrapped } from '../../core/terminal/prose.ts';
import type { Invocation } from '../command.ts';
import { planConnect } from '../connect/plan.ts';
import { type Io, NOTE_INDENT } from '../io.ts';
import { type FromTunnel, TUNNEL_VARIABLE } from './messages.ts';
import { isTunnelId, TunnelRecords } from './records.ts';
import { supervise } from './supervise.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * @returns 0 when the tunnel is ready, else the code with which it ended before that.
 * @throws {HoopError} `ERR_USAGE`; `ERR_CONFIG` the directory of the tunnels' files is not ours alone.
 */
export async function runBackground(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  planConnect(invocation);
  const records = new TunnelRecords(configDir(io.env));
  const own = io.env[TUNNEL_VARIABLE] ?? '';
  if (isTunnelId(own) && process.send !== undefined) {
    delete io.env[TUNNEL_VARIABLE];
    return supervise(invocation, records, own);
  }
  await records.prepare();
  await records.sweep(systemClock.now());
  const id = [...randomBytes(8)].map((byte) => LETTERS[byte & 31]).join('');
  return untilReady(io, start(io, records.logOf(id), id));
}

/** In a session of its own no terminal's end reaches it, and no Ctrl-C. */
function start({ env }: Io, log: string, id: string): ChildProcess {
  const file = openSync(log, 'a', 0o600);
  try {
    return spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      detached: true,
      env: { ...env, [TUNNEL_VARIABLE]: id },
      stdio: ['ignore', file, file, 'ipc'],
    });
  } finally {
    closeSync(file);
  }
}

/** Remarks and errors are laid out for the terminal here: the tunnel has none. */
function show(
  { streams, json, noteWidth }: Io,
  { stream, text }: Extract<FromTunnel, { kind: 'said' }>,
): void {
  const prose = stream === 'stderr' && !json;
  const lines = text
    .split('\n')
    .map((line) => (/^(hoopctl|hint): /.test(line) ? wrapped(line, noteWidth, NOTE_INDENT) : line));
  streams[stream].write(prose ? lines.join('\n') : text);
}

/** Shows what the tunnel says meanwhile: the secret of its local ends comes by here and is kept nowhere. */
function untilReady(io: Io, child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      child.kill('SIGTERM');
      reject(io.signal.reason);
    };
    io.signal.addEventListener('abort', stop, { once: true });
    child.on('message', (message: FromTunnel) => {
      if (message.kind === 'said') return void show(io, message);
      io.signal.removeEventListener('abort', stop);
      child.disconnect();
      child.unref();
      resolve(0);
    });
    child.once('error', (error) =>
      reject(new HoopError('ERR_INTERNAL', undefined, { detail: error.message, cause: error })),
    );
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
}
