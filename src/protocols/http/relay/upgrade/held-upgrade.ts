import { HoopError } from '../../../../core/errors.ts';
import type { Hold } from '../../../../enforcement/operation.ts';
import type { Denied } from '../../../stream/guard.ts';
import type { OpenOperation } from '../../../stream/operations.ts';
import type { CanonicalRequest } from '../../request/canonical.ts';
import type { Field } from '../../request/fields/read-fields.ts';
import type { Carrying, Waiting, WaitingOn } from './carried.ts';
import type { AskedCarried, Upgrade } from './upgraded.ts';

/** An upgrade that may have to wait for people: where its protocol can say so, its client has its 101 then, and is told. */
export class HeldUpgrade {
  readonly #carried: AskedCarried;
  readonly #on: WaitingOn;
  #waiting: Waiting | undefined;

  constructor(carried: AskedCarried, on: WaitingOn) {
    this.#carried = carried;
    this.#on = on;
  }

  /** The client has its 101: what it is told from there on is told over that. */
  get begun(): boolean {
    return this.#waiting !== undefined;
  }

  tell(hold: Hold): void {
    const { handshake, takeOver } = this.#carried;
    const { ahead } = handshake;
    if (ahead === undefined) return;
    this.#waiting ??= ahead.begin(takeOver(ahead.fields), this.#on);
    this.#waiting.tell(hold);
  }

  /** As it was allowed. */
  of(request: CanonicalRequest, on: Carrying): Upgrade {
    const takeOver = (fields: readonly Field[]) => this.#waiting?.goOn() ?? this.#carried.takeOver(fields);
    return { ...this.#carried, takeOver, request, on, begun: this.begun };
  }

  /** Of a client that has its 101. */
  async refuse(reason: HoopError, operation?: OpenOperation): Promise<void> {
    operation?.close('failure', reason.code, reason.message);
    await this.#waiting?.refuse(reason);
  }

  /** As `refuse`. */
  deny(denied: Denied): Promise<void> {
    const { code, message, hint } = denied.denial;
    this.#on.guard.ended(code, denied);
    const reason = new HoopError(code, `${message}; ${hint}`);
    return this.#waiting?.refuse(reason, denied.denial) ?? Promise.resolve();
  }
}
