import { closeSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolders } from '../core/disk/folders.ts';

/** Another number makes every index be built anew from the chains. */
const VERSION = 9;

/**
 * The index holds where things are, not what they are: rows point into the chain's files, from which a search reads
 * what it shows. `n` orders by time: milliseconds × 2048 plus a counter.
 *
 * `found` is a full-text index in two columns: `words` is what people search for, `keys` has one token for each
 * filter that an event meets (see keys.ts). So every search is one intersection, newest first.
 */
const SCHEMA = `
CREATE TABLE chains (
  id INTEGER PRIMARY KEY, file_id TEXT NOT NULL UNIQUE, segment INTEGER NOT NULL, offset INTEGER NOT NULL,
  hash TEXT NOT NULL, hash_at INTEGER NOT NULL, closed INTEGER NOT NULL
);
CREATE TABLE events (
  n INTEGER PRIMARY KEY, chain INTEGER NOT NULL,
  segment INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
  out_segment INTEGER, out_offset INTEGER, out_length INTEGER
);
CREATE TABLE open_operations (
  chain INTEGER NOT NULL, operation TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (chain, operation)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE found USING fts5(
  keys, words, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TABLE sessions (
  id TEXT PRIMARY KEY, chain INTEGER NOT NULL, started_at TEXT NOT NULL, last_at TEXT NOT NULL, ended_at TEXT,
  end_reason TEXT, resource TEXT, protocol TEXT, actor TEXT, agent TEXT, person TEXT, identity TEXT, instance TEXT, attenuation TEXT, runs TEXT,
  operations INTEGER NOT NULL DEFAULT 0, denied INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX sessions_started ON sessions (started_at);
CREATE INDEX sessions_places ON sessions (resource, protocol);
CREATE INDEX sessions_own ON sessions (identity, started_at);
CREATE INDEX sessions_instance ON sessions (instance);
CREATE INDEX sessions_open ON sessions (started_at) WHERE ended_at IS NULL;
CREATE TABLE session_runs (run TEXT NOT NULL, session TEXT NOT NULL, PRIMARY KEY (run, session)) WITHOUT ROWID;
PRAGMA user_version = ${VERSION};
`;

/**
 * Opens the index, or makes it. One that is damaged or of another version is deleted: it is derived, and the chains
 * are read again.
 *
 * @param file Made with 0600, its folder with 0700.
 */
export function openIndex(file: string): DatabaseSync {
  try {
    const db = open(file);
    if (db.prepare('PRAGMA user_version').get()?.['user_version'] === VERSION) return db;
    db.close();
  } catch {
    // Not a database, or a damaged one.
  }
  return rebuildIndex(file);
}

/** Deletes the index's files and makes an empty one. */
export function rebuildIndex(file: string): DatabaseSync {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
  const db = open(file);
  db.exec(SCHEMA);
  return db;
}

function open(file: string): DatabaseSync {
  makeFolders(dirname(file), 0o700);
  // SQLite gives its other files the rights of this one.
  closeSync(openSync(file, 'a', 0o600));
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536');
  return db;
}
