import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  encodeLine,
  rawPublicKey,
  signCheckpoint,
  ZERO_HASH,
} from '../../../src/core/evidence/audit-chain.ts';
import { ContractGateway } from '../../support/contract-gateway.ts';
import { type Certificates, makeCertificates } from '../../support/postgres/certificates.ts';
import { hoopctl, RunningHoopctl } from '../../support/run-hoopctl.ts';

const TOKEN = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJjaSJ9.c2ln';
const CHAIN = 'gw-1/01JBOOT/0';
const FILE_ID = 'gw-1~01JBOOT~0';
const esc = String.fromCharCode(27);

let directory: string;
let certificates: Certificates;
let gateway: ContractGateway;
let env: Record<string, string>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hoopctl-evidence-'));
  certificates = await makeCertificates(directory);
});
afterAll(() => rm(directory, { recursive: true, force: true }));
beforeEach(async () => {
  gateway = await ContractGateway.start({ certificates });
  env = {
    HOOPCTL_CONFIG_DIR: join(directory, 'config'),
    HOOPCTL_GATEWAY: gateway.origin,
    HOOPCTL_TOKEN: TOKEN,
    NODE_EXTRA_CA_CERTS: certificates.caFile,
  };
});
afterEach(() => gateway.stop());

/** A chain as hoopd writes it: header, five events, a signed checkpoint, one event more. */
function makeChain(): { lines: string[]; key: string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = rawPublicKey(privateKey);
  const lines: string[] = [];
  let prev = ZERO_HASH;
  const add = (kind: 'header' | 'event' | 'checkpoint', record: object) => {
    const { line, hash } = encodeLine(lines.length, prev, kind, JSON.stringify(record));
    lines.push(line.toString());
    prev = hash;
  };
  const at = '2026-01-01T00:00:00.000Z';
  add('header', { schemaVersion: 1, chain: CHAIN, at, publicKey: key });
  for (let i = 0; i < 5; i++)
    add('event', { schemaVersion: 2, id: `evt_${i}`, at, type: 'operation.decided' });
  add('checkpoint', signCheckpoint({ chain: CHAIN, seq: 5, head: prev, at, closed: false }, privateKey));
  add('event', { schemaVersion: 2, id: 'evt_5', at, type: 'operation.decided' });
  return { lines, key };
}

function serveChain(text: string): void {
  const item = { id: FILE_ID, chain: CHAIN, segments: 1, bytes: text.length };
  gateway.answers.set('/v1/audit/chains', { body: JSON.stringify({ schemaVersion: 1, chains: [item] }) });
  gateway.answers.set(`/v1/audit/chains/${FILE_ID}`, { type: 'application/x-ndjson', body: text });
}

