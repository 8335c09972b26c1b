/** Makes the files that people unpack and install. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { ROOT } from '../support/source-tree.ts';
import { debianPackage, debianVersion } from './deb.ts';
import type { Entry } from './entries.ts';
import { NODE_VERSION, type Platform } from './platforms.ts';
import type { Program } from './programs.ts';
import { tar } from './tar.ts';
import { treeOf } from './tree.ts';

const compress = promisify(gzip);

export interface Built {
  readonly file: string;
  readonly bytes: number;
  /** Of what is in it, unpacked. */
  readonly unpacked: number;
  readonly sha256: string;
}

export interface BuildOptions {
  /** Where the files go. */
  readonly out: string;
  /** Where what is fetched goes; may be removed afterwards. */
  readonly cache: string;
  /** The time of everything inside, seconds since 1970. */
  readonly seconds: number;
  readonly kinds: readonly ('tar' | 'deb')[];
  /** Of the compression, 1 to 9. */
  readonly level: number;
}

/** Node's own program needs them; everything else in the tree needs no more. */
const DEPENDS = 'libc6 (>= 2.28), libstdc++6 (>= 8), libgcc-s1';

/**
 * The tarball and the Debian package of one program for one platform. The same sources, versions and time give the same
 * octets.
 *
 * @throws {Error} where a part is missing or not what it should be.
 */
export async function build(
  program: Program,
  platform: Platform,
  options: BuildOptions,
): Promise<readonly Built[]> {
  const { version, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly version: string;
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  if (devDependencies['node'] !== NODE_VERSION)
    throw new Error(
      `package.json has Node ${devDependencies['node']}: say the integrity of its packages too`,
    );
  const entries = await treeOf(program, platform, options.cache, options.seconds);
  mkdirSync(options.out, { recursive: true });
  const { name } = program;
  const make = {
    tar: async () => {
      const root = `${name}-${version}-linux-${platform.arch}`;
      return { file: `${root}.tar.gz`, data: await compressed(entries, root, options) };
    },
    deb: async () => {
      const installed = forDebian(entries, name);
      const data = await compressed(below('usr', installed), '.', options);
      const { summary, description, suggests } = program;
      const said = suggests === undefined ? {} : { suggests };
      const facts = {
        name,
        version,
        architecture: platform.debian,
        depends: DEPENDS,
        summary,
        description,
        ...said,
      };
      const file = `${name}_${debianVersion(version)}_${platform.debian}.deb`;
      return { file, data: debianPackage(facts, installed, data, options.seconds) };
    },
  };
  const unpacked = entries.reduce((sum, { data }) => sum + data.length, 0);
  const files = await Promise.all(options.kinds.map((kind) => make[kind]()));
  return files.map(({ file, data }) => {
    writeFileSync(join(options.out, file), data);
    const sha256 = createHash('sha256').update(data).digest('hex');
    return { file, bytes: data.length, unpacked, sha256 };
  });
}

function compressed(
  entries: readonly Entry[],
  root: string,
  { seconds, level }: BuildOptions,
): Promise<Buffer> {
  return compress(tar(entries, root, seconds), { level });
}

function below(folder: string, entries: readonly Entry[]): readonly Entry[] {
  return entries.map((one) => ({ ...one, path: `${folder}/${one.path}` }));
}

/** Debian installs as root into a folder that it knows: nothing has to be looked for. */
function forDebian(entries: readonly Entry[], name: string): readonly Entry[] {
  const script = `#!/bin/sh\nexec /usr/lib/${name}/node /usr/lib/${name}/bin/${name}.js "$@"\n`;
  return entries.map((one) => (one.path === `bin/${name}` ? { ...one, data: Buffer.from(script) } : one));
}
