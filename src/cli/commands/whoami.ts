import { ATTENUATION_OPTIONS, attenuationText } from '../attenuation.ts';
import type { CommandSpec } from '../command.ts';
import { renderFacts } from '../render/table.ts';
import { actorText, withGateway } from '../with-gateway.ts';

export const whoami: CommandSpec = {
  path: ['whoami'],
  summary: 'show who the gateway takes this caller for, and until when',
  options: ATTENUATION_OPTIONS,
  gateway: 'as-agent',
  examples: ['hoopctl whoami', 'hoopctl whoami --read-only --only pg-prod --json'],
  exitCodes: [67, 69, 77],
  async run(invocation) {
    const { io } = invocation;
    const me = await withGateway(invocation, (gateway) => gateway.api.whoami());
    if (io.json) return void (await io.value(me));
    const list = (record: Readonly<Record<string, string>>) =>
      Object.entries(record)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ');
    const lines = renderFacts(
      [
        [me.kind, actorText(me)],
        ['gateway', me.gateway],
        ['groups', me.groups.join(', ')],
        ['attested', list(me.attested)],
        ['declared', list(me.declared)],
        ['issuer', me.issuer],
        ['instance', me.instance],
        ['limited to', attenuationText(me.attenuation)],
        ['signed in', me.signedInAt],
        ['until', me.deadline],
      ],
      io.width,
    );
    await io.line(lines.join('\n'));
  },
};
