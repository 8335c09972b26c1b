import { MOST_SESSIONS, type SessionItem } from '../../../api/contract.ts';
import { type CommandSpec, textOption } from '../../command.ts';
import { parseWhole } from '../../parse.ts';
import { renderTable } from '../../render/table.ts';
import { AS_PERSON, actorText, remember, withGateway } from '../../with-gateway.ts';

const DEFAULT_LIMIT = 100;

export const sessionList: CommandSpec = {
  path: ['session', 'list'],
  summary: 'list sessions at the gateway, newest first',
  options: [
    { flags: '--live', text: 'only sessions that run now' },
    { flags: '--agent <name>', text: 'only sessions of this agent' },
    { flags: '--resource <name>', text: 'only sessions of this resource' },
    { flags: '--instance <id>', text: 'only sessions of this instance: one process of hoopctl' },
    { flags: '--run <id>', text: 'only sessions of this run, by any of its names' },
    {
      flags: '--limit <n>',
      text: `at most so many, 1 to ${MOST_SESSIONS} (default ${DEFAULT_LIMIT}); the gateway tells the newest ${MOST_SESSIONS}`,
    },
  ],
  gateway: 'as-person',
  examples: [
    'hoopctl session list --live',
    'hoopctl session list --resource pg-prod --json',
    'hoopctl session list --run 9876543210',
    'hoopctl session list --limit 1000',
  ],
  exitCodes: [67, 69, 77],
  async run(invocation) {
    const { io, options } = invocation;
    const resource = textOption(invocation, 'resource');
    const agent = textOption(invocation, 'agent');
    const instance = textOption(invocation, 'instance');
    const run = textOption(invocation, 'run');
    const limit = parseWhole(
      textOption(invocation, 'limit') ?? String(DEFAULT_LIMIT),
      '--limit',
      1,
      MOST_SESSIONS,
    );
    const all = await withGateway(
      invocation,
      async (gateway) => {
        const listed = await gateway.api.sessions();
        await remember(gateway, 'sessions', listed);
        return listed;
      },
      AS_PERSON,
    );
    const matching = all.filter(
      (item) =>
        (!options['live'] || item.endedAt === undefined) &&
        (resource ?? item.resource) === item.resource &&
        (instance ?? item.instance) === item.instance &&
        (run === undefined || item.runs?.includes(run) === true) &&
        (agent ?? item.actor) === item.actor,
    );
    const sessions = matching.slice(0, limit);
    if (io.json) for (const session of sessions) await io.value(session);
    else if (sessions.length === 0) io.note('no sessions');
    else await io.line(renderTable(HEADINGS, sessions.map(row), io.width).join('\n'));
    const left = matching.length - sessions.length;
    if (left > 0)
      io.note(
        `${left} older ${left === 1 ? 'one is' : 'ones are'} not shown: --limit ${Math.min(MOST_SESSIONS, matching.length)}`,
      );
    if (all.length === MOST_SESSIONS)
      io.note(`older ones than the newest ${MOST_SESSIONS}: hoopctl audit search --type session.started`);
  },
};

const HEADINGS = ['ID', 'STARTED', 'WHO', 'INSTANCE', 'RUN', 'RESOURCE', 'OPERATIONS', 'DENIED', 'STATE'];

function row(item: SessionItem): (string | number)[] {
  const who = actorText({ name: item.actor, person: item.person });
  const state = item.endedAt === undefined ? 'live' : (item.endReason ?? 'ended');
  return [
    item.id,
    item.startedAt,
    who,
    item.instance,
    item.runs?.[0] ?? '',
    item.resource,
    item.operations,
    item.denied,
    state,
  ];
}
