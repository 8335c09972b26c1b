import { HoopError } from '../../core/errors.ts';
import { type CommandSpec, textOption } from '../command.ts';
import { AS_PERSON, withGateway } from '../with-gateway.ts';

export const sessionKill: CommandSpec = {
  path: ['session', 'kill'],
  summary: 'end a running session, or all of one instance, at once',
  description:
    'An instance is one process of hoopctl with its own key; session list names them. Ended by --instance, it is ' +
    'revoked: it opens no new session, other processes of the same login go on.',
  arguments: [{ syntax: '[id]', text: 'session id, ses_…' }],
  options: [{ flags: '--instance <id>', text: 'end every session of this instance, ins_…, and revoke it' }],
  gateway: 'as-person',
  examples: [
    'hoopctl session kill ses_01JD8M2K7QZX4T9B3N5V6W8Y0C',
    'hoopctl session kill --instance ins_Zm9vYmFyYmF6cXV4Cg',
  ],
  exitCodes: [67, 69, 77],
  async run(invocation) {
    const { io } = invocation;
    const [id] = invocation.args;
    const instance = textOption(invocation, 'instance');
    if ((id === undefined) === (instance === undefined))
      throw new HoopError('ERR_USAGE', 'name either a session or, with --instance, an instance');
    const ended = await withGateway(
      invocation,
      ({ api }) => (instance === undefined ? api.killSession(id!) : api.revokeInstance(instance)),
      AS_PERSON,
    );
    if (io.json) await io.value(ended);
    else await io.line(said(ended.sessions, instance !== undefined));
  },
};

function said(sessions: number, revoked: boolean): string {
  if (revoked) return `revoked; sessions ended: ${sessions}`;
  return sessions > 0 ? 'ended' : 'had ended before';
}
