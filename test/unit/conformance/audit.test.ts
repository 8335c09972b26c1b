import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { AuditEvent } from '../../../src/audit/event.ts';
import { openAuditLog } from '../../../src/audit/log.ts';
import { openAuditIndex } from '../../../src/search/audit-index.ts';
import { chainSegments, listChains } from '../../../src/storage/chain-files.ts';
import { SegmentFile } from '../../../src/storage/segment-file.ts';
import { auditConformance } from '../../conformance/audit.ts';
import { chainBytes, logOptions, temporary, verifyAll } from '../../support/audit.ts';

for (const durability of ['process', 'strict'] as const) {
  auditConformance(`files and SQLite, durability ${durability}`, async () => {
    const root = temporary();
    const dir = join(root, 'audit');
    const options = logOptions(dir, { durability });
    const segments = () => listChains(dir).flatMap(({ fileId }) => chainSegments(dir, fileId));
    return {
      sealKey: options.sealKey,
      open: async (clock) => {
        const log = await openAuditLog({ ...options, clock });
        const index = openAuditIndex({ dir, file: join(root, 'index', 'audit.db') });
        const close = async () => {
          await index.close();
          await log.close();
        };
        return { log, index, close };
      },
      stored: async () => {
        const texts = await Promise.all(listChains(dir).map(({ fileId }) => chainBytes(dir, fileId)));
        const lines = Buffer.concat(texts).toString().split('\n').filter(Boolean);
        return lines.flatMap((line) => (JSON.parse(line) as { event?: AuditEvent }).event ?? []);
      },
      verify: () => verifyAll(dir),
      break: () => {
        const full = vi.spyOn(SegmentFile.prototype, 'write').mockImplementation(() => {
          throw new Error('ENOSPC');
        });
        return () => full.mockRestore();
      },
      alter: async (operation) => {
        const file = segments().find((one) => readFileSync(one, 'utf8').includes(`"${operation}"`))!;
        const lines = readFileSync(file, 'utf8').split('\n');
        const at = lines.findIndex((line) => line.includes(`"${operation}"`));
        lines[at] = lines[at]!.replace('"text":"', '"text":"X');
        writeFileSync(file, lines.join('\n'));
      },
      remove: async () => rmSync(root, { recursive: true, force: true }),
    };
  });
}
