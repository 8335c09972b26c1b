import { describe, expect, it } from 'vitest';
import { FileRecorder } from '../../../src/recording/file-recorder.ts';
import { RECORDING_PENDING_BYTES } from '../../../src/recording/recorder.ts';
import type { RecordingFile } from '../../../src/recording/segment-writer.ts';
import { timePasses } from '../../support/waiting.ts';

describe('a disk that is slow', () => {
  const header = { schemaVersion: 2, session: 'ses_1', protocol: 'postgres', startedAt: 0 } as const;
  const chunk = Buffer.alloc(64 * 1024, 'x');

  it('makes callers pause: no more is held than the bound and one segment', async () => {
    let written = 0;
    const file: RecordingFile = {
      write: async (parts) => {
        await timePasses(2, 'a disk that is slower than the session');
        written += parts.length;
      },
      close: async () => undefined,
    };
    const recorder = await FileRecorder.start(file, header, () => 0);
    const stream = recorder.stream(0);
    let most = 0;
    for (let i = 0; i < 1000; i++) {
      stream.response(chunk);
      most = Math.max(most, recorder.pendingBytes);
      if (stream.pendingBytes > RECORDING_PENDING_BYTES) {
        await stream.drained();
        expect(recorder.pendingBytes).toBeLessThan(RECORDING_PENDING_BYTES / 2);
      }
    }
    const summary = await recorder.close('done');
    expect(summary.complete).toBe(true);
    expect(written).toBeGreaterThan(200);
    expect(recorder.pendingBytes).toBe(0);
    expect(most).toBeLessThanOrEqual(RECORDING_PENDING_BYTES + 2 * chunk.length);
  });
});
