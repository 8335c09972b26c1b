import { toHoopError } from '../../../core/errors.ts';
import type { Guard } from '../../stream/guard.ts';
import type { SshRefusal } from '../refusals.ts';
import type { ConnectionState } from './state.ts';
import { denialLines } from './words.ts';

const NOT_CARRIED: SshRefusal = {
  code: 'ERR_UNSUPPORTED',
  rule: 'forwarding-not-carried',
  reason: 'agents, displays, sockets and connections to the host are not forwarded',
  hint: 'use a login of the host',
};

/** In the words of what was asked for, where there are better ones. */
const WORDS: Readonly<Record<string, Pick<SshRefusal, 'reason' | 'hint'>>> = {
  'auth-agent': {
    reason: 'agents are not forwarded',
    hint: 'use a login that the host has of its own, or do here what needs the agent, and copy the rest',
  },
  x11: { reason: 'displays are not forwarded', hint: 'use a program that draws in the terminal' },
  'tcpip-forward': {
    reason: 'the host listens for nobody here: its resource has no session.listens',
    hint: 'connect from here by ssh -L, or ask the operator of the gateway for session.listens',
  },
};

/**
 * Puts on record what was asked for and is never done, and tells whoever runs something over the connection: clients show no more than that it
 * failed, of an agent not even that. Never rejects.
 *
 * @param what In the protocol's word.
 */
export async function refusedOnRecord(
  connection: Pick<ConnectionState, 'over' | 'intake' | 'remark'>,
  guard: Guard,
  what: string,
): Promise<void> {
  try {
    const refusal = { ...NOT_CARRIED, ...WORDS[what] };
    const asked = guard.ask({ pairs: [], context: {}, text: what, refusal });
    const answer = await connection.intake.during(Promise.resolve(asked));
    if (answer.effect === 'deny') connection.remark(denialLines(answer.denial));
  } catch (error) {
    connection.over(toHoopError(error));
  }
}
