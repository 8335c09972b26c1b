import { describe, expect, it } from 'vitest';
import type { ReplayFrame } from '../../../src/api/replay.ts';
import { HoopError } from '../../../src/core/errors.ts';
import { replayed } from '../../../src/protocols/stream/replay.ts';
import type { RecordedItem } from '../../../src/recording/items.ts';

async function* recorded(items: readonly RecordedItem[], error?: Error): AsyncGenerator<RecordedItem> {
  yield* items;
  if (error !== undefined) throw error;
}

async function frames(items: AsyncIterable<RecordedItem>): Promise<ReplayFrame[]> {
  const all: ReplayFrame[] = [];
  for await (const frame of replayed(items)) all.push(frame);
  return all;
}

const of = { atMicros: 2_600, stream: 0, operation: 1 };
const at = { schemaVersion: 1, atMs: 3 };
const request: RecordedItem = { ...of, kind: 'request', id: 'op_A', text: 'GET /' };

describe('what a replay shows, whatever the protocol', () => {
  it('exchanges and terminals, each frame with the id of its operation and its stream', async () => {
    const head = { start: '200', fields: [['a', 'b']] as const };
    const cut = Buffer.from('é').subarray(0, 1);
    expect(
      await frames(
        recorded([
          { kind: 'header', schemaVersion: 2, session: 'ses_1', protocol: 'http', startedAt: 0 },
          request,
          { ...of, kind: 'head', side: 'response', head },
          { ...of, kind: 'body', side: 'response', bytes: Buffer.from('é') },
          { ...of, stream: 2, kind: 'output', bytes: cut },
          { ...of, stream: 2, kind: 'resize', columns: 80, rows: 24 },
          { ...of, stream: 2, kind: 'status', text: 'exit 1' },
          { ...of, stream: 2, operation: 0, kind: 'closed', text: 'left' },
          { ...of, operation: 0, kind: 'response', bytes: cut },
          { ...of, operation: 0, kind: 'note', text: 'n' },
          { kind: 'end', atMicros: 3_000, reason: 'done', complete: true, sha256: '' },
        ]),
      ),
    ).toEqual([
      { ...at, kind: 'request', text: 'GET /', operation: 'op_A' },
      { ...at, kind: 'exchange', side: 'response', head, operation: 'op_A' },
      { ...at, kind: 'exchange', side: 'response', body: { text: 'é' }, operation: 'op_A' },
      { ...at, stream: 2, kind: 'screen', channel: 'output', base64: 'ww==', operation: 'op_A' },
      { ...at, stream: 2, kind: 'resize', columns: 80, rows: 24, operation: 'op_A' },
      { ...at, stream: 2, kind: 'status', status: 'exit 1', operation: 'op_A' },
      { ...at, stream: 2, kind: 'closed', reason: 'left' },
      { ...at, kind: 'data', bytes: 1 },
      { ...at, kind: 'note', text: 'n' },
      { ...at, kind: 'end', reason: 'done', complete: true },
    ]);
  });

  it('the ids of operations that go on, however many came since, in bounded memory', async () => {
    async function* many(): AsyncGenerator<RecordedItem> {
      yield request;
      for (let operation = 2; operation <= 20_000; operation++) {
        yield { ...of, operation, kind: 'request', id: `op_${operation}`, text: '' };
        yield { ...of, kind: 'output', bytes: Buffer.from('.') };
      }
      yield { ...of, operation: 2, kind: 'output', bytes: Buffer.from('!') };
    }
    const shown = (await frames(many())).filter((frame) => frame.kind === 'screen');
    expect(shown.slice(0, -1).every((frame) => frame.operation === 'op_A')).toBe(true);
    expect(shown.at(-1)).not.toHaveProperty('operation');
  });

  it('what was good of a broken recording, then that it is broken; other errors are errors', async () => {
    const broken = new HoopError('ERR_VERIFY', 'the recording is damaged or was changed', { detail: 'x' });
    expect(await frames(recorded([request], broken))).toEqual([
      { ...at, kind: 'request', text: 'GET /', operation: 'op_A' },
      { ...at, kind: 'broken', message: 'the recording is damaged or was changed' },
    ]);
    await expect(frames(recorded([request], new Error('EIO')))).rejects.toThrow('EIO');
  });
});
