import { attenuationText } from '../../attenuation.ts';
import type { CommandSpec } from '../../command.ts';
import { renderFacts } from '../../render/table.ts';
import { AS_PERSON, actorText, withGateway } from '../../with-gateway.ts';

export const sessionShow: CommandSpec = {
  path: ['session', 'show'],
  summary: 'show one session',
  arguments: [{ syntax: '<id>', text: 'session id, ses_…' }],
  gateway: 'as-person',
  examples: ['hoopctl session show ses_01JD8M2K7QZX4T9B3N5V6W8Y0C'],
  exitCodes: [67, 69, 77],
  async run(invocation) {
    const { io } = invocation;
    const item = await withGateway(
      invocation,
      (gateway) => gateway.api.session(invocation.args[0]!),
      AS_PERSON,
    );
    if (io.json) return void (await io.value(item));
    const lines = renderFacts(
      [
        ['session', item.id],
        ['who', actorText({ name: item.actor, person: item.person })],
        ['instance', item.instance],
        ['run', item.runs?.join(', ')],
        ['limited to', attenuationText(item.attenuation)],
        ['resource', item.resource],
        ['protocol', item.protocol],
        ['started', item.startedAt],
        ['ended', item.endedAt ?? 'live'],
        ['reason', item.endReason],
        ['operations', item.operations],
        ['denied', item.denied],
      ],
      io.width,
    );
    await io.line(lines.join('\n'));
  },
};
