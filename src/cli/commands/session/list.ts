import type { SessionItem, SessionQuery } from '../../../api/contract.ts';
import { type CommandSpec, type Invocation, textOption } from '../../command.ts';
import { LIMIT_TEXT, limitOf, OLDER_ONES, paged } from '../../pages.ts';
import { renderTable } from '../../render/table.ts';
import { demandWho } from '../../who-options.ts';
import { AS_PERSON, actorText, remember, withGateway } from '../../with-gateway.ts';

export const sessionList: CommandSpec = {
  path: ['session', 'list'],
  summary: 'list sessions at the gateway, newest first',
  options: [
    { flags: '--live', text: 'only sessions that run now' },
    { flags: '--agent <name>', text: 'only sessions of this agent' },
    { flags: '--person <name>', text: 'only sessions of this person, or of an agent on their behalf' },
    { flags: '--resource <name>', text: 'only sessions of this resource' },
    { flags: '--instance <id>', text: 'only sessions of this instance: one process of hoopctl' },
    { flags: '--run <id>', text: 'only sessions of this run, by any of its names' },
    { flags: '--limit <n>', text: `at most so many, ${LIMIT_TEXT}` },
  ],
  gateway: 'as-person',
  examples: [
    'hoopctl session list --live',
    'hoopctl session list --resource pg-prod --json',
    'hoopctl session list --run 9876543210',
    'hoopctl session list --person ada@example.com --limit 1000',
    'hoopctl session list --limit 1000',
  ],
  exitCodes: [67, 69, 77],
  async run(invocation) {
    const { io } = invocation;
    const query = queryOf(invocation);
    const limit = limitOf(invocation);
    await withGateway(
      invocation,
      async (gateway) => {
        const ask = async (page: Pick<SessionQuery, 'limit' | 'cursor'>) => {
          const { sessions: items, next } = await gateway.api.sessions({ ...query, ...page });
          return { items, next };
        };
        const sessions: SessionItem[] = [];
        let more = false;
        for await (const session of paged(ask, limit, () => (more = true))) {
          sessions.push(session);
          if (io.json) await io.value(session);
        }
        if (sessions.length > 0 && !io.json)
          await io.line(renderTable(HEADINGS, sessions.map(row), io.width, io.charset).join('\n'));
        else if (!io.json) io.note('no sessions');
        if (more) io.note(OLDER_ONES);
        await remember(gateway, 'sessions', sessions);
      },
      AS_PERSON,
    );
  },
};

function queryOf(invocation: Invocation): SessionQuery {
  const filters = (['agent', 'person', 'resource', 'instance', 'run'] as const).flatMap((name) => {
    const value = textOption(invocation, name);
    if (value === undefined) return [];
    demandWho(name, value);
    return [[name, value] as const];
  });
  return { ...Object.fromEntries(filters), ...(invocation.options['live'] ? { live: 'true' } : {}) };
}

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
