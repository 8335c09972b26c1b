/** Rows of attacks whose tests carry their row: what docs/security.md names as a proof has tests under that name. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../support/source-tree.ts';

const ROWS = ['D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8', 'E1', 'H24'] as const;
const page = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');

/** Files, or folders of them, below `test/`, that the last cell of a row names. */
function proofsOf(row: string): readonly string[] {
  const line = page.split('\n').find((one) => one.startsWith(`| ${row} |`)) ?? '';
  const proofs = line.split('|').at(-2) ?? '';
  return [...proofs.matchAll(/`([\w/-]+)`/g)].map((match) => match[1] ?? '');
}

function textOf(proof: string): string {
  const file = join(ROOT, 'test', `${proof}.test.ts`);
  if (existsSync(file)) return readFileSync(file, 'utf8');
  const files = globSync(join(ROOT, 'test', proof, '**/*.test.ts'));
  return files.map((path) => readFileSync(path, 'utf8')).join('\n');
}

it.each(ROWS)('%s: each of its proofs has a test that is called so', (row) => {
  const proofs = proofsOf(row);
  expect(proofs.length).toBeGreaterThan(0);
  const named = new RegExp(`['"\`](\\d+, )?${row}: `);
  expect(proofs.filter((proof) => !named.test(textOf(proof)))).toEqual([]);
});
