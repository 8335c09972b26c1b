import { expect, test } from 'vitest';
import type { ReplayFrame } from '../../../../src/api/replay.ts';
import { readTranscript } from '../../../../src/cli/ui/world/transcripts.ts';
import { eventually } from '../../../support/waiting.ts';

type Part = Parameters<Parameters<typeof readTranscript>[2]>[0];

const note = (text: string): ReplayFrame => ({ schemaVersion: 1, atMs: 0, kind: 'note', text });

async function* of(...frames: readonly ReplayFrame[]): AsyncGenerator<ReplayFrame> {
  yield* frames;
}

async function read(frames: AsyncIterable<ReplayFrame>, live: boolean): Promise<readonly Part[]> {
  const told: Part[] = [];
  await readTranscript(frames, { columns: 40, live, charset: 'utf-8' }, (part) => told.push(part));
  return told;
}

test('what came last is told although nothing follows it', async () => {
  const told: Part[] = [];
  const rest = Promise.withResolvers<void>();
  async function* frames(): AsyncGenerator<ReplayFrame> {
    yield note('the last for now');
    await rest.promise;
  }
  const reading = readTranscript(frames(), { columns: 40, live: true, charset: 'utf-8' }, (part) =>
    told.push(part),
  );
  await eventually(
    () => 'nothing is told',
    () => told,
    (parts) =>
      parts.some(({ lines, status }) => status === 'live' && lines.join().includes('the last for now')),
  );
  rest.resolve();
  await reading;
  expect(told.at(-1)?.status).toBe('whole');
});

test('of a long one that lives the last lines are kept, of one that is over the first', async () => {
  const frames = Array.from({ length: 45_000 }, (_, i) => note(`line ${i}`));
  const [live] = (await read(of(...frames), true)).slice(-1);
  expect(live?.lines.length).toBeLessThanOrEqual(20_001);
  expect(live?.lines.at(-1)).toContain('line 44999');
  const [over] = (await read(of(...frames), false)).slice(-1);
  expect(over).toMatchObject({ status: 'cut' });
  expect(over?.lines.join('\n')).toContain('line 0');
});

test('a line that never ends is held no longer than anybody reads', async () => {
  const huge = {
    schemaVersion: 1,
    atMs: 0,
    kind: 'screen',
    channel: 'output',
    text: 'x'.repeat(100_000),
  } as const;
  const frames = Array.from({ length: 50 }, () => huge as unknown as ReplayFrame);
  const [whole] = (await read(of(...frames), true)).slice(-1);
  expect(whole?.lines.join('').length).toBeLessThan(20_000);
});
