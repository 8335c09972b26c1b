/**
 * Whether the adapters' suite bites: in a copy of the sources one line after the other is taken out, and the suite must fail
 * at the case that speaks of it.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MUTATIONS, mutated } from '../conformance/mutations.ts';
import { ROOT } from '../support/source-tree.ts';

const COPIED = ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
/** Of the sources: as many as are tried at once, since most of the time what fails waits. */
const copies = [1, 2].map(() => mkdtempSync(join(tmpdir(), 'hoop-mutated-')));
const free = [...copies];

beforeAll(() => {
  for (const copy of copies) {
    for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  }
});
afterAll(() => {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true });
});

async function inCopy(task: (copy: string) => Promise<void>): Promise<void> {
  const copy = free.pop();
  if (copy === undefined) throw new Error('more are tried at once than there are copies');
  try {
    await task(copy);
  } finally {
    free.push(copy);
  }
}

/** Runs the suite in a copy, or those of its cases whose names have this in them. @returns Names of the cases that fail. */
async function failures(copy: string, suite: 'echo' | 'postgres', cases = ''): Promise<string[]> {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const file = `test/integration/conformance/${suite}.test.ts`;
  const named = cases === '' ? [] : ['--testNamePattern', cases];
  const args = [
    'run',
    '--project',
    'integration',
    file,
    ...named,
    '--reporter=json',
    `--outputFile=${report}`,
  ];
  const { VITEST: _, VITEST_POOL_ID: __, VITEST_WORKER_ID: ___, ...env } = process.env;
  const vitest = join(copy, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, ...args], { cwd: copy, env, stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { assertionResults: { title: string; status: string }[] }[];
  };
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  const run = results.filter(({ status }) => status === 'passed' || status === 'failed');
  if (run.length === 0) throw new Error(`no case of the suite was run: ${cases}`);
  return run.filter(({ status }) => status === 'failed').map(({ title }) => title);
}

const suites = (['echo', 'postgres'] as const).map((suite) => ({
  name: `passes for ${suite} as the sources are`,
  tried: async (copy: string) => expect(await failures(copy, suite)).toEqual([]),
}));

const mutations = MUTATIONS.map((mutation) => ({
  name: `fails without ${mutation.without}`,
  tried: async (copy: string) => {
    const file = join(copy, mutation.file);
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, mutated(whole, mutation));
    try {
      expect(await failures(copy, mutation.suite, mutation.fails)).not.toEqual([]);
    } finally {
      writeFileSync(file, whole);
    }
  },
}));

describe('the suite of adapters', () => {
  it.concurrent.each([...suites, ...mutations])('$name', ({ tried }) => inCopy(tried));
});
