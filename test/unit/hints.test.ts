import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SHOP_POLICY } from '../../src/demo/policy.ts';
import { composeVocabulary } from '../../src/gateway/compose/vocabulary.ts';
import { STARTER_POLICIES } from '../../src/gateway/init/starter.ts';
import { loadPolicies } from '../../src/policy/load.ts';
import { PROTOCOLS } from '../../src/protocols/index.ts';
import { HINTS } from '../../src/protocols/postgres/hints.ts';
import { ROOT, readSources } from '../support/source-tree.ts';
import { GUARDED } from '../support/stack.ts';

/** Words in capitals that are none of SQL's. */
const NO_SYNTAX = new Set([
  'API',
  'ASCII',
  'CA',
  'DBA',
  'HTTP',
  'ID',
  'NUL',
  'SQL',
  'TLS',
  'URL',
  'UTF',
  'PGOPTIONS',
  'TIMEZONE',
  'UTC',
]);
const SYNTAX_IN_LOWER_CASE = /search_path|= ?\d|\bwhere clause\b|\boffset\b|\|\|/i;

/** An agent that is told of a missing word adds it: `WHERE id = id + 0`. */
function syntaxIn(text: string): string[] {
  const words = text.match(/\b[A-Z_]{2,}\b/g) ?? [];
  const other = SYNTAX_IN_LOWER_CASE.exec(text) ?? [];
  return [...words.filter((word) => !NO_SYNTAX.has(word)), ...other];
}

describe('a hint names what to do instead, never the missing syntax', () => {
  it('is what the check is about', () => {
    for (const taught of [
      'add a WHERE clause',
      'use EXPLAIN without it',
      'SET it',
      'set search_path',
      'id = 7',
    ])
      expect(syntaxIn(taught)).not.toEqual([]);
  });

  it.each(Object.entries(HINTS))('%s', (_, text) => expect(syntaxIn(text)).toEqual([]));

  it('in all policies that we write for somebody', () => {
    const page = readFileSync(join(ROOT, 'docs/policy.md'), 'utf8');
    const examples = [...page.matchAll(/```cedar\n(.*?)```/gs)].map((match) => match[1]!);
    for (const text of [STARTER_POLICIES, SHOP_POLICY, GUARDED, examples.join('\n')]) {
      const loaded = loadPolicies(composeVocabulary(PROTOCOLS), [{ name: 'x.cedar', text }]);
      if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
      for (const { hint = '', reason = '' } of loaded.set.policies)
        expect([...syntaxIn(hint), ...syntaxIn(reason)]).toEqual([]);
    }
  });

  it('in the code that refuses, which takes its sentences from one table', () => {
    const refusing = readSources('src').filter(({ path }) =>
      /^src\/(protocols|enforcement|policy)\//.test(path),
    );
    const said = refusing.flatMap(({ path, text }) =>
      [...text.matchAll(/\b(?:hint|HINT|[a-z]*Hint|[A-Z]+_HINT)\s*(?:=|:|\?\?)\s*(['"`])(.*?)\1/g)].map(
        (match) => [path, match[2] ?? ''] as const,
      ),
    );
    expect(said.length).toBeGreaterThan(5);
    expect(said.filter(([, text]) => syntaxIn(text.replaceAll(/\$\{.*?\}/g, '')).length > 0)).toEqual([]);
  });
});
