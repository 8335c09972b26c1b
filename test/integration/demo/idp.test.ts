import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DemoIdp, startIdp } from '../../../src/demo/idp.ts';

describe("the demo's identity provider", () => {
  let idp: DemoIdp;
  beforeAll(async () => {
    idp = await startIdp(0, 'https://127.0.0.1:7443');
  });
  afterAll(() => idp.stop());

  const post = async (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) => {
    const body = new URLSearchParams(fields);
    const response = await fetch(`${idp.issuer}${path}`, { method: 'POST', body, headers });
    return { status: response.status, text: await response.text() };
  };
  const json = async (path: string, fields: Record<string, string>) =>
    JSON.parse((await post(path, fields)).text) as Record<string, string>;
  const startDevice = () =>
    json('/device/auth', { client_id: idp.clientId, scope: 'openid offline_access email profile groups' });
  const poll = (device: Record<string, string>) =>
    json('/token', {
      client_id: idp.clientId,
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: device['device_code'] ?? '',
    });

  it('grants a device after a person has approved, with groups and auth_time in a signed ID token', async () => {
    const device = await startDevice();
    expect((await poll(device))['error']).toBe('authorization_pending');

    const approval = await post('/demo/approve', { user_code: device['user_code'] ?? '', login: 'ada' });
    expect(approval).toEqual({ status: 200, text: 'approved\n' });

    const tokens = await poll(device);
    const jwks = (await (await fetch(`${idp.issuer}/jwks`)).json()) as JSONWebKeySet;
    const { payload } = await jwtVerify(tokens['id_token'] ?? '', createLocalJWKSet(jwks), {
      issuer: idp.issuer,
      audience: idp.clientId,
      algorithms: ['ES256'],
    });
    expect(payload).toMatchObject({ sub: 'ada', groups: ['developers'], email: 'ada@shop.example' });
    expect(payload['auth_time']).toBeTypeOf('number');

    const renewed = await json('/token', {
      client_id: idp.clientId,
      grant_type: 'refresh_token',
      refresh_token: tokens['refresh_token'] ?? '',
    });
    expect(renewed['id_token']).toBeDefined();
  });

  it('says what is wrong with a code or a name', async () => {
    const device = await startDevice();
    const code = device['user_code'] ?? '';
    expect(await post('/demo/approve', { user_code: 'XXXX-XXXX', login: 'ada' })).toMatchObject({
      status: 400,
    });
    expect((await post('/demo/approve', { user_code: code, login: 'adaa' })).text).toBe(
      'nobody here is called "adaa": say ada, grace, otto, dana\n',
    );
    expect(await post('/demo/approve', { user_code: code, login: 'ada' })).toMatchObject({ status: 200 });
    expect((await poll(device))['id_token']).toBeDefined();
  });

  it('does not let a web page approve a code', async () => {
    const device = await startDevice();
    const fields = { user_code: device['user_code'] ?? '', login: 'ada' };
    expect((await post('/demo/approve', fields, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await poll(device))['error']).toBe('authorization_pending');
  });

  it('shows pages that a text browser can use: every button is inside its form', async () => {
    const html = await (await fetch(`${idp.issuer}/device`)).text();
    expect(html).toMatch(/<form[^>]*>[\s\S]*name="user_code"[\s\S]*<button[\s\S]*<\/form>/);
    expect(html).not.toContain('<script');
  });
});
