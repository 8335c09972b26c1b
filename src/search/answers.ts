import type { DatabaseSync } from 'node:sqlite';
import type { AttenuationItem, AuditEventItem, AuditPage, AuditQuery, SessionItem } from '../api/contract.ts';
import { identityOf, type KeyTokens } from './keys.ts';
import { type AuditScope, type IndexQuery, PER_MS, toIndexQuery, writeCursor } from './query.ts';
import type { EventRecord } from './stored-event.ts';
import type { IndexTail } from './tail.ts';
import { awaitsOutcome, placeOf } from './writer.ts';

/** A page ends early when the lines read for it, sealed originals included, come to so many octets. */
const PAGE_BYTES = 32 * 1024 * 1024;
/** Fields that an outcome event adds to its decision's. */
const OUTCOME_FIELDS = [
  'outcome',
  'reason',
  'status',
  'rows',
  'bytes',
  'maskedValues',
  'durationMs',
] as const;

type Row = Record<string, unknown>;

export interface SessionQuery {
  /** Only this one. */
  readonly id?: string;
  /** 1 … 1000, default 200; newest first. */
  readonly limit?: number;
}

/** Answers from the index, with what the chains' files say at the places it names. */
export class IndexSearch {
  readonly #db: DatabaseSync;
  readonly #tail: IndexTail;
  readonly #tokens: KeyTokens;

  constructor(db: DatabaseSync, tail: IndexTail, tokens: KeyTokens) {
    this.#db = db;
    this.#tail = tail;
    this.#tokens = tokens;
  }

  search(query: AuditQuery, scope: AuditScope | undefined): AuditPage {
    const asked = toIndexQuery(query, scope, this.#tokens);
    const rows = this.#rows(asked);
    const events: AuditEventItem[] = [];
    let bytes = 0;
    let shown = 0;
    for (const row of rows.slice(0, asked.limit)) {
      if (bytes > PAGE_BYTES) break;
      bytes += Number(row['length']);
      shown++;
      const item = this.#item(row);
      if (item !== undefined) events.push(item);
    }
    const last = rows[shown - 1];
    const next = shown < rows.length && last !== undefined ? { next: writeCursor(Number(last['n'])) } : {};
    return { schemaVersion: 1, events, ...next };
  }

  /** One event by its id, within the scope. */
  event(id: string, scope: AuditScope | undefined): AuditEventItem | undefined {
    const ms = idTime(id);
    if (ms === undefined) return undefined;
    const asked = { ...toIndexQuery({}, scope, this.#tokens), from: ms * PER_MS, before: (ms + 2) * PER_MS };
    const found = this.#rows({ ...asked, limit: 2 * PER_MS }).find(
      (row) => this.#tail.read(placeOf(row))?.['id'] === id,
    );
    return found === undefined ? undefined : this.#item(found);
  }

  sessions(query: SessionQuery, scope: AuditScope | undefined): SessionItem[] {
    const where = ['1'];
    const values: string[] = [];
    const add = (condition: string, value: string | undefined) => {
      if (value === undefined) return;
      where.push(condition);
      values.push(value);
    };
    add('id = ?', query.id);
    add('identity = ?', scope === undefined ? undefined : identityOf(scope.issuer, scope.subject));
    add('agent = ?', scope?.agent);
    const sql = `SELECT * FROM sessions WHERE ${where.join(' AND ')} ORDER BY started_at DESC, id DESC LIMIT ?`;
    const limit = Math.min(Math.max(1, query.limit ?? 200), 1000);
    const ended = this.#tail.ended();
    return this.#db
      .prepare(sql)
      .all(...values, limit)
      .map((row) => sessionItem(row, ended));
  }

  #rows(asked: IndexQuery): Row[] {
    const bounds = [BigInt(Math.floor(asked.from)), BigInt(Math.ceil(asked.before)), BigInt(asked.limit + 1)];
    if (asked.match === undefined) {
      const sql = 'SELECT * FROM events WHERE n >= ? AND n < ? ORDER BY n DESC LIMIT ?';
      return this.#db.prepare(sql).all(...bounds);
    }
    const sql = `SELECT events.* FROM found CROSS JOIN events ON events.n = found.rowid
      WHERE found MATCH ? AND found.rowid >= ? AND found.rowid < ? ORDER BY found.rowid DESC LIMIT ?`;
    return this.#db.prepare(sql).all(asked.match, ...bounds);
  }

  #item(row: Row): AuditEventItem | undefined {
    const record = this.#tail.read(placeOf(row));
    if (record === undefined) return undefined;
    const { sealed: _, ...shown } = record;
    const closed = row['out_segment'] === null ? undefined : this.#tail.read(placeOf(row, 'out_'));
    const outcome = closed === undefined ? unknownOutcome(record) : pick(closed);
    return { ...shown, ...outcome } as unknown as AuditEventItem;
  }
}

function unknownOutcome(record: EventRecord): EventRecord {
  return awaitsOutcome(record) && record['outcome'] === undefined ? { outcome: 'unknown' } : {};
}

function pick(closed: EventRecord): EventRecord {
  return Object.fromEntries(
    OUTCOME_FIELDS.flatMap((name) => (closed[name] === undefined ? [] : [[name, closed[name]]])),
  );
}

function sessionItem(row: Row, endedChains: ReadonlySet<number>): SessionItem {
  const text = (name: string) => (typeof row[name] === 'string' ? row[name] : '');
  const endedAt = text('ended_at');
  const interrupted = endedAt === '' && endedChains.has(Number(row['chain']));
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

/** The time in an event's id (see core/ids.ts), ms since the epoch. */
function idTime(id: string): number | undefined {
  const text = /^evt_([0-9A-HJKMNP-TV-Z]{10})[0-9A-HJKMNP-TV-Z]{16}$/.exec(id)?.[1];
  if (text === undefined) return undefined;
  return [...text].reduce((sum, digit) => sum * 32 + '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(digit), 0);
}
