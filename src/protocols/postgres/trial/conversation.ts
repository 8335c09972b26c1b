import { HoopError } from '../../../core/errors.ts';
import { quotedName } from '../../../core/quoted-name.ts';
import { Query } from '../../../wire/postgres/query.ts';
import { reportText } from '../../../wire/postgres/report.ts';
import type { Exchanged, SideConnection } from '../target/side-connection.ts';
import type { TrialStatement } from './document.ts';
import { NAMES_TEMPORARY, namesTemporary } from './offer.ts';
import { notOffered } from './question.ts';

/** Of the statement, ms. With what comes before and behind it no lock is held for longer than `TOTAL_MS`. */
const STATEMENT_MS = 1500;
/** Others wait behind a lock that is waited for. */
const LOCK_MS = 200;
const IDLE_MS = 1000;
/** Of all that is done within transactions. */
const TOTAL_MS = 2500;

const BEGIN = `BEGIN; SET LOCAL statement_timeout = ${STATEMENT_MS}; SET LOCAL lock_timeout = ${LOCK_MS};
  SET LOCAL idle_in_transaction_session_timeout = ${IDLE_MS}`;
const FACTS = `SELECT current_user, pg_catalog.array_to_json(pg_catalog.current_schemas(true)),
  pg_catalog.current_setting('track_counts')`;

/** What is said to the target within transactions that are rolled back, and how long that may still go on. */
export class Conversation {
  readonly #connection: SideConnection;
  readonly #endsAt = performance.now() + TOTAL_MS;

  constructor(connection: SideConnection) {
    this.#connection = connection;
  }

  /** Opens a transaction in which the statement runs as it would: names, literals and role are the same. */
  async begin(trial: TrialStatement): Promise<void> {
    const readBy = Object.entries(trial.readBy).map(
      ([name, value]) => `; SET LOCAL ${name} = ${literal(value)}`,
    );
    await this.ours(`${BEGIN}; SET LOCAL search_path = ${pathOf(trial)}${readBy.join('')}`);
    demandSame(trial, (await this.ours(FACTS)).results[0]?.[0] ?? []);
  }

  /** Constraints and triggers that wait for the end of the transaction. */
  checkDeferred(): Promise<Exchanged> {
    const sql = `SET LOCAL statement_timeout = ${this.#left()}; SET CONSTRAINTS ALL IMMEDIATE`;
    return this.exchange(Query.encode({ sql }), false);
  }

  async rollback(): Promise<void> {
    const done = await this.exchange(Query.encode({ sql: 'ROLLBACK' }), false);
    if (done.status !== 'I' || done.tags[0] !== 'ROLLBACK') throw ended();
  }

  /** Statements of ours: none of them fails by what was asked. */
  async ours(sql: string, maxBytes?: number): Promise<Exchanged> {
    const answer = await this.exchange(Query.encode({ sql }), true, maxBytes);
    if (answer.failure !== undefined)
      throw new HoopError('ERR_TARGET_LOST', 'the target could not be asked', {
        detail: reportText(answer.failure, 'M') ?? '',
      });
    demandOpen(answer);
    return answer;
  }

  exchange(messages: Buffer, keep: boolean, maxBytes?: number): Promise<Exchanged> {
    return this.#connection.exchange(messages, this.#left(), keep, maxBytes);
  }

  #left(): number {
    return Math.max(1, Math.round(this.#endsAt - performance.now()));
  }

  /** Whether there is as much time left as was used. */
  get halfLeft(): boolean {
    return this.#left() > TOTAL_MS / 2;
  }
}

function pathOf({ schemas }: TrialStatement): string {
  if (namesTemporary(schemas)) throw notOffered(NAMES_TEMPORARY);
  return schemas.map(quotedName).join(', ') || "''";
}

/** Means the same under every setting. */
export function literal(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

function demandSame(trial: TrialStatement, [user, schemas, counts]: readonly (string | null)[]): void {
  if (user !== trial.user) throw notOffered('it would run in another role');
  if (schemas !== null && JSON.stringify(JSON.parse(schemas ?? '[]')) !== JSON.stringify(trial.schemas))
    throw notOffered('its names would be looked up elsewhere');
  if (counts !== 'on') throw notOffered('the target does not count (track_counts)');
}

/** The transaction is open, or everything is wrong: what ran may have been kept. */
export function demandOpen({ status }: Exchanged): void {
  if (status !== 'T') throw ended();
}

function ended(): HoopError {
  return new HoopError('ERR_INTERNAL', undefined, {
    detail: 'a transaction of a trial did not end as it must',
  });
}
