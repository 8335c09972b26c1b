import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openState } from '../../../src/gateway/state/state.ts';
import { SqliteRevocationStore } from '../../../src/storage/revocations.ts';
import { stateConformance } from '../../conformance/state.ts';

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
      database.exec("INSERT INTO revocation VALUES ('rev_9', 'galaxy', 'x', NULL, 1, NULL)");
      close();
    },
    remove: async () => rmSync(dir, { recursive: true }),
  };
});
