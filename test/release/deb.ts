/** Makes Debian packages of entries. Pure, but for the compression. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Entry } from './entries.ts';
import { tar } from './tar.ts';

/** What a package says of itself, beside what follows of its content. */
export interface DebianFacts {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly depends: string;
  readonly suggests?: string;
  /** One line. */
  readonly summary: string;
  /** Lines of at most 76 characters. */
  readonly description: readonly string[];
}

/**
 * A package that installs the entries below `/usr`.
 *
 * @param data The archive of the files, `./usr/…`, compressed by gzip.
 * @param entries The same files, for their sums and sizes.
 */
export function debianPackage(
  facts: DebianFacts,
  entries: readonly Entry[],
  data: Buffer,
  seconds: number,
): Buffer {
  const control = [
    { path: 'control', data: Buffer.from(controlText(facts, entries)) },
    { path: 'md5sums', data: Buffer.from(sums(entries)) },
  ];
  return ar(
    [
      ['debian-binary', Buffer.from('2.0\n')],
      ['control.tar.gz', gzipSync(tar(control, '.', seconds), { level: 9 })],
      ['data.tar.gz', data],
    ],
    seconds,
  );
}

/** `1.0.0-rc.1` is before `1.0.0`: Debian writes that with a tilde. */
export function debianVersion(version: string): string {
  return version.replaceAll('-', '~');
}

function controlText(facts: DebianFacts, entries: readonly Entry[]): string {
  const kibibytes = entries.reduce((sum, { data }) => sum + Math.ceil(data.length / 1024), 0);
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['Package', facts.name],
    ['Version', debianVersion(facts.version)],
    ['Architecture', facts.architecture],
    ['Maintainer', 'The hoopctl project <packages@hoopctl.invalid>'],
    ['Installed-Size', String(kibibytes)],
    ['Depends', facts.depends],
    ['Suggests', facts.suggests],
    ['Section', 'net'],
    ['Priority', 'optional'],
    ['Description', [facts.summary, ...facts.description.map((line) => ` ${line}`)].join('\n')],
  ];
  return fields.flatMap(([name, value]) => (value === undefined ? [] : `${name}: ${value}\n`)).join('');
}

/** What `dpkg --verify` compares with; MD5 is the format's, and guards against bad disks only. */
function sums(entries: readonly Entry[]): string {
  const lines = entries.map(
    ({ path, data }) => `${createHash('md5').update(data).digest('hex')}  usr/${path}\n`,
  );
  return lines.toSorted((a, b) => (a.slice(34) < b.slice(34) ? -1 : 1)).join('');
}

/** @see https://manpages.debian.org/deb.5 */
function ar(members: readonly (readonly [name: string, data: Buffer])[], seconds: number): Buffer {
  const parts = members.flatMap(([name, data]) => [
    Buffer.from(
      `${name.padEnd(16)}${String(seconds).padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(data.length).padEnd(10)}\`\n`,
    ),
    data,
    Buffer.from(data.length % 2 === 1 ? '\n' : ''),
  ]);
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts]);
}
