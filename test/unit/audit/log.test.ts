import { appendFileSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { nextBoot } from '../../../src/audit/boot.ts';
import { ChainWriter } from '../../../src/audit/chain-writer.ts';
import type { AuditEvent } from '../../../src/audit/event.ts';
import { openAuditLog } from '../../../src/audit/log.ts';
import { unseal } from '../../../src/audit/seal.ts';
import { verifyChain } from '../../../src/core/evidence/audit-verify.ts';
import { newId } from '../../../src/core/ids/make.ts';
import { chainFileId, chainSegments, listChains, readChain } from '../../../src/storage/chain-files.ts';
import { SegmentFile } from '../../../src/storage/segment-file.ts';
import { chainBytes, closed, decided, logOptions, temporary, verifyAll } from '../../support/audit.ts';
import { timePasses } from '../../support/waiting.ts';

const directories: string[] = [];
function directory(): string {
  const dir = temporary();
  directories.push(dir);
  return dir;
}
afterEach(() => {
  for (const dir of directories.splice(0)) rmSync(dir, { recursive: true, force: true });
});

interface StoredLine {
  readonly event?: AuditEvent;
}

async function records(dir: string): Promise<StoredLine[]> {
  const all: StoredLine[] = [];
  for (const { fileId } of listChains(dir))
    for (const line of (await chainBytes(dir, fileId)).toString().split('\n').slice(0, -1))
      all.push(JSON.parse(line));
  return all;
}

for (const durability of ['process', 'strict'] as const) {
  describe(`an audit log, durability ${durability}`, () => {
    it('stores events in the order of the calls, before the promise resolves', async () => {
      const dir = directory();
      const options = logOptions(dir, { durability });
      const log = await openAuditLog(options);
      const path = chainSegments(dir, listChains(dir)[0]!.fileId)[0]!;
      const ids = await Promise.all(Array.from({ length: 500 }, (_, i) => log.append(decided(`op_${i}`))));
      const stored = readFileSync(path, 'utf8')
        .split('\n')
        .slice(2, -1)
        .map((line) => JSON.parse(line).event);
      expect(stored.map((event) => event.id)).toEqual(ids);
      expect(stored.map((event) => event.operation)).toEqual(ids.map((_, i) => `op_${i}`));
      expect(unseal(stored[7].sealed, stored[7].id, [options.sealKey]).original).toEqual(
        decided('op_7').original,
      );
      expect(statSync(path).mode & 0o777).toBe(0o600);
      await log.close();
      await log.close();
      const [report] = await verifyAll(dir, [log.publicKey]);
      expect(report).toMatchObject({ ok: true, closed: true, events: 500, tail: { unsignedEvents: 0 } });
    });

    it('writes an outcome with the next decision, or within 50 ms', async () => {
      const dir = directory();
      const log = await openAuditLog(logOptions(dir, { durability }));
      const write = vi.spyOn(SegmentFile.prototype, 'write');
      log.appendSoon(closed('op_1'));
      expect(write).toHaveBeenCalledTimes(0);
      await log.append(decided('op_2'));
      expect(write).toHaveBeenCalledTimes(1);
      log.appendSoon(closed('op_2'));
      await vi.waitFor(() => expect(write).toHaveBeenCalledTimes(2), { timeout: 200 });
      log.appendSoon(closed('op_3'));
      await log.flush();
      expect(write).toHaveBeenCalledTimes(3);
      write.mockRestore();
      await log.close();
      expect((await records(dir)).flatMap((line) => line.event?.operation ?? [])).toEqual([
        'op_1',
        'op_2',
        'op_2',
        'op_3',
      ]);
    });

    const report = async (dir: string) => verifyChain(readChain(dir, listChains(dir)[0]!.fileId));

    it('signs after so many events', async () => {
      const dir = directory();
      const log = await openAuditLog(
        logOptions(dir, { durability, checkpointEvents: 10, checkpointMs: 60_000 }),
      );
      for (let i = 0; i < 25; i++) await log.append(decided(`op_${i}`));
      expect(await report(dir)).toMatchObject({ ok: true, checkpoints: 3, tail: { unsignedEvents: 5 } });
      await log.close();
    });

    it('signs after a while without more, once', async () => {
      const dir = directory();
      const log = await openAuditLog(logOptions(dir, { durability, checkpointMs: 50 }));
      await log.append(decided('op_1'));
      await vi.waitFor(async () => expect((await report(dir)).tail.unsignedEvents).toBe(0), 10_000);
      const lines = (await records(dir)).length;
      await timePasses(120, 'two intervals of checkpoints, in which none is due');
      expect((await records(dir)).length).toBe(lines);
      await log.close();
    });

    it('goes on in new segments, which are one chain', async () => {
      const dir = directory();
      const log = await openAuditLog(logOptions(dir, { durability, segmentBytes: 20_000 }));
      for (let i = 0; i < 100; i++) await log.append(decided(`op_${i}`));
      await log.close();
      expect(listChains(dir)[0]!.segments).toBeGreaterThan(3);
      expect((await verifyAll(dir))[0]).toMatchObject({ ok: true, events: 100 });
    });
  });
}

describe('a disk that fails to sync', () => {
  it('costs the group, which is taken back, and then everything until a probe is on the disk', async () => {
    const dir = directory();
    let failing = false;
    const disk = {
      write: (fd: number, bytes: Uint8Array, offset: number) => writeSync(fd, bytes, offset),
      sync: async () => {
        if (failing) throw new Error('EIO');
      },
    };
    const chain = 'gw/boot_1/0';
    const files = new SegmentFile(join(dir, chainFileId(chain)), 1e6, disk);
    const log = new ChainWriter(logOptions(dir, { durability: 'strict' }), chain, files, {
      release: () => undefined,
    });
    await log.begin(undefined);
    await log.append(decided('op_0'));
    failing = true;
    const refused = await Promise.allSettled([log.append(decided('op_1')), log.append(decided('op_2'))]);
    for (const result of refused)
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ERR_AUDIT_UNAVAILABLE' } });
    expect(log.available).toBe(false);
    await expect(log.append(decided('op_3'))).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
    await expect(log.flush()).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
    failing = false;
    await vi.waitFor(() => expect(log.available).toBe(true), { timeout: 2000 });
    await log.append(decided('op_4'));
    await log.close();
    const events = (await records(dir)).flatMap((line) => line.event ?? []);
    expect(events.map((event) => event.operation ?? event.type)).toEqual(['op_0', 'audit.recovered', 'op_4']);
    expect(events[1]).toMatchObject({ facts: { refused: 3 } });
    expect(listChains(dir)[0]).toMatchObject({ segments: 2 });
    expect((await verifyAll(dir))[0]).toMatchObject({ ok: true, events: 3, closed: true });
  });
});

describe('chains of one directory', () => {
  it('name the one before, torn or not, and a torn tail stays as it is', async () => {
    const dir = directory();
    const options = logOptions(dir);
    for (let boot = 0; boot < 3; boot++) {
      const log = await openAuditLog(options);
      await log.append(decided(`op_${boot}`));
      await log.close();
      const path = chainSegments(dir, listChains(dir)[boot]!.fileId).at(-1)!;
      if (boot === 0) truncateSync(path, statSync(path).size - 10);
    }
    const reports = await verifyAll(dir);
    expect(reports.map((report) => [report.ok, report.closed])).toEqual([
      [true, false],
      [true, true],
      [true, true],
    ]);
    expect(reports[0]!.tail.tornBytes).toBeGreaterThan(0);
    expect(reports.map((report) => report.previous?.chain)).toEqual([
      undefined,
      reports[0]!.chain,
      reports[1]!.chain,
    ]);

    const first = chainSegments(dir, listChains(dir)[0]!.fileId)[0]!;
    const whole = readFileSync(first);
    truncateSync(first, whole.lastIndexOf(10, whole.lastIndexOf(10) - 1) + 1);
    expect((await verifyAll(dir))[0]!.problem?.reason).toBe('link-mismatch');
    rmSync(chainSegments(dir, listChains(dir)[1]!.fileId)[0]!);
    expect((await verifyAll(dir)).map((report) => report.problem?.reason)).toContain('link-missing');
  });

  it('are in order even if the clock is set back', async () => {
    expect(nextBoot(5, undefined)).toMatch(/^boot_0000000005/);
    const last = newId('boot', 1_900_000_000_000);
    expect(nextBoot(1_800_000_000_000, last) > last).toBe(true);
    expect(nextBoot(2_000_000_000_000, last).slice(5, 15)).toBe(newId('x', 2_000_000_000_000).slice(2, 12));
  });

  it('are there with their header or not at all, whenever the start was cut off', async () => {
    const dir = directory();
    const begin = vi.spyOn(ChainWriter.prototype, 'begin').mockRejectedValue(new Error('ENOSPC'));
    await expect(openAuditLog(logOptions(dir))).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
    begin.mockRestore();
    expect(listChains(dir)).toEqual([]);
    await (await openAuditLog(logOptions(dir))).close();
    expect((await verifyAll(dir)).map((report) => report.ok)).toEqual([true]);
  });

  it('have one writer at a time', async () => {
    const dir = directory();
    const log = await openAuditLog(logOptions(dir));
    await expect(openAuditLog(logOptions(dir))).rejects.toMatchObject({ code: 'ERR_CONFIG' });
    await log.close();
    await (await openAuditLog(logOptions(dir))).close();
  });

  it('have names that are safe in paths', async () => {
    for (const chain of [
      '../x/boot_1/0',
      'a b/boot_1/0',
      '/boot_1/0',
      '.x/boot_1/0',
      `${'a'.repeat(65)}/boot_1/0`,
    ])
      expect(() => chainFileId(chain), chain).toThrow(expect.objectContaining({ code: 'ERR_CONFIG' }));
    const dir = directory();
    await expect(openAuditLog(logOptions(dir, { instance: '../x' }))).rejects.toMatchObject({
      code: 'ERR_CONFIG',
    });
    for (const id of ['..', '../..', 'gw~boot_1~0', 'gw~..~0'])
      await expect(chainBytes(dir, id)).rejects.toMatchObject({ code: 'ERR_NO_ACCESS' });
  });

  it('refuse what is too large, and what comes after the end', async () => {
    const dir = directory();
    const log = await openAuditLog(logOptions(dir));
    const huge = decided('op_1', { session: 'x'.repeat(5 * 1024 * 1024) });
    await expect(log.append(huge)).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
    await log.append(decided('op_2'));
    await log.close();
    await expect(log.append(decided('op_3'))).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
    appendFileSync(chainSegments(dir, listChains(dir)[0]!.fileId)[0]!, 'x');
    expect((await verifyAll(dir))[0]!.problem?.reason).toBe('after-close');
  });
});
