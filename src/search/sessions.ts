import type { DatabaseSync } from 'node:sqlite';
import {
  type AttenuationItem,
  MOST_SESSIONS,
  type SessionItem,
  type SessionList,
  type SessionQuery,
} from '../api/contract.ts';
import { HoopError } from '../core/errors.ts';
import { identityOf } from './keys.ts';
import { type AuditScope, bounded, readLimit } from './query.ts';

/** A resource that sessions were at. */
export interface SessionPlace {
  readonly resource: string;
  readonly protocol: string;
}

/** Sessions that a viewer may see: own ones, and everybody's. */
export interface SessionScope {
  readonly own: AuditScope;
  /** Default: wherever they were. */
  readonly ownAt?: readonly SessionPlace[];
  /** Default: nowhere. */
  readonly allAt?: readonly SessionPlace[];
}

export type SessionPage = Pick<SessionList, 'sessions' | 'next'>;

type Row = Record<string, unknown>;

/** Sessions as the index has them. */
export class SessionSearch {
  readonly #db: DatabaseSync;
  readonly #ended: ReadonlySet<number>;

  /** @param ended Chains that nobody writes any more: no session in one of them lives. */
  constructor(db: DatabaseSync, ended: ReadonlySet<number>) {
    this.#db = db;
    this.#ended = ended;
  }

  /** One page, newest first. @throws {HoopError} `ERR_USAGE` a filter's value, the limit or the cursor will not do. */
  page(query: SessionQuery, scope: SessionScope | undefined): SessionPage {
    const limit = readLimit(query.limit, MOST_SESSIONS);
    const rows = this.#rows(
      [...filters(query, this.#ended), ...within(scope), ...before(query.cursor)],
      limit + 1,
    );
    const sessions = rows.slice(0, limit).map((row) => sessionItem(row, this.#ended));
    const last = sessions.at(-1);
    return { sessions, ...(rows.length > limit && last !== undefined ? { next: cursorOf(last) } : {}) };
  }

  one(id: string, scope: SessionScope | undefined): SessionItem | undefined {
    const [row] = this.#rows([is('id', id), ...within(scope)], 1);
    return row && sessionItem(row, this.#ended);
  }

  places(): SessionPlace[] {
    const rows = this.#db.prepare('SELECT DISTINCT resource, protocol FROM sessions').all();
    return rows.map((row) => ({ resource: textIn(row, 'resource'), protocol: textIn(row, 'protocol') }));
  }

  #rows(conditions: readonly Condition[], limit: number): Row[] {
    const where = conditions.map(({ text }) => `(${text})`).join(' AND ') || '1';
    const text = `SELECT * FROM sessions WHERE ${where} ORDER BY started_at DESC, id DESC LIMIT ?`;
    return this.#db.prepare(text).all(...conditions.flatMap(({ values }) => values), limit);
  }
}

interface Condition {
  readonly text: string;
  readonly values: readonly string[];
}

function is(
  column: 'id' | 'identity' | 'agent' | 'person' | 'resource' | 'instance',
  value: string,
): Condition {
  return { text: `${column} = ?`, values: [value] };
}

/** Nothing that an id may hold sorts behind the tilde. */
function begins(id: string): Condition {
  if (!/^ses_[0-9A-Z]{4,26}$/.test(id))
    throw new HoopError('ERR_USAGE', 'id must be ses_ and 4 to 26 letters and digits');
  return { text: 'id >= ? AND id < ?', values: [id, `${id}~`] };
}

function filters(query: SessionQuery, ended: ReadonlySet<number>): Condition[] {
  const found: Condition[] = query.id === undefined ? [] : [begins(query.id)];
  for (const name of ['agent', 'person', 'resource', 'instance'] as const) {
    const value = query[name];
    if (value !== undefined) found.push(is(name, bounded(name, value) ?? ''));
  }
  if (query.run !== undefined)
    found.push({
      text: 'id IN (SELECT session FROM session_runs WHERE run = ?)',
      values: [bounded('run', query.run) ?? ''],
    });
  if (query.live !== undefined && query.live !== 'true')
    throw new HoopError('ERR_USAGE', 'live can only be true');
  if (query.live !== undefined)
    found.push({
      text: 'ended_at IS NULL AND chain NOT IN (SELECT value FROM json_each(?))',
      values: [JSON.stringify([...ended])],
    });
  return found;
}

function within(scope: SessionScope | undefined): Condition[] {
  if (scope === undefined) return [];
  const { own, ownAt, allAt = [] } = scope;
  const mine = [
    is('identity', identityOf(own.issuer, own.subject)),
    ...(own.agent === undefined ? [] : [is('agent', own.agent)]),
    ...(ownAt === undefined ? [] : [at(ownAt)]),
  ];
  // By itself it is found without looking at what is others'.
  if (allAt.length === 0) return mine;
  const everybodys = at(allAt);
  return [
    {
      text: `${mine.map(({ text }) => text).join(' AND ')} OR ${everybodys.text}`,
      values: [...mine, everybodys].flatMap(({ values }) => values),
    },
  ];
}

function at(places: readonly SessionPlace[]): Condition {
  return {
    text: "(ifnull(resource, ''), ifnull(protocol, '')) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))",
    values: [JSON.stringify(places.map(({ resource, protocol }) => [resource, protocol]))],
  };
}

const CURSOR = /^([^,]{1,40}),(\w{1,64})$/;

function cursorOf({ startedAt, id }: SessionItem): string {
  return `${startedAt},${id}`;
}

function before(cursor: string | undefined): Condition[] {
  if (cursor === undefined) return [];
  const [, startedAt, id] = CURSOR.exec(cursor) ?? [];
  if (startedAt === undefined || id === undefined)
    throw new HoopError('ERR_USAGE', 'the cursor is not one that a list gave');
  return [{ text: '(started_at, id) < (?, ?)', values: [startedAt, id] }];
}

function sessionItem(row: Row, ended: ReadonlySet<number>): SessionItem {
  const text = (name: string) => textIn(row, name);
  const endedAt = text('ended_at');
  const interrupted = endedAt === '' && ended.has(Number(row['chain']));
  return {
    id: text('id'),
    resource: text('resource'),
    protocol: text('protocol'),
    actor: text('actor'),
    ...(text('person') === '' ? {} : { person: text('person') }),
    instance: text('instance'),
    startedAt: text('started_at'),
    ...(endedAt === '' ? {} : { endedAt, endReason: text('end_reason') }),
    ...(interrupted ? { endedAt: text('last_at'), endReason: 'interrupted' } : {}),
    operations: Number(row['operations']),
    denied: Number(row['denied']),
    ...(text('attenuation') === ''
      ? {}
      : { attenuation: JSON.parse(text('attenuation')) as AttenuationItem }),
    ...(text('runs') === '' ? {} : { runs: JSON.parse(text('runs')) as readonly string[] }),
  };
}

function textIn(row: Row, name: string): string {
  return typeof row[name] === 'string' ? row[name] : '';
}
