import type { TriedOut } from '../../../api/approvals.ts';
import { HoopError } from '../../../core/errors.ts';
import { whenAborted } from '../../../core/later.ts';
import { Bind, Execute, Parse } from '../../../wire/postgres/extended.ts';
import { Sync } from '../../../wire/postgres/frontend.ts';
import { Query } from '../../../wire/postgres/query.ts';
import { type ErrorResponse, reportText } from '../../../wire/postgres/report.ts';
import type { KnownCatalog } from '../catalog/service.ts';
import { CONDITIONS } from '../shown/sqlstates.ts';
import type { StatementFacts } from '../sql/facts/facts.ts';
import type { SqlParser } from '../sql/parse/parser.ts';
import type { Exchanged, SideConnection } from '../target/side-connection.ts';
import { parseTrial, type TrialStatement } from './document.ts';
import { notOffered, readAll } from './question.ts';
import { Reach } from './reach.ts';

export interface TrialParts {
  readonly parser: SqlParser;
  readonly catalog: () => Promise<KnownCatalog>;
  readonly definitions: () => Promise<string>;
  /** A connection of its own, in the role that would run the statement. */
  readonly connect: (signal: AbortSignal) => Promise<SideConnection>;
}

/** Of the statement, ms. With what comes before and behind it no lock is held for longer than `TOTAL_MS`. */
const STATEMENT_MS = 1500;
/** Others wait behind a lock that is waited for. */
const LOCK_MS = 200;
const IDLE_MS = 1000;
const TOTAL_MS = 2500;
/** Octets. */
const MAX_NAME = 63;
/** For reading what it may run, before anything is locked. */
const READ_MS = 5000;
const TRIED: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

const BEGIN = `BEGIN; SET LOCAL statement_timeout = ${STATEMENT_MS}; SET LOCAL lock_timeout = ${LOCK_MS};
  SET LOCAL idle_in_transaction_session_timeout = ${IDLE_MS}`;
const FACTS = `SELECT current_user, pg_catalog.array_to_json(pg_catalog.current_schemas(true)),
  pg_catalog.current_setting('track_counts')`;
const COUNTS = `SELECT schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_catalog.pg_stat_xact_user_tables
  WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 ORDER BY schemaname, relname`;

/**
 * Runs a statement that waits for people in a transaction that is rolled back, and counts.
 *
 * Only what a rollback undoes with certainty is run: one INSERT, UPDATE, DELETE or MERGE of which everything that it may
 * lead to was read. It cannot commit: the server takes one statement in that message, none of whose words ends a
 * transaction, and the connection is closed behind it.
 */
export class Trials {
  readonly #parts: TrialParts;

  constructor(parts: TrialParts) {
    this.#parts = parts;
  }

  /**
   * @param document As `trialDocument` made it.
   * @param signal Aborted when nobody waits for it any more.
   * @throws {HoopError} `ERR_UNSUPPORTED` it is not certain that nothing would remain; `ERR_TARGET_…`.
   */
  async run(document: string, signal: AbortSignal): Promise<TriedOut> {
    const trial = parseTrial(document);
    if (trial === undefined) throw notOffered('how it would run was not kept');
    await this.#demandOne(trial.statement);
    // In this order: what differs from what was known before is read anew.
    const definitions = await this.#parts.definitions();
    const { catalog } = await this.#parts.catalog();
    const connection = await this.#parts.connect(signal);
    whenAborted(signal, () => connection.close());
    try {
      const ask = async (sql: string) => (await connection.query(sql, READ_MS))[0] ?? [];
      const reach = new Reach(catalog);
      await readAll(reach, trial.statement, ask);
      if ((await this.#parts.definitions()) !== definitions)
        throw notOffered('what is defined is changing just now');
      const counted = await new TrialScript(connection, trial).run();
      return { ...counted, changed: definitions !== trial.definitions, catches: reach.catches };
    } finally {
      connection.close();
    }
  }

  /** @throws {HoopError} `ERR_UNSUPPORTED` it is not one statement of a kind whose rows can be counted. */
  async #demandOne(text: string): Promise<void> {
    const { statements } = await this.#parts.parser.parse(text);
    const [one] = statements;
    if (one === undefined || statements.length > 1) throw notOffered('it is not one statement');
    if (!changesRows(one))
      throw notOffered(`only rows are counted that are changed, not what ${one.tag} does`);
  }
}

function changesRows(one: StatementFacts): boolean {
  const { kind, tag, unsupported, opaque, explain, prepares, executes, copy, call, transaction } = one;
  const others = [unsupported, opaque, explain, prepares, executes, copy, transaction, one.declares];
  return kind === 'dml' && TRIED.has(tag) && !call && others.every((other) => other === undefined);
}

/** What is sent, in order, and what is made of the answers. */
class TrialScript {
  readonly #connection: SideConnection;
  readonly #trial: TrialStatement;
  readonly #endsAt = performance.now() + TOTAL_MS;

  constructor(connection: SideConnection, trial: TrialStatement) {
    this.#connection = connection;
    this.#trial = trial;
  }

