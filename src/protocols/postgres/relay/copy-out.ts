import { HoopError } from '../../../core/errors.ts';
import { planAt } from '../reading/planner.ts';
import { CopyMasker } from '../shown/copy.ts';
import type { SessionMasks } from '../shown/masks.ts';
import type { RewrittenRow } from '../shown/rows.ts';
import type { Expected } from './pipeline.ts';

/** The COPY TO STDOUT under way, if one is; where detectors are on, its rows are looked at. */
export class CopyOut {
  #masker: CopyMasker | undefined;
  running = false;

  /** @throws {HoopError} `ERR_SESSION_ENDED` it cannot be looked through. */
  start(head: Expected | undefined, masks: SessionMasks): void {
    const plan = head?.kind === 'query' ? planAt(head.planned, head.completed) : undefined;
    const copy = head?.kind === 'execute' ? head.portal.plan.copy : plan?.copy;
    this.running = true;
    this.#masker = masks.detecting ? new CopyMasker(copy, masks.types, masks.detected) : undefined;
  }

  /** Whether its data goes on as it comes. */
  transparent(masks: SessionMasks): boolean {
    return this.running && this.#masker === undefined && !masks.detecting;
  }

  /**
   * @returns What is sent instead of the data, or undefined.
   * @throws {HoopError} `ERR_SESSION_ENDED` it began when nothing was looked for; `ERR_PROTOCOL` as `CopyMasker.take`.
   */
  take(data: Buffer, masks: SessionMasks): RewrittenRow | undefined {
    if (this.#masker === undefined && masks.detecting)
      throw new HoopError(
        'ERR_SESSION_ENDED',
        'the session was ended: what may be shown has changed during a COPY',
      );
    return this.#masker?.take(data);
  }

  /** What is still to be sent of it. */
  end(): RewrittenRow | undefined {
    const rest = this.#masker?.rest();
    this.running = false;
    this.#masker = undefined;
    return rest;
  }
}
