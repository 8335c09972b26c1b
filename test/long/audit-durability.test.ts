import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { loadSigningKey, newSealKeyText } from '../../src/audit/keys.ts';
import { openAuditLog } from '../../src/audit/log.ts';
import { systemClock } from '../../src/core/clock.ts';
import { rawPublicKey } from '../../src/core/evidence/audit-chain.ts';
import { openRecordingStore } from '../../src/recording/file-store.ts';
import { listChains } from '../../src/storage/chain-files.ts';
import { chainBytes, decided, logOptions, temporary, verifyAll } from '../support/audit.ts';
import { cannot } from '../support/cannot.ts';
import { timePasses } from '../support/waiting.ts';

const root = temporary();
const child = new URL('../support/audit-writer-child.ts', import.meta.url).pathname;
const mounts: string[] = [];
afterAll(() => {
  for (const path of mounts) execFileSync('umount', ['-l', path]);
  rmSync(root, { recursive: true, force: true });
});

/** Starts a writer, kills it under load, and gives what it had acknowledged. */
async function killedUnderLoad(args: readonly string[], afterMs: number): Promise<string[]> {
  const writer = spawn(process.execPath, [child, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  writer.stdout.on('data', (chunk: Buffer) => {
    if (chunks.length === 0) setTimeout(() => writer.kill('SIGKILL'), afterMs);
    chunks.push(chunk);
  });
  await once(writer, 'close');
  expect(writer.signalCode).toBe('SIGKILL');
  // The last acknowledgement may be cut in the middle of its line.
  return Buffer.concat(chunks).toString().split('\n').slice(0, -1);
}

describe('kill -9 of the writer, twenty times under load', () => {
  for (const [durability, times] of [
    ['process', 14],
    ['strict', 6],
  ] as const) {
    it(`loses no acknowledged event, and every chain verifies: ${durability}`, async () => {
      const dir = join(root, `killed-${durability}`);
      const keyFile = join(root, `${durability}.pem`);
      const publicKey = rawPublicKey(loadSigningKey(keyFile, { create: true }));
      const sealKey = newSealKeyText().trim();
      const acknowledged: string[] = [];
      for (let run = 0; run < times; run++) {
        const args = [dir, durability, sealKey, keyFile, String(run)];
        acknowledged.push(...(await killedUnderLoad(args, 10 + ((run * 67) % 150))));
      }
      const reports = await verifyAll(dir, [publicKey]);
      expect(reports).toHaveLength(times);
      for (const report of reports) expect(report).toMatchObject({ ok: true, closed: false });
      const stored = new Set<string>();
      for (const { fileId } of listChains(dir)) {
        const text = (await chainBytes(dir, fileId)).toString();
        for (const [, operation] of text.matchAll(/"type":"operation.decided","operation":"(op_[0-9_]+)"/g))
          stored.add(operation!);
      }
      expect(acknowledged.length).toBeGreaterThan(times * 20);
      expect(acknowledged.filter((operation) => !stored.has(operation))).toEqual([]);
    });
  }
});

/** A file system of 1 MiB, if this process may mount one. */
function smallFileSystem(name: string): string | undefined {
  const path = join(root, name);
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  mounts.push(path);
  return path;
}

const smallDisks = [smallFileSystem('disk-0'), smallFileSystem('disk-1'), smallFileSystem('disk-2')];

// Where it is refused, test/unit/storage/segment-file.test.ts and test/conformance/recordings.ts stand in.
const noDisks = cannot('a full disk of audit: mounting needs root', smallDisks.includes(undefined));
describe.skipIf(noDisks)('a full disk', () => {
  for (const [number, durability] of (['process', 'strict'] as const).entries()) {
    it(`refuses every event, then goes on once there is room: ${durability}`, async () => {
      const disk = smallDisks[number] as string;
      const dir = join(disk, 'audit');
      const log = await openAuditLog(logOptions(dir, { durability, segmentBytes: 100_000 }));
      writeFileSync(join(disk, 'filler'), Buffer.alloc(400_000));
      const accepted: string[] = [];
      let refused = 0;
      while (refused < 40) {
        const batch = Array.from({ length: 20 }, (_, i) =>
          log.append(decided(`op_${i}`, { text: 'x'.repeat(3000) })),
        );
        for (const result of await Promise.allSettled(batch)) {
          if (result.status === 'fulfilled') accepted.push(result.value);
          else expect(result.reason).toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
          if (result.status === 'rejected') refused++;
        }
      }
      expect(accepted.length).toBeGreaterThan(20);
      expect((await verifyAll(dir))[0]).toMatchObject({ ok: true, tail: { tornBytes: 0 } });
      rmSync(join(disk, 'filler'));
      await vi.waitFor(() => expect(log.available).toBe(true), { timeout: 5000 });
      accepted.push(await log.append(decided('op_after')));
      await log.close();
      const [report] = await verifyAll(dir);
      expect(report).toMatchObject({ ok: true, closed: true, tail: { unsignedEvents: 0, tornBytes: 0 } });
      const text = (await chainBytes(dir, listChains(dir)[0]!.fileId)).toString();
      expect(text).toContain('"type":"audit.recovered"');
      expect(accepted.filter((id) => !text.includes(`"id":"${id}"`))).toEqual([]);
      expect(report!.events).toBeGreaterThanOrEqual(accepted.length + 1);
    });
  }

  it('fails a recording, which can be read up to there', async () => {
    const disk = smallDisks[2] as string;
    const store = openRecordingStore(join(disk, 'recordings'), systemClock);
    const session = { id: 'ses_01FULLDISK0000', protocol: 'postgres', startedAt: Date.now() };
    const recorder = await store.open(session);
    for (let i = 0; recorder.failed === undefined && i < 100; i++) {
      recorder.stream(0).response(crypto.getRandomValues(Buffer.alloc(60_000)));
      await timePasses(5, 'a session that shows its rows one after the other');
      if (recorder.pendingBytes > 1_000_000) await recorder.drained();
    }
    expect(recorder.failed).toMatchObject({ code: 'ERR_RECORDING_UNAVAILABLE' });
    expect((await recorder.close('done')).complete).toBe(false);
    let shown = 0;
    for await (const item of (await store.read(session.id)) ?? []) {
      if (item.kind === 'response') shown += item.bytes.length;
      if (item.kind === 'end') expect(item).toMatchObject({ complete: false, reason: 'interrupted' });
    }
    expect(shown).toBeGreaterThan(250_000);
  });
});
