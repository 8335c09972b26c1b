import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Principal } from '../../../src/identity/principal.ts';
import { CedarEngine } from '../../../src/policy/engine.ts';
import { loadPolicies } from '../../../src/policy/load.ts';
import { ATTESTED_NAMES } from '../../../src/policy/vocabulary/principals.ts';
import { ROOT } from '../../support/source-tree.ts';
import {
  agent,
  column,
  delegated,
  person,
  policySet,
  resource,
  schema,
  table,
  VERBS,
  vocabulary,
} from './support.ts';

const page = readFileSync(new URL('../../../docs/policy.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```cedar\n(.*?)```/gs)].map((match) => match[1]!);

const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: ROOT })].flatMap((path) => {
  const texts = [...readFileSync(join(ROOT, path), 'utf8').matchAll(/```cedar\n(.*?)```/gs)].map(
    ([, text]) => text!,
  );
  return texts.length === 0 ? [] : [{ path, texts }];
});

it('finds the pages that have policies', () => {
  expect(pages.map(({ path }) => path)).toContain('docs/protocols/http.md');
});

it.each(pages)('every policy in $path is valid, alone and all together', ({ path, texts }) => {
  for (const text of [...texts, texts.join('\n')]) {
    const loaded = loadPolicies(vocabulary, [{ name: path, text }]);
    expect(loaded.ok ? [] : loaded.faults).toEqual([]);
  }
});

it('docs/policy.md names every attribute and annotation', () => {
  for (const word of [
    ...ATTESTED_NAMES,
    '@id',
    '@reason',
    '@hint',
    '@approval',
    '@quorum',
    '@window',
    '@mask',
    '@rows',
    '@lookups',
    '@limit',
  ])
    expect(page).toContain(word);
});

const quoted = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);

it('docs/policy.md has each verb in a table, in its group and with what it is done to', () => {
  const section = page.slice(page.indexOf('## What is done'), page.indexOf('## To what'));
  const rows = [...section.matchAll(/^\|(.*)\|(.*)\|(.*)\|$/gm)].slice(2);
  let group: string | undefined;
  const told = new Map<string, unknown>();
  for (const [, first = '', verbs = '', on = ''] of rows) {
    if (first.trim() !== '') group = quoted(first)[0];
    for (const verb of quoted(verbs)) told.set(verb, { group, on: quoted(on).sort() });
  }
  const known = vocabulary.verbs.map((row) => [row.verb, { group: row.group, on: [...row.on].sort() }]);
  expect([...told].sort()).toEqual(known.sort());
});

it('docs/policy.md says which verbs are counted and which cannot be', () => {
  const words = quoted(page.slice(page.indexOf('- Counted are'), page.indexOf('- Denied too')));
  expect(words.filter((word) => VERBS.includes(word)).sort()).toEqual(
    vocabulary.verbs.flatMap(({ verb, rows }) => (rows === undefined ? [] : [verb])).sort(),
  );
});

describe('the shop of docs/policy.md', () => {
  const engine = new CedarEngine(policySet(examples[0]!));
  const copilot = delegated(['ai-agents'], ['developers']);
  const ask = (action: string, object = table('orders'), context = {}, who = copilot) => {
    const facts = { writesMasked: false, ...context };
    const decision = engine.decide({
      principal: who,
      action,
      object,
      context: action.startsWith('sql.') ? facts : {},
    });
    return [
      decision.effect,
      ...decision.rules.filter(({ id }) => decision.effect !== 'allow' || id === '').map(({ id }) => id),
    ];
  };

  it.each([
    ['connect', resource, {}, ['allow']],
    ['sql.select', table('customers'), {}, ['allow']],
    ['sql.update', table('orders'), {}, ['allow']],
    ['sql.update', table('customers'), { writesMasked: true }, ['deny', 'masked-values-are-not-overwritten']],
    ['sql.truncate', table('orders'), {}, ['deny', 'no-truncate']],
    ['sql.drop', table('orders'), {}, ['hold', 'ddl-needs-a-dba']],
    ['sql.create', schema, {}, ['hold', 'ddl-needs-a-dba']],
    ['sql.drop', table('orders'), { approvals: ['dba'] }, ['allow']],
    ['sql.do', resource, {}, ['deny']],
    ['sql.grant', table('orders'), {}, ['deny']],
    ['audit.search', { type: 'AuditLog', id: 'all', attrs: {} }, {}, ['deny']],
  ] as const)('%s on %o with %o: %o', (action, object, context, answer) =>
    expect(ask(action, object, context)).toEqual(answer),
  );

  it('bounds the rows that an agent changes, also for a person who may change more', () => {
    const context = { writesMasked: false };
    const decide = (principal: Principal) =>
      engine.decide({ principal, action: 'sql.delete', object: table('orders'), context });
    expect(decide(copilot)).toMatchObject({ rows: { max: 1000, rule: { id: 'agents-change-few-rows' } } });
    expect(decide(person('maya', ['developers']))).not.toHaveProperty('rows');
  });

  it('needs the person as well as the agent', () => {
    expect(ask('sql.select', table('orders'), {}, delegated(['ai-agents'], []))).toEqual(['deny']);
    expect(ask('sql.select', table('orders'), {}, agent('ci', ['ai-agents']))).toEqual(['allow']);
  });

  it('masks by the tags and their groups', () => {
    const reveal = (tags: string[], who = copilot) => {
      const answer = engine.reveal(who, column('c', tags));
      return answer.show ? 'show' : answer.mask;
    };
    expect([
      reveal([]),
      reveal(['pii.email']),
      reveal(['pii']),
      reveal(['piix']),
      reveal(['pii.card', 'secret.key']),
    ]).toEqual(['show', 'partial', 'partial', 'show', 'null']);
    expect(reveal(['pii.email'], person('maya', ['developers']))).toBe('show');
  });
});
