import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { FileRecorder } from '../../../src/recording/file-recorder.ts';
import { openRecordingStore } from '../../../src/recording/file-store.ts';
import { recordingStoreConforms, type StoreUnderTest } from '../../conformance/recordings.ts';

const root = mkdtempSync(join(tmpdir(), 'hoop-recordings-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function pathOf(dir: string, session: string): string {
  const [day] = readdirSync(dir).filter((name) => readdirSync(join(dir, name)).includes(`${session}.hrec`));
  return join(dir, day ?? 'none', `${session}.hrec`);
}

recordingStoreConforms('files', async (): Promise<StoreUnderTest> => {
  const dir = mkdtempSync(join(root, 'conforms-'));
  return {
    store: openRecordingStore(dir, systemClock),
    octets: async (session) => readFileSync(pathOf(dir, session)),
    replace: async (session, octets) => writeFileSync(pathOf(dir, session), octets),
    failing: () => {
      let writes = 0;
      const file = {
        write: async () => {
          if (writes++ > 2) throw new Error('ENOSPC: no space left on device');
        },
        close: async () => undefined,
      };
      const header = { schemaVersion: 2, session: 'ses_1', protocol: 'postgres', startedAt: 0 } as const;
      return FileRecorder.start(file, header, () => 0);
    },
    remove: async () => rmSync(dir, { recursive: true, force: true }),
  };
});

describe('recordings as files', () => {
  it.each(['/proc/none/recordings', '/dev/null/recordings'])(
    'are asked for at the start where they cannot be: %s',
    (dir) => {
      expect(() => openRecordingStore(dir, systemClock)).toThrow(
        expect.objectContaining({
          code: 'ERR_CONFIG',
          message: expect.stringMatching(/cannot be written \(E/),
        }),
      );
    },
  );

  it('are for the owner alone, by the day of their start', async () => {
    const dir = join(root, 'modes');
    const id = 'ses_01MODES00000000';
    const startedAt = Date.UTC(2026, 10, 28, 23, 59);
    await (await openRecordingStore(dir, systemClock).open({ id, protocol: 'postgres', startedAt })).close(
      'done',
    );
    expect(statSync(join(dir, '2026-11-28')).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, '2026-11-28', `${id}.hrec`)).mode & 0o777).toBe(0o600);
  });

  it('are refused where nothing can be written', async () => {
    const dir = join(root, 'day-is-a-file');
    const broken = openRecordingStore(dir, systemClock);
    writeFileSync(join(dir, '1970-01-01'), '');
    const session = { id: 'ses_01BROKEN0000000', protocol: 'postgres', startedAt: 0 };
    await expect(broken.open(session)).rejects.toMatchObject({ code: 'ERR_RECORDING_UNAVAILABLE' });
  });
});
