import type { DatabaseSync } from 'node:sqlite';

/** What a revocation names. `model` may be narrowed by `modelVersion`. */
const REVOCATION_KINDS = ['instance', 'login', 'run', 'agent', 'person', 'model'] as const;
export type RevocationKind = (typeof REVOCATION_KINDS)[number];

/** Whose of many that have one name: a subject's, or one agent's of that subject. */
export interface RevocationOwner {
  readonly issuer: string;
  readonly subject: string;
  readonly agent?: string;
}

/** One revocation, as it is kept. */
export interface Revocation {
  /** `rev_…`. */
  readonly id: string;
  readonly kind: RevocationKind;
  readonly value: string;
  /** Only with kind `model`. */
  readonly modelVersion?: string;
  /** Only with kind `run`: whose runs of that name. Absent: everybody's. */
  readonly owner?: RevocationOwner;
  /** When it was made, ms since the epoch. */
  readonly at: number;
  /** From then on it stops nothing that could still be valid, ms since the epoch. Absent: it stands until lifted. */
  readonly until?: number;
}

interface Row {
  readonly id: string;
  readonly kind: string;
  readonly value: string;
  readonly model_version: string | null;
  readonly owner: string | null;
  readonly at: number;
  readonly until: number | null;
}

/** Revocations in SQLite. Each change is durable when the call returns, as far as the handle's `synchronous` goes. */
export class SqliteRevocationStore {
  readonly #database: DatabaseSync;

  /**
   * Creates the table if it is not there. Keeps the handle; the caller closes it.
   *
   * @param database An open database.
   * @throws {Error} The database cannot be written.
   * @see https://nodejs.org/api/sqlite.html
   */
  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(`CREATE TABLE IF NOT EXISTS revocation (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      value TEXT NOT NULL,
      model_version TEXT,
      at INTEGER NOT NULL,
      until INTEGER,
      owner TEXT
    ) STRICT, WITHOUT ROWID`);
    addOwner(database);
  }

  /** All that are kept, oldest first. */
  load(): Revocation[] {
    const rows = this.#database
      .prepare('SELECT id, kind, value, model_version, at, until, owner FROM revocation ORDER BY at, id')
      .all() as unknown as Row[];
    return rows.map(fromRow);
  }

  /** Keeps one more. */
  add(revocation: Revocation): void {
    const { id, kind, value, modelVersion, owner, at, until } = revocation;
    this.#database
      .prepare(
        'INSERT INTO revocation (id, kind, value, model_version, at, until, owner) VALUES (?, ?, ?, ?, ?, ?, ?)',
      )
      .run(
        id,
        kind,
        value,
        modelVersion ?? null,
        at,
        until ?? null,
        owner === undefined ? null : JSON.stringify(owner),
      );
  }

  /** Forgets one; nothing happens if it is not there. */
  remove(id: string): void {
    this.#database.prepare('DELETE FROM revocation WHERE id = ?').run(id);
  }
}

/** A table that an earlier version made has no such column. */
function addOwner(database: DatabaseSync): void {
  const columns = database.prepare('PRAGMA table_info(revocation)').all();
  if (!columns.some(({ name }) => name === 'owner'))
    database.exec('ALTER TABLE revocation ADD COLUMN owner TEXT');
}

function fromRow(row: Row): Revocation {
  const kind = REVOCATION_KINDS.find((known) => known === row.kind);
  if (kind === undefined) throw new Error(`the kept revocation ${row.id} is of an unknown kind`);
  return {
    id: row.id,
    kind,
    value: row.value,
    ...(row.model_version === null ? {} : { modelVersion: row.model_version }),
    ...(row.owner === null ? {} : { owner: JSON.parse(row.owner) as RevocationOwner }),
    at: row.at,
    ...(row.until === null ? {} : { until: row.until }),
  };
}
