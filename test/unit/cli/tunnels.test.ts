import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { askToClose, isOpen, serveControl } from '../../../src/cli/tunnel/control.ts';
import { type KnownTunnel, knownTunnels, meant } from '../../../src/cli/tunnel/known.ts';
import { readLog, TunnelLog } from '../../../src/cli/tunnel/log.ts';
import { isTunnelId, type TunnelRecord, TunnelRecords } from '../../../src/cli/tunnel/records.ts';

let directory: string;
let records: TunnelRecords;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hoop-tunnels-'));
  records = new TunnelRecords(directory);
  await records.prepare();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function record(id: string, more: Partial<TunnelRecord> = {}): TunnelRecord {
  return {
    id,
    gateway: 'https://hoop.example.com',
    ends: [{ resource: 'pg', protocol: 'postgres', address: '127.0.0.1:5' }],
    pid: process.pid,
    host: hostname(),
    startedAt: '2026-03-01T12:00:00.000Z',
    deadline: '2026-03-01T20:00:00.000Z',
    ...more,
  };
}

const states = async () => (await knownTunnels(records)).map(({ id, state, ended }) => [id, state, ended]);

test('only a socket that answers makes one open, whatever its process’s number says', async () => {
  await records.write(record('aaaaaaaa'));
  await records.write(record('bbbbbbbb', { host: 'another', startedAt: '2026-03-01T12:00:01.000Z' }));
  await records.write(record('cccccccc', { startedAt: '2026-03-01T12:00:02.000Z' }));
  const server = await serveControl(records.socketOf('cccccccc'), () => undefined);
  expect(await states()).toEqual([
    ['aaaaaaaa', 'ended', 'killed, or the machine was restarted'],
    ['bbbbbbbb', 'elsewhere', undefined],
    ['cccccccc', 'open', undefined],
  ]);
  server.close();
  expect((await states())[2]).toEqual(['cccccccc', 'ended', 'killed, or the machine was restarted']);
});

test('one that ends while it is looked for keeps its own reason', async () => {
  class Ending extends TunnelRecords {
    override async list() {
      const found = await super.list();
      for (const one of found) await this.end(one, 'the credential has been revoked', 0);
      return found;
    }
  }
  await records.write(record('aaaaaaaa'));
  records = new Ending(directory);
  const told = [['aaaaaaaa', 'ended', 'the credential has been revoked']];
  expect(await states()).toEqual(told);
  records = new TunnelRecords(directory);
  expect(await states()).toEqual(told);
});

test('a tunnel is asked to end in one word, and by nothing else', async () => {
  const path = records.socketOf('aaaaaaaa');
  let asked = 0;
  const server = await serveControl(path, () => {
    asked++;
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const sockets = new Set<{ destroy(): unknown }>();
  server.on('connection', (socket) => sockets.add(socket));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const stranger = createConnection(path, () => stranger.write('clone'));
  await new Promise((resolve) => stranger.once('close', resolve).once('error', () => undefined));
  expect(asked).toBe(0);
  expect(await askToClose(path)).toBe(true);
  expect(asked).toBe(1);
  expect(await isOpen(path)).toBe(false);
});

test('a path that no socket can have is refused with a cure', async () => {
  const deep = join(directory, 'x'.repeat(120));
  await expect(serveControl(deep, () => undefined)).rejects.toMatchObject({
    code: 'ERR_CONFIG',
    hint: expect.stringContaining('HOOPCTL_CONFIG_DIR'),
  });
});

test('records that others can read are refused; what is none is left out', async () => {
  await records.write(record('aaaaaaaa'));
  for (const [name, text] of [
    ['bbbbbbbb.json', '{"id":"cccccccc","ends":[]}'],
    ['dddddddd.json', '{'],
    ['../x.json', ''],
    ['eeeeeeee.json', '{"id":"eeeeeeee"}'],
  ] as const)
    writeFileSync(join(directory, 'tunnels', name), text, { mode: 0o600 });
  expect((await records.list()).map(({ id }) => id)).toEqual(['aaaaaaaa']);
  chmodSync(join(directory, 'tunnels', 'aaaaaaaa.json'), 0o644);
  await expect(records.list()).rejects.toMatchObject({ code: 'ERR_CONFIG' });
});

test('what ended a day ago is forgotten with its log, what is open never is', async () => {
  const now = Date.parse('2026-03-03T12:00:00Z');
  await records.write(record('aaaaaaaa'));
  await records.end(record('bbbbbbbb'), 'closed', now - 25 * 3_600_000);
  await records.end(record('cccccccc'), 'closed', now - 3_600_000);
  new TunnelLog(records.logOf('bbbbbbbb')).write('x\n');
  await records.sweep(now);
  expect((await records.list()).map(({ id }) => id).sort()).toEqual(['aaaaaaaa', 'cccccccc']);
  expect(existsSync(records.logOf('bbbbbbbb'))).toBe(false);
});

test('a log is bounded, 0600, and read whole: lines that Node wrote as it died have no time', async () => {
  const path = records.logOf('aaaaaaaa');
  const log = new TunnelLog(path);
  log.write('hoopctl: one\nhint: two\n');
  writeFileSync(path, 'Error: out of memory\n', { flag: 'a' });
  expect((await readLog(path)).map(({ at, text }) => [at !== '', text])).toEqual([
    [true, 'hoopctl: one'],
    [true, 'hint: two'],
    [false, 'Error: out of memory'],
  ]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  for (let i = 0; i < 400; i++) log.write(`${i}${'x'.repeat(10_000)}`);
  const sizes = [path, `${path}.1`].map((one) => statSync(one).size);
  for (const size of sizes) expect(size).toBeLessThan(520 * 1024 + 8192);
  expect((await readLog(path)).at(-1)!.text).toMatch(/^399x+$/);
});

test('a tunnel is meant by its id, or by a resource that it reaches; each once', () => {
  const tunnel = (id: string, ...resources: string[]): KnownTunnel => ({
    ...record(id),
    state: 'open',
    ends: resources.map((resource) => ({ resource, protocol: 'echo', address: '' })),
  });
  const all = [tunnel('aaaaaaaa', 'pg', 'api'), tunnel('bbbbbbbb', 'pg'), tunnel('cccccccc', 'aaaaaaaa')];
  const ids = (...names: string[]) => meant(all, names).map(({ id }) => id);
  expect(ids('pg')).toEqual(['aaaaaaaa', 'bbbbbbbb']);
  expect(ids('api', 'pg')).toEqual(['aaaaaaaa', 'bbbbbbbb']);
  expect(ids('aaaaaaaa')).toEqual(['aaaaaaaa']);
  expect(() => ids('nowhere')).toThrow('no tunnel is called "nowhere"');
  for (const id of ['aaaaaaaa', 'a2345677']) expect(isTunnelId(id)).toBe(true);
  for (const id of ['', 'AAAAAAAA', 'aaaaaaa', 'aaaaaaa1', '../../aa', 'aaaaaaaa\n'])
    expect(isTunnelId(id)).toBe(false);
});
