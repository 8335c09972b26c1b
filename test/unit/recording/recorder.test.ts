import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { FileRecorder } from '../../../src/recording/file-recorder.ts';
import { openRecordingStore } from '../../../src/recording/file-store.ts';
import { type RecordedItem, readRecording } from '../../../src/recording/reader.ts';
import { RECORDING_PENDING_BYTES } from '../../../src/recording/recorder.ts';
import type { RecordingFile } from '../../../src/recording/segment-writer.ts';

const dir = mkdtempSync(join(tmpdir(), 'hoop-recording-'));
const store = openRecordingStore(dir, systemClock);
let sessions = 0;
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function session() {
  return {
    id: `ses_01TEST000000${String(sessions++).padStart(8, '0')}`,
    protocol: 'postgres',
    startedAt: Date.now(),
  };
}

async function items(path: string): Promise<RecordedItem[]> {
  const all: RecordedItem[] = [];
  for await (const item of readRecording(path)) all.push(item);
  return all;
}

/** A recording of several segments, closed. */
async function recorded(segments: number): Promise<{ path: string; sha256: string; bytes: number }> {
  const named = session();
  const recorder = await store.open(named);
  for (let i = 0; i < segments; i++) {
    recorder.request(`select ${i}`, `op_${i}`);
    recorder.response(Buffer.alloc(300_000, i + 1));
  }
  const summary = await recorder.close('client left');
  expect(summary.complete).toBe(true);
  return { path: (await store.find(named.id)) as string, ...summary };
}

/** Where each segment begins, and the file's end. */
function segmentOffsets(path: string): number[] {
  const bytes = readFileSync(path);
  const offsets: number[] = [];
  let offset = 12 + bytes.readUInt32BE(8);
  for (; offset < bytes.length; offset += 88 + bytes.readUInt32BE(offset + 8)) offsets.push(offset);
  return [...offsets, offset];
}

