/** The cluster knows on whose authority it is asked, and nobody can say another. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ClusterGateway } from '../support/kubernetes/gateway.ts';

const POLICY = () => '@id("all") permit (principal, action, resource);';

let at: ClusterGateway;
let name: string;

beforeAll(async () => {
  at = await ClusterGateway.start({
    policy: POLICY,
    role: null,
    credentials: "{ bearer: { file: token }, impersonate: { user: 'hoop:{name}', groups: 'hoop:{group}' } }",
  });
  name = `hoopd-${at.namespace}`;
  // hoopd itself may do nothing but speak for others.
  await at.admin(['create', 'clusterrole', name, '--verb=impersonate', '--resource=users,groups']);
  await at.admin(['create', 'clusterrolebinding', name, `--clusterrole=${name}`, '--user=hoopd']);
  await at.admin(['create', 'role', 'looks', '--verb=get,list', '--resource=pods']);
});

afterAll(async () => {
  await at?.direct(['delete', 'clusterrolebinding,clusterrole', name]);
  await at?.stop();
});

it('is asked by the agent and its groups, and what it allows them is done', async () => {
  const before = await at.kubectl(['get', 'pods']);
  expect(before).toMatchObject({ code: 1, stderr: expect.stringContaining('User "hoop:ci" cannot list') });
  await at.admin(['create', 'rolebinding', 'looks', '--role=looks', '--group=hoop:ci']);
  const after = await at.kubectl(['get', 'pods']);
  expect(after, after.stderr).toMatchObject({ code: 0 });
  const others = await at.kubectl(['get', 'secrets']);
  expect(others.stderr).toContain('User "hoop:ci" cannot list');
});

it.each([
  ['a user', { 'impersonate-user': 'admin' }],
  ['a group', { 'impersonate-group': 'system:masters' }],
  ['both', { 'Impersonate-User': 'admin', 'Impersonate-Group': 'system:masters' }],
  ['what is known beside', { 'impersonate-extra-x': 'y', 'impersonate-uid': '1' }],
  ['a user, with an underscore', { impersonate_user: 'admin' }],
  ['a user, with a blank', { 'impersonate-user': 'admin ' }],
])('a client that says %s is nobody else', async (_what, headers) => {
  const { status, json } = await at.ask('GET', `/api/v1/namespaces/${at.namespace}/secrets`, { headers });
  expect([400, 403]).toContain(status);
  expect(`${json.message}`).not.toContain('admin');
  if (json.hoop === undefined) expect(json.message).toContain('User "hoop:ci" cannot list');
});

it('kubectl --as changes nothing', async () => {
  const { stderr } = await at.kubectl(['get', 'secrets', '--as=admin', '--as-group=system:masters']);
  expect(stderr).toContain('User "hoop:ci" cannot list');
});
