import { describe, expect, it } from 'vitest';
import { HoopError } from '../../../src/core/errors.ts';
import { type AgentConfig, AgentRegistry } from '../../../src/identity/agents.ts';
import { refused, subject } from './support.ts';

const CI = 'https://token.actions.githubusercontent.com';

const AGENTS: Record<string, AgentConfig> = {
  'shop-copilot': { delegators: { groups: ['developers'] }, groups: ['ai-agents'] },
  'bobs-agent': { delegators: { persons: ['bob@example.com'] }, groups: ['ai-agents'] },
  'ci-migrate': {
    match: { issuer: CI, claims: { repository: 'org/shop', ref: 'refs/heads/main' } },
    groups: ['ci'],
  },
  'ci-release': {
    match: { issuer: CI, claims: { repository: 'org/shop', ref: ['refs/tags/v1', 'refs/heads/main'] } },
  },
  'ci-review': {
    match: { issuer: CI, claims: { repository: 'org/docs', event_name: 'pull_request' } },
    groups: ['ci'],
  },
};

const registry = new AgentRegistry(AGENTS);
const machine = (claims: Record<string, unknown>, issuer = CI) =>
  subject({ type: 'jwt', issuer, subject: 'repo:org/shop', groups: ['developers'], claims });

function caught(act: () => unknown): HoopError {
  try {
    act();
  } catch (error) {
    if (error instanceof HoopError) return error;
  }
  throw new Error('it was let in');
}

describe('a person', () => {
  it('acts as themselves by default', () => {
    expect(registry.resolve(subject(), undefined)).toMatchObject({
      kind: 'person',
      name: 'alice@example.com',
      groups: ['developers'],
      person: { issuer: 'https://login.example.com', subject: 'u1' },
    });
  });

  it('acts as an agent that their group may use, and stays on record', () => {
    expect(registry.resolve(subject(), 'shop-copilot')).toEqual({
      kind: 'agent',
      name: 'shop-copilot',
      groups: ['ai-agents'],
      person: {
        issuer: 'https://login.example.com',
        subject: 'u1',
        name: 'alice@example.com',
        groups: ['developers'],
      },
    });
  });

  it('may be named as a delegator', () => {
    expect(registry.resolve(subject({ name: 'bob@example.com' }), 'bobs-agent').name).toBe('bobs-agent');
  });

  it.each([
    ['an agent that is not theirs', 'bobs-agent', ['developers']],
    ['an agent of another group', 'shop-copilot', ['sales']],
    ['an agent of a group that only looks alike', 'shop-copilot', ['Developers', 'developers ', 'dev*', '*']],
    ['a machine’s agent', 'ci-migrate', ['developers']],
    ['a name of their own choice', 'root', ['developers']],
    ['the empty name', '', ['developers']],
    ['a name that every object has', 'constructor', ['developers']],
    ['the prototype', '__proto__', ['developers']],
    ['another spelling', 'Shop-Copilot', ['developers']],
  ])('is refused %s, with the same words', async (_name, agent, groups) => {
    const text = await refused(() => registry.resolve(subject({ groups }), agent), 'ERR_AGENT_UNKNOWN');
    // Their own agents are named to them, and no word depends on which one was asked for.
    const theirs = groups.includes('developers') ? 'you may act as shop-copilot; ' : '';
    expect(text).toBe(
      `this identity may not act as that agent | ${theirs}leave the agent out to act as yourself, or ask the operator to list you under this agent`,
    );
  });

  it.each([['shop-copilot'], ['root'], ['ci-migrate']])(
    'who has no groups at all is told that, whether there is an agent %s or not',
    async (agent) => {
      const text = await refused(
        () => registry.resolve(subject({ groups: [] }), agent),
        'ERR_GROUPS_MISSING',
      );
      expect(text).toContain('its token names no groups');
      expect(text).toContain('hoopctl login');
    },
  );

  it('does not become a machine’s agent by having its claims', async () => {
    const claims = { repository: 'org/shop', ref: 'refs/heads/main' };
    await refused(() => registry.resolve(subject({ issuer: CI, claims }), 'ci-migrate'), 'ERR_AGENT_UNKNOWN');
  });
});

