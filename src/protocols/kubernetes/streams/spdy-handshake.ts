import { valuesOf } from '../../../wire/http/http1/head.ts';
import type { CarriedEnd, CarriedEnds, Carrying, Handshake } from '../../http/relay/upgrade/carried.ts';
import type { Field } from '../../http/request/fields/read-fields.ts';

const VERSION = 'x-stream-protocol-version';

/** The handshakes of one stream over SPDY/3.1: what is spoken over it is named beside it. */
export class SpdyHandshake implements Handshake {
  readonly messages = false;
  readonly #spoken: string;
  readonly carry: (ends: CarriedEnds, on: Carrying) => Promise<CarriedEnd>;

  /** @param spoken `v4.channel.k8s.io`: the one thing that is asked for. */
  constructor(spoken: string, carry: SpdyHandshake['carry']) {
    this.#spoken = spoken;
    this.carry = carry;
  }

  get fields(): readonly Field[] {
    return [[VERSION, this.#spoken]];
  }

  accepted(rawHeaders: readonly string[]): readonly Field[] | undefined {
    const upgrades = valuesOf(rawHeaders, 'upgrade').join().toLowerCase() === 'spdy/3.1';
    const agrees = valuesOf(rawHeaders, VERSION).join() === this.#spoken;
    return upgrades && agrees ? this.fields : undefined;
  }
}
