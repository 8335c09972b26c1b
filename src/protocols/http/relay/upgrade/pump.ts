import type { Duplex } from 'node:stream';
import { HoopError } from '../../../../core/errors.ts';
import type { Later } from '../../../../core/later.ts';
import type { Turns } from '../../../../core/turns.ts';
import { RECORDING_PENDING_BYTES } from '../../../../recording/recorder.ts';
import type { Guard } from '../../../stream/guard.ts';
import { ControlBudget } from './control-budget.ts';
import { drained } from './parting.ts';

/** One direction between a client and a target. */
export interface Direction<Event extends { readonly kind: string }> {
  readonly from: Duplex;
  readonly to: Duplex;
  /** What a chunk says. Throws where that is malformed. */
  read(chunk: Buffer): Iterable<Event>;
  /** Throws, or fails, where it must not be said. */
  take(event: Event): Later<void>;
}

/** What stands around a direction. */
export interface Pumping {
  readonly evidence: Pick<Guard, 'pendingBytes' | 'drained'>;
  readonly turns: Turns;
  /** Whether what comes is read away. */
  readonly over: () => boolean;
  /** Resolves when the relay is over. */
  readonly ended: Promise<unknown>;
  readonly failed: (error: unknown) => void;
}

/** Moves what one side says, as fast as the other side and the recording take it. Resolves when that side has left. Never rejects. */
export async function pumped<Event extends { readonly kind: string }>(
  direction: Direction<Event>,
  pumping: Pumping,
): Promise<void> {
  const { from, to } = direction;
  const { evidence, over, ended } = pumping;
  const budget = new ControlBudget();
  try {
    for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (over()) continue;
      await taken(direction, pumping, budget, chunk);
      await Promise.race([drained(to), ended]);
      if (evidence.pendingBytes > RECORDING_PENDING_BYTES) await evidence.drained();
    }
  } catch {
    // It broke off.
  }
}

/** By which one side makes the other answer, or nothing at all. */
const CONTROL: ReadonlySet<string> = new Set(['ping', 'pong', 'goaway', 'end', 'close', 'closed']);

async function taken<Event extends { readonly kind: string }>(
  direction: Direction<Event>,
  { turns, over, failed }: Pumping,
  budget: ControlBudget,
  chunk: Buffer,
): Promise<void> {
  try {
    for (const event of direction.read(chunk)) {
      if (CONTROL.has(event.kind) && !budget.takes(performance.now()))
        throw new HoopError('ERR_LIMIT', 'too many control frames');
      await direction.take(event);
      // Thousands of them may stand in what came at once.
      if (turns.spent) await turns.next();
      if (over()) return;
    }
  } catch (error) {
    failed(error);
  }
}
