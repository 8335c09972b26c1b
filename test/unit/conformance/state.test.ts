import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openState } from '../../../src/gateway/state/state.ts';
import { SqliteRevocationStore } from '../../../src/storage/revocations.ts';
import { stateConformance } from '../../conformance/state.ts';

test('a table of revocations that an earlier version made is taken as it is, and takes what is new', () => {
  const database = new DatabaseSync(':memory:');
  database.exec(`CREATE TABLE revocation (id TEXT PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL,
    model_version TEXT, at INTEGER NOT NULL, until INTEGER) STRICT, WITHOUT ROWID`);
  database.exec("INSERT INTO revocation VALUES ('rev_1', 'agent', 'x', NULL, 1, NULL)");
  const store = new SqliteRevocationStore(database);
  const owner = { issuer: 'https://login.example.com', subject: 'u1' };
  store.add({ id: 'rev_2', kind: 'run', value: 'nightly', owner, at: 2 });
  expect(new SqliteRevocationStore(database).load()).toEqual([
    { id: 'rev_1', kind: 'agent', value: 'x', at: 1 },
    { id: 'rev_2', kind: 'run', value: 'nightly', owner, at: 2 },
  ]);
  database.close();
});

stateConformance('a directory with SQLite', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hoop-state-'));
  const beside = () => {
    const database = new DatabaseSync(join(dir, 'state.db'));
    return { database, revocations: new SqliteRevocationStore(database), close: () => database.close() };
  };
  return {
    open: async () => {
      const { database, close, ...state } = await openState(dir);
      return {
        ...state,
        revocations: new SqliteRevocationStore(database),
        close: async () => close(),
      };
    },
    beside,
    addUnknownRevocation: async () => {
      const { database, close } = beside();
      database.exec("INSERT INTO revocation (id, kind, value, at) VALUES ('rev_9', 'galaxy', 'x', 1)");
      close();
    },
    remove: async () => rmSync(dir, { recursive: true }),
  };
});
