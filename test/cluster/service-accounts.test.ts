/** Tokens of service accounts, checked by the keys that a real API server shows. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { IssuerRegistry } from '../../src/identity/issuers/issuer.ts';
import { admin, removeNamespace } from '../support/kubernetes/admin.ts';
import { runningCluster } from '../support/kubernetes/cluster.ts';

const NAMESPACE = `jobs-${randomBytes(5).toString('hex')}`;
const settings = runningCluster();
let dir: string;
let token: string;
let issuer: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hoop-accounts-'));
  writeFileSync(join(dir, 'token'), settings.adminToken);
  await admin(['create', 'namespace', NAMESPACE], '', settings);
  await admin(['-n', NAMESPACE, 'create', 'serviceaccount', 'importer'], '', settings);
  const path = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/importer/token`;
  const asked = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: ['hoop'] },
  };
  const made = await admin(['create', '--raw', path, '-f', '-'], JSON.stringify(asked), settings);
  token = JSON.parse(made).status.token;
  issuer = JSON.parse(
    await admin(['get', '--raw', '/.well-known/openid-configuration'], '', settings),
  ).issuer;
});

afterAll(async () => {
  await removeNamespace(NAMESPACE, settings);
  rmSync(dir, { recursive: true });
});

it('are believed, and say which account of which namespace it is', async () => {
  const registry = new IssuerRegistry(
    [
      {
        preset: 'kubernetes',
        issuer,
        audience: 'hoop',
        claims: {},
        jwksUrl: `${settings.server}/openid/v1/jwks`,
        ca: readFileSync(settings.caFile, 'utf8'),
        tokenFile: join(dir, 'token'),
      },
    ],
    { clock: systemClock },
  );
  const subject = await registry.verifySubjectToken(token, 'jwt');
  expect(subject.attested).toMatchObject({ namespace: NAMESPACE, serviceAccount: 'importer' });
});
