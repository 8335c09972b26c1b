import type { DatabaseSync } from 'node:sqlite';
import type { AuditEventItem, AuditPage, AuditQuery } from '../api/contract.ts';
import type { KeyTokens } from './keys.ts';
import { type AuditScope, type IndexQuery, PER_MS, toIndexQuery, writeCursor } from './query.ts';
import { SessionSearch } from './sessions.ts';
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

  get sessions(): SessionSearch {
    return new SessionSearch(this.#db, this.#tail.ended());
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

/** The time in an event's id (see core/ids/make.ts), ms since the epoch. */
function idTime(id: string): number | undefined {
  const text = /^evt_([0-9A-HJKMNP-TV-Z]{10})[0-9A-HJKMNP-TV-Z]{16}$/.exec(id)?.[1];
  if (text === undefined) return undefined;
  return [...text].reduce((sum, digit) => sum * 32 + '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(digit), 0);
}
