import { setTimeout as sleep } from 'node:timers/promises';
import type { ReplayFrame } from '../../api/replay.ts';
import { STILL_LIVE } from '../../api/still-live.ts';
import { HoopError } from '../../core/errors.ts';
import { type Invocation, textOption } from '../command.ts';
import { AS_PERSON, withGateway } from '../with-gateway.ts';
import { Asciicast, type CastOptions } from './asciicast.ts';
import { ReplayPrinter } from './printer.ts';

/** Nobody wants to watch somebody think. */
const IDLE_LIMIT_S = 2;

/** That are told where another was asked for. */
const MOST_STREAMS = 32;

/** How a recording is played. */
interface Pace {
  /** 0: without pauses. */
  readonly speed: number;
  readonly idleLimitMs: number;
  /** What came before is shown at once. */
  readonly fromMs: number;
}

/**
 * Plays a recording in its own time, or gives it at once with `--json`, and as a file for asciinema with `--asciicast`.
 *
 * @throws {HoopError} `ERR_VERIFY`: the recording is damaged or was changed; what came before that is shown.
 */
export async function runReplay(invocation: Invocation): Promise<undefined> {
  const { io } = invocation;
  const play = io.json ? asJson(invocation) : (asCast(invocation) ?? asPlayed(invocation));
  const stream = streamOf(invocation);
  const follow = invocation.options['follow'] === true;
  const streams = new Set<number>();
  await withGateway(
    invocation,
    async (gateway) => {
      try {
        for await (const frame of gateway.api.recording(invocation.args[0]!, io.signal, follow)) {
          if (frame.kind !== 'end' && streams.size < MOST_STREAMS) streams.add(frame.stream ?? 0);
          if (isOf(frame, stream)) await play.show(frame);
          if (frame.kind === 'end' && frame.reason === STILL_LIVE && !io.json)
            io.note(`watch it: hoopctl session replay ${invocation.args[0]} --follow`);
          if (frame.kind === 'broken') throw new HoopError('ERR_VERIFY', frame.message);
        }
      } finally {
        await play.leave?.();
      }
      if (stream !== undefined) demandStream(stream, streams);
      play.check?.();
    },
    AS_PERSON,
  );
}

interface Play {
  show(frame: ReplayFrame): Promise<void>;
  /** However it ends. */
  leave?(): Promise<void>;
  /** Where it ends well. @throws {HoopError} `ERR_USAGE` it had nothing to show. */
  check?(): void;
}

function asJson({ io }: Invocation): Play {
  return { show: (frame) => io.value(frame) };
}

/** Undefined: nobody asked for it. */
function asCast(invocation: Invocation): Play | undefined {
  const asked = textOption(invocation, 'asciicast');
  if (asked === undefined) return undefined;
  const cast = new Asciicast(castOptions(invocation, asked));
  return {
    show: async (frame) => {
      const lines = cast.push(frame);
      if (lines !== '') await invocation.io.write(lines);
    },
    check: () => {
      if (!cast.begun)
        throw new HoopError('ERR_USAGE', 'there is nothing in it that a terminal or a pipe showed');
    },
  };
}

/** @throws {HoopError} `ERR_USAGE`. */
function castOptions(invocation: Invocation, asked: string): CastOptions {
  if (asked !== '2' && asked !== '3')
    throw new HoopError('ERR_USAGE', `--asciicast "${asked}" is no version`, { hint: 'it is 2 or 3' });
  for (const name of ['speed', 'at'])
    if (textOption(invocation, name) !== undefined)
      throw new HoopError('ERR_USAGE', `--${name} is for the player of the file`, { hint: 'leave it out' });
  const limit = textOption(invocation, 'idleLimit');
  return {
    version: asked === '2' ? 2 : 3,
    stream: streamOf(invocation),
    ...(limit === undefined ? {} : { idleLimit: parseSeconds('idle-limit', limit) }),
  };
}

function asPlayed(invocation: Invocation): Play {
  const { io } = invocation;
  const follow = invocation.options['follow'] === true;
  if (follow) refuseBesideFollow(invocation);
  const pace = {
    speed: follow ? 0 : parseSpeed(textOption(invocation, 'speed') ?? '1'),
    idleLimitMs: parseSeconds('idle-limit', textOption(invocation, 'idleLimit') ?? `${IDLE_LIMIT_S}`) * 1000,
    fromMs: parseSeconds('at', textOption(invocation, 'at') ?? '0') * 1000,
  };
  const printer = new ReplayPrinter(
    io.streams.stdout.isTTY === true && io.env['TERM'] !== 'dumb',
    io.charset,
  );
  let atMs = 0;
  return {
    show: async (frame) => {
      await pause(pauseMs(atMs, frame.atMs, pace), io.signal);
      atMs = frame.atMs;
      const text = printer.push(frame);
      if (text !== '') await io.write(text);
    },
    leave: () => io.write(printer.leave()),
  };
}

/** @throws {HoopError} `ERR_USAGE`. */
function refuseBesideFollow(invocation: Invocation): void {
  for (const [name, flag] of [
    ['speed', '--speed'],
    ['idleLimit', '--idle-limit'],
    ['at', '--at'],
  ] as const)
    if (textOption(invocation, name) !== undefined)
      throw new HoopError('ERR_USAGE', `${flag} is for what is over, and --follow for what goes on`, {
        hint: 'leave one of them out',
      });
}

function streamOf(invocation: Invocation): number | undefined {
  const text = textOption(invocation, 'stream');
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new HoopError('ERR_USAGE', `--stream "${text}" is no number`, {
    hint: 'a replay without it names the streams',
  });
}

/** @throws {HoopError} `ERR_USAGE` nothing of that stream is in the recording. */
function demandStream(stream: number, known: ReadonlySet<number>): void {
  if (known.has(stream) || known.size === MOST_STREAMS) return;
  throw new HoopError('ERR_USAGE', `there is no stream ${stream} in it`, {
    hint: `it has ${[...known].sort((a, b) => a - b).join(', ')}`,
  });
}

/** Whether a frame belongs to the one stream that is asked for; how it ends is told in any case. */
function isOf(frame: ReplayFrame, stream: number | undefined): boolean {
  if (stream === undefined || frame.kind === 'end' || frame.kind === 'broken') return true;
  return (frame.stream ?? 0) === stream;
}

/** @returns 0 (no pauses) or a factor up to 1000. @throws {HoopError} `ERR_USAGE`. */
export function parseSpeed(text: string): number {
  const speed = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (speed >= 0 && speed <= 1000) return speed;
  throw new HoopError('ERR_USAGE', `--speed "${text}" is not a factor`, {
    hint: 'such as 0.5, 2 or 10; 0 does not pause',
  });
}

/** @param text `90`, `1.5`, `1:30`, `1:02:03`. @returns Seconds. @throws {HoopError} `ERR_USAGE`. */
export function parseSeconds(name: string, text: string): number {
  if (/^(?:\d{1,3}:){0,2}\d{1,6}(?:\.\d{1,3})?$/.test(text))
    return text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  throw new HoopError('ERR_USAGE', `--${name} "${text}" is no time`, {
    hint: 'such as 90, 0.5, 1:30 or 1:02:03',
  });
}

/** How long to wait before a frame, ms. Pure. */
export function pauseMs(beforeMs: number, atMs: number, { speed, idleLimitMs, fromMs }: Pace): number {
  if (speed === 0) return 0;
  const gapMs = Math.max(0, atMs - Math.max(beforeMs, fromMs));
  return Math.min(gapMs / speed, idleLimitMs);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms >= 1) await sleep(ms, undefined, { signal });
}