describe('audit verify', () => {
  test('downloads and proves; a changed line is named, 76', async () => {
    const { lines, key } = makeChain();
    serveChain(lines.join(''));
    const good = await hoopctl(['audit', 'verify'], env);
    expect(good).toMatchObject({ exitCode: 0, stderr: '' });
    expect(good.stdout).toContain(`ok   ${CHAIN}: 6 events, the first 5 signed by key `);
    expect(good.stdout).toContain('1 newer event in order but not yet signed');
    expect((await hoopctl(['audit', 'verify', '--key', key], env)).exitCode).toBe(0);
    serveChain(lines.join('').replace('evt_3', 'evt_X'));
    const bad = await hoopctl(['audit', 'verify'], env);
    expect(bad.exitCode).toBe(76);
    expect(bad.stdout).toContain(`BAD  ${CHAIN}: seq 4, line 5`);
    const json = await hoopctl(['audit', 'verify', '--json'], env);
    expect(json.exitCode).toBe(76);
    expect(JSON.parse(json.stdout.split('\n')[0]!)).toMatchObject({ ok: false, firstBadSeq: 4 });
  });

  test('works on what was exported, with no gateway at all', async () => {
    const { lines, key } = makeChain();
    serveChain(lines.join(''));
    const target = join(directory, 'export');
    expect(await hoopctl(['audit', 'export', '--output', target], env)).toMatchObject({ exitCode: 0 });
    const file = join(target, `${FILE_ID}.ndjson`);
    expect(await readFile(file, 'utf8')).toBe(lines.join(''));
    expect((await hoopctl(['audit', 'export', '--output', target], env)).exitCode).toBe(64);
    const alone = { HOOPCTL_CONFIG_DIR: join(directory, 'none') };
    expect(await hoopctl(['audit', 'verify', target, '--key', key], alone)).toMatchObject({ exitCode: 0 });
    const other = await hoopctl(['audit', 'verify', target, '--key', 'A'.repeat(43)], alone);
    expect(other).toMatchObject({ exitCode: 76, stdout: expect.stringContaining('untrusted-key') });
    for (const [broken, seq] of [
      [lines.toSpliced(2, 1), 2],
      [lines.toSpliced(3, 0, lines[3]!), 4],
      [lines.toSpliced(1, 2, lines[2]!, lines[1]!), 1],
    ] as const) {
      await writeFile(file, broken.join(''));
      const { exitCode, stdout } = await hoopctl(['audit', 'verify', target], alone);
      expect(exitCode).toBe(76);
      expect(stdout).toContain(`seq ${seq}`);
    }
  });

  test('proves by an earlier export that nothing was cut off since', async () => {
    const { lines } = makeChain();
    const folder = (name: string) => join(directory, 'kept', name);
    const put = async (name: string, kept: readonly string[], file = FILE_ID) => {
      await mkdir(folder(name), { recursive: true });
      await writeFile(join(folder(name), `${file}.ndjson`), kept.join(''));
    };
    await put('november', lines.slice(0, -1));
    await put('december', lines);
    const against = (now: string, then: string) =>
      hoopctl(['audit', 'verify', folder(now), '--against', folder(then)], {});
    expect(await against('december', 'november')).toMatchObject({ exitCode: 0 });
    expect(await against('november', 'november')).toMatchObject({ exitCode: 0 });
    // By itself a chain that was cut holds.
    expect((await hoopctl(['audit', 'verify', folder('november')], {})).exitCode).toBe(0);
    const cut = await against('november', 'december');
    expect(cut).toMatchObject({ exitCode: 76, stdout: expect.stringContaining('anchor-missing') });
    await put('altered', lines.toSpliced(2, 1));
    const altered = await against('december', 'altered');
    expect(altered).toMatchObject({ exitCode: 76, stderr: expect.stringContaining('does not hold itself') });
    await put('twice', lines);
    await put('twice', lines.slice(0, -1), 'copy');
    const twice = await hoopctl(['audit', 'verify', folder('twice')], {});
    expect(twice).toMatchObject({ exitCode: 76, stdout: expect.stringContaining('chain-twice') });
    serveChain(lines.slice(0, -1).join(''));
    const served = await hoopctl(['audit', 'verify', '--against', folder('december')], env);
    expect(served).toMatchObject({ exitCode: 76, stdout: expect.stringContaining('anchor-missing') });
  });

  test("reads the gateway's own folder, and does not take an empty one for a good one", async () => {
    const { lines } = makeChain();
    const folder = join(directory, 'state', FILE_ID);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, '000001.ndjson'), lines.slice(0, 4).join(''));
    await writeFile(join(folder, '000002.ndjson'), lines.slice(4).join(''));
    const good = await hoopctl(['audit', 'verify', join(directory, 'state')], {});
    expect(good).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('6 events') });
    const empty = await mkdtemp(join(directory, 'empty-'));
    expect((await hoopctl(['audit', 'verify', empty], {})).exitCode).toBe(64);
  });
});

