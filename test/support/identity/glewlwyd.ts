/**
 * Debian's glewlwyd as a second, unrelated identity provider: a process of its own with its own database, set up over
 * its own API. The person at the browser is played over HTTP.
 */
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync } from 'node:zlib';
import { freePort } from '../postgres/server.ts';
import { eventually } from '../waiting.ts';

export interface Glewlwyd {
  readonly issuer: string;
  /** Public client of the device grant. */
  readonly clientId: string;
  /** Confidential client with `client_credentials`; its tokens have the audience `hoop`, after their scope. */
  readonly machine: { readonly id: string; readonly secret: string };
  /** Signs in as ada and approves the code. */
  approve(userCode: string): Promise<void>;
  stop(): Promise<void>;
}

const SCHEMA = '/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz';
const MODULES = '/usr/lib/glewlwyd';
const PASSWORD = 'secret-of-ada';
const MACHINE = { id: 'nightly', secret: 'secret-of-the-job' };

/** @returns The running provider; call `stop()` when done. */
export async function startGlewlwyd(): Promise<Glewlwyd> {
  const directory = mkdtempSync(join(tmpdir(), 'hoop-glewlwyd-'));
  const origin = `http://127.0.0.1:${await freePort()}`;
  makeDatabase(join(directory, 'db'));
  writeFileSync(join(directory, 'glewlwyd.conf'), configuration(origin, join(directory, 'db')));
  const child = spawn('glewlwyd', [`--config-file=${join(directory, 'glewlwyd.conf')}`], { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
    rmSync(directory, { recursive: true, force: true });
  };
  await Promise.race([ready(origin), failed]);
  await setUp(origin);
  return {
    issuer: `${origin}/api/oidc`,
    clientId: 'hoopctl',
    machine: MACHINE,
    approve: (userCode) => approve(origin, userCode),
    stop,
  };
}

/** As the package makes it, with a user property for groups, which it does not have. */
function makeDatabase(file: string): void {
  const database = new DatabaseSync(file);
  database.exec(gunzipSync(readFileSync(SCHEMA)).toString('utf8'));
  database.exec(`UPDATE g_user_module_instance SET gumi_parameters = json_set(gumi_parameters,
    '$."data-format".groups', json('{"multiple":true,"read":true,"write":true}'))`);
  database.close();
}

function configuration(origin: string, database: string): string {
  const own: Readonly<Record<string, string>> = {
    port: new URL(origin).port,
    external_url: `"${origin}"\nbind_address="127.0.0.1"`,
    log_mode: '"console"',
  };
  return readFileSync('/etc/glewlwyd/glewlwyd.conf', 'utf8')
    .replace(/^(\w+)\s*=.*$/gm, (line, key: string) =>
      Object.hasOwn(own, key) ? `${key}=${own[key]}` : line,
    )
    .replace(/"\/usr\/lib\/glewlwyd/g, `"${MODULES}`)
    .replace(/^@include.*$/m, `database = { type = "sqlite3"; path = "${database}"; };`);
}

async function ready(origin: string): Promise<void> {
  const answers = async () => {
    const answer = await fetch(`${origin}/config`).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.ok === true;
  };
  await eventually('glewlwyd starts', answers, Boolean, { withinMs: 20_000, everyMs: 50 });
}

/** One signed-in browser. */
class Session {
  readonly #origin: string;
  #cookie = '';

  constructor(origin: string) {
    this.#origin = origin;
  }

  async call(method: string, path: string, body?: object): Promise<Response> {
    const answer = await fetch(`${this.#origin}${path}`, {
      method,
      redirect: 'manual',
      headers: { cookie: this.#cookie, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const [cookie] = answer.headers.getSetCookie();
    if (cookie !== undefined) this.#cookie = cookie.split(';')[0]!;
    const text = await answer.text();
    if (answer.status >= 400)
      throw new Error(`glewlwyd: ${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
    return answer;
  }
}

async function setUp(origin: string): Promise<void> {
  const admin = new Session(origin);
  await admin.call('POST', '/api/auth/', { username: 'admin', password: 'password' });
  await admin.call('POST', '/api/mod/plugin/', oidcPlugin(origin));
  const scope = {
    display_name: 'hoop',
    description: 'hoop',
    password_required: false,
    password_max_age: 0,
    scheme: {},
  };
  await admin.call('POST', '/api/scope/', { name: 'hoop', ...scope });
  const ada = { username: 'ada', name: 'ada', email: 'ada@example.com', password: PASSWORD, enabled: true };
  await admin.call('POST', '/api/user/', { ...ada, scope: ['openid', 'g_profile'], groups: ['developers'] });
  const client = { enabled: true, redirect_uri: [] };
  await admin.call('POST', '/api/client/', {
    ...client,
    client_id: 'hoopctl',
    name: 'hoopctl',
    confidential: false,
    scope: ['openid'],
    authorization_type: ['device_authorization', 'refresh_token'],
  });
  await admin.call('POST', '/api/client/', {
    ...client,
    client_id: MACHINE.id,
    name: MACHINE.id,
    confidential: true,
    client_secret: MACHINE.secret,
    scope: ['hoop'],
    authorization_type: ['client_credentials'],
    token_endpoint_auth_method: ['client_secret_basic', 'client_secret_post'],
  });
}

function oidcPlugin(origin: string): object {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const parameters = {
    iss: `${origin}/api/oidc`,
    'jwt-type': 'ecdsa',
    'jwt-key-size': '256',
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: publicKey.export({ type: 'spki', format: 'pem' }),
    'jwks-show': true,
    'access-token-duration': 300,
    'refresh-token-duration': 3600,
    'code-duration': 600,
    'refresh-token-rolling': true,
    'allow-non-oidc': true,
    'auth-type-code-enabled': false,
    'auth-type-token-enabled': false,
    'auth-type-id-token-enabled': true,
    'auth-type-none-enabled': false,
    'auth-type-password-enabled': false,
    'auth-type-client-enabled': true,
    'auth-type-device-enabled': true,
    'auth-type-refresh-enabled': true,
    'device-authorization-expiration': 600,
    'device-authorization-interval': 1,
    scope: [],
    claims: [{ name: 'groups', 'user-property': 'groups', type: 'string', mandatory: true }],
    'additional-parameters': [],
    'subject-type': 'public',
    'email-claim': 'mandatory',
    'name-claim': 'mandatory',
    'scope-claim': 'no',
  };
  const instance = { module: 'oidc', name: 'oidc', display_name: 'oidc', order_rank: 0, readonly: false };
  return { ...instance, parameters };
}

async function approve(origin: string, userCode: string): Promise<void> {
  const ada = new Session(origin);
  await ada.call('POST', '/api/auth/', { username: 'ada', password: PASSWORD });
  await ada.call('PUT', '/api/auth/grant/hoopctl', { scope: 'openid' });
  const done = await ada.call('GET', `/api/oidc/device?code=${encodeURIComponent(userCode)}&g_continue`);
  if (!done.headers.get('location')?.includes('prompt=deviceComplete'))
    throw new Error(`glewlwyd did not take the code: ${done.status} ${done.headers.get('location')}`);
}
