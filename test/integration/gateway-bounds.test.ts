import { readdirSync, readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { PATHS } from '../../src/api/contract.ts';
import { openTls, RunningGateway } from '../support/running-gateway.ts';

let running: RunningGateway;
afterEach(() => running.remove());

describe('bounds of the port', () => {
  it('connections beyond the bound per address are closed before TLS; a free place is taken again', async () => {
    running = await RunningGateway.start({ more: 'limits: { connectionsPerAddress: 2 }\n' });
    const [one, two] = [await openTls(running), await openTls(running)];
    await expect(openTls(running)).rejects.toThrow();
    one.destroy();
    const again = () =>
      openTls(running).then(
        (socket) => socket.destroy().destroyed,
        () => false,
      );
    await expect.poll(again).toBe(true);
    two.destroy();
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
    running = await RunningGateway.start();
    running.write('hoopd.yaml', running.config().replace('file:./recordings', 'file:./password'));
    await running.stop();
    await running.restart();
    const tunnel = await (await running.machine()).tunnel('echo');
    expect(tunnel.status).toBe(503);
    expect(JSON.parse(await tunnel.until()).code).toBe('ERR_RECORDING_UNAVAILABLE');
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