describe('audit search', () => {
  const event = (i: number) => ({
    schemaVersion: 2,
    id: `evt_${i}`,
    at: '2026-01-01T00:00:00.000Z',
    type: 'operation.decided',
    actor: { name: 'bot', person: 'alice' },
    resource: 'pg-demo',
    decision: 'deny',
    text: `drop table t${i} ${esc}[2J\u202e`,
  });

  test('pages through, as the person, with every filter', async () => {
    let page = 0;
    gateway.answers.set('/v1/audit/events', () => {
      page++;
      const events = Array.from({ length: 1000 }, (_, i) => event(page * 1000 + i));
      return { body: JSON.stringify({ schemaVersion: 1, events, next: `cursor-${page}` }) };
    });
    const args = [
      'audit',
      'search',
      'drop',
      'table',
      '--agent',
      'bot',
      '--decision',
      'deny',
      '--since',
      '2026-01-01T00:00:00Z',
    ];
    const found = await hoopctl([...args, '--limit', '2500', '--json'], env);
    expect(found).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/^hoopctl: older ones match too: .*--limit/),
    });
    const lines = found.stdout.trim().split('\n');
    expect(lines).toHaveLength(2500);
    expect(JSON.parse(lines[0]!)).toEqual(event(1000));
    const asked = gateway.requests.filter((line) => line.includes('/v1/audit/events'));
    expect(asked.at(-1)).toContain(
      'q=drop+table&agent=bot&decision=deny&since=2026-01-01T00%3A00%3A00.000Z&',
    );
    expect(asked.at(-1)).toContain('limit=500&cursor=cursor-2');
    expect(gateway.exchanges[0]!.form.get('agent')).toBeNull();
  });

  test('prints a table in which nothing can move the cursor', async () => {
    gateway.answers.set('/v1/audit/events', {
      body: JSON.stringify({ schemaVersion: 1, events: [event(1)] }),
    });
    const { stdout, stderr } = await hoopctl(['audit', 'search'], env);
    expect(stderr).toBe('');
    expect(stdout.split('\n')[0]).toMatch(
      /^ID +TIME +WHO +RESOURCE +EVENT +DECISION +OUTCOME +ROWS +SESSION +TEXT$/,
    );
    expect(stdout).toContain('bot for alice');
    expect(stdout).toContain('drop table t1 \\x1b[2J\\u202e');
    expect(stdout).not.toContain(esc);
  });
});

describe('session list', () => {
  const item = (i: number) => ({
    schemaVersion: 1,
    id: `ses_${String(i).padStart(26, '0')}`,
    resource: 'pg-demo',
    protocol: 'postgres',
    actor: 'bot',
    instance: `ins_${i % 2}`,
    startedAt: '2026-01-01T00:00:00.000Z',
    operations: i,
    denied: 0,
  });
  /** Pages of as many as are asked for, until there are none left. */
  const serve = (count: number) =>
    gateway.answers.set('/v1/sessions', ({ searchParams: query }) => {
      const from = Number(query.get('cursor') ?? 0);
      const to = Math.min(count, from + Number(query.get('limit')));
      const sessions = Array.from({ length: to - from }, (_, i) => item(from + i));
      const next = to < count ? { next: String(to) } : {};
      return { body: JSON.stringify({ schemaVersion: 1, sessions, ...next }) };
    });
  const listed = async (...args: string[]) => {
    const { stdout, stderr, exitCode } = await hoopctl(['session', 'list', '--json', ...args], env);
    return { count: stdout.split('\n').length - 1, stderr, exitCode };
  };
  const MORE = 'hoopctl: older ones match too: a greater --limit shows them\n';

  test('pages through until it has as many as are asked for, and says when there are more', async () => {
    serve(2500);
    expect(await listed()).toEqual({ count: 100, stderr: MORE, exitCode: 0 });
    expect(await listed('--limit', '2499')).toEqual({ count: 2499, stderr: MORE, exitCode: 0 });
    expect(await listed('--limit', '2500')).toEqual({ count: 2500, stderr: '', exitCode: 0 });
    expect(await listed('--limit', '100000')).toEqual({ count: 2500, stderr: '', exitCode: 0 });
    for (const limit of ['0', '100001', 'x', '-1'])
      expect(await listed('--limit', limit)).toMatchObject({ exitCode: 64 });
    const table = await hoopctl(['session', 'list', '--limit', '2'], env);
    expect(table.stdout.trim().split('\n')).toHaveLength(3);
  });

  const INSTANCE = 'ins_PDP1NDMN9687BKE0S4KBQCAXBV';

  test('leaves it to the gateway which ones match: it knows them all', async () => {
    serve(3);
    const filters = ['--live', '--agent', 'bot', '--resource', 'pg', '--instance', INSTANCE, '--run', 'r/1'];
    expect(await listed(...filters)).toEqual({ count: 3, stderr: '', exitCode: 0 });
    const [asked] = gateway.requests.filter((line) => line.includes('/v1/sessions'));
    expect(asked).toContain(`?agent=bot&resource=pg&instance=${INSTANCE}&run=r%2F1&live=true&limit=100`);
  });
});

