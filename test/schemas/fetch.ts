import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A package as its registry's ordinary client fetches it. */
export interface Package {
  readonly from: 'deb' | 'pip';
  readonly name: string;
}

const CACHE = join(tmpdir(), 'hoop-schemas');

/**
 * Fetches a package by its name, unpacks it, and keeps it in a folder of the system's temporary directory.
 *
 * @returns Where its files are.
 * @throws {Error} It cannot be had here.
 */
function unpacked({ from, name }: Package): string {
  const place = join(CACHE, name);
  if (existsSync(place)) return place;
  const work = `${place}.part`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  // apt drops its rights for the download.
  chmodSync(work, 0o777);
  const [program, ...args] =
    from === 'deb'
      ? ['apt-get', 'download', '-qq', name]
      : ['python3', '-m', 'pip', 'download', '-q', '--no-deps', '--only-binary', ':all:', name];
  execFileSync(program as string, args, { cwd: work, stdio: ['ignore', 'ignore', 'pipe'] });
  const [file = ''] = readdirSync(work);
  const unpack =
    from === 'deb' ? ['dpkg-deb', '-x', file, '.'] : ['python3', '-m', 'zipfile', '-e', file, '.'];
  execFileSync(unpack[0] as string, unpack.slice(1), { cwd: work, stdio: ['ignore', 'ignore', 'pipe'] });
  renameSync(work, place);
  return place;
}

/** @returns The text of its files, one after the other. */
export function sqlOf(source: Package, files: readonly string[]): string {
  const place = unpacked(source);
  const texts = files.map((file) => {
    const bytes = readFileSync(join(place, file));
    return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  });
  return texts.join('\n;\n');
}
