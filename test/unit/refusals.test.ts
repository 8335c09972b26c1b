import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_TABLE } from '../../src/core/errors.ts';
import { NEXT_STEPS } from '../../src/core/next-step.ts';
import { GENERAL_REFUSALS } from '../../src/enforcement/refusals.ts';
import { HTTP_REFUSALS } from '../../src/protocols/http/refusals.ts';
import { KUBERNETES_REFUSALS } from '../../src/protocols/kubernetes/request/refusals.ts';
import { POSTGRES_REFUSALS } from '../../src/protocols/postgres/refusals.ts';
import { SSH_REFUSALS } from '../../src/protocols/ssh/refusals.ts';
import { KINDS, RULES, SITUATIONS, stepOf } from '../support/agent/kinds/index.ts';
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

describe('a scripted agent', () => {
  it('meets every kind of refusal, or it is written down why none of its programs can', () => {
    const kinds = [...Object.keys(RULES), ...Object.keys(ERROR_TABLE)];
    expect(Object.keys(KINDS).sort()).toEqual(kinds.sort());
    for (const kind of Object.values(KINDS)) if ('never' in kind) expect(kind.never).toMatch(/^\S.{20,100}$/);
  });

  it('meets those that need the world to change where it is said', () => {
    for (const [name, kind] of Object.entries(KINDS)) {
      if (!('file' in kind)) continue;
      const text = readFileSync(join(ROOT, kind.file), 'utf8');
      expect(text, name).toContain(kind.test);
      // A rule by its name there; an error often by the rule that says more.
      if (Object.hasOwn(RULES, name)) expect(text).toContain(name);
    }
  });

  it('takes every step that there is', () => {
    const met = Object.entries(KINDS).flatMap(([name, kind]) => ('never' in kind ? [] : [stepOf(name)]));
    expect([...new Set(met)].sort()).toEqual(Object.keys(NEXT_STEPS).sort());
    expect(SITUATIONS.length).toBeGreaterThan(60);
  });
});
