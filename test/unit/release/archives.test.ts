import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { debianPackage, debianVersion } from '../../release/deb.ts';
import { tar } from '../../release/tar.ts';

const SECONDS = 1_700_000_000;
const file = (path: string, text = path, runs = false) => ({ path, data: Buffer.from(text), runs });
const list = (archive: Buffer, ...how: string[]) =>
  execFileSync('tar', [...how, '-f', '-'], {
    input: archive,
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC' },
  });

describe('tar', () => {
  it('is read by the tar of this machine: owner, mode, time, folders first', () => {
    const archive = tar([file('bin/x', '#!/bin/sh\n', true), file('a.txt', '')], 'x-1', SECONDS);
    const lines = list(archive, '-tv', '--full-time').trim().split('\n');
    expect(lines.map((line) => line.replaceAll(/\s+/g, ' '))).toEqual([
      'drwxr-xr-x root/root 0 2023-11-14 22:13:20 x-1/',
      '-rw-r--r-- root/root 0 2023-11-14 22:13:20 x-1/a.txt',
      'drwxr-xr-x root/root 0 2023-11-14 22:13:20 x-1/bin/',
      '-rwxr-xr-x root/root 10 2023-11-14 22:13:20 x-1/bin/x',
    ]);
  });

  it('is the same in whatever order its files were found', () => {
    const paths = fc.uniqueArray(fc.stringMatching(/^([a-z.-]{1,8}\/){0,3}[A-Za-z._-]{1,8}x$/), {
      minLength: 1,
    });
    fc.assert(
      fc.property(paths, fc.func(fc.integer()), (all, rank) => {
        const files = all.map((path) => file(path));
        const shuffled = files.toSorted((a, b) => rank(a.path) - rank(b.path));
        expect(tar(shuffled, '.', SECONDS).equals(tar(files, '.', SECONDS))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it.each([1, 511, 512, 513, 10_240])('gives a file of %d octets back', (size) => {
    const text = 'ä'.repeat(size).slice(0, size);
    const archive = tar([file('d/f', text)], '.', SECONDS);
    expect(list(archive, '-xO', './d/f')).toBe(text);
    expect(archive.length % 10_240).toBe(0);
  });

  it('divides a long path at a slash, and refuses one that cannot be divided', () => {
    const path = `${'folder/'.repeat(20)}${'f'.repeat(100)}`;
    expect(
      list(tar([file(path)], '.', SECONDS), '-t')
        .trim()
        .split('\n')
        .at(-1),
    ).toBe(`./${path}`);
    expect(() => tar([file('f'.repeat(101))], '.', SECONDS)).toThrow(/too long/);
    expect(() => tar([file(`${'folder/'.repeat(40)}f`)], '.', SECONDS)).toThrow(/too long/);
  });
});

describe('Debian packages', () => {
  const facts = {
    name: 'x',
    version: '1.0.0-rc.1',
    architecture: 'amd64',
    depends: 'libc6',
    summary: 'an example',
    description: ['It has', 'two lines.'],
  };

  it('have three members, and a control file that says what is in them', () => {
    const made = debianPackage(
      facts,
      [file('bin/x'), file('a', 'x'.repeat(1025))],
      Buffer.from('odd'),
      SECONDS,
    );
    expect(made.toString('latin1', 0, 8)).toBe('!<arch>\n');
    const heads = [
      ...made.toString('latin1').matchAll(/([a-z][\w.-]+) +1700000000 +0 +0 +100644 +(\d+) +`\n/g),
    ];
    expect(heads.map(([, name]) => name)).toEqual(['debian-binary', 'control.tar.gz', 'data.tar.gz']);
    const [, control] = heads;
    const at = control!.index + 60;
    const archive = made.subarray(at, at + Number(control![2]));
    const text = execFileSync('tar', ['-xzO', '-f', '-', './control'], { input: archive, encoding: 'utf8' });
    expect(text.split('\n')).toEqual([
      'Package: x',
      'Version: 1.0.0~rc.1',
      'Architecture: amd64',
      'Maintainer: The hoopctl project <packages@hoopctl.invalid>',
      'Installed-Size: 3',
      'Depends: libc6',
      'Section: net',
      'Priority: optional',
      'Description: an example',
      ' It has',
      ' two lines.',
      '',
    ]);
    // Members begin at even places.
    expect(made.length % 2).toBe(0);
  });

  it('sort a version before the one it leads to', () => {
    expect(debianVersion('0.2.0')).toBe('0.2.0');
    expect(debianVersion('0.2.0-rc.1')).toBe('0.2.0~rc.1');
  });
});
