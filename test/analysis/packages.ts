import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Installs Python packages into a folder of their own, and keeps it in the system's temporary directory.
 *
 * @param name Of the folder: another one for other packages.
 * @returns The folder, for `sys.path`.
 * @throws {Error} They cannot be had here.
 */
export function pythonPackages(name: string, packages: readonly string[]): string {
  return kept(name, (work) => ['python3', ['-m', 'pip', 'install', '-q', '--target', work, ...packages]]);
}

/** The same of Node's; nothing of theirs is run. */
export function nodePackages(name: string, packages: readonly string[]): string {
  const quietly = ['--no-audit', '--no-fund', '--ignore-scripts', '--silent'];
  return kept(name, (work) => ['npm', ['install', ...quietly, '--prefix', work, ...packages]]);
}

function kept(name: string, command: (work: string) => [string, readonly string[]]): string {
  const place = join(tmpdir(), `hoop-analysis-${name}`);
  if (existsSync(place)) return place;
  const work = `${place}.part`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const [program, args] = command(work);
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  renameSync(work, place);
  return place;
}
