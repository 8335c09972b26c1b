import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { PATHS } from '../../../src/api/contract.ts';
import { type LogFields, silentLog } from '../../../src/core/log.ts';
import { openTls, RunningGateway } from '../../support/running-gateway.ts';

let running: RunningGateway;
afterEach(() => running.remove());

describe('bounds of the port', () => {
  it('beyond the bound per address the oldest connection without a session makes room', async () => {
    running = await RunningGateway.start({ more: 'limits: { connectionsPerAddress: 2 }\n' });
    const [one, two] = [await openTls(running), await openTls(running)];
    const closed = new Promise((resolve) => one.once('close', resolve));
    const three = await openTls(running);
    await closed;
    expect([two.destroyed, three.destroyed]).toEqual([false, false]);
    two.destroy();
    three.destroy();
  });

  it('one instance has so many sessions and no more; where all have one, a new connection is closed', async () => {
    running = await RunningGateway.start({
      more: 'limits: { connectionsPerAddress: 2, sessionsPerInstance: 1 }\n',
    });
    const [greedy, other] = [await running.machine(), await running.machine()];
    const first = await greedy.tunnel('echo');
    expect(first.status).toBe(101);
    const second = await greedy.tunnel('echo');
    expect(second.status).toBe(429);
    expect(JSON.parse(await second.until()).code).toBe('ERR_LIMIT');
    const third = await other.tunnel('echo');
    expect(third.status).toBe(101);
    await expect(openTls(running)).rejects.toThrow();
    expect(running.gateway.sessions.size).toBe(2);
  });

  it('what is not TLS, not TLS 1.3 or not HTTP is closed, and hoopd goes on', async () => {
    running = await RunningGateway.start();
    const plain = connectTcp(running.port, '127.0.0.1');
    plain.on('error', () => undefined);
    plain.write('GET / HTTP/1.1\r\n\r\n');
    await new Promise((resolve) => plain.once('close', resolve));
    const socket = await openTls(running);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.write(`GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
    await new Promise((resolve) => socket.once('close', resolve));
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    const caller = await running.machine();
    expect((await caller.get(PATHS.whoami)).status).toBe(200);
  });
});

describe('evidence first', () => {
  it('no stream without a recording', async () => {
    const lines: [string, LogFields][] = [];
    const error = (message: string, fields: LogFields = {}) => void lines.push([message, fields]);
    running = await RunningGateway.start({ deps: { log: { ...silentLog, error } } });
    rmSync(join(running.dir, 'recordings'), { recursive: true });
    running.write('recordings', 'where a folder was');
    const tunnel = await (await running.machine()).tunnel('echo');
    expect(tunnel.status).toBe(503);
    expect(JSON.parse(await tunnel.until())).toMatchObject({
      code: 'ERR_RECORDING_UNAVAILABLE',
      hint: expect.stringContaining('whether its disk is full'),
    });
    const why = { code: 'ERR_RECORDING_UNAVAILABLE', detail: expect.stringMatching(/^E[A-Z]+/) };
    expect(lines).toContainEqual(['a recording could not be opened', expect.objectContaining(why)]);
    expect(running.gateway.sessions.size).toBe(0);
  });
});

describe('what lies on the disk', () => {
  it('holds no password of a target, no token and no key of a caller', async () => {
    running = await RunningGateway.start();
    const caller = await running.person(['developers'], { agent: 'copilot' });
    const tunnel = await caller.tunnel('echo', { early: 'hello' });
    await tunnel.until('hello');
    tunnel.socket.destroy();
    await running.stop();
    const files = ['state', 'recordings'].flatMap((name) =>
      readdirSync(join(running.dir, name), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name)),
    );
    expect(files.length).toBeGreaterThan(5);
    const secrets = [
      'hunter2',
      caller.issued.access_token,
      String(caller.key.privateJwk.d),
      running.read('seal.key').trim(),
    ];
    for (const file of files) {
      const content = readFileSync(file, 'latin1');
      for (const secret of secrets) expect(content.includes(secret), file).toBe(false);
    }
  });
});
