import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GENERAL_REFUSALS } from '../../src/enforcement/refusals.ts';
import { HTTP_REFUSALS } from '../../src/protocols/http/refusals.ts';
import { KUBERNETES_REFUSALS } from '../../src/protocols/kubernetes/request/refusals.ts';
import { POSTGRES_REFUSALS } from '../../src/protocols/postgres/refusals.ts';
import { SSH_REFUSALS } from '../../src/protocols/ssh/refusals.ts';
import { refusalsPage } from '../support/refusal-table.ts';
import { ROOT, readSources } from '../support/source-tree.ts';

describe('rules by which the gateway refuses', () => {
  const lists = [GENERAL_REFUSALS, POSTGRES_REFUSALS, HTTP_REFUSALS, SSH_REFUSALS, KUBERNETES_REFUSALS];
  const words = lists.flatMap((rules) => Object.keys(rules));

  it('are those of docs/refusals.md (write it anew with `node test/support/refusal-table.ts`)', () => {
    expect(readFileSync(join(ROOT, 'docs/refusals.md'), 'utf8')).toBe(refusalsPage());
    for (const word of words) expect(refusalsPage()).toContain(`| \`${word}\` |`);
  });

  it('are used, each of them', () => {
    const code = readSources('src')
      .filter(({ path }) => !path.endsWith('/refusals.ts'))
      .map(({ text }) => text)
      .join('\n');
    expect(words.filter((word) => !code.includes(`'${word}'`))).toEqual([]);
  });

  it('are said in sentences: what it means, and what to do', () => {
    for (const rules of lists) {
      for (const { means, instead } of Object.values(rules)) {
        expect(means).toMatch(/^\S.{15,140}\.$/);
        expect(instead).toMatch(/^\S.{7,140}\.$/);
      }
    }
  });
});
