import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { InstanceRegistry } from '../../../src/identity/instances.ts';
import { type Revocation, SqliteRevocationStore } from '../../../src/storage/revocations.ts';
import { principal, refused } from './support.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hoop-revocations-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const open = () => new DatabaseSync(join(dir, 'state.db'));

describe('revocations in SQLite', () => {
  const all: Revocation[] = [
    { id: 'rev_1', kind: 'login', value: 'lgn_1', at: 1, until: 1_900_000_000_000 },
    { id: 'rev_2', kind: 'model', value: "'; DROP TABLE revocation; --", modelVersion: '1', at: 2 },
    { id: 'rev_3', kind: 'person', value: 'älice@example.com', at: 3 },
  ];

  it('come back as they were, in order', () => {
    const first = open();
    const store = new SqliteRevocationStore(first);
    for (const revocation of [...all].reverse()) store.add(revocation);
    store.remove('rev_1');
    store.remove('no such');
    store.add(all[0]!);
    first.close();
    const second = open();
    expect(new SqliteRevocationStore(second).load()).toEqual(all);
    second.close();
  });

  it('of a kind that is not known keep everyone out rather than be ignored', () => {
    const database = open();
    const store = new SqliteRevocationStore(database);
    database.exec("INSERT INTO revocation VALUES ('rev_9', 'galaxy', 'x', NULL, 1, NULL)");
    expect(() => store.load()).toThrow('unknown kind');
    database.close();
  });

  it('hold after a restart', async () => {
    const first = open();
    const before = new InstanceRegistry({ clock: systemClock, store: new SqliteRevocationStore(first) });
    const one = principal({ deadline: Date.now() + 3_600_000 });
    before.renew(one, Date.now() + 300_000);
    expect(before.revoke({ login: one.login })).toBe(1);
    first.close();
    const second = open();
    const after = new InstanceRegistry({ clock: systemClock, store: new SqliteRevocationStore(second) });
    await refused(() => after.admit(one, Date.now() + 300_000), 'ERR_REVOKED');
    after.admit({ ...one, login: 'lgn_2' }, Date.now() + 300_000);
    second.close();
  });
});
