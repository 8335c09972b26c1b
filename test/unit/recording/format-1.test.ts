import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ReplayFrame } from '../../../src/api/replay.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { replayFrames } from '../../../src/protocols/postgres/replay.ts';
import { openRecordingStore } from '../../../src/recording/file-store.ts';
import type { RecordedItem } from '../../../src/recording/items.ts';

/** The agent's session of `hoopd demo --once`, as version 0.1 recorded it. */
const FIXTURES = join(import.meta.dirname, '../../fixtures/recordings');
const SESSION = 'ses_01M8HEE121N5J2Z7B5AND95GTZ';
/** `recordingSha256` of its `session.ended`. */
const SHA256 = '0eca0689d4f650b70a1bbaa2db28d5ceb08f48c6e3b9f46a1288b0e246124dd6';
/** Of all that its client received, as the reader of version 0.1 gave it. */
const RESPONSES_SHA256 = '8181962c28360b0f9e44127a14b6a96bc65896a762aac001e86e64590ffc2432';

const dir = mkdtempSync(join(tmpdir(), 'hoop-format-1-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function all<T>(values: AsyncIterable<T> | undefined): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values ?? []) list.push(value);
  return list;
}

const read = async (from = FIXTURES): Promise<RecordedItem[]> =>
  all(await openRecordingStore(from, systemClock).read(SESSION));

describe('a recording of format 1', () => {
  it('is read whole: requests are numbered as they come, everything is of the first stream', async () => {
    const items = await read();
    expect(items[0]).toEqual({
      kind: 'header',
      schemaVersion: 1,
      session: SESSION,
      protocol: 'postgres',
      startedAt: 1_795_881_894_977,
    });
    expect(items.at(-1)).toMatchObject({ kind: 'end', complete: true, sha256: SHA256 });
    const requests = items.filter((item) => item.kind === 'request');
    expect(requests.map(({ operation }) => operation)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(requests[3]).toMatchObject({ id: 'op_01M8HEE19SBJ8WXZZK72D60003', text: 'DROP TABLE orders' });
    const responses = items.filter((item) => item.kind === 'response');
    const shown = createHash('sha256');
    for (const { bytes } of responses) shown.update(bytes);
    expect(shown.digest('hex')).toBe(RESPONSES_SHA256);
    expect(responses.every(({ stream, operation }) => stream === 0 && operation === 0)).toBe(true);
  });

  it('is replayed as it was', async () => {
    const frames = await all(replayFrames(toIterable(await read())));
    const counts: Record<string, number> = {};
    for (const { kind } of frames) counts[kind] = (counts[kind] ?? 0) + 1;
    expect(counts).toEqual({ request: 11, columns: 6, row: 391, complete: 7, error: 4, end: 1 });
    const errors = frames.filter(
      (frame): frame is Extract<ReplayFrame, { kind: 'error' }> => frame.kind === 'error',
    );
    expect(new Set(errors.map(({ status }) => status))).toEqual(new Set(['42501']));
    expect(frames.some((frame) => 'stream' in frame)).toBe(false);
  });

  it('is guarded by its hashes, and takes no frame of a later format', async () => {
    cpSync(FIXTURES, dir, { recursive: true });
    const path = join(dir, '2026-11-28', `${SESSION}.hrec`);
    const octets = readFileSync(path);
    const changed = Buffer.from(octets);
    changed[12 + octets.readUInt32BE(8) + 200]! ^= 1;
    writeFileSync(path, changed);
    await expect(read(dir)).rejects.toMatchObject({ code: 'ERR_VERIFY' });
    writeFileSync(path, Buffer.from(octets.fill('HOOPREC2', 0, 8)));
    await expect(read(dir)).rejects.toMatchObject({ code: 'ERR_VERIFY' });
  });
});

async function* toIterable(items: readonly RecordedItem[]): AsyncGenerator<RecordedItem> {
  yield* items;
}
