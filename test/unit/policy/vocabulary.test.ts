import { readFileSync } from 'node:fs';
import { schemaToJson } from '@cedar-policy/cedar-wasm/nodejs';
import { describe, expect, it } from 'vitest';
import { CedarEngine } from '../../../src/policy/engine.ts';
import { loadPolicies } from '../../../src/policy/load.ts';
import type { PolicyObject } from '../../../src/policy/model.ts';
import { GATEWAY_VOCABULARY } from '../../../src/policy/vocabulary/gateway.ts';
import { Vocabulary } from '../../../src/policy/vocabulary/index.ts';
import type { VocabularyPart } from '../../../src/policy/vocabulary/row.ts';
import { SQL_VOCABULARY } from '../../../src/policy/vocabulary/sql.ts';
import { readSources } from '../../support/source-tree.ts';
import { agent, engineOf, resource, table, VERBS, vocabulary } from './support.ts';

const GOLDEN = new URL('./schema.cedarschema', import.meta.url);

describe("the product's words", () => {
  it('are those of the golden schema', () => {
    const golden = schemaToJson(readFileSync(GOLDEN, 'utf8'));
    if (golden.type === 'failure') throw new Error(JSON.stringify(golden.errors));
    expect(vocabulary.parsedSchema()).toEqual(golden.json);
  });

  it('can each be named by a rule', () => {
    const each = VERBS.map(
      (verb) => `@id("${verb}") permit (principal, action == Action::"${verb}", resource);`,
    );
    expect(loadPolicies(vocabulary, [{ name: 'a.cedar', text: each.join('\n') }])).toMatchObject({
      ok: true,
    });
  });

  it('are the only ones that adapters use', () => {
    const used = readSources('src/protocols').flatMap(({ text }) =>
      [...text.matchAll(/'(sql\.[a-z-]+)'/g)].map((match) => match[1]!),
    );
    expect(used.length).toBeGreaterThan(20);
    expect(used.filter((verb) => !VERBS.includes(verb))).toEqual([]);
  });

  it('are written in their own parts: the rest of policy knows no verb of a protocol', () => {
    const others = readSources('src/policy').filter(({ path }) => path !== 'src/policy/vocabulary/sql.ts');
    expect(others.length).toBeGreaterThan(10);
    expect(others.filter(({ text }) => /\bsql\./i.test(text)).map(({ path }) => path)).toEqual([]);
  });

  it('stand for themselves or for a group', () => {
    expect(vocabulary.verbsOf('sql.read')).toEqual(['sql.select', 'sql.show']);
    expect(vocabulary.verbsOf('connect')).toEqual(['connect']);
    expect(vocabulary.verbsOf('sql')).toEqual(VERBS.filter((verb) => verb.startsWith('sql.')));
    for (const word of ['', 'sql.', 'pg-a', 'constructor', '__proto__']) {
      expect(vocabulary.verbsOf(word)).toBeUndefined();
      expect(vocabulary.reads(word)).toBe(false);
    }
  });

  it('fold back to groups', () => {
    const { sql, write } = { sql: vocabulary.verbsOf('sql')!, write: vocabulary.verbsOf('sql.write')! };
    expect(vocabulary.foldVerbs(sql)).toEqual(['sql']);
    expect(vocabulary.foldVerbs([...write, 'connect', 'sql.select'])).toEqual([
      'connect',
      'sql.select',
      'sql.write',
    ]);
    expect(vocabulary.foldVerbs([])).toEqual([]);
  });

  it('say what they do with data, as far as they can', () => {
    const of = (kind: string) => VERBS.filter((verb) => vocabulary.kindOf(verb) === kind);
    for (const verb of VERBS) if (vocabulary.reads(verb)) expect(of('read')).toContain(verb);
    expect(of('change')).toEqual(
      expect.arrayContaining(['sql.update', 'sql.drop', 'http.delete', 'k8s.patch', 'sftp.put']),
    );
    expect(of('other')).toEqual(
      expect.arrayContaining(['connect', 'sql.transaction', 'ssh.exec', 'mcp.call', 'k8s.exec']),
    );
    expect(vocabulary.kindOf('no.such')).toBe('other');
  });

  it('of which some change rows', () => {
    expect(vocabulary.counted).toEqual([
      'sql.insert',
      'sql.update',
      'sql.delete',
      'sql.merge',
      'sql.copy-in',
    ]);
    const changing = VERBS.filter((verb) => vocabulary.changesRows(verb, table('t')));
    const uncounted = changing.filter((verb) => !vocabulary.counted.includes(verb));
    expect(uncounted).toEqual(['sql.truncate', 'sql.call', 'sql.do']);
  });
});

