import { setTimeout as sleep } from 'node:timers/promises';
import type { ReplayFrame } from '../../api/contract.ts';
import { HoopError } from '../../core/errors.ts';
import { type Invocation, textOption } from '../command.ts';
import { AS_PERSON, withGateway } from '../with-gateway.ts';
import { ReplayPrinter } from './printer.ts';

/** Nobody wants to watch somebody think. */
const MAX_PAUSE_MS = 2_000;

/**
 * Plays a recording in its own time, or prints its frames at once with `--json`.
 *
 * @throws {HoopError} `ERR_VERIFY`: the recording is damaged or was changed; what came before that is shown.
 */
export async function runReplay(invocation: Invocation): Promise<undefined> {
  const { io } = invocation;
  const speed = parseSpeed(textOption(invocation, 'speed') ?? '1');
  const printer = new ReplayPrinter();
  await withGateway(
    invocation,
    async (gateway) => {
      let atMs = 0;
      for await (const frame of gateway.api.recording(invocation.args[0]!, io.signal)) {
        if (io.json) {
          await io.value(frame);
        } else {
          await pause(frame, atMs, speed, io.signal);
          atMs = frame.atMs;
          const text = printer.push(frame);
          if (text !== '') await io.write(text);
        }
        if (frame.kind === 'broken') throw new HoopError('ERR_VERIFY', frame.message);
      }
    },
    AS_PERSON,
  );
}

/** @returns 0 (no pauses) or a factor up to 1000. @throws {HoopError} `ERR_USAGE`. */
export function parseSpeed(text: string): number {
  const speed = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (speed >= 0 && speed <= 1000) return speed;
  throw new HoopError('ERR_USAGE', `--speed "${text}" is not a factor`, {
    hint: 'such as 0.5, 2 or 10; 0 does not pause',
  });
}

async function pause(
  frame: ReplayFrame,
  beforeMs: number,
  speed: number,
  signal: AbortSignal,
): Promise<void> {
  const gapMs = speed === 0 ? 0 : Math.min((frame.atMs - beforeMs) / speed, MAX_PAUSE_MS);
  if (gapMs >= 1) await sleep(gapMs, undefined, { signal });
}
