import { pbkdf2Sync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseVerifier, type ScramVerifier, scramKeys } from '../../src/wire/scram/keys.ts';
import { scramVerifier } from '../../src/wire/scram/verifier.ts';
import { ALLOW_ALL, type Stack, startStack } from '../support/stack.ts';
import { eventually } from '../support/waiting.ts';

const ROLES = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'hoop\\_ci\\_%' ORDER BY 1";

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    policy: ALLOW_ALL,
    logLevel: 'debug',
    settings: { log_statement: 'all' },
    sql: 'ALTER ROLE hoop CREATEROLE; CREATE ROLE app; GRANT app TO hoop WITH ADMIN OPTION;',
    resources: ({ host, port, caFile }) => `
  jit:
    protocol: postgres
    target: { host: ${host}, port: ${port}, database: shop, tls: verify-full, caFile: ${caFile} }
    credentials: { user: hoop, password: { file: ./pg.password }, role: app }`,
  });
});

afterAll(() => stack?.stop());

const roles = async () => (await stack.postgres.psql(ROLES)).split('\n').filter(Boolean);

/** Everything that somebody on this machine could read without being hoopd: files, logs, and what processes were started with. */
function whatCanBeRead(): string[] {
  const read = (path: string): string[] => {
    try {
      return [readFileSync(path, 'latin1')];
    } catch {
      return [];
    }
  };
  const files = readdirSync(stack.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return [
    ...[...files, stack.postgres.logFile].flatMap(read),
    ...processes.flatMap((pid) => [...read(`/proc/${pid}/cmdline`), ...read(`/proc/${pid}/environ`)]),
    stack.hoopd.log,
  ];
}

function isPassword(word: string, { salt, iterations, storedKey }: ScramVerifier): boolean {
  return scramKeys(pbkdf2Sync(word, salt, iterations, 32, 'sha256')).storedKey.equals(storedKey);
}

test('kill -9 of hoopd: the role and its rights are gone soon after the next start, and its password was nowhere', async () => {
  const tunnel = await stack.tunnelTo('jit');
  const { host, port, user, password, database } = tunnel;
  const client = new pg.Client({ host, port, user, password, database, ssl: false });
  client.on('error', () => undefined);
  await client.connect();
  await client.query("SELECT 'an exchange that is on record'");
  const [role = '', ...others] = await roles();
  expect(others).toEqual([]);

  const stored = await stack.postgres.psql(`SELECT rolpassword FROM pg_authid WHERE rolname = '${role}'`);
  const verifier = parseVerifier(stored);
  const words = new Set(whatCanBeRead().flatMap((text) => text.match(/[A-Za-z0-9_-]{43,}/g) ?? []));
  // Of the length that it has, wherever a longer word may hold it.
  const candidates = new Set(
    [...words].flatMap((word) =>
      word.length > 300 ? [] : Array.from({ length: word.length - 42 }, (_, at) => word.slice(at, at + 43)),
    ),
  );
  expect(candidates.size).toBeGreaterThan(0);
  const known = 'a'.repeat(43);
  expect(isPassword(known, parseVerifier(await scramVerifier(known)))).toBe(true);
  expect([...candidates].filter((word) => isPassword(word, verifier))).toEqual([]);

  stack.hoopd.child.kill('SIGKILL');
  await stack.hoopd.exited;
  expect(await roles()).toEqual([role]);
  await stack.restart();
  await eventually('what was left behind is dropped', roles, (left) => left.length === 0);
  const auditor = await stack.person('otto');
  const found = await stack.hoopctl(['audit', 'search', '--json', '--type', 'lease.ended'], auditor);
  expect(JSON.parse(found.stdout)).toMatchObject({
    outcome: 'success',
    reason: 'left behind',
    facts: { login: role },
  });
  await client.end().catch(() => undefined);
  await tunnel.close();
});

test('a target that is away when the session ends is asked again until the role is dropped', async () => {
  const tunnel = await stack.tunnelTo('jit');
  const { host, port, user, password, database } = tunnel;
  const client = new pg.Client({ host, port, user, password, database, ssl: false });
  client.on('error', () => undefined);
  await client.connect();
  expect(await roles()).toHaveLength(1);
  await stack.postgres.shutDown();
  await stack.hoopd.until(/a role could not be dropped/);
  await stack.postgres.restart();
  await eventually('it is dropped', roles, (left) => left.length === 0, { withinMs: 20_000 });
  await tunnel.close();
});

test('a stop of hoopd leaves no role', async () => {
  const tunnel = await stack.tunnelTo('jit');
  const { host, port, user, password, database } = tunnel;
  const client = new pg.Client({ host, port, user, password, database, ssl: false });
  client.on('error', () => undefined);
  await client.connect();
  await stack.hoopd.stop();
  expect(await roles()).toEqual([]);
  await tunnel.close();
});
