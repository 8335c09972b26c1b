import type { SessionItem } from '../../api/contract.ts';
import type { HoopError } from '../../core/errors.ts';
import { runIdsOf } from '../../core/ids/runs.ts';
import type { SessionRef } from '../../enforcement/operation.ts';
import type { Tally } from '../../protocols/stream/guard.ts';

/** One gateway session while it lives: what it counts, and the one way to end it. */
export class LiveSession {
  readonly ref: SessionRef;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly tally: Tally = { operations: 0, denied: 0 };
  readonly #controller = new AbortController();

  constructor(ref: SessionRef, startedAt: number) {
    this.ref = ref;
    this.startedAt = startedAt;
  }

  /** Aborted by `end`, with the reason given there. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Tells the session to end. The first reason stands; later ones are ignored. */
  end(reason: HoopError): void {
    if (!this.#controller.signal.aborted) this.#controller.abort(reason);
  }

  toItem(): SessionItem {
    const { id, resource, protocol, actor } = this.ref;
    const runs = runIdsOf(actor.attested, actor.declared['run']);
    return {
      id,
      resource: resource.id,
      protocol,
      actor: actor.name,
      ...(actor.person === undefined ? {} : { person: actor.person }),
      instance: actor.instance,
      startedAt: new Date(this.startedAt).toISOString(),
      ...this.tally,
      ...(actor.attenuation === undefined ? {} : { attenuation: actor.attenuation }),
      ...(runs.length === 0 ? {} : { runs }),
    };
  }
}
