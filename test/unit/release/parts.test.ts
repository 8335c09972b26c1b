import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands/index.ts';
import { nameOf } from '../../../src/cli/program.ts';
import bundle from '../../../tsup.config.ts';
import { hoopctlManual, hoopdManual } from '../../reference/command-pages.ts';
import { launcher } from '../../release/launcher.ts';
import { manualTexts } from '../../release/manual.ts';
import { BUNDLED, closure, copyright } from '../../release/packages.ts';
import { machineOf, NODE_VERSION, PLATFORMS } from '../../release/platforms.ts';
import { PROGRAMS } from '../../release/programs.ts';
import { locked } from '../../release/registry.ts';
import { ROOT } from '../../support/source-tree.ts';

it("hoopd's package brings a unit that starts what is in it, and its user; the page names both files", () => {
  const { deployed = {}, name } = PROGRAMS.find((one) => one.deployed !== undefined)!;
  expect([name, Object.keys(deployed)]).toEqual([
    'hoopd',
    ['lib/systemd/system/hoopd.service', 'lib/sysusers.d/hoopd.conf'],
  ]);
  const [unit, user] = Object.values(deployed).map((file) =>
    readFileSync(join(ROOT, 'docs/deploy', file), 'utf8'),
  );
  expect(unit).toContain('\nExecStart=/usr/bin/hoopd serve --config /etc/hoopd/hoopd.yaml\n');
  const [, as] = /\nUser=(\S+)\n/.exec(unit!)!;
  const [, directory] = /\nStateDirectory=(\S+)\n/.exec(unit!)!;
  expect(user).toContain(`\nu ${as} - "hoopd, the access gateway" /var/lib/${directory} `);
  const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
  for (const file of Object.values(deployed)) expect(page).toContain(`deploy/${file})`);
});

describe('the launcher', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hoop-launcher-'));
    for (const part of ['opt/x/bin', 'opt/x/lib/x/bin', 'usr/bin'])
      mkdirSync(join(folder, part), { recursive: true });
    // In the place of Node: what it is started with.
    writeFileSync(join(folder, 'opt/x/lib/x/node'), '#!/bin/sh\nprintf "%s\\n" "$@"\n');
    writeFileSync(join(folder, 'opt/x/bin/x'), launcher('x'));
    for (const program of ['opt/x/lib/x/node', 'opt/x/bin/x']) chmodSync(join(folder, program), 0o755);
    symlinkSync('../../opt/x/bin/x', join(folder, 'usr/bin/x'));
    symlinkSync(join(folder, 'usr/bin/x'), join(folder, 'usr/bin/y'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['by its path', 'opt/x/bin/x', '.'],
    ['by a link', 'usr/bin/x', '.'],
    ['by a link to a link', 'usr/bin/y', '.'],
    ['in its own folder', './x', 'opt/x/bin'],
    ['by a link in its own folder', './y', 'usr/bin'],
  ])('finds Node and the program when it is called %s', (_, called, cwd) => {
    const words = ['two words', '', '*'];
    const out = execFileSync(called, words, { cwd: join(folder, cwd), encoding: 'utf8' });
    const [program, ...rest] = out.split('\n');
    expect(
      execFileSync('readlink', ['-f', program!], { cwd: join(folder, cwd), encoding: 'utf8' }).trim(),
    ).toBe(join(folder, 'opt/x/lib/x/bin/x.js'));
    expect(rest).toEqual([...words, '']);
  });

  it('finds them when a shell is given its name alone', () => {
    const out = execFileSync('sh', ['x'], { cwd: join(folder, 'opt/x/bin'), encoding: 'utf8' });
    expect(out).toMatch(/lib\/x\/bin\/x\.js\n$/);
  });
});

describe('man pages', () => {
  const pages = [...manualTexts(hoopctlManual(), 0), ...manualTexts(hoopdManual(), 0)];
  const page = (file: string) => pages.find((one) => one.file === file)?.text ?? '';

  it('are there for each program and each command', () => {
    const wanted = COMMANDS.map((spec) => `hoopctl-${nameOf(spec).replaceAll(' ', '-')}.1`);
    expect(pages.map(({ file }) => file)).toEqual(
      expect.arrayContaining(['hoopctl.1', ...wanted, 'hoopd.8', 'hoopd-serve.8']),
    );
  });

  it('name every option, argument and exit code of their command', () => {
    const text = page('hoopctl-connect.1');
    for (const word of ['\\fB\\-\\-read\\-only\\fR', '\\fB<resource...>\\fR', '\\fB75\\fR', '.SH EXAMPLES'])
      expect(text).toContain(word);
    expect(page('hoopd-check.8')).toContain('\\fB\\-c, \\-\\-config <file>\\fR');
    expect(page('hoopctl.1')).toContain('\\fBHOOPCTL_TOKEN_FILE\\fR');
    expect(page('hoopd.8')).toContain('\\fB78\\fR');
  });

  it('have no line that roff would take for a request of its own', () => {
    for (const { file, text } of pages) {
      for (const line of text.split('\n'))
        expect(line, file).toMatch(/^(\.(TH|SH|TP|PP|nf|fi|nh|ad l)\b|[^.']|$)/);
    }
  });
});

describe('what is packed', () => {
  it('is for the machine whose package it is in', () => {
    const own = PLATFORMS.find(({ arch }) => arch === process.arch);
    expect(machineOf(readFileSync(process.execPath).subarray(0, 64))).toBe(own?.machine);
    expect(machineOf(Buffer.from('#!/bin/sh\n# a text'))).toBeUndefined();
  });

  it('has the Node of the tests, and native parts that the lock file vouches for', () => {
    expect(process.versions.node).toBe(NODE_VERSION);
    const names = PROGRAMS.flatMap(({ native }) => native);
    expect(names).toContain('@napi-rs/keyring');
    for (const name of names) {
      for (const { arch } of PLATFORMS)
        expect(locked(ROOT, `${name}-linux-${arch}-gnu`).integrity).toMatch(/^sha512-/);
    }
  });

  it('has every entry of the bundle, workers too', () => {
    const built = bundle as readonly { readonly entry: Readonly<Record<string, string>> }[];
    const packed = PROGRAMS.flatMap(({ entries }) => entries);
    expect(packed.toSorted()).toEqual(
      built
        .flatMap(({ entry }) => Object.keys(entry))
        .map((name) => `${name}.js`)
        .toSorted(),
    );
  });

  it('knows the terms of whatever is built into its own files', () => {
    const text = copyright('ours', closure(ROOT, BUNDLED));
    for (const name of [...BUNDLED, 'yoga-layout', 'react-reconciler'])
      expect(text).toMatch(new RegExp(`\n${name} [0-9.]+: MIT\n`));
  });

  it('brings what a package depends on, and the terms of each', () => {
    const all = closure(ROOT, ['openid-client', 'conf']);
    expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(['oauth4webapi', 'jose', 'ajv']));
    for (const { terms } of all) expect(terms.length).toBeGreaterThan(300);
    const text = copyright('ours', all);
    for (const { name, version, licence } of all)
      expect(text).toContain(`\n${name} ${version}: ${licence}\n`);
    expect(() => closure(ROOT, ['no-such-package'])).toThrow(/not installed/);
  });
});