const ECHO: VocabularyPart = {
  name: 'echo',
  groups: { echo: undefined },
  entities: 'entity Line in [Resource] = { text: String, tags: Set<String>, detected: Bool, name: String };',
  verbs: [
    {
      verb: 'echo.say',
      group: 'echo',
      on: ['Line'],
      context: { type: 'EchoContext', facts: 'loud: Bool,', worstCase: { loud: true } },
      reads: true,
      always: ({ attrs }) => attrs['text'] === 'ping',
    },
  ],
  alsoOn: { reveal: ['Line'], 'session.list': ['Line'] },
};

describe('one more part', () => {
  const more = new Vocabulary([GATEWAY_VOCABULARY, SQL_VOCABULARY, ECHO]);
  const loaded = loadPolicies(more, [
    {
      name: 'echo.cedar',
      text: `@id("say") permit (principal, action in Action::"echo", resource) when { !context.loud };
        @id("ask") @approval("boss") forbid (principal, action == Action::"echo.say", resource)
        when { resource.text == "rm" } unless { context.approvals.contains("boss") };
        @id("show") permit (principal, action == Action::"reveal", resource) when { !resource.tags.contains("loud") };`,
    },
  ]);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  const engine = new CedarEngine(loaded.set);
  const line = (text: string, tags: readonly string[] = []): PolicyObject => ({
    type: 'Line',
    id: `echo/${text}`,
    attrs: { name: 'line', text, tags, detected: false },
    parent: resource,
  });
  const principal = agent('bot', []);
  const say = (text: string, context = {}) =>
    engine.decide({ principal, action: 'echo.say', object: line(text), context });

  it('is decided as all others are, and its worst case is assumed', () => {
    expect(say('hello', { loud: false })).toMatchObject({ effect: 'allow', rules: [{ id: 'say' }] });
    expect(say('hello')).toMatchObject({ effect: 'deny', rules: [] });
    expect(say('rm', { loud: false })).toMatchObject({ effect: 'hold', approvals: ['boss'] });
    expect(say('hello', { loud: false, slow: true })).toMatchObject({ effect: 'deny', rules: [] });
    expect(engine.reveal(principal, line('a'))).toEqual({ show: true });
    expect(engine.reveal(principal, line('a', ['loud']))).toMatchObject({ show: false });
  });

  it('is read, kept and folded by its own rows', () => {
    expect(more.verbsOf('echo')).toEqual(['echo.say']);
    expect(more.foldVerbs(['echo.say', 'connect'])).toEqual(['connect', 'echo']);
    expect(more.reads('echo.say')).toBe(true);
    expect([more.isAlways('echo.say', line('ping')), more.isAlways('echo.say', line('x'))]).toEqual([
      true,
      false,
    ]);
    expect(more.changesRows('echo.say', line('x'))).toBe(false);
  });

  it('is unknown to engines beside it that were made without it', () => {
    const plain = engineOf('@id("all") permit (principal, action, resource);');
    const request = { principal, action: 'echo.say', object: line('hello'), context: { loud: false } };
    for (let turn = 0; turn < 3; turn++) {
      expect(plain.decide({ ...request, context: { loud: false, turn } })).toMatchObject({ effect: 'deny' });
      expect(say('hello', { loud: false })).toMatchObject({ effect: 'allow' });
    }
    const rule = '@id("a") permit (principal, action == Action::"echo.say", resource);';
    expect(loadPolicies(vocabulary, [{ name: 'a.cedar', text: rule }]).ok).toBe(false);
    expect(loadPolicies(more, [{ name: 'a.cedar', text: rule }]).ok).toBe(true);
  });

  it('is part of the version', () => {
    const version = (words: Vocabulary) => {
      const empty = loadPolicies(words, []);
      return empty.ok ? empty.set.version : 'invalid';
    };
    expect(version(more)).not.toBe(version(vocabulary));
  });
});

describe('parts that do not fit together', () => {
  const part = (more: Partial<VocabularyPart>): VocabularyPart => ({
    name: 'x',
    entities: '',
    verbs: [{ verb: 'x.do', group: 'x', on: ['Resource'] }],
    groups: { x: undefined },
    ...more,
  });
  it.each([
    ['a verb twice', [part({}), part({ groups: {} })], 'a word twice'],
    ['a group twice', [part({}), part({ verbs: [] })], 'a word twice'],
    ['a verb that is a group too', [part({ groups: { x: undefined, 'x.do': 'x' } })], 'a word twice'],
    ['a group that is missing', [part({ groups: {} })], 'no group x'],
    ['a group without a verb', [part({ groups: { x: undefined, y: 'x' } })], 'no verb of y'],
    [
      'a verb of others that is missing',
      [part({ alsoOn: { reveal: ['Line'] } })],
      'no part of the vocabulary has reveal',
    ],
  ])('%s', (_, parts, message) => expect(() => new Vocabulary(parts)).toThrow(message));

  it('an entity type that nobody declares', () => {
    const words = new Vocabulary([GATEWAY_VOCABULARY, part({ alsoOn: { reveal: ['Nothing'] } })]);
    expect(() => words.parsedSchema()).toThrow('Nothing');
  });
});
