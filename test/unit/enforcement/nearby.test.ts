import { describe, expect, it } from 'vitest';
import { denialOf } from '../../../src/enforcement/denial.ts';
import { judge } from '../../../src/enforcement/judge.ts';
import { insteadOf } from '../../../src/enforcement/nearby.ts';
import type { Operation } from '../../../src/enforcement/operation.ts';
import type { PolicyEngine } from '../../../src/policy/model.ts';
import { questionOf as httpQuestion } from '../../../src/protocols/http/relay/question.ts';
import { canonicalRequest } from '../../../src/protocols/http/request/canonical.ts';
import { isRefused } from '../../../src/protocols/http/request/refusals.ts';
import { clusterMeaning } from '../../../src/protocols/kubernetes/meaning.ts';
import { hostOf } from '../../../src/protocols/ssh/entities.ts';
import { type Start, questionOf as sshQuestion } from '../../../src/protocols/ssh/relay/asked.ts';
import { agent, delegated, engineOf, vocabulary } from '../policy/support.ts';

const clean = (text: string) => text;
const bot = agent('bot', ['bots']);
const at = (id: string, protocol: string) => ({ type: 'Resource', id, attrs: { protocol } });

function request(line: string) {
  const [method = '', target = ''] = line.split(' ');
  const head = { method, target, httpVersion: '1.1', rawHeaders: ['host', 'localhost'] };
  const read = canonicalRequest(head, { credentialHeaders: [] });
  if (isRefused(read)) throw new Error(read.rule);
  return read;
}

type Asked = Pick<Operation, 'pairs' | 'context' | 'nearby'>;

function cluster(line: string): Asked {
  const understood = clusterMeaning.read(request(line), () => Promise.reject(new Error('no body is read')));
  if (understood instanceof Promise || isRefused(understood)) throw new Error('it was not read');
  return understood.question(at('k8s', 'kubernetes'), clean);
}

function api(line: string, operation?: { id: string; tags: string[] }): Asked {
  return httpQuestion(at('api', 'http'), request(line), { operation, fields: [], bodyWhole: true }, clean);
}

function host(start: Start): Asked {
  const resource = at('host', 'ssh');
  return sshQuestion(hostOf(resource, 'h', []), { start, terminal: undefined, variables: new Map() }, clean);
}

const exec = (command: string) => host({ kind: 'exec', command });

/** What stands in the hint, or `undefined` where nothing is known; and whether it is what the client is told. */
function told(engine: PolicyEngine, asked: Asked, principal = bot): string | undefined {
  const resource = asked.pairs[0]!.object;
  const root = { ...resource, id: resource.id.split('/')[0]! };
  const operation = { ...asked, session: { resource: root } } as Operation;
  const rules = { engine, vocabulary };
  const judged = judge(rules, principal, asked.pairs, asked.context);
  const instead = insteadOf(rules, principal, operation, judged);
  if (instead !== undefined) {
    const denial = denialOf({ ...judged, instead });
    expect(denial.hint.startsWith(`${instead}, or ask the operator`)).toBe(true);
    expect(denial.next).toBe('instead');
  }
  return instead;
}

const IN_SHOP = `@id("a") permit (principal in Group::"bots", action in Action::"k8s.read", resource in Namespace::"k8s/shop");`;
const TWO = `${IN_SHOP}
  @id("b") permit (principal, action in Action::"k8s.read", resource is KubernetesObject)
  when { resource.kind == "pods" && ["web", "web-2", "web-3", "shop"].contains(resource.namespace) };`;

describe('a cluster: the same in a namespace', () => {
  it.each<[string, string, string, string | undefined]>([
    ['across all', IN_SHOP, 'GET /api/v1/pods', 'it is permitted in the namespace shop: kubectl -n shop'],
    [
      'in another',
      IN_SHOP,
      'GET /api/v1/namespaces/default/pods',
      'it is permitted in the namespace shop: kubectl -n shop',
    ],
    [
      'one object',
      IN_SHOP,
      'GET /apis/apps/v1/namespaces/x/deployments/web',
      'it is permitted in the namespace shop: kubectl -n shop',
    ],
    [
      'several',
      TWO,
      'GET /api/v1/pods?watch=true',
      'it is permitted by namespace: kubectl -n shop, -n web, -n web-2',
    ],
    [
      'of a kind that is permitted in one alone',
      TWO,
      'GET /api/v1/secrets',
      'it is permitted in the namespace shop: kubectl -n shop',
    ],
    ['a verb that is permitted nowhere', TWO, 'DELETE /api/v1/namespaces/x/pods/web-1', undefined],
    ['a kind that lies in none', IN_SHOP, 'GET /api/v1/nodes', undefined],
    [
      'a kind of others, of which nobody knows where it lies',
      IN_SHOP,
      'GET /apis/example.com/v1/widgets',
      undefined,
    ],
    [
      'a kind of others that lies in one',
      IN_SHOP,
      'GET /apis/example.com/v1/namespaces/x/widgets',
      'it is permitted in the namespace shop: kubectl -n shop',
    ],
    [
      'all namespaces',
      IN_SHOP,
      'GET /api/v1/namespaces?limit=500',
      'the namespace shop is permitted: kubectl -n shop',
    ],
    [
      'a namespace itself',
      IN_SHOP,
      'GET /api/v1/namespaces/default',
      'the namespace shop is permitted: kubectl -n shop',
    ],
    [
      'several namespaces',
      `${IN_SHOP} ${IN_SHOP.replace('"a"', '"c"').replace('/shop', '/web')}`,
      'GET /api/v1/namespaces',
      'these namespaces are permitted: kubectl -n shop, -n web',
    ],
    [
      'namespaces, where rules are about what is in them',
      TWO.replace(IN_SHOP, ''),
      'GET /api/v1/namespaces',
      undefined,
    ],
    ['the end of a namespace', IN_SHOP, 'DELETE /api/v1/namespaces/default', undefined],
    ['another cluster', IN_SHOP.replace('k8s/', 'other/'), 'GET /api/v1/pods', undefined],
  ])('%s', (_, policy, line, hint) => {
    expect(told(engineOf(policy), cluster(line))).toBe(hint);
  });
});

