import { type ChildProcess, spawn } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Hoopctl } from '../../src/demo/hoopctl.ts';
import { play } from '../../src/demo/play.ts';
import { SHOP_POLICY } from '../../src/demo/policy.ts';
import { freePort } from '../../src/demo/ports.ts';
import { agentSignsIn, agentWorks } from '../../src/demo/scenes/agent.ts';
import { type Stage, setStage } from '../../src/demo/stage.ts';
import { Story } from '../../src/demo/story.ts';
import { ROOT } from '../support/source-tree.ts';
import { eventually } from '../support/waiting.ts';
import { WebBrowser } from '../support/web-browser.ts';

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

describe('the play', () => {
  let stage: Stage | undefined;
  const prepare = (policy?: string) =>
    setStage({
      directory: undefined,
      port: undefined,
      idpPort: 0,
      ...(policy === undefined ? {} : { policy }),
    });
  afterEach(() => stage?.close());

  it('shows an agent nothing that is hidden, refuses what is forbidden, and has proof of it all', async () => {
    stage = await prepare();
    const { summary, problems } = await play(stage, new Story(nowhere(), false));
    expect(problems).toEqual([]);
    expect(summary).toMatchObject({
      schemaVersion: 1,
      statements: 13,
      requests: 4,
      allowed: 11,
      denied: 6,
      leakedValues: 0,
      auditVerified: true,
      recordingReplayed: true,
    });
    // Every e-mail, phone, id and card of the two whole tables, at the least.
    expect(summary.maskedValues).toBeGreaterThan(3 * stage.shop.counts.customers + stage.shop.counts.orders);
    expect(summary.auditEvents).toBeGreaterThan(2 * summary.allowed + summary.denied);
  });

  it('has the rules in force that stand in its folder', async () => {
    stage = await prepare();
    const log = join(stage.directory, 'hoopd.log');
    await appendFile(
      join(stage.directory, 'policies', 'shop.cedar'),
      '\n@id("new") forbid (principal, action, resource);',
    );
    await eventually(
      'the change is in force',
      () => readFile(log, 'utf8'),
      (text) => text.includes('configuration reloaded'),
    );
  });

  it('has a page at which Grace signs in and sees what waits', async () => {
    stage = await prepare();
    const browser = new WebBrowser(await readFile(stage.caFile, 'utf8'));
    const door = await browser.open(`${stage.gateway.url}/approvals`);
    const [, link = ''] = /href="([^"]*sign-in[^"]*)"/.exec(door.html) ?? [];
    const people = await browser.open(new URL(link.replaceAll('&amp;', '&'), stage.gateway.url));
    expect(people.html).toContain('Grace Lindqvist');
    const page = await browser.open(people.url, { fields: { login: 'grace' } });
    expect(page.url.href).toBe(`${stage.gateway.url}/approvals`);
    expect(page.html).toContain('Nothing waits for your yes.');
  });

  it('counts leaks for real: with masks switched off, the same count finds every planted value', async () => {
    const open = SHOP_POLICY.replaceAll(/@id\("(contact-data|numbers-and-keys)[\s\S]*?;\n/g, '');
    expect(open).not.toContain('@mask');
    stage = await prepare(open);
    const story = new Story(nowhere(), false);
    const agent = new Hoopctl(join(stage.directory, 'home-of-agent'));
    await agentSignsIn(stage, story, agent);
    const work = await agentWorks(
      stage,
      story,
      agent,
      () => undefined,
      new Hoopctl(join(stage.directory, 'home-of-grace')),
    );
    expect(work.leakedValues).toBeGreaterThanOrEqual(stage.shop.secrets.length);
  });
});

describe('hoopd demo', () => {
  let directory: string;
  let running: Demo[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hoop-demo-test-'));
    running = [];
  });
  afterEach(async () => {
    for (const demo of running) demo.child.kill('SIGKILL');
    await Promise.all(running.map((demo) => demo.ended));
    await rm(directory, { recursive: true, force: true });
  });
  const start = (...args: string[]) => {
    const demo = new Demo(args);
    running.push(demo);
    return demo;
  };
  /** Where this demo keeps its database, from the note it leaves itself. */
  const database = async () =>
    (JSON.parse(await readFile(join(directory, 'demo.json'), 'utf8')) as { database: string }).database;

  it('as built: --once ends with 0 and one line of JSON, and leaves nothing behind', async () => {
    const demo = start('--once');
    expect(await demo.ended, demo.stderr).toBe(0);
    const last = demo.stdout.trimEnd().split('\n').at(-1) ?? '';
    expect(Object.keys(JSON.parse(last))).toEqual([
      ...['schemaVersion', 'statements', 'requests', 'allowed', 'denied', 'maskedValues', 'leakedValues'],
      ...['auditEvents', 'auditVerified', 'recordingReplayed', 'seconds'],
    ]);
    const folder = /are in (\S+)/.exec(demo.stdout)?.[1] ?? '';
    await expect(stat(folder)).rejects.toThrow('ENOENT');
  });

  it('stays up, says what to type, and Ctrl-C ends everything', async () => {
    const port = await freePort();
    const demo = start('--dir', directory, '--port', String(port));
    await demo.says(`npx hoopctl login --gateway https://127.0.0.1:${port}`);
    const data = await database();
    expect(await isServing(data)).toBe(true);

    const second = start('--dir', directory, '--port', String(await freePort()));
    expect(await second.ended).toBe(78);
    expect(second.stderr).toContain('another demo is running');

    demo.child.kill('SIGINT');
    expect(await demo.ended).toBe(0);
    await expect(stat(data)).rejects.toThrow('ENOENT');
  });

  it('killed without a chance: its PostgreSQL ends by itself, and the next one starts in the same directory', async () => {
    const first = start('--dir', directory, '--port', String(await freePort()));
    await first.says('npx hoopctl login');
    const data = await database();
    first.child.kill('SIGKILL');
    await expect.poll(() => isServing(data), { timeout: 15_000 }).toBe(false);

    const next = start('--once', '--dir', directory);
    expect(await next.ended, next.stderr).toBe(0);
    await expect(stat(data)).rejects.toThrow('ENOENT');
  });

  it('says in one line what is wrong with its options, its port or its directory', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const onTaken = start('--once', '--port', port);
    expect(await onTaken.ended).toBe(78);
    expect(onTaken.stderr).toMatch(/port \d+ is taken/);
    taken.close();

    const unknown = start('--twice');
    expect(await unknown.ended).toBe(64);

    const foreign = start('--once', '--dir', ROOT);
    expect(await foreign.ended).toBe(78);
    expect(foreign.stderr).toContain('files that no demo made');
  });
});

/** `hoopd demo` as built: `npm test` builds first. */
class Demo {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [join(ROOT, 'bin', 'hoopd.js'), 'demo', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk) => {
      this.stdout += chunk;
    });
    this.child.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  async says(text: string): Promise<void> {
    await expect.poll(() => this.stdout + this.stderr, { timeout: 60_000 }).toContain(text);
  }
}

/** Whether a PostgreSQL of this data directory is alive; a zombie is not. */
async function isServing(database: string): Promise<boolean> {
  const pid = await readFile(join(database, 'data', 'postmaster.pid'), 'utf8').catch(() => '');
  const state = await readFile(`/proc/${pid.split('\n')[0]}/status`, 'utf8').catch(() => 'State:\tX');
  return !/State:\s+[XZ]/.test(state);
}
