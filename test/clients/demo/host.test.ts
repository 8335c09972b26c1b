import { connect } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Hoopctl } from '../../../src/demo/hoopctl.ts';
import { HOST, shopLog, startShopHost } from '../../../src/demo/host.ts';
import { agentSignsIn } from '../../../src/demo/scenes/agent.ts';
import { type Stage, setStage } from '../../../src/demo/stage.ts';
import { Story } from '../../../src/demo/story.ts';

describe("the demo's host", () => {
  let stage: Stage;
  let agent: Hoopctl;

  beforeAll(async () => {
    stage = await setStage({ directory: undefined, port: undefined, idpPort: 0 });
    agent = new Hoopctl(join(stage.directory, 'home-of-agent'));
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    await agentSignsIn(stage, new Story(nowhere, false), agent);
  });
  afterAll(() => stage?.close());

  const ssh = (...words: string[]) => agent.run('ssh', HOST, '--', ...words);

  it('shows an agent its log, and nobody in it', async () => {
    const ran = await ssh('cat', '/var/log/shop.log');
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(ran.stdout).toMatch(/order 1 confirmed, mail sent to \S+\n/);
    const addresses = stage.shop.secrets.filter((one) => shopLog(stage.shop.secrets).includes(one));
    expect(addresses.length).toBeGreaterThan(0);
    for (const one of addresses) expect(ran.stdout).not.toContain(one);
  });

  it('runs what is allowed and nothing else', async () => {
    expect(await ssh('systemctl', 'status', 'shop')).toMatchObject({ code: 0 });
    const restarted = await ssh('systemctl', 'restart', 'shop');
    expect(restarted).toMatchObject({ code: 126, stdout: '' });
    expect(restarted.stderr).toContain('the-shop-stays-up');
    expect(await ssh('rm', '-rf', '/')).toMatchObject({ code: 126 });
  });
});

it('stops at once, also under a connection', async () => {
  const host = await startShopHost('');
  const socket = connect(host.port, '127.0.0.1');
  await new Promise((resolve) => socket.once('data', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await host.stop();
  await closed;
});
