import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { asText, type KeyTokens, keysOf, whoOf, wordsOf } from './keys.ts';
import { PER_MS } from './query.ts';
import type { EventRecord } from './stored-event.ts';

/** Where a line lies in its chain's files. */
export interface Place {
  readonly chain: number;
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
}

interface PendingEvent {
  readonly record: EventRecord;
  readonly place: Place;
  out: { readonly place: Place; readonly outcome: string } | undefined;
}

/**
 * Writes events into the index, a batch per transaction. A decision and its outcome become one row: outcomes that
 * come in the same batch cost nothing, later ones write the row's keys anew.
 */
export class IndexWriter {
  readonly #tokens: KeyTokens;
  readonly #sql: ReturnType<typeof statements>;
  #batch: PendingEvent[] = [];
  #open = new Map<string, PendingEvent>();
  #late: {
    readonly operation: string;
    readonly place: Place;
    readonly outcome: string;
    record: EventRecord;
  }[] = [];
  #lastMs = -1;
  #lastN = 0;
  readonly #read: (place: Place) => EventRecord | undefined;

  /** @param read Reads an event's record back from its chain. */
  constructor(db: DatabaseSync, tokens: KeyTokens, read: (place: Place) => EventRecord | undefined) {
    this.#tokens = tokens;
    this.#read = read;
    this.#sql = statements(db);
  }

  get waiting(): number {
    return this.#batch.length + this.#late.length;
  }

  add(record: EventRecord, place: Place): void {
    const operation = asText(record['operation']);
    const key = `${place.chain} ${operation}`;
    if (record['type'] === 'operation.closed' && operation !== undefined) {
      const outcome = asText(record['outcome']) ?? 'unknown';
      const decided = this.#open.get(key);
      if (decided === undefined) this.#late.push({ operation, place, outcome, record });
      else decided.out = { place, outcome };
      this.#open.delete(key);
      return;
    }
    const pending: PendingEvent = { record, place, out: undefined };
    this.#batch.push(pending);
    if (operation !== undefined && awaitsOutcome(record)) this.#open.set(key, pending);
  }

  /** Writes the batch. The caller holds the transaction. */
  write(): void {
    for (const event of this.#batch) this.#insert(event);
    for (const late of this.#late) this.#close(late.operation, late.place, late.outcome, late.record);
    this.#batch = [];
    this.#late = [];
    this.#open.clear();
  }

  #insert(event: PendingEvent): void {
    const { record, place, out } = event;
    const n = this.#nextN(Date.parse(asText(record['at']) ?? ''));
    const { chain, segment, offset, length } = place;
    const o = out?.place;
    this.#sql.event.run(
      n,
      chain,
      segment,
      offset,
      length,
      o?.segment ?? null,
      o?.offset ?? null,
      o?.length ?? null,
    );
    const awaited = awaitsOutcome(record);
    const outcome = asText(record['outcome']) ?? (awaited ? (out?.outcome ?? 'unknown') : undefined);
    this.#sql.found.run(n, keysOf(record, outcome, this.#tokens), wordsOf(record));
    const operation = asText(record['operation']);
    if (awaited && out === undefined && operation !== undefined) this.#sql.await.run(chain, operation, n);
    this.#session(record, place.chain);
  }

  /** An outcome whose decision was written in an earlier batch; one without a decision is a row of its own. */
  #close(operation: string, place: Place, outcome: string, record: EventRecord): void {
    const n = this.#sql.awaited.get(place.chain, operation)?.['n'] as bigint | undefined;
    const row = n === undefined ? undefined : this.#sql.place.get(n);
    const decided = row === undefined ? undefined : this.#read(placeOf(row));
    if (n === undefined || decided === undefined) {
      this.#insert({ record, place, out: undefined });
      return;
    }
    this.#sql.forget.run(place.chain, operation);
    this.#sql.out.run(place.segment, place.offset, place.length, n);
    this.#sql.unfind.run(n);
    this.#sql.found.run(n, keysOf(decided, outcome, this.#tokens), wordsOf(decided));
  }

  #session(record: EventRecord, chain: number): void {
    const id = asText(record['session']);
    const at = asText(record['at']) ?? '';
    if (id === undefined) return;
    if (record['type'] === 'session.started') {
      const who = whoOf(record);
      const text = (value: string | undefined) => value ?? null;
      const target = [text(asText(record['resource'])), text(asText(record['protocol']))];
      const { name, agent, person, identity, instance, attenuation } = who;
      const runs = who.runs?.length ? JSON.stringify(who.runs) : undefined;
      const names = [name, agent, person, identity, instance, attenuation, runs].map(text);
      this.#sql.start.run(id, chain, at, at, ...target, ...names);
      for (const run of who.runs ?? []) this.#sql.run.run(run, id);
    } else if (record['type'] === 'session.ended') {
      this.#sql.end.run(at, at, asText(record['reason']) ?? '', id);
    } else {
      const counts = record['type'] === 'operation.decided' ? 1 : 0;
      this.#sql.count.run(at, counts, record['decision'] === 'deny' ? counts : 0, id);
    }
  }

  /** Free, and in the order of time even where clocks were set back or chains overlap. */
  #nextN(ms: number): bigint {
    const at = Number.isNaN(ms) || ms < 0 ? 0 : ms;
    if (at !== this.#lastMs) {
      const last = this.#sql.lastOfMs.get(BigInt(at * PER_MS), BigInt((at + 1) * PER_MS))?.['n'] as
        | bigint
        | null;
      this.#lastN = last === null || last === undefined ? at * PER_MS - 1 : Number(last);
      this.#lastMs = at;
    }
    this.#lastN++;
    if (this.#lastN < (at + 1) * PER_MS) return BigInt(this.#lastN);
    this.#lastMs = -1;
    return this.#nextN(at + 1);
  }
}

