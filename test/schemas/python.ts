import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Migrated } from './migrated.ts';

const CACHE = join(process.env.HOOP_MIGRATIONS ?? tmpdir(), 'hoop-migrations');

/**
 * Installs an application and what it needs into an environment of its own, and keeps that in a folder of the system's
 * temporary directory, or of the one that HOOP_MIGRATIONS names.
 *
 * @returns Where its programs are, and the folder to run them in.
 * @throws {Error} It cannot be had here.
 */
export function installed({ name, requirements, files = {}, prepare }: Migrated): {
  readonly bin: string;
  readonly folder: string;
} {
  const place = join(CACHE, name);
  const bin = join(place, 'bin');
  const folder = join(place, 'run');
  const ready = join(place, 'ready');
  const wanted = JSON.stringify([requirements, files, prepare]);
  if (existsSync(ready) && readFileSync(ready, 'utf8') === wanted) return { bin, folder };
  rmSync(place, { recursive: true, force: true });
  const uv = installer();
  quietly(uv, ['venv', '-q', '-p', 'python3', place]);
  // All compiled at once: else the first of two runs, and only that, would be measured compiling.
  quietly(uv, ['pip', 'install', '-q', '--compile-bytecode', '-p', join(bin, 'python'), ...requirements]);
  mkdirSync(folder);
  const [program, ...args] = prepare ?? [];
  if (program !== undefined) quietly(join(bin, program), args, folder);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  writeFileSync(ready, wanted);
  return { bin, folder };
}

/** uv, as pip installs it: it finds which of hundreds of versions fit each other in seconds. */
function installer(): string {
  const place = join(CACHE, '.uv');
  const uv = join(place, 'bin', 'uv');
  if (existsSync(uv)) return uv;
  mkdirSync(CACHE, { recursive: true });
  quietly('python3', ['-m', 'venv', place]);
  quietly(join(place, 'bin', 'pip'), ['install', '-q', 'uv']);
  return uv;
}

function quietly(program: string, args: readonly string[], cwd?: string): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'], ...(cwd === undefined ? {} : { cwd }) });
}