describe('a machine', () => {
  const MAIN = { repository: 'org/shop', ref: 'refs/heads/main' };

  it('is the one agent that its claims match', () => {
    const claims = { repository: 'org/shop', ref: 'refs/tags/v1' };
    expect(registry.resolve(machine(claims), undefined)).toEqual({
      kind: 'agent',
      name: 'ci-release',
      groups: [],
    });
  });

  it('chooses among several, and is told which', async () => {
    const text = await refused(() => registry.resolve(machine(MAIN), undefined), 'ERR_AGENT_UNKNOWN');
    expect(text).toContain('ci-migrate, ci-release');
    expect(text).not.toContain('shop-copilot');
    expect(registry.resolve(machine(MAIN), 'ci-migrate').groups).toEqual(['ci']);
  });

  it.each<[string, Record<string, unknown>, string?]>([
    ['a fork of the repository', { ...MAIN, repository: 'mallory/shop' }],
    ['a repository whose name begins alike', { ...MAIN, repository: 'org/shop-evil' }],
    ['an organisation that ends alike', { ...MAIN, repository: 'evil-org/shop' }],
    ['another case', { ...MAIN, repository: 'Org/shop' }],
    ['a branch that begins alike', { ...MAIN, ref: 'refs/heads/main2' }],
    ['a pull request', { ...MAIN, ref: 'refs/pull/7/merge', event_name: 'pull_request' }],
    ['a pull request with the base branch’s ref', { ...MAIN, event_name: 'pull_request_target' }],
    ['a missing claim', { repository: 'org/shop' }],
    ['a list instead of a value', { ...MAIN, repository: ['org/shop'] }],
    ['a wildcard', { repository: '*', ref: '*' }],
    ['a trailing space', { ...MAIN, repository: 'org/shop ' }],
    ['another issuer', MAIN, 'https://token.actions.githubusercontent.com.evil.example'],
    ['the issuer with a slash', MAIN, `${CI}/`],
  ])('is nobody with %s', async (_name, claims, issuer) => {
    await refused(() => registry.resolve(machine(claims, issuer), undefined), 'ERR_AGENT_UNKNOWN');
    const text = await refused(
      () => registry.resolve(machine(claims, issuer), 'ci-migrate'),
      'ERR_AGENT_UNKNOWN',
    );
    expect(text).not.toContain('ci-');
  });

  it('started by a pull request matches only an agent that says so', () => {
    const claims = { repository: 'org/docs', event_name: 'pull_request' };
    expect(registry.resolve(machine(claims), undefined).name).toBe('ci-review');
  });

  it.each<[string, Record<string, unknown>, string | undefined, string]>([
    [
      'what differs, of the nearest first',
      { repository: 'org/shop', ref: 'refs/heads/x' },
      undefined,
      '"repo:org/shop" of "https://token.actions.githubusercontent.com" is not ci-migrate: ref is "refs/heads/x", not "refs/heads/main"; ' +
        'not ci-release: ref is "refs/heads/x", not "refs/tags/v1" or "refs/heads/main"; ' +
        'not ci-review: repository is "org/shop", not "org/docs", event_name is no text, not "pull_request"',
    ],
    [
      "that others' code runs in it",
      { ...MAIN, event_name: 'pull_request_target' },
      'ci-migrate',
      'is not ci-migrate: event_name is "pull_request_target", which the match must name',
    ],
    ['that there is no such agent', MAIN, 'ci-none', ': no such agent is for this issuer'],
  ])('that is nobody is told to the operator alone: %s', (_, claims, requested, detail) => {
    const error = caught(() => registry.resolve(machine(claims), requested));
    expect(error.detail).toContain(detail);
    expect(`${error.message} ${error.hint}`).not.toMatch(/ci-|org\/|refs/);
  });

  it('is told of at a bounded length', () => {
    const many = Object.fromEntries(
      Array.from({ length: 50 }, (_, n) => [`a${n}`, { match: { issuer: CI, claims: { repository: 'x' } } }]),
    );
    const error = caught(() =>
      new AgentRegistry(many).resolve(machine({ repository: 'y'.repeat(10_000) }), undefined),
    );
    expect(error.detail!.length).toBeLessThan(700);
  });

  it('cannot use delegation, whatever groups its token has', async () => {
    await refused(() => registry.resolve(machine({}), 'shop-copilot'), 'ERR_AGENT_UNKNOWN');
  });

  it('claims of the prototype are no claims', async () => {
    const agents = new AgentRegistry({ a: { match: { issuer: CI, claims: { constructor: 'x' } } } });
    await refused(() => agents.resolve(machine({}), undefined), 'ERR_AGENT_UNKNOWN');
  });
});

describe('the registry refuses entries that would be unsafe', () => {
  it.each<[string, Record<string, AgentConfig>]>([
    ['nobody could use', { a: { groups: ['x'] } }],
    ['every token of the issuer matches', { a: { match: { issuer: CI, claims: {} } } }],
    ['with an unreadable name', { 'a\u0000b': { delegators: { groups: ['g'] } } }],
  ])('%s', async (_name, agents) => {
    await refused(() => new AgentRegistry(agents), 'ERR_CONFIG');
  });
});