describe('a recording', () => {
  it('gives back what was put in, in order, with times that go up', async () => {
    const named = session();
    const recorder = await store.open(named);
    const sent: Buffer[] = [];
    for (let i = 0; i < 3000; i++) {
      const bytes = Buffer.from(`row ${i} `.repeat((i * 7919) % 97));
      sent.push(bytes);
      recorder.request(`select ${i}`, `op_${i}`);
      recorder.response(bytes);
      if (i % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    recorder.note('denied: ddl-needs-a-dba');
    const summary = await recorder.close('client left');
    expect(await recorder.close('again')).toEqual(summary);
    const path = (await store.find(named.id)) as string;
    const all = await items(path);
    const requests = all.filter((item) => item.kind === 'request');
    expect(requests.map((item) => [item.operation, item.text])).toEqual(
      sent.map((_, i) => [`op_${i}`, `select ${i}`]),
    );
    const shown = Buffer.concat(all.flatMap((item) => (item.kind === 'response' ? [item.bytes] : [])));
    expect(shown.equals(Buffer.concat(sent))).toBe(true);
    expect(all[0]).toMatchObject({ kind: 'header', session: named.id, protocol: 'postgres' });
    expect(all.at(-1)).toMatchObject({
      kind: 'end',
      complete: true,
      reason: 'client left',
      sha256: summary.sha256,
    });
    const times = all.flatMap((item) => (item.kind === 'header' ? [] : [item.atMicros]));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(path).size).toBe(summary.bytes);
  });

  it('keeps one response larger than a frame whole', async () => {
    const named = session();
    const recorder = await store.open(named);
    const bytes = Buffer.alloc(5_000_001, 'abc');
    recorder.response(bytes);
    await recorder.close('done');
    const all = await items((await store.find(named.id)) as string);
    const shown = Buffer.concat(all.flatMap((item) => (item.kind === 'response' ? [item.bytes] : [])));
    expect(shown.equals(bytes)).toBe(true);
  });

  it('is on disk within half a second of being shown', async () => {
    const named = session();
    const recorder = await store.open(named);
    recorder.request('select 1', 'op_1');
    await new Promise((resolve) => setTimeout(resolve, 450));
    const all = await items((await store.find(named.id)) as string);
    expect(all.map((item) => item.kind)).toEqual(['header', 'request', 'end']);
    expect(all.at(-1)).toMatchObject({ complete: false, reason: 'interrupted' });
    await recorder.close('done');
  });

  it('reads whatever a crash left: cut at every kind of place, only whole segments show', async () => {
    const { path, bytes } = await recorded(4);
    const offsets = segmentOffsets(path);
    const cuts = offsets.flatMap((offset) => [offset, offset + 1, offset + 87, offset + 88, offset + 100]);
    for (const cut of cuts.filter((at) => at < bytes)) {
      const torn = join(dir, 'torn.hrec');
      copyFileSync(path, torn);
      truncateSync(torn, cut);
      const all = await items(torn);
      const whole = offsets.filter((offset) => offset > offsets[0]! && offset <= cut).length;
      expect(all.filter((item) => item.kind === 'response')).toHaveLength(whole);
      expect(all.at(-1)).toMatchObject({ kind: 'end', complete: false });
    }
  });

  it('says when a segment in the middle was changed, removed or swapped', async () => {
    const { path } = await recorded(4);
    const bytes = readFileSync(path);
    const at = segmentOffsets(path);
    const part = (from: number, to: number) => bytes.subarray(at[from], at[to]);
    const flipped = Buffer.from(bytes);
    flipped[at[1]! + 95]! ^= 1;
    const header = bytes.subarray(0, at[0]);
    const forged: Record<string, Buffer> = {
      flipped,
      removed: Buffer.concat([header, part(0, 1), part(2, 5)]),
      swapped: Buffer.concat([header, part(1, 2), part(0, 1), part(2, 5)]),
      doubled: Buffer.concat([header, part(0, 1), part(0, 1), part(1, 5)]),
      appended: Buffer.concat([bytes, part(1, 2)]),
      header: Buffer.concat([
        Buffer.from(header.toString('latin1').replace('postgres', 'postgras')),
        part(0, 5),
      ]),
      other: Buffer.from('#!/bin/sh\n'.repeat(20)),
    };
    for (const [name, octets] of Object.entries(forged)) {
      const forgedPath = join(dir, `${name}.forged`);
      writeFileSync(forgedPath, octets);
      await expect(items(forgedPath), name).rejects.toMatchObject({ code: 'ERR_VERIFY' });
    }
  });

  it('is found by its id only', async () => {
    expect(await store.find('ses_01TEST000000XXXXXXXX')).toBeUndefined();
    expect(await store.find('../../../etc/passwd')).toBeUndefined();
    await expect(items(join(dir, 'nothing.hrec'))).rejects.toMatchObject({ code: 'ERR_NO_ACCESS' });
  });
});

describe('a disk that is slow or full', () => {
  const header = { schemaVersion: 1, session: 'ses_1', protocol: 'postgres', startedAt: 0 } as const;
  const chunk = Buffer.alloc(64 * 1024, 'x');

  it('holds no more than the bound and one segment when the caller pauses as told', async () => {
    let written = 0;
    const file: RecordingFile = {
      write: async (parts) => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        written += parts.length;
      },
      close: async () => undefined,
    };
    const recorder = await FileRecorder.start(file, header, () => 0);
    let most = 0;
    for (let i = 0; i < 1000; i++) {
      recorder.response(chunk);
      most = Math.max(most, recorder.pendingBytes);
      if (recorder.pendingBytes > RECORDING_PENDING_BYTES) {
        await recorder.drained();
        expect(recorder.pendingBytes).toBeLessThan(RECORDING_PENDING_BYTES / 2);
      }
    }
    const summary = await recorder.close('done');
    expect(summary.complete).toBe(true);
    expect(written).toBeGreaterThan(200);
    expect(recorder.pendingBytes).toBe(0);
    expect(most).toBeLessThanOrEqual(RECORDING_PENDING_BYTES + 2 * chunk.length);
  });

  it('fails for good when the disk does, lets waiters go, and stops a caller that does not pause', async () => {
    let calls = 0;
    const full: RecordingFile = {
      write: async () => {
        if (calls++ > 2) throw new Error('ENOSPC: no space left on device');
      },
      close: async () => undefined,
    };
    const recorder = await FileRecorder.start(full, header, () => 0);
    for (let i = 0; i < 100; i++) recorder.response(chunk);
    await recorder.drained();
    expect(recorder.failed).toMatchObject({ code: 'ERR_RECORDING_UNAVAILABLE' });
    recorder.response(chunk);
    const summary = await recorder.close('done');
    expect(summary.complete).toBe(false);
    expect(recorder.pendingBytes).toBe(0);

    const stuck: RecordingFile = { write: async () => undefined, close: async () => undefined };
    const hasty = await FileRecorder.start(stuck, header, () => 0);
    for (let i = 0; i < 2000; i++) hasty.response(chunk);
    expect(hasty.failed).toMatchObject({ code: 'ERR_RECORDING_UNAVAILABLE' });
    await hasty.close('done');
    expect(hasty.pendingBytes).toBe(0);
  });

  it('refuses to open where it cannot write', async () => {
    writeFileSync(join(dir, 'a-file'), '');
    const broken = openRecordingStore(join(dir, 'a-file'), systemClock);
    await expect(broken.open(session())).rejects.toMatchObject({ code: 'ERR_RECORDING_UNAVAILABLE' });
  });
});
