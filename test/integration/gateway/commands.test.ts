import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../support/postgres/server.ts';

/** As `bin/hoopd.js` does, from source. */
const HOOPD = `import(${JSON.stringify(new URL('../../../src/gateway/main.ts', import.meta.url).href)})
  .then(({ run }) => run(['node', 'hoopd', ...process.argv.slice(1)]))`;

let dir: string;
const at = (name: string) => join(dir, name);

class Hoopd {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  out = '';
  err = '';

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, ['-e', HOOPD, '--', ...args], {
      cwd: dir,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk) => (this.out += chunk));
    this.child.stderr?.on('data', (chunk) => (this.err += chunk));
    this.exit = new Promise((resolve) => this.child.once('close', resolve));
  }

  static async run(...args: string[]): Promise<Hoopd & { code: number | null }> {
    const hoopd = new Hoopd(...args);
    return Object.assign(hoopd, { code: await hoopd.exit });
  }

  async says(text: string): Promise<void> {
    await expect.poll(() => this.err, { timeout: 30_000 }).toContain(text);
  }
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'hoopd-commands-'));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('hoopd init', () => {
  it('says where nothing can be made, and does not try for ever', async () => {
    const { code, err } = await Hoopd.run('init', '/proc/hoop/gateway');
    expect(err).toContain('cannot be written');
    expect(err).toContain('name a directory that you may write into');
    expect(code).toBe(78);
  });

  it('writes what check accepts, secrets for the owner alone', async () => {
    const made = await Hoopd.run('init', '.', '--json');
    expect(made.code).toBe(0);
    expect(JSON.parse(made.out)).toMatchObject({ schemaVersion: 1, kept: [] });
    for (const secret of ['seal.key', 'pg-password', 'tls.key'])
      expect(statSync(at(secret)).mode & 0o777).toBe(0o600);
    const checked = await Hoopd.run('check');
    expect([checked.code, checked.err]).toEqual([0, '']);
    expect(checked.out).toMatch(/^hoopd\.yaml is valid; policies [0-9a-f]{16}\n$/);
  });

  it('never overwrites', async () => {
    writeFileSync(at('hoopd.yaml'), '# mine');
    rmSync(at('tls.crt'));
    const before = readFileSync(at('tls.key'), 'utf8');
    const again = await Hoopd.run('init');
    expect(again.code).toBe(0);
    expect(readFileSync(at('hoopd.yaml'), 'utf8')).toBe('# mine');
    expect(readFileSync(at('tls.key'), 'utf8')).toBe(before);
    expect(readdirSync(dir)).not.toContain('tls.crt');
    rmSync(at('hoopd.yaml'));
    for (const name of ['tls.key', 'ca.crt']) rmSync(at(name));
    await Hoopd.run('init');
  });
});

