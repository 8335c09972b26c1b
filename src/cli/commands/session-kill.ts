import type { CommandSpec } from '../command.ts';
import { AS_PERSON, withGateway } from '../with-gateway.ts';

export const sessionKill: CommandSpec = {
  path: ['session', 'kill'],
  summary: 'end a running session at once',
  arguments: [{ syntax: '<id>', text: 'session id, ses_…' }],
  gateway: 'as-person',
  examples: ['hoopctl session kill ses_01JD8M2K7QZX4T9B3N5V6W8Y0C'],
  exitCodes: [67, 69, 77],
  async run(invocation) {
    const { io } = invocation;
    const id = invocation.args[0]!;
    const ended = await withGateway(invocation, (gateway) => gateway.api.killSession(id), AS_PERSON);
    if (io.json) await io.value(ended);
    else await io.line(ended.sessions > 0 ? 'ended' : 'had ended before');
  },
};
