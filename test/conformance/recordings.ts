import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordedItem } from '../../src/recording/items.ts';
import {
  RECORDING_PENDING_BYTES,
  type RecordingStore,
  type SessionRecorder,
} from '../../src/recording/recorder.ts';

/** A store, and what only its maker can do with what it keeps. */
export interface StoreUnderTest {
  readonly store: RecordingStore;
  /** A session's recording as it is kept. */
  octets(session: string): Promise<Buffer>;
  /** Keeps other octets in its place. */
  replace(session: string, octets: Buffer): Promise<void>;
  /** A recorder of this store's kind that was begun, and whose storage takes nothing any more. */
  failing(): Promise<SessionRecorder>;
  remove(): Promise<void>;
}

/** What every store of recordings promises: in order, bounded, honest about its end and about changes. */
export function recordingStoreConforms(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`${name}: a store of recordings`, () => {
    let kept: StoreUnderTest;
    let sessions = 0;
    beforeAll(async () => {
      kept = await make();
    });
    afterAll(() => kept.remove());

    const session = () => ({
      id: `ses_01CONFORMS00${String(sessions++).padStart(8, '0')}`,
      protocol: 'postgres',
      startedAt: Date.now(),
    });
    const read = async (id: string) => allItems(await kept.store.read(id));

    /** A recording of three segments, two of them with frames, and small enough to try each of its octets. */
    async function small() {
      const named = session();
      const recorder = await kept.store.open(named);
      const [first, second] = [recorder.stream(0), recorder.stream(1)];
      const operation = first.request('select 1', 'op_1');
      second.output(Buffer.from('$ '), operation);
      await written(recorder);
      first.response(Buffer.from('one'));
      second.status('exit 0', second.request('true', 'op_2'));
      const summary = await recorder.close('done');
      return { id: named.id, summary, items: await read(named.id), octets: await kept.octets(named.id) };
    }

    /** @returns What is wrong with how changed octets are read: they must fail, or show a beginning and say so. */
    async function dishonesty(id: string, octets: Buffer, genuine: readonly RecordedItem[]) {
      await kept.replace(id, octets);
      const shown: RecordedItem[] = [];
      try {
        for await (const item of (await kept.store.read(id)) ?? []) shown.push(item);
        const end = shown.pop();
        if (end?.kind !== 'end' || end.complete) return 'taken for whole';
      } catch (error) {
        if ((error as { code?: string }).code !== 'ERR_VERIFY') return String(error);
      }
      return isDeepStrictEqual(shown, genuine.slice(0, shown.length))
        ? undefined
        : 'shows what was not recorded';
    }

    it('gives back every kind, in order, with times that do not go down', async () => {
      const named = session();
      const recorder = await kept.store.open(named);
      const stream = recorder.stream(7);
      const head = { start: 'GET /ö?a=b', fields: [['host', 'api'] as const, ['x', ''] as const] };
      const bytes = Buffer.from([0, 255, 10]);
      expect(stream.request('GET /ö', 'op_A')).toBe(1);
      stream.head('request', head, 1);
      stream.body('request', bytes, 1);
      stream.head('response', { start: '200', fields: [] }, 1);
      stream.body('response', bytes, 1);
      stream.response(bytes);
      stream.input(bytes, 1);
      stream.output(bytes, 1);
      stream.stderr(bytes, 1);
      stream.resize(120, 40, 1);
      stream.resize(1e9, Number.NaN, 1);
      stream.status('signal KILL', 1);
      stream.note('denied: none');
      stream.closed('client left');
      const summary = await recorder.close('done');
      expect(await recorder.close('again')).toEqual(summary);
      const items = await read(named.id);
      const of = { stream: 7, operation: 1, atMicros: expect.any(Number) };
      const ofNone = { ...of, operation: 0 };
      expect(items).toEqual([
        {
          kind: 'header',
          schemaVersion: 2,
          session: named.id,
          protocol: 'postgres',
          startedAt: named.startedAt,
        },
        { ...of, kind: 'request', id: 'op_A', text: 'GET /ö' },
        { ...of, kind: 'head', side: 'request', head },
        { ...of, kind: 'body', side: 'request', bytes },
        { ...of, kind: 'head', side: 'response', head: { start: '200', fields: [] } },
        { ...of, kind: 'body', side: 'response', bytes },
        { ...ofNone, kind: 'response', bytes },
        { ...of, kind: 'input', bytes },
        { ...of, kind: 'output', bytes },
        { ...of, kind: 'stderr', bytes },
        { ...of, kind: 'resize', columns: 120, rows: 40 },
        { ...of, kind: 'resize', columns: 65_535, rows: 0 },
        { ...of, kind: 'status', text: 'signal KILL' },
        { ...ofNone, kind: 'note', text: 'denied: none' },
        { ...ofNone, kind: 'closed', text: 'client left' },
        { kind: 'end', atMicros: expect.any(Number), reason: 'done', complete: true, sha256: summary.sha256 },
      ]);
      expect((await kept.octets(named.id)).length).toBe(summary.bytes);
      const times = items.flatMap((item) => (item.kind === 'header' ? [] : [item.atMicros]));
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    });

    it('keeps streams apart and in the order of the whole, each frame with its operation, over many segments', async () => {
      const named = session();
      const recorder = await kept.store.open(named);
      const said: (readonly [number, string, number])[] = [];
      for (let i = 0; i < 3000; i++) {
        const number = (i * 7919) % 5;
        // A stream may be asked for again.
        const stream = recorder.stream(number);
        const operation = stream.request(`request ${i}`, `op_${i}`);
        const answer = `row ${i} `.repeat(1 + ((i * 31) % 97));
        stream.body('response', Buffer.from(answer), operation);
        said.push([number, `op_${i}`, operation], [number, answer, operation]);
      }
      await recorder.close('done');
      const shown = (await read(named.id)).flatMap((item) => {
        if (item.kind === 'request') return [[item.stream, item.id, item.operation]];
        return item.kind === 'body' ? [[item.stream, item.bytes.toString(), item.operation]] : [];
      });
      expect(shown).toEqual(said);
      expect(new Set(said.map(([, , operation]) => operation)).size).toBe(3000);
    });

    it('cuts what is large, without losing octets of what was shown', async () => {
      const named = session();
      const recorder = await kept.store.open(named);
      const stream = recorder.stream(0);
      const bytes = Buffer.alloc(5_000_001, 'abc');
      stream.response(bytes);
      stream.request('x'.repeat(5_000_000), 'op_1');
      stream.head('response', { start: '200', fields: [['long', 'x'.repeat(5_000_000)]] });
      await recorder.drained();
      await recorder.close('done');
      const items = await read(named.id);
      const shown = items.flatMap((item) => (item.kind === 'response' ? [item.bytes] : []));
      expect(Buffer.concat(shown).equals(bytes)).toBe(true);
      expect(Math.max(...shown.map((part) => part.length))).toBeLessThanOrEqual(1024 * 1024);
      const request = items.find((item) => item.kind === 'request');
      expect(request?.text.length).toBeGreaterThan(4_000_000);
      expect(request?.text.length).toBeLessThanOrEqual(4 * 1024 * 1024);
      expect(items.find((item) => item.kind === 'head')?.head).toEqual({ start: '200', fields: [] });
    });

    it('holds no more than its bound where the caller pauses as told, and stops one that does not', async () => {
      const chunk = Buffer.alloc(64 * 1024, 'x');
      const recorder = await kept.store.open(session());
      let most = 0;
      for (let i = 0; i < 500; i++) {
        recorder.stream(i % 3).response(chunk);
        most = Math.max(most, recorder.pendingBytes);
        if (recorder.pendingBytes > RECORDING_PENDING_BYTES) {
          await recorder.drained();
          expect(recorder.pendingBytes).toBeLessThan(RECORDING_PENDING_BYTES / 2);
        }
      }
      expect(await recorder.close('done')).toMatchObject({ complete: true });
      expect(recorder.pendingBytes).toBe(0);
      expect(most).toBeLessThanOrEqual(RECORDING_PENDING_BYTES + 2 * chunk.length);

      const named = session();
      const hasty = await kept.store.open(named);
      const stream = hasty.stream(1);
      for (let i = 0; i < 2000; i++) stream.response(chunk);
      expect(stream.failed).toMatchObject({ code: 'ERR_RECORDING_UNAVAILABLE' });
      expect(await hasty.close('done')).toMatchObject({ complete: false });
      expect(hasty.pendingBytes).toBe(0);
      expect((await read(named.id)).at(-1)).toMatchObject({ kind: 'end', complete: false });
    });

    it('fails for good when its storage does, and lets waiters go', async () => {
      const recorder = await kept.failing();
      const stream = recorder.stream(0);
      const chunk = Buffer.alloc(64 * 1024, 'x');
      for (let i = 0; i < 100; i++) stream.response(chunk);
      await stream.drained();
      expect(recorder.failed).toMatchObject({ code: 'ERR_RECORDING_UNAVAILABLE' });
      stream.response(chunk);
      expect(await recorder.close('done')).toMatchObject({ complete: false });
      expect(recorder.pendingBytes).toBe(0);
    });

    it('shows a live session up to half a second ago, and keeps quiet about its end', async () => {
      const named = session();
      const recorder = await kept.store.open(named);
      expect(await read(named.id)).toMatchObject([{ kind: 'header' }, { kind: 'end', complete: false }]);
      recorder.stream(0).request('select 1', 'op_1');
      const at = performance.now();
      await written(recorder);
      expect(performance.now() - at).toBeLessThan(1000);
      const items = await read(named.id);
      expect(items.map((item) => item.kind)).toEqual(['header', 'request', 'end']);
      expect(items.at(-1)).toMatchObject({ complete: false, reason: 'interrupted' });
      await recorder.close('done');
    });

    it('shows a beginning, and says so, wherever its tail was cut', async () => {
      const { id, items, octets } = await small();
      const wrong: string[] = [];
      for (let length = 0; length < octets.length; length++) {
        const found = await dishonesty(id, octets.subarray(0, length), items);
        if (found !== undefined) wrong.push(`cut at ${length}: ${found}`);
      }
      expect(wrong).toEqual([]);
    });

    it('never shows what was not recorded, whichever octet was changed', async () => {
      const { id, items, octets } = await small();
      const wrong: string[] = [];
      for (let at = 0; at < octets.length; at++) {
        const changed = Buffer.from(octets);
        changed[at]! ^= 1 << (at % 8);
        const found = await dishonesty(id, changed, items);
        if (found !== undefined) wrong.push(`octet ${at}: ${found}`);
      }
      expect(wrong).toEqual([]);
    });

    it('says when a segment was removed, swapped, doubled or appended', async () => {
      const { id, octets } = await small();
      const at = segmentOffsets(octets);
      const part = (from: number, to: number) => octets.subarray(at[from], at[to]);
      const header = octets.subarray(0, at[0]);
      const forged: Record<string, Buffer> = {
        removed: Buffer.concat([header, part(1, 3)]),
        swapped: Buffer.concat([header, part(1, 2), part(0, 1), part(2, 3)]),
        doubled: Buffer.concat([header, part(0, 1), part(0, 3)]),
        appended: Buffer.concat([octets, part(0, 1)]),
      };
      expect(at).toHaveLength(4);
      for (const [what, changed] of Object.entries(forged)) {
        await kept.replace(id, changed);
        await expect(read(id), what).rejects.toMatchObject({ code: 'ERR_VERIFY' });
      }
    });

    it('says in one line, before anything is shown, what it cannot read', async () => {
      const [one, other] = [await small(), await small()];
      const later = Buffer.from(one.octets);
      later.write('HOOPREC3', 'latin1');
      const lines: [Buffer, RegExp][] = [
        [later, /^the recording is of format 3, and this gateway reads formats 1 and 2$/],
        [other.octets, /^the recording is damaged or was changed$/],
        [Buffer.from('#!/bin/sh\n'.repeat(20)), /^the recording is damaged or was changed$/],
        [Buffer.alloc(0), /^the recording is damaged or was changed$/],
      ];
      for (const [octets, message] of lines) {
        await kept.replace(one.id, octets);
        const refusal = await kept.store.read(one.id).catch((error: unknown) => error);
        expect(refusal).toMatchObject({ code: 'ERR_VERIFY', message: expect.stringMatching(message) });
      }
    });

    it('knows a recording by its session only, and writes none over another', async () => {
      const { id, octets } = await small();
      const again = kept.store.open({ id, protocol: 'postgres', startedAt: Date.now() });
      await expect(again).rejects.toMatchObject({ code: 'ERR_RECORDING_UNAVAILABLE' });
      expect((await kept.octets(id)).equals(octets)).toBe(true);
      expect(await kept.store.read('ses_01CONFORMSXXXXXXXX')).toBeUndefined();
      expect(await kept.store.read('../../../etc/passwd')).toBeUndefined();
      const named = { id: '../ses_1', protocol: 'postgres', startedAt: 0 };
      await expect(kept.store.open(named)).rejects.toMatchObject({ code: 'ERR_INTERNAL' });
    });
  });
}

async function allItems(recording: AsyncIterable<RecordedItem> | undefined): Promise<RecordedItem[]> {
  const items: RecordedItem[] = [];
  for await (const item of recording ?? []) items.push(item);
  return items;
}

/** What was recorded so far lies in the storage. */
async function written(recorder: SessionRecorder): Promise<void> {
  await expect.poll(() => recorder.pendingBytes, { interval: 10, timeout: 5000 }).toBe(0);
}

/** Where each segment begins, and the recording's end. */
function segmentOffsets(octets: Buffer): number[] {
  const offsets: number[] = [];
  let offset = 12 + octets.readUInt32BE(8);
  for (; offset < octets.length; offset += 88 + octets.readUInt32BE(offset + 8)) offsets.push(offset);
  return [...offsets, offset];
}