describe('the beginning of an id', () => {
  const tail = '01M8P8PNC6H0VKJRMPHDFVV80';
  const told = (id: string) => ({
    schemaVersion: 2,
    id,
    at: 'T',
    type: 'operation.decided',
    text: 'drop table t1',
  });
  const found = (ids: readonly string[]) => () => ({
    body: JSON.stringify({ schemaVersion: 1, events: ids.map(told) }),
  });

  test('is enough for audit show where one event has it, and several are named', async () => {
    gateway.answers.set('/v1/audit/events', found([`evt_${tail}1`]));
    gateway.answers.set(`/v1/audit/events/evt_${tail}1`, { body: JSON.stringify(told('x')) });
    const { exitCode, stdout } = await hoopctl(['audit', 'show', `evt_${tail.slice(0, 10)}`], env);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('drop table t1')]);
    const asked = gateway.requests.find((line) => line.includes('/v1/audit/events?'));
    expect(decodeURIComponent(asked!)).toMatch(/since=2026-11-30T13:00:58\.\d{3}Z&until=2026-11-30T13:00:58/);
    gateway.answers.set('/v1/audit/events', found([`evt_${tail}1`, `evt_${tail}2`]));
    const several = await hoopctl(['audit', 'show', `evt_${tail}`], env);
    expect(several).toMatchObject({ exitCode: 64, stdout: '' });
    expect(several.stderr).toContain(`hint: it is one of evt_${tail}1, evt_${tail}2\n`);
  });

  test('ends no session where it is that of two', async () => {
    const sessions = [`ses_${tail}1`, `ses_${tail}2`].map((id) => ({ id }));
    gateway.answers.set('/v1/sessions', { body: JSON.stringify({ schemaVersion: 1, sessions }) });
    const { exitCode, stderr } = await hoopctl(['session', 'kill', `ses_${tail}`], env);
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining(`ses_${tail}1, ses_${tail}2`)]);
    expect(gateway.requests.some((line) => line.startsWith('DELETE'))).toBe(false);
  });
});

test.each(['replay', 'test'])(
  "policy %s is told of hoopd check where it is given a gateway's configuration",
  async (what) => {
    const file = join(directory, 'hoopd.yaml');
    await writeFile(file, 'listen: 127.0.0.1:7443\nresources: {}\n');
    const { stderr, exitCode } = await hoopctl(['policy', what, file], env);
    expect([64, 78]).toContain(exitCode);
    expect(stderr).toContain('are checked by: hoopd check --config FILE');
    // What is of its own kind is looked at, and nothing of that is said.
    const own = join(directory, what === 'test' ? 'cases.yaml' : 'rules.cedar');
    await writeFile(own, what === 'test' ? 'tests: []\n' : 'permit (principal, action, resource);\n');
    expect((await hoopctl(['policy', what, own], env)).stderr).not.toContain('hoopd check');
  },
);