  async run(): Promise<Pick<TriedOut, 'command' | 'rows' | 'changes' | 'fails'>> {
    await this.#ours(`${BEGIN}; SET LOCAL search_path = ${this.#path()}`);
    this.#demandSame((await this.#ours(FACTS)).results[0]?.[0] ?? []);
    const ran = await this.#exchange(statementMessages(this.#trial), false);
    if (ran.failure !== undefined) return this.#failed(ran.failure);
    demandOpen(ran);
    const checked = await this.#exchange(
      Query.encode({ sql: `SET LOCAL statement_timeout = ${this.#left()}; SET CONSTRAINTS ALL IMMEDIATE` }),
      false,
    );
    if (checked.failure !== undefined) return this.#failed(checked.failure);
    demandOpen(checked);
    const { results } = await this.#ours(`SET LOCAL search_path = pg_catalog; ${COUNTS}`);
    const done = await this.#exchange(Query.encode({ sql: 'ROLLBACK' }), false);
    if (done.status !== 'I' || done.tags[0] !== 'ROLLBACK') throw ended();
    const [command = '', ...rest] = (ran.tags[0] ?? '').split(' ');
    return { command, rows: Number(rest.at(-1) ?? 0), changes: (results.at(-1) ?? []).map(changeOf) };
  }

  /**
   * Never the server's own words, which may hold values, as may every field of a report that a function raises: which
   * condition it is, and of which constraint or table where there is one of that name.
   */
  async #failed(failure: ErrorResponse): Promise<Pick<TriedOut, 'changes' | 'fails'>> {
    const state = reportText(failure, 'C') ?? '';
    const status = CONDITIONS.has(state) ? state : 'P0001';
    const named = reportText(failure, 'n') ?? reportText(failure, 't') ?? '';
    const of = (await this.#isThere(named)) ? ` ("${named}")` : '';
    return { changes: [], fails: { status, reason: `${CONDITIONS.get(status) ?? 'it fails'}${of}` } };
  }

  async #isThere(name: string): Promise<boolean> {
    if (name === '' || Buffer.byteLength(name) > MAX_NAME || name.includes('\\')) return false;
    const literal = `'${name.replaceAll("'", "''")}'`;
    const sql = `ROLLBACK; SELECT 1 FROM pg_catalog.pg_constraint WHERE conname = ${literal}
      UNION ALL SELECT 1 FROM pg_catalog.pg_class WHERE relname = ${literal}`;
    const { results, failure } = await this.#exchange(Query.encode({ sql }), true);
    return failure === undefined && (results.at(-1)?.length ?? 0) > 0;
  }

  #path(): string {
    const { schemas } = this.#trial;
    if (schemas.some((name) => name.startsWith('pg_temp_')))
      throw notOffered('its session has temporary tables, which it may mean');
    return schemas.map((name) => `"${name.replaceAll('"', '""')}"`).join(', ') || "''";
  }

  #demandSame([user, schemas, counts]: readonly (string | null)[]): void {
    if (user !== this.#trial.user) throw notOffered('it would run in another role');
    if (
      schemas !== null &&
      JSON.stringify(JSON.parse(schemas ?? '[]')) !== JSON.stringify(this.#trial.schemas)
    )
      throw notOffered('its names would be looked up elsewhere');
    if (counts !== 'on') throw notOffered('the target does not count (track_counts)');
  }

  /** Statements of ours: none of them fails by what was asked. */
  async #ours(sql: string): Promise<Exchanged> {
    const answer = await this.#exchange(Query.encode({ sql }), true);
    if (answer.failure !== undefined)
      throw new HoopError('ERR_TARGET_LOST', 'the target could not be asked', {
        detail: reportText(answer.failure, 'M') ?? '',
      });
    demandOpen(answer);
    return answer;
  }

  #exchange(messages: Buffer, keep: boolean): Promise<Exchanged> {
    return this.#connection.exchange(messages, this.#left(), keep);
  }

  #left(): number {
    return Math.max(1, Math.round(this.#endsAt - performance.now()));
  }
}

function statementMessages({ statement, types, formats, values }: TrialStatement): Buffer {
  const parameters = values.map((value) => (value === null ? null : Buffer.from(value, 'hex')));
  return Buffer.concat([
    Parse.encode({ statement: '', sql: statement, parameterTypes: types }),
    Bind.encode({ portal: '', statement: '', parameterFormats: formats, parameters, resultFormats: [] }),
    Execute.encode({ portal: '', maxRows: 0 }),
    Sync.encode({}),
  ]);
}

/** The transaction is open, or everything is wrong: what ran may have been kept. */
function demandOpen({ status }: Exchanged): void {
  if (status !== 'T') throw ended();
}

function ended(): HoopError {
  return new HoopError('ERR_INTERNAL', undefined, {
    detail: 'a transaction of a trial did not end as it must',
  });
}

function changeOf([schema, table, inserted, updated, deleted]: readonly (
  | string
  | null
)[]): TriedOut['changes'][number] {
  const [ins, upd, del] = [inserted, updated, deleted].map(Number) as [number, number, number];
  return { object: `${schema}.${table}`, inserted: ins, updated: upd, deleted: del };
}
