/** What is typed wrongly is told before anything is opened or sent, with what to do instead. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ContractGateway } from '../../support/contract-gateway.ts';
import { type Certificates, makeCertificates } from '../../support/postgres/certificates.ts';
import { ECHO_HOOPCTL_MAIN, hoopctl } from '../../support/run-hoopctl.ts';

const ID = 'apr_01JD8M2K7QZX4T9B3N5V6W8Y0C';
const TOKEN = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJjaSJ9.c2ln';

let directory: string;
let certificates: Certificates;
let gateway: ContractGateway;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hoopctl-what-to-do-'));
  certificates = await makeCertificates(directory);
  gateway = await ContractGateway.start({ certificates });
});
afterAll(async () => {
  await gateway.stop();
  await rm(directory, { recursive: true, force: true });
});

function typed(...words: string[]): ReturnType<typeof hoopctl> {
  const [command = [], behind = []] = words.includes('--')
    ? [words.slice(0, words.indexOf('--')), words.slice(words.indexOf('--'))]
    : [words];
  const env = {
    HOOPCTL_CONFIG_DIR: join(directory, 'config'),
    HOOPCTL_GATEWAY: gateway.origin,
    HOOPCTL_TOKEN: TOKEN,
  };
  return hoopctl([...command, '--ca', certificates.caFile, ...behind], env, ECHO_HOOPCTL_MAIN);
}

test.each([
  [
    ['connect', 'echo', 'cat'],
    77,
    'there is no resource "cat", or no access to it',
    'what is to run stands behind --: hoopctl connect echo -- cat; see: hoopctl resource list',
  ],
  [
    ['run', '--summary', '', '--', 'true'],
    64,
    '--summary is empty',
    'is the variable set that was to name it? GITHUB_STEP_SUMMARY is, in jobs of GitHub alone; see: hoopctl run --help',
  ],
  [
    ['connect', 'echo', 'nothere', '--', 'true'],
    77,
    'there is no resource "nothere", or no access to it',
    'see: hoopctl resource list',
  ],
  [
    ['connect', 'echo', '--host', 'one', '--', 'true'],
    64,
    'echo does not stand for many hosts',
    'leave --host away',
  ],
  [
    ['policy', 'explain', 'echo', '-c', 'x', '--host', 'one'],
    64,
    'echo does not stand for many hosts',
    'leave --host away',
  ],
  [
    ['approval', 'approve', ID, '--yes', '--binding', 'abc'],
    64,
    '--binding "abc" is no binding',
    `it has 64 hexadecimal digits: hoopctl approval show ${ID}`,
  ],
  [
    ['approval', 'approve', ID],
    64,
    'nobody can be asked here: look at it, then say --yes',
    `see: hoopctl approval show ${ID}`,
  ],
] as const)('%j', async (words, exitCode, message, hint) => {
  expect(await typed(...words)).toMatchObject({
    exitCode,
    stdout: '',
    stderr: `hoopctl: ${message}\nhint: ${hint}\n`,
  });
});

test('a time that no login lasts is as good as none', async () => {
  const done = await typed('connect', 'echo', '--ttl', '99999d', '--', 'true');
  expect(done).toMatchObject({ exitCode: 0, stderr: '' });
});
