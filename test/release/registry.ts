/** Gets packages for other machines than this one, by npm itself. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * A package of the registry, unpacked in a new folder below `parent`. npm's own memory is used where it has it.
 *
 * @param integrity `sha512-…`: nothing else is taken.
 * @returns The folder with its `package.json`.
 * @throws {Error} where it cannot be had, or is another.
 */
export async function fetchPackage(
  parent: string,
  name: string,
  version: string,
  integrity: string,
): Promise<string> {
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'package-'));
  const args = ['pack', `${name}@${version}`, '--pack-destination', folder, '--prefer-offline', '--silent'];
  const { stdout } = await run('npm', args, { cwd: folder });
  const archive = join(folder, stdout.trim().split('\n').at(-1) ?? '');
  const is = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (is !== integrity) throw new Error(`${name}@${version} is not what it was: ${is}, not ${integrity}`);
  await run('tar', ['-xzf', archive, '-C', folder]);
  return join(folder, 'package');
}

/** What the lock file says of a package: which version, and what it must be. */
export function locked(root: string, name: string): { readonly version: string; readonly integrity: string } {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version: string; readonly integrity?: string }>>;
  };
  const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {};
  if (version === undefined || integrity === undefined) throw new Error(`the lock file has no ${name}`);
  return { version, integrity };
}
