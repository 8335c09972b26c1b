import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT_TYPES } from '../../../src/audit/event.ts';
import { openAuditLog } from '../../../src/audit/log.ts';
import { CHAIN_PROBLEMS } from '../../../src/core/evidence/audit-verify.ts';
import { chainSegments, listChains } from '../../../src/storage/chain-files.ts';
import { decided, logOptions, temporary } from '../../support/audit.ts';

const root = temporary();
const page = readFileSync(new URL('../../../docs/audit.md', import.meta.url), 'utf8');
const script = join(root, 'verify.mjs');
let segments: string[];
let publicKey: string;

beforeAll(async () => {
  const code = /```js\n(.*?)```/s.exec(page)?.[1] ?? '';
  expect(code.split('\n').length).toBeLessThan(32);
  writeFileSync(script, code);
  const log = await openAuditLog(
    logOptions(join(root, 'audit'), { segmentBytes: 30_000, checkpointEvents: 20 }),
  );
  for (let i = 0; i < 100; i++) await log.append(decided(`op_${i}`, { text: `select 'größer ☃' -- ${i}` }));
  await log.close();
  publicKey = log.publicKey;
  const [entry] = listChains(join(root, 'audit'));
  segments = chainSegments(join(root, 'audit'), entry!.fileId);
  expect(segments.length).toBeGreaterThan(2);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (...files: string[]) => spawnSync(process.execPath, [script, ...files], { encoding: 'utf8' });

describe('the page for auditors', () => {
  it('has a script that accepts a chain as it was written', () => {
    const { stdout, status, stderr } = run(...segments);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toBe(`108 lines, signed through seq 106 by ${publicKey}, 0 torn octets\n`);
  });

  it('has a script that finds what was changed', () => {
    const whole = Buffer.concat(segments.map((path) => readFileSync(path))).toString();
    const edits: Record<string, string> = {
      changed: whole.replace('-- 50', '-- 51'),
      removed: whole.split('\n').toSpliced(50, 1).join('\n'),
      signature: whole.replace(/(?<="signature":")./, (letter) => (letter === 'A' ? 'B' : 'A')),
    };
    for (const [name, text] of Object.entries(edits)) {
      const path = join(root, `${name}.ndjson`);
      writeFileSync(path, text);
      expect(run(path), name).toMatchObject({ status: 1 });
    }
    expect(run(...segments.toSpliced(1, 1))).toMatchObject({ status: 1 });
  });

  it('has a line of shell that computes a hash', () => {
    const line = /^sed -n 3p .*?(?= {5}#)/m.exec(page)?.[0].replace('000001.ndjson', segments[0]!) ?? '';
    const computed = execFileSync('sh', ['-c', line], { encoding: 'utf8' }).slice(0, 64);
    expect(readFileSync(segments[0]!, 'utf8').split('\n')[2]).toContain(`{"hash":"${computed}",`);
  });

  it('names every type of event', () => {
    for (const type of EVENT_TYPES) expect(page).toContain(`\`${type}\``);
  });

  it('explains every problem that verification can find', () => {
    for (const problem of Object.keys(CHAIN_PROBLEMS)) expect(page).toContain(`\`${problem}\``);
  });
});