/** A place as a row of `events` has it. */
export function placeOf(row: Record<string, unknown>, prefix: '' | 'out_' = ''): Place {
  const number = (name: string) => Number(row[name]);
  const [segment, offset, length] = [`${prefix}segment`, `${prefix}offset`, `${prefix}length`].map(number);
  return { chain: number('chain'), segment: segment!, offset: offset!, length: length! };
}

/** Only what was allowed runs and so has an outcome. */
export function awaitsOutcome(record: EventRecord): boolean {
  return record['type'] === 'operation.decided' && record['decision'] === 'allow';
}

function statements(
  db: DatabaseSync,
): Record<
  | 'event'
  | 'found'
  | 'unfind'
  | 'await'
  | 'awaited'
  | 'forget'
  | 'place'
  | 'out'
  | 'start'
  | 'run'
  | 'end'
  | 'count'
  | 'lastOfMs',
  StatementSync
> {
  const all = {
    event: db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    found: db.prepare('INSERT INTO found (rowid, keys, words) VALUES (?, ?, ?)'),
    unfind: db.prepare('DELETE FROM found WHERE rowid = ?'),
    await: db.prepare('INSERT OR REPLACE INTO open_operations VALUES (?, ?, ?)'),
    awaited: db.prepare('SELECT n FROM open_operations WHERE chain = ? AND operation = ?'),
    forget: db.prepare('DELETE FROM open_operations WHERE chain = ? AND operation = ?'),
    place: db.prepare('SELECT * FROM events WHERE n = ?'),
    out: db.prepare('UPDATE events SET out_segment = ?, out_offset = ?, out_length = ? WHERE n = ?'),
    start: db.prepare(
      `INSERT OR IGNORE INTO sessions
       (id, chain, started_at, last_at, resource, protocol, actor, agent, person, identity, instance, attenuation, runs)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    run: db.prepare('INSERT OR IGNORE INTO session_runs VALUES (?, ?)'),
    end: db.prepare('UPDATE sessions SET last_at = ?, ended_at = ?, end_reason = ? WHERE id = ?'),
    count: db.prepare(
      'UPDATE sessions SET last_at = ?, operations = operations + ?, denied = denied + ? WHERE id = ?',
    ),
    lastOfMs: db.prepare('SELECT max(n) AS n FROM events WHERE n >= ? AND n < ?'),
  };
  for (const statement of Object.values(all)) statement.setReadBigInts(true);
  return all;
}
