import type { Ended } from '../../../api/contract.ts';
import type { RevocationRequest } from '../../../api/revocations.ts';
import { HoopError } from '../../../core/errors.ts';
import { type CommandSpec, type Invocation, textOption } from '../../command.ts';
import { demandWho } from '../../who-options.ts';
import { AS_PERSON, withGateway } from '../../with-gateway.ts';

const KINDS = ['run', 'instance', 'agent', 'model'] as const;

export const sessionKill: CommandSpec = {
  path: ['session', 'kill'],
  summary: 'end a running session, or all of one run, instance, agent or model, at once',
  description:
    'What is named by an option is revoked: it opens no new session. A run is all that carries one HOOP_RUN_ID, or that a ' +
    'CI platform or cluster attests to be one; an instance is one process of hoopctl with its own key: both stay out for ' +
    'good. An agent or a model is kept out until hoopctl revocation lift; a model is meant where the identity provider ' +
    'attests it. Your own sessions, instances and runs are yours to end, the rest by policy.',
  arguments: [{ syntax: '[id]', text: 'session id, ses_…' }],
  options: [
    { flags: '--run <id>', text: 'end every session of this run, on whatever resource, and keep it out' },
    { flags: '--instance <id>', text: 'end every session of this instance, ins_…, and revoke it' },
    {
      flags: '--agent <name>',
      text: 'end every session of this agent, whoever it acts for, and keep it out',
    },
    {
      flags: '--model <name>',
      text: 'end every session that this model drives, as attested, and keep it out',
    },
    { flags: '--model-version <version>', text: 'with --model: only this version of it' },
    { flags: '--reason <text>', text: 'why, for the audit' },
  ],
  gateway: 'as-person',
  examples: [
    'hoopctl session kill ses_01JD8M2K7QZX4T9B3N5V6W8Y0C',
    'hoopctl session kill --run run_01JD8M2K7QZX4T9B3N5V6W8Y0C',
    'hoopctl session kill --model planner-2 --reason "it deletes what it should read"',
  ],
  exitCodes: [67, 69, 77],
  async run(invocation) {
    const { io } = invocation;
    const target = targetOf(invocation);
    const ended = await withGateway(
      invocation,
      ({ api }): Promise<Ended> =>
        typeof target === 'string' ? api.killSession(target) : api.revoke(target),
      AS_PERSON,
    );
    if (io.json) await io.value(ended);
    else await io.line(said(ended.sessions, typeof target !== 'string'));
  },
};

/** @returns A session's id, or what is to be revoked. @throws {HoopError} `ERR_USAGE` not one thing is named. */
function targetOf(invocation: Invocation): string | RevocationRequest {
  const [id] = invocation.args;
  const named = KINDS.flatMap((kind) => {
    const value = textOption(invocation, kind);
    if (value !== undefined) demandWho(kind, value);
    return value === undefined ? [] : [{ [kind]: value }];
  });
  const [version, reason] = [textOption(invocation, 'modelVersion'), textOption(invocation, 'reason')];
  if (named.length + (id === undefined ? 0 : 1) !== 1)
    throw new HoopError('ERR_USAGE', 'name one: a session, or --run, --instance, --agent or --model');
  if (version !== undefined && textOption(invocation, 'model') === undefined)
    throw new HoopError('ERR_USAGE', '--model-version belongs to --model');
  if (id === undefined)
    return {
      ...named[0],
      ...(version === undefined ? {} : { modelVersion: version }),
      ...(reason === undefined ? {} : { reason }),
    };
  if (reason !== undefined)
    throw new HoopError('ERR_USAGE', '--reason is of what is revoked, not of one session');
  return id;
}

function said(sessions: number, revoked: boolean): string {
  if (revoked) return `revoked; sessions ended: ${sessions}`;
  return sessions > 0 ? 'ended' : 'had ended before';
}
