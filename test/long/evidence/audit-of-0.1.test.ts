/**
 * Chains that hoopd 0.1.0 wrote (fixtures/audit/0.1: one that ended in good order, one that ended with a SIGKILL), under a
 * hoopd of today that goes on writing behind them.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseSealKey } from '../../../src/audit/keys.ts';
import { unseal } from '../../../src/audit/seal.ts';
import { chainSegments, listChains } from '../../../src/storage/chain-files.ts';
import { GUARDED, type Stack, startStack } from '../../support/stack.ts';

const FIXTURE = fileURLToPath(new URL('../../fixtures/audit/0.1/', import.meta.url));
const chains = join(FIXTURE, 'chains');
const directory = mkdtempSync(join(tmpdir(), 'hoop-former-'));
const state = join(directory, 'state');
let stack: Stack;
let otto: Record<string, string>;

beforeAll(async () => {
  cpSync(chains, join(state, 'audit'), { recursive: true });
  stack = await startStack({ policy: GUARDED, state });
  otto = await stack.person('otto');
});
afterAll(async () => {
  await stack?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function json(...args: string[]): Promise<Record<string, unknown>[]> {
  const { stdout, stderr, exitCode } = await stack.hoopctl([...args, '--json'], otto);
  expect(exitCode, stderr).toBe(0);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

const UNIQUE = { schemaVersion: 2, type: 'operation.decided', decision: 'allow', outcome: 'failure' };

describe('search', () => {
  test('finds old events by their target, under the new word and the old one, in the new form', async () => {
    const found = await json('audit', 'search', '--object', 'orders', '--outcome', 'failure');
    expect(found).toMatchObject([{ ...UNIQUE, status: '23505', objects: ['pg/public.orders'] }]);
    expect(found[0]).not.toHaveProperty('sqlstate');
    expect(await json('audit', 'search', '--table', 'public.orders', '--outcome', 'failure')).toEqual(found);
    expect(await json('audit', 'search', '--decision', 'deny')).toMatchObject([{ actions: ['sql.drop'] }]);
  });

  test('shows an old status in the table, and one event whole', async () => {
    const { stdout } = await stack.hoopctl(
      ['audit', 'search', '--outcome', 'failure', '--object', 'orders'],
      otto,
    );
    expect(stdout).toContain('failure 23505');
    const [event] = await json('audit', 'search', '--object', 'orders', '--outcome', 'failure');
    expect(await json('audit', 'show', String(event?.['id']))).toEqual([event]);
  });

  test('knows the sessions of that time, and which of them the gateway died under', async () => {
    const sessions = await json('session', 'list');
    expect(sessions.map(({ endReason }) => endReason)).toContain('interrupted');
  });
});

describe('evidence', () => {
  test('verifies where it lies and through the gateway, with the chain that goes on behind it', async () => {
    const offline = await stack.hoopctl(['audit', 'verify', chains]);
    expect(offline, offline.stderr).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/in 2 chains/),
    });
    const online = await stack.hoopctl(['audit', 'verify'], otto);
    expect(online, online.stderr).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/in 3 chains/),
    });
  });

  test('is exported octet for octet', async () => {
    const output = join(directory, 'export');
    await json('audit', 'export', '--output', output);
    expect(readdirSync(output)).toHaveLength(3);
    for (const { fileId } of listChains(chains)) {
      const stored = Buffer.concat(chainSegments(chains, fileId).map((path) => readFileSync(path)));
      expect(readFileSync(join(output, `${fileId}.ndjson`)).equals(stored)).toBe(true);
    }
  });

  test('opens with the key of that time: statement and parameters by name', () => {
    const key = parseSealKey(readFileSync(join(FIXTURE, 'seal.key'), 'utf8'));
    const originals = listChains(chains)
      .flatMap(({ fileId }) => chainSegments(chains, fileId))
      .flatMap((path) => readFileSync(path, 'utf8').trimEnd().split('\n'))
      .map((line) => JSON.parse(line).event)
      .filter((event) => event?.sealed !== undefined)
      .map(({ sealed, id }) => unseal(sealed, id, [key]));
    const statement = "SELECT id FROM customers WHERE name = 'Ann' AND id > $1";
    expect(originals).toContainEqual({ original: { statement, parameters: ['0'] }, cut: false });
    expect(originals).toContainEqual({ original: { parameters: ['4711'] }, cut: false });
  });
});
