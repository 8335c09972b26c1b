import type { AnalysisCatalog } from '../../src/protocols/postgres/sql/analysis/catalog.ts';
import { ConnectionCatalog } from '../support/postgres/connection-catalog.ts';
import type { Session } from './session.ts';

/** What is told whenever something is written; NULL where the transaction itself has written nothing. */
const WRITTEN = `SELECT pg_current_xact_id_if_assigned(), pg_snapshot_xmax(pg_current_snapshot())`;
/** Another answer, and something has been made, changed or dropped, or is looked up elsewhere. */
const OBJECTS = `SELECT ${['class', 'proc', 'type', 'operator', 'cast', 'namespace']
  .map((name) => `(SELECT count(*) || '.' || max(xmin::text::bigint) FROM pg_${name})`)
  .join(', ')}, current_schemas(true), pg_my_temp_schema()`;

/** The catalog as the gateway has it, of what one session sees. */
export class SessionCatalog {
  readonly #session: Session;
  readonly #catalog: ConnectionCatalog;
  #written = '';
  #objects = '';

  constructor(session: Session) {
    this.#session = session;
    this.#catalog = new ConnectionCatalog({ query: (sql) => this.#ask(...sql.split(';\n')) });
  }

  /** @throws {Error} The session cannot be asked: its transaction has failed, or it is closed. */
  async read(): Promise<AnalysisCatalog> {
    const [written, objects] = await this.#ask(WRITTEN, OBJECTS);
    this.#written = String(written);
    this.#objects = String(objects);
    return this.#catalog.read();
  }

  /** Whether something has changed since the catalog was read: by a function, say, of which no tag tells. */
  async isStale(): Promise<boolean> {
    const [written] = await this.#ask(WRITTEN);
    if (written?.[0]?.[0] === null && String(written) === this.#written) return false;
    const [objects] = await this.#ask(OBJECTS);
    return String(objects) !== this.#objects;
  }

  async #ask(...questions: readonly string[]): Promise<(string | null)[][][]> {
    const answers = await this.#session.ask(questions);
    return answers.map(({ rows, error }) => {
      if (error !== undefined) throw new Error(`the catalog cannot be read: ${error}`);
      return rows as (string | null)[][];
    });
  }
}
