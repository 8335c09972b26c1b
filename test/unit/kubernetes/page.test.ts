/** The policies of docs/protocols/kubernetes.md decide as that page says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { judge } from '../../../src/enforcement/judge.ts';
import { CedarEngine } from '../../../src/policy/engine.ts';
import { canonicalRequest } from '../../../src/protocols/http/request/canonical.ts';
import { isRefused } from '../../../src/protocols/http/request/refusals.ts';
import { clusterMeaning } from '../../../src/protocols/kubernetes/meaning.ts';
import { ROOT } from '../../support/source-tree.ts';
import { agent, policySet, vocabulary } from '../policy/support.ts';

const page = readFileSync(join(ROOT, 'docs/protocols/kubernetes.md'), 'utf8');
const POLICIES = [...page.matchAll(/```cedar\n(.*?)```/gs)].map(([, text]) => text!).join('\n');
/** What a page of rules leaves to the rest of a policy. */
const WRITES = `@id("writes") permit (principal, action in [Action::"k8s.create", Action::"k8s.deletecollection", Action::"k8s.delete"], resource is KubernetesObject);`;

const engine = new CedarEngine(policySet(`${POLICIES}\n${WRITES}`));
const cluster = { type: 'Resource', id: 'k8s-prod', attrs: { protocol: 'kubernetes', tags: [] } };
const SHOP = '/api/v1/namespaces/shop';

async function decided(line: string, body?: object): Promise<string> {
  const [method = '', target = ''] = line.split(' ');
  const octets = Buffer.from(body === undefined ? '' : JSON.stringify(body));
  const typed = ['content-type', 'application/json', 'content-length', String(octets.length)];
  const rawHeaders = ['host', 'localhost', ...(body === undefined ? [] : typed)];
  const request = canonicalRequest(
    { method, target, httpVersion: '1.1', rawHeaders },
    { credentialHeaders: [] },
  );
  if (isRefused(request)) throw new Error(request.rule);
  const understood = await clusterMeaning.read(request, async () => octets);
  if (isRefused(understood)) throw new Error(understood.rule);
  const { pairs, context } = understood.question(cluster, (text) => text);
  const { decision } = judge({ engine, vocabulary }, agent('a', ['ai-agents']), pairs, context);
  return [decision.effect, ...decision.rules.map(({ id }) => id)].join(' ');
}

const pod = (spec: object) => ({
  metadata: { name: 'a' },
  spec: { containers: [{ image: 'registry.example.com/a' }], ...spec },
});

it.each<[line: string, decision: string, body?: object]>([
  [`GET ${SHOP}/pods/web-1`, 'allow agents-look'],
  ['GET /api/v1/namespaces/other/pods', 'deny'],
  [`GET ${SHOP}/secrets`, 'deny no-secrets'],
  ['GET /version', 'allow agents-find-their-way'],
  ['GET /metrics', 'deny'],
  ['PATCH /apis/apps/v1/namespaces/shop/deployments/web/scale', 'allow deployments-are-scaled'],
  ['PATCH /apis/apps/v1/namespaces/shop/deployments/web/status', 'deny'],
  [`DELETE ${SHOP}/configmaps/a`, 'hold deleting-is-asked-for'],
  [`DELETE ${SHOP}/configmaps`, 'hold deleting-is-asked-for'],
  [`POST ${SHOP}/pods`, 'allow writes', pod({})],
  [`POST ${SHOP}/pods`, 'deny workloads-keep-to-themselves', pod({ hostNetwork: true })],
  [`POST ${SHOP}/pods`, 'deny own-registry', pod({ containers: [{ image: 'busybox' }] })],
  [`POST ${SHOP}/pods/web-1/exec?command=ls&command=-l&command=/srv&stdout=true`, 'allow two-commands'],
  [`POST ${SHOP}/pods/web-1/exec?command=ls&command=-l%20/srv&stdout=true`, 'deny'],
  [`POST ${SHOP}/pods/web-1/exec?command=cat&command=/etc/hosts&stdout=true`, 'allow two-commands'],
  [`POST ${SHOP}/pods/web-1/exec?command=sh&stdin=true&tty=true&stdout=true`, 'deny no-shells'],
  [`POST ${SHOP}/pods/web-1/exec?command=tar&command=cf&command=-&stdout=true`, 'deny no-copies'],
  [`POST ${SHOP}/pods/web-1/portforward?ports=8080`, 'allow the-web-port'],
  [`POST ${SHOP}/pods/web-1/portforward?ports=22`, 'deny'],
])('%s: %s', async (line, decision, body) => {
  expect(await decided(line, body)).toBe(decision);
});
