import type { CatalogConnection } from './reader.ts';

const TIMEOUT_MS = 5_000;
/** Of a table's rows each with the transaction that wrote it: CREATE OR REPLACE, ALTER and DROP all change that. */
const rows = (table: string, key: string, where = '') =>
  `SELECT '${table}' || ${key} || ' ' || ${table}.xmin FROM pg_catalog.${table} ${where}`;
/** What others keep for themselves comes and goes with their work, and concerns nobody else. */
const lasting = (relation: string) =>
  `JOIN pg_catalog.pg_class lasting ON lasting.oid = ${relation} AND lasting.relpersistence <> 't'`;
const OF_SCHEMA = "WHERE relnamespace::pg_catalog.regnamespace::pg_catalog.text !~ '^pg_(toast_)?temp_'";

const QUESTION = `SELECT pg_catalog.md5(pg_catalog.string_agg(row, ',' ORDER BY row)) FROM (${[
  rows('pg_class', 'pg_class.oid', OF_SCHEMA),
  rows('pg_attribute', "attrelid || '.' || attnum", lasting('attrelid')),
  rows('pg_attrdef', 'pg_attrdef.oid', lasting('adrelid')),
  rows(
    'pg_constraint',
    'pg_constraint.oid',
    'WHERE conrelid = 0 OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = conrelid AND relpersistence <> $$t$$)',
  ),
  rows('pg_inherits', "inhrelid || '.' || inhseqno"),
  rows('pg_type', 'pg_type.oid', 'WHERE typrelid = 0 AND typelem = 0 OR typtype = $$d$$'),
  ...['proc', 'rewrite', 'trigger', 'policy', 'cast', 'operator', 'namespace', 'event_trigger', 'enum'].map(
    (name) => rows(`pg_${name}`, `pg_${name}.oid`),
  ),
  rows('pg_aggregate', 'aggfnoid::pg_catalog.oid'),
].join(' UNION ALL ')}) AS all_rows(row)`;

/**
 * Says by one value what a target has defined: schemas, tables, views, functions with their bodies, triggers, policies,
 * types, casts. It differs whenever any of it was made, changed or dropped in between; temporary tables do not count.
 *
 * Asked for only where an approval is. Over a connection of its own, which is opened at the first question.
 */
export class Definitions {
  readonly #connect: () => Promise<CatalogConnection>;
  readonly #changed: () => void;
  #last: string | undefined;
  #connection: CatalogConnection | undefined;
  #running: Promise<string> | undefined;
  #next: Promise<string> | undefined;

  /** @param changed Told when they are others than at the question before. */
  constructor(connect: () => Promise<CatalogConnection>, changed: () => void) {
    this.#connect = connect;
    this.#changed = changed;
  }

  /**
   * @returns As of a moment after the call: whoever asks while another's question runs shares the next one.
   * @throws {HoopError} `ERR_TARGET_…` it cannot be known now.
   */
  current(): Promise<string> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#next;
  }

  #start(): Promise<string> {
    this.#next = undefined;
    const running = this.#ask().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #ask(): Promise<string> {
    if (this.#connection?.usable !== true) this.#connection = await this.#connect();
    const [answer] = await this.#connection.query(QUESTION, TIMEOUT_MS);
    const now = answer?.[0]?.[0] ?? '';
    if (now !== this.#last) this.#changed();
    this.#last = now;
    return now;
  }

  close(): void {
    this.#connection?.close();
  }
}