describe('session replay', () => {
  const frames = [
    { schemaVersion: 1, atMs: 0, kind: 'request', text: 'select 1', operation: 'op_1' },
    { schemaVersion: 1, atMs: 10, kind: 'columns', names: ['n'] },
    { schemaVersion: 1, atMs: 10, kind: 'row', values: ['1'] },
    { schemaVersion: 1, atMs: 12, kind: 'complete', tag: 'SELECT 1' },
    { schemaVersion: 1, atMs: 600_000, kind: 'end', reason: 'client left', complete: true },
  ];
  beforeEach(() => {
    const body = `${frames.map((frame) => JSON.stringify(frame)).join('\n')}\n`;
    gateway.answers.set('/v1/sessions/ses_01HF7YAT00TJF77036A063SQP8/recording', {
      type: 'application/x-ndjson',
      body,
    });
  });

  test('prints frames at once with --json', async () => {
    const { stdout, exitCode } = await hoopctl(
      ['session', 'replay', 'ses_01HF7YAT00TJF77036A063SQP8', '--json'],
      env,
    );
    expect(exitCode).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(frames);
  });

  test('plays in time, with pauses of two seconds at most', async () => {
    const at = Date.now();
    const { stdout } = await hoopctl(['session', 'replay', 'ses_01HF7YAT00TJF77036A063SQP8'], env);
    expect(Date.now() - at).toBeGreaterThan(2_000);
    expect(stdout).toBe(
      [
        '[00:00.000] > select 1',
        ' n',
        '---',
        ' 1',
        'SELECT 1',
        '[10:00.000] -- end of the session: client left',
        '',
      ].join('\n'),
    );
  });

  test('a stream that is not in it is told, with those that are', async () => {
    const replay = (stream: string) =>
      hoopctl(['session', 'replay', 'ses_01HF7YAT00TJF77036A063SQP8', '--json', '--stream', stream], env);
    expect((await replay('0')).exitCode).toBe(0);
    const { stderr, exitCode } = await replay('9');
    expect(stderr).toContain('"message":"there is no stream 9 in it","hint":"it has 0"');
    expect(exitCode).toBe(64);
  });

  test('ends at once by Ctrl-C', async () => {
    const running = new RunningHoopctl(['session', 'replay', 'ses_01HF7YAT00TJF77036A063SQP8'], env);
    await running.until(/SELECT 1/);
    running.child.kill('SIGINT');
    expect((await running.finished).exitCode).toBe(130);
  });

  test('a session that is not ours to see: 77', async () => {
    const [other, none] = ['ses_01HF7YAT00TJF77036A063SQP9', '../whoami'];
    expect(await hoopctl(['session', 'replay', other], env)).toMatchObject({ exitCode: 77, stdout: '' });
    expect(gateway.requests.at(-1)).toBe(`GET /v1/sessions/${other}/recording`);
    expect(await hoopctl(['session', 'replay', none], env)).toMatchObject({ exitCode: 64, stdout: '' });
    expect(gateway.requests.at(-1)).not.toContain('whoami/');
  });
});

test('a reader that leaves early ends the writer quietly', async () => {
  const events = Array.from({ length: 1000 }, (_, i) => ({
    schemaVersion: 2,
    id: `evt_${i}`,
    at: '',
    type: 'x',
    text: 'y'.repeat(500),
  }));
  gateway.answers.set('/v1/audit/events', { body: JSON.stringify({ schemaVersion: 1, events }) });
  const running = new RunningHoopctl(['audit', 'search', '--json', '--limit', '1000'], env);
  await running.until(/evt_0/);
  running.child.stdout!.destroy();
  const { exitCode, stderr } = await running.finished;
  expect({ exitCode, stderr }).toEqual({ exitCode: 141, stderr: '' });
});
