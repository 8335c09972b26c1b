import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { readPolicies } from '../../../src/gateway/config/policies.ts';
import { vocabulary } from '../policy/support.ts';

const made: string[] = [];
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true });
});

function warned(names: readonly string[]): string[] {
  const dir = mkdtempSync(join(tmpdir(), 'policies-'));
  made.push(dir);
  for (const name of ['a.cedar', ...names]) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), '@id("a") permit (principal, action == Action::"connect", resource);');
  }
  const read = readPolicies(vocabulary, { policies: dir, resources: {}, agents: {} });
  if (!read.ok) throw new Error(JSON.stringify(read.mistakes));
  expect(read.set.policies).toHaveLength(1);
  return read.warnings.map(({ file, problem }) => `${file.slice(basename(dir).length + 1)} ${problem}`);
}

it.each(['team/x.cedar', 'x.CEDAR', 'x.cedar.bak', 'x.cedar.txt', 'x.Cedar'])(
  '%s is not read, and told',
  (name) =>
    expect(warned([name])).toEqual([
      `${name} is not read: rules are in files *.cedar of the directory itself`,
    ]),
);

it.each([
  ['README.md', 'x.tests.yaml', 'x.cedar.yaml', 'hoop.cedarschema'],
  // What mounts and editors leave.
  ['..2026_12_01/x.cedar', '.x.cedar.swp'],
  ['team/README.md'],
])('nothing is told of %j', (...names) => expect(warned(names)).toEqual([]));
