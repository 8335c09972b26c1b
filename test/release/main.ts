/**
 * `npm run dist`: hoopctl and hoopd with the Node that they run on, as tarballs and Debian packages for Linux, in
 * `release/`. What is named on the command line is built alone: `hoopctl`, `x64`, `deb`.
 *
 * SOURCE_DATE_EPOCH is the time of everything inside; without it that of the last commit.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../support/source-tree.ts';
import { type Built, build } from './build.ts';
import { PLATFORMS } from './platforms.ts';
import { PROGRAMS } from './programs.ts';

const KINDS = ['tar', 'deb'] as const;
/** Nine takes twice as long, for three thousandths. */
const LEVEL = 6;
const words = process.argv.slice(2);
const known: readonly string[] = [
  ...PROGRAMS.map(({ name }) => name),
  ...PLATFORMS.map(({ arch }) => arch),
  ...KINDS,
];

/** Those that are named, or all where none of their kind is. */
function chosen<T>(all: readonly T[], nameOf: (one: T) => string): readonly T[] {
  const named = all.filter((one) => words.includes(nameOf(one)));
  return named.length === 0 ? all : named;
}

function timeOfSources(): number {
  const given = process.env['SOURCE_DATE_EPOCH'];
  const text = given ?? execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: ROOT, encoding: 'utf8' });
  if (!/^\d{1,10}\s*$/.test(text)) throw new Error('SOURCE_DATE_EPOCH is no number of seconds');
  return Number(text);
}

async function main(): Promise<void> {
  const strange = words.filter((word) => !known.includes(word));
  if (strange.length > 0) throw new Error(`not known: ${strange.join(' ')}; known: ${known.join(' ')}`);
  const out = join(ROOT, 'release');
  const cache = mkdtempSync(join(tmpdir(), 'hoop-release-'));
  const built: Built[] = [];
  try {
    for (const platform of chosen(PLATFORMS, ({ arch }) => arch)) {
      for (const program of chosen(PROGRAMS, ({ name }) => name)) {
        const kinds = chosen(KINDS, (kind) => kind);
        built.push(
          ...(await build(program, platform, { out, cache, seconds: timeOfSources(), kinds, level: LEVEL })),
        );
      }
    }
  } finally {
    rmSync(cache, { recursive: true });
  }
  writeSums(join(out, 'SHA256SUMS'), built);
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1).padStart(6)} MiB`;
  for (const { file, bytes, unpacked, sha256 } of built)
    process.stdout.write(`${mib(bytes)} (${mib(unpacked).trim()} unpacked)  ${sha256}  release/${file}\n`);
}

/** Beside what was built now stands what was built before and still lies there. */
function writeSums(path: string, built: readonly { readonly file: string; readonly sha256: string }[]): void {
  const before = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  const known = before.map((line) => line.split('  ')).map(([sha256 = '', file = '']) => ({ file, sha256 }));
  const kept = known.filter(
    ({ file }) =>
      file !== '' && existsSync(join(path, '..', file)) && !built.some((one) => one.file === file),
  );
  const lines = [...kept, ...built].map(({ file, sha256 }) => `${sha256}  ${file}\n`);
  writeFileSync(path, lines.toSorted().join(''));
}

await main();
