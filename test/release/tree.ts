/** The files of one program for one platform, as they lie below `/usr`, or in the tarball's folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ROOT } from '../support/source-tree.ts';
import { completions } from './completions.ts';
import type { Entry } from './entries.ts';
import { launcher } from './launcher.ts';
import { manPages } from './manual.ts';
import { BUNDLED, closure, copyright, filesOf, type Installed, termsIn } from './packages.ts';
import { machineOf, NODE_VERSION, type Platform } from './platforms.ts';
import type { Program } from './programs.ts';
import { reach } from './reach.ts';
import { fetchPackage, locked } from './registry.ts';

/**
 * All that a program needs on a platform but libc: the same whenever it is made of the same sources.
 *
 * @param cache A folder for what is fetched.
 * @param seconds Since 1970: the date of the man pages.
 * @throws {Error} where a part is missing, is for another machine, or comes without a licence.
 */
export async function treeOf(
  program: Program,
  platform: Platform,
  cache: string,
  seconds: number,
): Promise<readonly Entry[]> {
  const lib = `lib/${program.name}`;
  const node = await nodeFor(platform, cache);
  const native = await Promise.all(program.native.map((name) => nativePart(name, platform, cache)));
  const bundle = reach(join(ROOT, 'dist'), program.entries);
  const packages = closure(ROOT, [
    ...bundle.packages.filter((name) => !program.without.includes(name)),
    ...program.native,
  ]);
  const own = [`bin/${program.name}.js`, ...bundle.files.map((file) => `dist/${file}`)];
  const terms = copyright(readFileSync(join(ROOT, 'LICENSE'), 'utf8'), [
    ...new Map([...packages, ...closure(ROOT, BUNDLED)].map((one) => [one.folder, one])).values(),
    ...native,
    node,
  ]);
  const entries = [
    { path: `bin/${program.name}`, runs: true, data: Buffer.from(launcher(program.name)) },
    { path: `${lib}/node`, runs: true, data: readFileSync(join(node.folder, 'bin/node')) },
    { path: `${lib}/package.json`, data: Buffer.from(manifest()) },
    ...own.map((path) => ({ path: `${lib}/${path}`, data: readFileSync(join(ROOT, path)) })),
    ...packages.flatMap((one) => filesOf(one, `${lib}/${one.folder.slice(ROOT.length + 1)}`)),
    ...native.flatMap((one) => filesOf(one, `${lib}/node_modules/${one.name}`)),
    ...manPages(program.name, seconds),
    ...(program.name === 'hoopctl' ? completions() : []),
    ...Object.entries(program.deployed ?? {}).map(([path, file]) => ({
      path,
      data: readFileSync(join(ROOT, 'docs/deploy', file)),
    })),
    { path: `share/doc/${program.name}/copyright`, data: Buffer.from(terms) },
    {
      path: `share/doc/${program.name}/changelog.gz`,
      data: gzipSync(readFileSync(join(ROOT, 'CHANGELOG.md')), { level: 9 }),
    },
  ];
  refuseStrangers(entries, platform);
  return entries;
}

/** What the programs read of it, and what Node does. */
function manifest(): string {
  const { name, version, license, type } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return `${JSON.stringify({ name, version, license, type }, null, 2)}\n`;
}

/** What is packed as a program must be one for this platform. */
function refuseStrangers(entries: readonly Entry[], { arch, machine }: Platform): void {
  for (const { path, data } of entries) {
    const is = machineOf(data);
    if (is !== undefined && is !== machine) throw new Error(`${path} is for machine ${is}, not for ${arch}`);
    if (is === undefined && path.endsWith('.node')) throw new Error(`${path} is no library of Linux`);
  }
}

async function nodeFor({ arch, nodeIntegrity }: Platform, cache: string): Promise<Installed> {
  const folder = await fetchPackage(cache, `node-linux-${arch}`, NODE_VERSION, nodeIntegrity);
  return {
    name: 'Node.js',
    version: NODE_VERSION,
    licence: 'MIT and others',
    folder,
    terms: termsIn(folder),
  };
}

async function nativePart(of: string, { arch }: Platform, cache: string): Promise<Installed> {
  const name = `${of}-linux-${arch}-gnu`;
  const { version, integrity } = locked(ROOT, name);
  const folder = await fetchPackage(cache, name, version, integrity);
  return { name, version, licence: 'MIT', folder, terms: termsIn(folder) };
}