describe('hoopd check', () => {
  it('exits 78 with one line per mistake, as JSON too', async () => {
    const good = readFileSync(at('hoopd.yaml'), 'utf8');
    writeFileSync(at('bad.yaml'), good.replace('port: 5432', 'port: abc').replace('policies:', 'polices:'));
    const text = await Hoopd.run('check', '-c', 'bad.yaml');
    expect(text.code).toBe(78);
    expect(text.err).toMatch(/^bad\.yaml:\d+:\d+: .*\n/m);
    expect(text.err).toContain('polices: unknown key; did you mean policies?');
    const json = await Hoopd.run('check', '-c', 'bad.yaml', '--json');
    expect(json.code).toBe(78);
    const report = JSON.parse(json.out);
    expect(report).toMatchObject({ schemaVersion: 1, ok: false });
    expect(report.mistakes).toHaveLength(3);
  });

  it('finds mistakes in policies', async () => {
    writeFileSync(
      at('policies/bad.cedar'),
      '@id("x")\npermit (principal, action == Action::"sql.selct", resource);',
    );
    const { code, err } = await Hoopd.run('check');
    expect(code).toBe(78);
    expect(err).toMatch(/policies\/bad\.cedar:2:\d+: /);
    rmSync(at('policies/bad.cedar'));
  });

  it('names files as they are found from where it was called, and only in the text', async () => {
    const folder = basename(dir);
    writeFileSync(
      at('wrong.yaml'),
      readFileSync(at('hoopd.yaml'), 'utf8').replace('port: 5432', 'port: abc'),
    );
    const away = await Hoopd.run('check', '-c', `../${folder}/wrong.yaml`);
    expect(away.err).toMatch(new RegExp(`^\\.\\./${folder}/wrong\\.yaml:\\d+:\\d+: `));
    const json = await Hoopd.run('check', '-c', `../${folder}/wrong.yaml`, '--json');
    expect(JSON.parse(json.out).mistakes[0].file).toBe('wrong.yaml');
    const none = await Hoopd.run('check', '-c', `../${folder}/none.yaml`);
    expect(none.err).toMatch(new RegExp(`^\\.\\./${folder}/none\\.yaml:1:1: cannot be read`));
  });

  it('warns of secrets that everybody may read, and of no policy at all', async () => {
    for (const name of ['tls.key', 'pg-password']) chmodSync(at(name), 0o644);
    mkdirSync(at('no-policies'));
    const good = readFileSync(at('hoopd.yaml'), 'utf8');
    writeFileSync(at('open.yaml'), good.replace('policies: ./policies', 'policies: ./no-policies'));
    const { code, err } = await Hoopd.run('check', '-c', 'open.yaml');
    expect(code).toBe(0);
    expect(err).toMatch(/^warning: open\.yaml:\d+:\d+: tls\.keyFile: \S+tls\.key may be read by every user/m);
    expect(err).toMatch(
      /^warning: open\.yaml:\d+:\d+: resources\.pg-prod\.credentials\.password: .*; run chmod 600 /m,
    );
    expect(err).toContain('nothing is permitted to anybody');
    expect((await Hoopd.run('check', '-c', 'open.yaml', '--without-secrets')).err).not.toContain('chmod');
    for (const name of ['tls.key', 'pg-password']) chmodSync(at(name), 0o600);
  });

  it('--targets says whom it asks, and why it could not', async () => {
    const good = readFileSync(at('hoopd.yaml'), 'utf8');
    writeFileSync(at('closed.yaml'), good.replace('host: localhost, port: 5432', 'host: 127.0.0.1, port: 1'));
    const { code, err } = await Hoopd.run('check', '--targets', '-c', 'closed.yaml');
    expect(code).toBe(69);
    expect(err).toMatch(/^asking the target of pg-prod\n/);
    expect(err).toContain('pg-prod: the target cannot be reached (ECONNREFUSED');
    expect(err).toContain('check the address, the port and the way there from this machine');
  });

  it('usage errors exit 64', async () => {
    expect((await Hoopd.run('chekc')).code).toBe(64);
    expect((await Hoopd.run('check', '--nope')).code).toBe(64);
    const placed = await Hoopd.run('check', 'gateway/hoopd.yaml');
    expect([placed.code, placed.err]).toEqual([64, expect.stringContaining('named by --config FILE')]);
  });

  it('who cannot be asked for their keys is named, with why', async () => {
    const port = await freePort();
    const { code, err } = await Hoopd.run('check', '--host-keys', `127.0.0.1:${port}`);
    expect(code).toBe(69);
    expect(err).toMatch(
      new RegExp(`^hoopd: 127\\.0\\.0\\.1:${port}: the target cannot be reached .*ECONNREFUSED`),
    );
    expect((await Hoopd.run('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('hoopd serve', () => {
  it.each([
    ['state', 'state: sqlite:./state', 'state: sqlite:/proc/none'],
    ['recordings', 'recordings: file:./recordings', 'recordings: file:/proc/none'],
  ])('does not start where its %s cannot be written', async (_, from, to) => {
    writeFileSync(
      at('nowhere.yaml'),
      readFileSync(at('hoopd.yaml'), 'utf8')
        .replace(from, to)
        .replaceAll('7443', String(await freePort())),
    );
    const { code, err } = await Hoopd.run('serve', '-c', 'nowhere.yaml');
    expect(err).toContain('/proc/none cannot be');
    expect(err).toContain('give hoopd a directory of its own');
    expect(code).toBe(78);
  });

  it('serves, reloads on SIGHUP and on change, drains on SIGTERM', async () => {
    const port = await freePort();
    const config = readFileSync(at('hoopd.yaml'), 'utf8').replaceAll('7443', String(port));
    writeFileSync(at('hoopd.yaml'), config);
    const hoopd = new Hoopd('serve');
    await hoopd.says('"msg":"serving"');
    expect(await health(port)).toBe(200);
    const second = await Hoopd.run('serve');
    expect(second.code).toBe(78);
    expect(second.err).toContain('cannot listen');
    writeFileSync(at('other.yaml'), config.replaceAll(String(port), String(await freePort())));
    const third = await Hoopd.run('serve', '-c', 'other.yaml');
    expect([third.code, third.err]).toEqual([78, expect.stringContaining('another hoopd is using')]);

    hoopd.child.kill('SIGHUP');
    await hoopd.says('"msg":"configuration reloaded"');
    expect(hoopd.err).not.toMatch(/"(added|changed|removed|needsRestart)":""/);
    writeFileSync(at('policies/starter.cedar'), 'permit (');
    await hoopd.says('the old configuration stays in force');
    expect(hoopd.err).toMatch(/"mistake":"policies\/starter\.cedar:1:/);
    expect(await health(port)).toBe(200);

    hoopd.child.kill('SIGTERM');
    expect(await hoopd.exit).toBe(0);
    expect(hoopd.err).toContain('"msg":"stopped"');
    for (const line of hoopd.err.trim().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
  });

  it('refuses to start with mistakes', async () => {
    const { code, err, out } = await Hoopd.run('serve', '-c', 'bad.yaml');
    expect([code, out]).toEqual([78, '']);
    expect(err).toContain('did you mean policies?');
  });
});

function health(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(
      { host: 'localhost', port, path: '/healthz', ca: readFileSync(at('ca.crt')), agent: false },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      },
    ).on('error', reject);
  });
}
