/** What a cluster hears of a patch, and when: nothing of one that is not allowed, and of none before that is on record. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { RecordingUpstream } from '../../support/http/recording-upstream.ts';
import { RawCluster } from '../../support/kubernetes/raw-cluster.ts';
import { eventually } from '../../support/waiting.ts';
import { person } from '../../unit/policy/support.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"reveal", Action::"k8s"], resource);
@id("not-this-one") forbid (principal, action == Action::"k8s.patch", resource) when { resource.name == "kept" };
@id("confined") forbid (principal, action, resource) when { context has pod && context.pod.privileged };
@id("host-is-asked-for") @approval("sre") forbid (principal, action, resource)
when { context has pod && context.pod.hostNetwork } unless { context.approvals.contains("sre") };
@id("asked-for") @approval("sre") forbid (principal, action == Action::"k8s.patch", resource)
when { resource.name like "asked-*" } unless { context.approvals.contains("sre") };
`;

const ADA = { ...person('ada', ['sre']), subject: 'ada' };

let upstream: RecordingUpstream;
let cluster: RawCluster;
/** What the patched object is, as the cluster says. */
let made: object;

beforeAll(async () => {
  upstream = await RecordingUpstream.start(() => {
    const body = JSON.stringify({ metadata: { name: 'web', resourceVersion: '7' }, ...made });
    const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    return [Buffer.from(head + body)];
  });
  cluster = await RawCluster.start(upstream.port, POLICY, 'approvals: { wait: 10s }');
});

afterAll(async () => {
  await cluster?.stop();
  await upstream?.stop();
});

beforeEach(() => {
  upstream.clear();
  made = { spec: {} };
});

const heard = () => upstream.heard.map(({ method, target }) => `${method} ${target.replace(/^.*\//, '')}`);
const pending = () => cluster.running.gateway.approvals.list().filter(({ state }) => state === 'pending');

async function patch(name: string, body = '{"spec":{}}') {
  const answer = await fetch(`http://127.0.0.1:${cluster.local.port}/api/v1/namespaces/shop/pods/${name}`, {
    method: 'PATCH',
    headers: {
      authorization: cluster.local.authorization,
      'content-type': 'application/merge-patch+json',
    },
    body,
  });
  const text = await answer.text();
  return { status: answer.status, json: JSON.parse(text) };
}

/** Once they are asked, and before that is answered `before` was heard. */
async function saysYes(before: readonly string[]): Promise<void> {
  await eventually('people are asked', () => pending().length === 1);
  expect(heard()).toEqual(before);
  await cluster.running.gateway.approvals.approve(pending()[0]!.id, ADA, ['sre']);
}

it('is tried and then done, bound to what was tried', async () => {
  expect(await patch('web')).toMatchObject({ status: 200 });
  expect(heard()).toEqual(['PATCH web?dryRun=All', 'PATCH web']);
  expect(upstream.octets.toString()).toContain('{"spec":{},"metadata":{"resourceVersion":"7"}}');
});

it('of which nothing is allowed is not even tried', async () => {
  expect(await patch('kept')).toMatchObject({
    status: 403,
    json: { reason: 'Forbidden', hoop: { rule: 'not-this-one' } },
  });
  expect(heard()).toEqual([]);
});

it('that would make what is denied is tried and not done', async () => {
  made = { spec: { containers: [{ image: 'a', securityContext: { privileged: true } }] } };
  expect(await patch('web')).toMatchObject({ status: 403, json: { hoop: { rule: 'confined' } } });
  expect(heard()).toEqual(['PATCH web?dryRun=All']);
});

it('that nobody can read is not tried', async () => {
  expect(await patch('web', '{"spec":{},"spec":{}}')).toMatchObject({
    status: 400,
    json: { hoop: { rule: 'k8s-body' } },
  });
  expect(heard()).toEqual([]);
});

it('that people are asked for is not tried before their yes, and denied after it where it would make what is', async () => {
  made = { spec: { containers: [{ image: 'a', securityContext: { privileged: true } }] } };
  const done = patch('asked-1');
  await saysYes([]);
  expect(await done).toMatchObject({ status: 403, json: { hoop: { rule: 'confined' } } });
  expect(heard()).toEqual(['PATCH asked-1?dryRun=All']);
});

it('that people said yes to is done without asking again', async () => {
  const done = patch('asked-2');
  await saysYes([]);
  expect(await done).toMatchObject({ status: 200 });
  expect(heard()).toEqual(['PATCH asked-2?dryRun=All', 'PATCH asked-2']);
});

it('that would make what people are asked for waits for them', async () => {
  made = { spec: { hostNetwork: true, containers: [] } };
  const done = patch('web');
  await saysYes(['PATCH web?dryRun=All']);
  expect(await done).toMatchObject({ status: 200 });
  expect(heard()).toEqual(['PATCH web?dryRun=All', 'PATCH web']);
});
