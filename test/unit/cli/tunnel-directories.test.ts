/** What tunnels leave behind that were killed is removed by the next one, and nothing else is. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeTunnelDirectory, sweepTunnelDirectories } from '../../../src/cli/connect/tunnel-directories.ts';

let within: string;
let gone: string;

beforeEach(() => {
  within = mkdtempSync(join(tmpdir(), 'swept-'));
  gone = String(spawnSync('true').pid);
});
afterEach(() => rmSync(within, { recursive: true, force: true }));

/** As a process made it that is no more. */
function left(): string {
  const directory = makeTunnelDirectory(within);
  const owner = join(directory, '.owner');
  writeFileSync(owner, readFileSync(owner, 'utf8').replace(/^\d+/, gone));
  writeFileSync(join(directory, 'kubeconfig'), 'token');
  return directory;
}

it('one whose process is gone is removed, with all that is in it', () => {
  const directory = left();
  sweepTunnelDirectories(within);
  expect(existsSync(directory)).toBe(false);
});

it('one whose process runs stays', () => {
  const directory = makeTunnelDirectory(within);
  sweepTunnelDirectories(within);
  expect(existsSync(directory)).toBe(true);
});

it.each<[what: string, change: (directory: string) => void]>([
  ['that others may enter', (directory) => chmodSync(directory, 0o750)],
  ['without an owner', (directory) => rmSync(join(directory, '.owner'))],
  ['whose owner cannot be read', (directory) => writeFileSync(join(directory, '.owner'), 'nobody')],
  [
    'of another machine or container',
    (directory) => writeFileSync(join(directory, '.owner'), `${gone} elsewhere`),
  ],
])('one %s stays', (_what, change) => {
  const directory = left();
  change(directory);
  sweepTunnelDirectories(within);
  expect(existsSync(directory)).toBe(true);
});

it('what is called otherwise stays, and so does what a link leads to', () => {
  const directory = left();
  const [other, link] = [join(within, 'hoopctl-of-mine'), join(within, 'hoopctl-Linked')];
  mkdirSync(other, { mode: 0o700 });
  const elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
  writeFileSync(join(elsewhere, '.owner'), readFileSync(join(directory, '.owner')));
  writeFileSync(join(other, '.owner'), readFileSync(join(directory, '.owner')));
  symlinkSync(elsewhere, link);
  // What it holds is a link to what is not its own.
  symlinkSync(elsewhere, join(directory, 'linked'));
  try {
    sweepTunnelDirectories(within);
    expect([directory, other, link, join(elsewhere, '.owner')].map((path) => existsSync(path))).toEqual([
      false,
      true,
      true,
      true,
    ]);
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
});

it('where there is nothing to list nothing is done', () => {
  expect(() => sweepTunnelDirectories(join(within, 'nowhere'))).not.toThrow();
});
