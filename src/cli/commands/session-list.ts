import type { SessionItem } from '../../api/contract.ts';
import { type CommandSpec, textOption } from '../command.ts';
import { renderTable } from '../render/table.ts';
import { AS_PERSON, actorText, withGateway } from '../with-gateway.ts';

export const sessionList: CommandSpec = {
  path: ['session', 'list'],
  summary: 'list sessions at the gateway, newest first',
  options: [
    { flags: '--live', text: 'only sessions that run now' },
    { flags: '--agent <name>', text: 'only sessions of this agent' },
    { flags: '--resource <name>', text: 'only sessions of this resource' },
    { flags: '--instance <id>', text: 'only sessions of this instance: one process of hoopctl' },
  ],
  gateway: 'as-person',
  examples: ['hoopctl session list --live', 'hoopctl session list --resource pg-prod --json'],
  exitCodes: [67, 69, 77],
  async run(invocation) {
    const { io, options } = invocation;
    const resource = textOption(invocation, 'resource');
    const agent = textOption(invocation, 'agent');
    const instance = textOption(invocation, 'instance');
    const all = await withGateway(invocation, (gateway) => gateway.api.sessions(), AS_PERSON);
    const sessions = all.filter(
      (item) =>
        (!options['live'] || item.endedAt === undefined) &&
        (resource ?? item.resource) === item.resource &&
        (instance ?? item.instance) === item.instance &&
        (agent ?? item.actor) === item.actor,
    );
    if (io.json) {
      for (const session of sessions) await io.value(session);
      return;
    }
    if (sessions.length === 0) {
      io.note('no sessions');
      return;
    }
    const headings = ['ID', 'STARTED', 'WHO', 'INSTANCE', 'RESOURCE', 'OPERATIONS', 'DENIED', 'STATE'];
    await io.line(renderTable(headings, sessions.map(row), io.width).join('\n'));
  },
};

function row(item: SessionItem): (string | number)[] {
  const who = actorText({ name: item.actor, person: item.person });
  const state = item.endedAt === undefined ? 'live' : (item.endReason ?? 'ended');
  return [item.id, item.startedAt, who, item.instance, item.resource, item.operations, item.denied, state];
}
