import { toHoopError } from '../../../core/errors.ts';
import type { Guard } from '../../stream/guard.ts';
import type { SshRefusal } from '../refusals.ts';
import type { ConnectionState } from './state.ts';

const NOT_CARRIED: SshRefusal = {
  code: 'ERR_UNSUPPORTED',
  rule: 'forwarding-not-carried',
  reason: 'agents, displays, sockets and connections to the host are not forwarded',
  hint: 'use a login of the host',
};

/** Puts on record what was asked for and is never done. Never rejects. @param what In the protocol's word. */
export async function refusedOnRecord(
  connection: Pick<ConnectionState, 'over' | 'intake'>,
  guard: Guard,
  what: string,
): Promise<void> {
  try {
    const asked = guard.ask({ pairs: [], context: {}, text: what, refusal: NOT_CARRIED });
    await connection.intake.during(Promise.resolve(asked));
  } catch (error) {
    connection.over(toHoopError(error));
  }
}
