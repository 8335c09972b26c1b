import type { Duplex } from 'node:stream';
import { HoopError } from '../../../../core/errors.ts';
import type { Refusal } from '../../../../enforcement/operation.ts';
import type { HttpRefusal } from '../../refusals.ts';
import type { CanonicalRequest } from '../../request/canonical.ts';
import type { Field } from '../../request/fields/read-fields.ts';
import { isRefused } from '../../request/refusals.ts';
import type { HttpTarget, Switched, TargetAnswer } from '../../target/http-target.ts';
import { earlyView } from '../answer-view.ts';
import type { Incoming } from '../incoming.ts';
import type { Carried, CarriedEnd, Carrying, Handshake } from './carried.ts';

/** One upgrade that was decided. */
export interface Upgrade {
  readonly request: CanonicalRequest;
  readonly protocol: string;
  readonly handshake: Handshake;
  readonly on: Carrying;
  /** Gives the client its 101. @returns What is spoken from there on. */
  readonly takeOver: (fields: readonly Field[]) => Duplex;
  /** It has one already. */
  readonly begun?: boolean;
}

/** One that is asked for, before it is decided. */
export type AskedCarried = Pick<Upgrade, 'protocol' | 'handshake' | 'takeOver'>;

/** What a connection is to be upgraded to, where that is asked for. Pure. */
export function askedCarried(
  request: CanonicalRequest,
  upgrades: ReadonlyMap<string, Carried>,
  { takeOver }: Pick<Incoming, 'takeOver'>,
): AskedCarried | Refusal | undefined {
  const { upgrade } = request;
  if (upgrade === undefined) return undefined;
  const carried = upgrades.get(upgrade.protocol);
  if (carried === undefined || takeOver === undefined) return NOT_CARRIED;
  const handshake = carried.begin(upgrade, request);
  return isRefused(handshake) ? handshake : { protocol: carried.protocol, handshake, takeOver };
}

/**
 * Asks the target for the upgrade, gives the client its 101, and carries what is said.
 *
 * @returns How it ended; or the answer of a target that does not take it up.
 * @throws {HoopError} `ERR_TARGET_LOST` its handshake is wrong: nothing was given to the client; it does not take up what the client
 *   has its 101 for. What `HttpTarget.upgrade` throws.
 */
export async function upgraded(target: HttpTarget, upgrade: Upgrade): Promise<CarriedEnd | TargetAnswer> {
  const { request, protocol, handshake, on } = upgrade;
  const answer = await target.upgrade(request, protocol, handshake.fields, on.signal);
  if (!('stream' in answer)) {
    if (!upgrade.begun) return answer;
    answer.leave();
    throw new HoopError('ERR_TARGET_LOST', `the target answers ${answer.status}, and takes up no stream`);
  }
  const head = headOf(answer, upgrade);
  if (head === undefined || on.signal.aborted) {
    answer.stream.destroy();
    on.signal.throwIfAborted();
    throw new HoopError('ERR_TARGET_LOST', "the target's handshake is wrong");
  }
  return handshake.carry({ client: upgrade.takeOver(head), target: answer.stream }, on);
}

/** True of the target's handshake, or of a body that there is none of. */
const OF_THE_TARGET = /^(?:sec-websocket-|content-|x-stream-protocol-version$)/;

/** The client's 101: what of the target's fields it may be shown, and on record before it is given. */
function headOf(
  { rawHeaders }: Switched,
  { protocol, handshake, on }: Upgrade,
): readonly Field[] | undefined {
  const accepted = handshake.accepted(rawHeaders);
  const shown = earlyView(rawHeaders, on.sight());
  if (accepted === undefined || shown === undefined) return undefined;
  const kept = shown.fields.filter(([name]) => !OF_THE_TARGET.test(name));
  const fields: readonly Field[] = [['connection', 'Upgrade'], ['upgrade', protocol], ...kept, ...accepted];
  on.operation.maskedValues += shown.masked;
  if (handshake.messages) on.guard.head('response', { start: '101', fields }, on.operation);
  return fields;
}

const NOT_CARRIED: HttpRefusal = {
  code: 'ERR_UNSUPPORTED',
  rule: 'upgrade-not-carried',
  reason: 'the connection would be upgraded to what is not configured for this resource',
  hint: 'use what the API offers by ordinary requests, or ask for a line under target.upgrades',
};
