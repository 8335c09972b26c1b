import type { Readable } from 'node:stream';
import { HoopError, isHoopError, toHoopError } from '../../../core/errors.ts';
import { RECORDING_PENDING_BYTES } from '../../../recording/recorder.ts';
import type { Guard } from '../../stream/guard.ts';
import type { Reply } from './incoming.ts';

/** What becomes of the octets of a body. */
export interface Passing {
  /** @returns What the client is given; undefined: nothing yet. */
  push(chunk: Uint8Array): Uint8Array | undefined;
  end(): Uint8Array | undefined;
  /** Called with what the client is about to be given. Not kept. */
  given(chunk: Uint8Array): void;
  /** Called with what was pushed, where all of it has gone to the client and nobody reads its memory any more. */
  done?(chunk: Uint8Array): void;
}

/**
 * Moves a body to the client as fast as the client and the recording take it.
 *
 * @returns When all of it was handed over; the answer is not ended yet.
 * @throws {HoopError} `ERR_TARGET_LOST` it broke off; `ERR_SESSION_ENDED` the client left. What `passing` throws.
 */
export function moveBody(
  body: Readable,
  reply: Reply,
  evidence: Pick<Guard, 'pendingBytes' | 'drained'>,
  passing: Passing,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      body.destroy();
      reject(error);
    };
    const give = (chunk: Uint8Array | undefined, from?: Uint8Array) => {
      if (chunk === undefined || chunk.length === 0) return;
      passing.given(chunk);
      const whole = from !== undefined && chunk.length === from.length && chunk.buffer === from.buffer;
      if (!reply.write(chunk, whole ? () => passing.done?.(from) : undefined))
        waitFor((go) => reply.onDrain(go));
      else if (evidence.pendingBytes > RECORDING_PENDING_BYTES)
        waitFor((go) => void evidence.drained().then(go));
    };
    const waitFor = (drained: (go: () => void) => void) => {
      body.pause();
      drained(() => body.resume());
    };
    body.on('data', (chunk: Uint8Array) => {
      try {
        give(passing.push(chunk), chunk);
      } catch (error) {
        fail(error);
      }
    });
    body.once('end', () => {
      try {
        give(passing.end());
        resolve();
      } catch (error) {
        fail(error);
      }
    });
    const broken = (cause?: Error) => reject(new HoopError('ERR_TARGET_LOST', undefined, { cause }));
    body.once('error', broken);
    body.once('close', () => body.readableEnded || broken());
    reply.onClose((whole) => whole || fail(clientLeft()));
    if (reply.closed) fail(clientLeft());
  });
}

/**
 * As `moveBody`, of a body that is at hand.
 *
 * @returns When the recording takes more; undefined: at once.
 * @throws {HoopError} `ERR_SESSION_ENDED` the client left. What `passing` throws.
 */
export function giveBody(
  whole: Uint8Array,
  reply: Reply,
  evidence: Pick<Guard, 'pendingBytes' | 'drained'>,
  passing: Passing,
): Promise<void> | undefined {
  if (reply.closed) throw clientLeft();
  const give = (chunk: Uint8Array | undefined) => {
    if (chunk === undefined || chunk.length === 0) return;
    passing.given(chunk);
    reply.write(chunk);
  };
  if (whole.length > 0) give(passing.push(whole));
  give(passing.end());
  return evidence.pendingBytes > RECORDING_PENDING_BYTES ? evidence.drained() : undefined;
}

/** Nobody waits for the answer any more. */
export function clientLeft(): HoopError {
  return new HoopError('ERR_SESSION_ENDED', 'the client left before the answer was whole');
}

const ENDS: ReadonlySet<string> = new Set(['ERR_REVOKED', 'ERR_LOGIN_EXPIRED']);

/** Whether it ends more than one exchange. */
export function endsOthers({ code }: HoopError): boolean {
  return ENDS.has(code);
}

/** Why an exchange failed: where it was aborted, for the reason of that. */
export function reasonIn(error: unknown, signal: AbortSignal): HoopError {
  if (signal.aborted && isHoopError(signal.reason)) return signal.reason;
  return toHoopError(error);
}