const READS = `@id("a") permit (principal, action in Action::"http.read", resource is Endpoint) when { resource.path like "/orders*" };`;
const POSTS = `@id("a") permit (principal, action == Action::"http.post", resource is Endpoint) when { resource.path == "/orders" };
  @id("b") permit (principal, action == Action::"http.post", resource == Endpoint::"api/carts");`;

describe('an API: another method, or another path', () => {
  it.each<[string, string, string, string | undefined]>([
    ['what reads', READS, 'DELETE /orders/7', 'use what is permitted: GET or HEAD or OPTIONS on this path'],
    ['no path that is written whole', READS, 'GET /customers', undefined],
    ['a path', POSTS, 'POST /order', 'use what is permitted: POST /orders, POST /carts'],
    ['a method that is permitted nowhere', POSTS, 'PUT /orders', 'use what is permitted: POST on this path'],
    ['nothing', POSTS, 'PUT /x', undefined],
  ])('%s', (_, policy, line, hint) => {
    expect(told(engineOf(policy), api(line))).toBe(hint);
  });

  it('says nothing of paths behind a description, by which they are other operations', () => {
    expect(told(engineOf(POSTS), api('POST /order', { id: 'order', tags: [] }))).toBeUndefined();
  });
});

const COMMANDS = `@id("a") permit (principal, action == Action::"ssh.exec", resource is Command)
  when { resource.program == "uptime" || resource.text == "systemctl status shop" || (resource.program == "journalctl" && resource.words.contains("-n")) };`;
const USES = 'run what is permitted here, such as "uptime", "systemctl status shop"';

describe('a host: a command', () => {
  it.each<[string, Asked, string | undefined]>([
    ['another command', exec('rm -rf /srv'), USES],
    ['shell syntax', exec('uptime; id'), USES],
    ['a shell', host({ kind: 'shell' }), USES],
    ['a subsystem', host({ kind: 'subsystem', name: 'sftp' }), undefined],
  ])('in the place of %s', (_, asked, hint) => {
    expect(told(engineOf(COMMANDS), asked)).toBe(hint);
  });
});

describe('what is said', () => {
  const pods = cluster('GET /api/v1/pods');

  it('is what the agent and its person may, and nothing that is held, forbidden or given up', () => {
    const engine = engineOf(IN_SHOP);
    expect(told(engine, pods, delegated(['bots'], ['bots']))).toContain('shop');
    expect(told(engine, pods, delegated(['bots'], ['people']))).toBeUndefined();
    expect(told(engine, pods, agent('bot', ['others']))).toBeUndefined();
    const held = `${IN_SHOP} @id("h") @approval("sre") forbid (principal, action, resource in Namespace::"k8s/shop") unless { context.approvals.contains("sre") };`;
    expect(told(engineOf(held), pods)).toBeUndefined();
    const forbidden = `${IN_SHOP} @id("f") forbid (principal, action, resource in Namespace::"k8s/shop");`;
    expect(told(engineOf(forbidden), pods)).toBeUndefined();
  });

  it('stands where a rule forbids it without a hint of its own, and never in the place of one', () => {
    const rule = (hint: string) =>
      `${IN_SHOP} @id("f") ${hint} forbid (principal, action, resource) unless { resource in Namespace::"k8s/shop" };`;
    expect(told(engineOf(rule('')), pods)).toContain('shop');
    expect(told(engineOf(rule('@hint("ask Ada")')), pods)).toBeUndefined();
  });

  it('is looked for by a few names only, of which none is told that would not be read as it is', () => {
    const names = Array.from({ length: 200 }, (_, n) => `"n${n}"`).join(', ');
    const many = `@id("m") permit (principal, action in Action::"k8s.read", resource is KubernetesObject)
      when { [${names}].contains(resource.namespace) && resource.kind == "nothing" };`;
    let asked = 0;
    const engine = engineOf(many);
    const decide = (one: Parameters<PolicyEngine['decide']>[0]) => {
      asked++;
      return engine.decide(one);
    };
    const spied: PolicyEngine = Object.assign(Object.create(engine), {
      decide,
      written: (verb: string, resource: string) => engine.written(verb, resource),
    });
    expect(told(spied, pods)).toBeUndefined();
    expect(asked).toBeLessThan(30);
    const odd = `@id("o") permit (principal, action == Action::"ssh.exec", resource is Command) when { resource.text == "echo \\u{202e}x" };`;
    expect(told(engineOf(odd), exec('id'))).toBeUndefined();
  });
});
