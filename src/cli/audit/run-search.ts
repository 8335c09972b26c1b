import { AUDIT_FILTER_NAMES, AUDIT_FILTER_WORDS, type AuditFilterName } from '../../api/audit-filters.ts';
import { type AuditEventItem, type AuditQuery, PATHS } from '../../api/contract.ts';
import { demandId } from '../../client/item-ids.ts';
import { systemClock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import { type Invocation, textOption } from '../command.ts';
import { limitOf, OLDER_ONES, paged } from '../pages.ts';
import { parseMoment } from '../parse.ts';
import { renderTable } from '../render/table.ts';
import { demandWho } from '../who-options.ts';
import { AS_PERSON, withGateway } from '../with-gateway.ts';
import { eventRow, HEADINGS } from './event-row.ts';

const CHOICES: Partial<Record<AuditFilterName, readonly string[]>> = AUDIT_FILTER_WORDS;
/** Filters that an event's own names must equal. */
const NAMES = ['agent', 'person', 'model', 'resource', 'object', 'action'] as const;
const NONE_SO_CALLED =
  'no events match; names are whole ones, as audit show has them: ada@example.com, and not ada';

export async function runSearch(invocation: Invocation): Promise<undefined> {
  const { io } = invocation;
  const query = searchQuery(invocation, systemClock.now());
  const limit = limitOf(invocation);
  await withGateway(
    invocation,
    async ({ api }) => {
      const whole = await api.wholeIds(query);
      const events = async (page: Pick<AuditQuery, 'limit' | 'cursor'>) => {
        const { events: items, next } = await api.auditEvents({ ...whole, ...page });
        return { items, next };
      };
      const rows: AuditEventItem[] = [];
      let more = false;
      for await (const event of paged(events, limit, () => (more = true))) {
        if (io.json) await io.value(event);
        else rows.push(event);
      }
      if (rows.length > 0)
        await io.line(renderTable(HEADINGS, rows.map(eventRow), io.width, io.charset).join('\n'));
      else if (!io.json) io.note(NAMES.some((name) => name in query) ? NONE_SO_CALLED : 'no events match');
      if (more) io.note(OLDER_ONES);
    },
    AS_PERSON,
  );
}

/** The query as the gateway takes it. Pure. @throws {HoopError} `ERR_USAGE` a value that no event can have. */
export function searchQuery(invocation: Pick<Invocation, 'args' | 'options'>, nowMs: number): AuditQuery {
  const option = (name: string) => textOption(invocation as Invocation, name);
  const query: Record<string, string> = {};
  if (invocation.args.length > 0) query['q'] = invocation.args.join(' ');
  for (const name of AUDIT_FILTER_NAMES) {
    const value = option(name);
    if (value !== undefined) query[name] = filterValue(name, value, nowMs);
  }
  const table = option('table');
  if (table !== undefined && query['object'] !== undefined) {
    throw new HoopError('ERR_USAGE', '--table is another word for --object: give one of them');
  }
  if (table !== undefined) query['object'] = table;
  const { since, until } = query;
  if (since !== undefined && until !== undefined && since >= until)
    throw new HoopError('ERR_USAGE', `--until ${until} is not after --since ${since}`, {
      hint: 'a duration is so long ago: --since 2h --until 1h',
    });
  return query;
}

function filterValue(name: AuditFilterName, value: string, nowMs: number): string {
  if (name === 'since' || name === 'until') return parseMoment(value, `--${name}`, nowMs);
  if (name === 'session') demandId(PATHS.sessions, value);
  if (name === 'approval') demandId(PATHS.approvals, value);
  demandWho(name, value);
  const words: readonly string[] | undefined = CHOICES[name];
  if (words !== undefined && !words.includes(value))
    throw new HoopError('ERR_USAGE', `--${name} "${value}" is none of ${words.join(', ')}`);
  return value;
}
