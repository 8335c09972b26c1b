import { appendFileSync, existsSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditQuery } from '../../../src/api/contract.ts';
import { type ChainLog, openAuditLog } from '../../../src/audit/log.ts';
import { type AuditIndex, openAuditIndex } from '../../../src/search/audit-index.ts';
import { chainSegments, listChains } from '../../../src/storage/chain-files.ts';
import { actor, closed, decided, logOptions, temporary } from '../../support/audit.ts';

const root = temporary();
const dir = join(root, 'audit');
const file = join(root, 'index', 'audit.db');
let log: ChainLog;
let index: AuditIndex;

beforeAll(async () => {
  // Nothing of its own may come between what a test writes and takes back.
  log = await openAuditLog({ ...logOptions(dir), checkpointMs: 3_600_000 });
  await log.append(decided('op_1'));
  await log.append(closed('op_1'));
  await log.append(decided('op_2', { decision: 'deny' }));
  index = openAuditIndex({ dir, file });
  await index.search({});
});
afterAll(async () => {
  await index.close();
  await log.close();
  rmSync(root, { recursive: true, force: true });
});

const named = (event: { readonly [field: string]: unknown }) => event['operation'] ?? event['type'];
const found = async (query: AuditQuery) => (await index.search(query)).events.map(named);

// What a search answers is in test/conformance/audit.ts; here is what concerns its file and the chains' files.
describe('the index itself', () => {
  const path = () => chainSegments(dir, listChains(dir).at(-1)!.fileId).at(-1)!;

  it('is for its owner only', () => {
    for (const name of [file, `${file}-wal`]) expect(statSync(name).mode & 0o077).toBe(0);
  });

  it('is made again when it is gone, damaged or of another version, with the same answers', async () => {
    const before = await index.search({ limit: '1000' });
    const ways = [
      () => rmSync(file),
      () => writeFileSync(file, 'not a database at all, but long enough to look like one'.repeat(100)),
      () => truncateSync(file, 5000),
    ];
    for (const way of ways) {
      await index.close();
      for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
      way();
      index = openAuditIndex({ dir, file });
      expect(await index.search({ limit: '1000' })).toEqual(before);
      expect(existsSync(file)).toBe(true);
    }
  });

  it('finds what was only explained as that, and under no refusal, however it was once written down', async () => {
    const old = { decision: 'deny', reason: 'explains-only: nothing runs', session: 'ses_told' } as const;
    await log.append(decided('op_told', { decision: 'explained', session: 'ses_told' }));
    await log.append(decided('op_told_once', old));
    await log.append(decided('op_asked_once', { ...old, reason: 'asks-only: nothing runs' }));
    const told = ['op_asked_once', 'op_told_once', 'op_told'];
    expect(await found({ session: 'ses_told', decision: 'explained' })).toEqual(told);
    expect(await found({ session: 'ses_told', decision: 'deny' })).toEqual([]);
  });

  it('finds what a person decided on the request of somebody else, and shows it to nobody who did neither', async () => {
    const facts = {
      approval: 'apr_1',
      decidedBy: 'grace@example.com',
      issuer: 'https://i',
      subject: 'grace',
    };
    await log.append({ type: 'approval.granted', actor, session: 'ses_held', facts });
    await log.append({
      type: 'approval.denied',
      actor,
      session: 'ses_held',
      facts: { ...facts, decidedBy: 'max@example.com' },
    });
    expect(await found({ person: 'grace@example.com' })).toEqual(['approval.granted']);
    expect(await found({ q: 'grace', session: 'ses_held' })).toEqual(['approval.granted']);
    expect(await found({ person: 'dana@example.com', session: 'ses_held' })).toEqual([
      'approval.denied',
      'approval.granted',
    ]);
    const scope = { issuer: 'https://i', subject: 'grace' };
    expect((await index.search({ person: 'grace@example.com' }, scope)).events).toEqual([]);
  });

  it('goes on where it was after a restart, and over a torn tail', async () => {
    await log.append(decided('op_torn', { session: 'ses_torn' }));
    await index.close();
    const size = statSync(path()).size;
    appendFileSync(path(), '{"hash":"00');
    index = openAuditIndex({ dir, file });
    expect(await found({ session: 'ses_torn' })).toEqual(['op_torn']);
    truncateSync(path(), size);
    await log.append(decided('op_torn_2', { session: 'ses_torn' }));
    expect(await found({ session: 'ses_torn' })).toEqual(['op_torn_2', 'op_torn']);
  });

  it('forgets what the writer took back', async () => {
    const size = statSync(path()).size;
    await log.append(decided('op_gone', { session: 'ses_gone' }));
    expect(await found({ session: 'ses_gone' })).toEqual(['op_gone']);
    truncateSync(path(), size);
    expect(await found({ session: 'ses_gone' })).toEqual([]);
    expect(await found({ session: 'ses_torn' })).toEqual(['op_torn_2', 'op_torn']);
  });

  it('still answers when a line of the chain was spoilt', async () => {
    appendFileSync(path(), `not a line\n${'x'.repeat(5_000_000)}\n`);
    expect(await found({ session: 'ses_torn' })).toEqual(['op_torn_2', 'op_torn']);
    expect(await found({ session: 'ses_torn' })).toEqual(['op_torn_2', 'op_torn']);
  });
});
