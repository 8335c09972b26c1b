/** A host with dropbear instead of OpenSSH: hoopd logs in there by key and by password, and it is a host like others. */
import { execFile, execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cannot } from '../support/cannot.ts';
import { RunningGateway } from '../support/running-gateway.ts';
import { type Dropbear, mayStartDropbear, startDropbear } from '../support/ssh/dropbear.ts';
import { freshKey } from '../support/ssh/fresh-key.ts';
import { SshLocalEnd } from '../support/ssh/local-end.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"ssh", Action::"reveal"], resource);
@id("no-touch") forbid (principal, action == Action::"ssh.exec", resource) when { resource.program == "touch" };
@id("no-secrets") forbid (principal, action in Action::"sftp", resource is Path) when { resource.path like "*/secret" };
`;

const unable = cannot('dropbear as a host that is logged in to: it takes root', !mayStartDropbear());

describe.skipIf(unable)('dropbear', () => {
  let dropbear: Dropbear;
  let running: RunningGateway;
  const ends = new Map<string, SshLocalEnd>();

  beforeAll(async () => {
    dropbear = await startDropbear();
    const resource = (name: string, credential: string) => `
  ${name}:
    protocol: ssh
    target: { host: 127.0.0.1, port: ${dropbear.port}, hostKeys: ["${dropbear.hostKey}"] }
    credentials: { user: ${dropbear.user}, ${credential} }`;
    running = await RunningGateway.start({
      policy: POLICY,
      resources: [
        resource('by-key', 'key: { file: user }'),
        resource('by-password', 'password: { file: word }'),
        resource('by-wrong-key', 'key: { file: other }'),
        resource('by-wrong-password', 'password: { file: other-word }'),
      ].join(''),
      files: { user: dropbear.key, word: dropbear.password, other: freshKey().text, 'other-word': 'wrong' },
      adapter: null,
    });
    const caller = await running.person(['developers'], { agent: 'copilot' });
    for (const name of ['by-key', 'by-password', 'by-wrong-key', 'by-wrong-password'])
      ends.set(name, await SshLocalEnd.open(caller, name));
  });

  afterAll(async () => {
    for (const end of ends.values()) end.close();
    await running?.remove();
    await dropbear?.stop();
  });

  const ssh = (name: string, ...args: string[]) => ends.get(name)!.ssh(['me@127.0.0.1', ...args]);

  describe.each(['by-key', 'by-password'])('%s', (name) => {
    it('runs commands as the user that is configured, and ends as they end', async () => {
      const ran = await ssh(name, 'whoami; echo err >&2; exit 7');
      expect(ran).toEqual({ code: 7, stdout: 'captain\n', stderr: 'err\n' });
    });

    it('gives a terminal', async () => {
      const ran = await ssh(name, '-tt', 'test -t 0 && echo terminal');
      expect(ran).toMatchObject({ code: 0, stdout: 'terminal\r\n' });
    });

    it('does not hear of what is denied', async () => {
      const touched = join(dropbear.home, `touched-${name}`);
      expect(await ssh(name, 'touch', touched)).toMatchObject({ code: 126 });
      expect(existsSync(touched)).toBe(false);
    });

    it('carries files by sftp, those that are permitted', async () => {
      const [from, there, back] = ['from', 'there', 'back'].map((one) => join(dropbear.home, one)) as [
        string,
        string,
        string,
      ];
      writeFileSync(from, randomBytes(2_000_000));
      writeFileSync(join(dropbear.home, 'secret'), 'not for you');
      const end = ends.get(name)!;
      const at = ['-q', '-b', '-', '-P', String(end.port), 'me@127.0.0.1'];
      expect(await end.run('sftp', at, `put ${from} ${there}\nget ${there} ${back}\n`)).toMatchObject({
        code: 0,
      });
      expect(hashOf(back)).toBe(hashOf(from));
      const denied = await end.run(
        'sftp',
        at,
        `get ${dropbear.home}/secret ${dropbear.home}/stolen-${name}\n`,
      );
      expect(denied).toMatchObject({ code: 1, stderr: expect.stringContaining('"rule":"no-secrets"') });
      expect(existsSync(join(dropbear.home, `stolen-${name}`))).toBe(false);
    });
  });

  it("serves dropbear's own client, which guesses how keys are agreed on", async () => {
    const end = ends.get('by-key')!;
    const key = join(dropbear.home, 'key-of-dropbear');
    const file = join(end.directory, 'key');
    execFileSync('dropbearconvert', ['openssh', 'dropbear', file, key], { stdio: 'ignore' });
    const args = ['-y', '-y', '-i', key, '-p', String(end.port), 'me@127.0.0.1', 'whoami; exit 7'];
    const ran = await new Promise<[unknown, string]>((resolve) =>
      execFile('dbclient', args, { timeout: 10_000 }, (error, stdout) => resolve([error?.code, stdout])),
    );
    expect(ran).toEqual([7, 'captain\n']);
  });

  it.each(['by-wrong-key', 'by-wrong-password'])('lets nobody in %s', async (name) => {
    const ran = await ssh(name, 'echo in');
    expect(ran).toMatchObject({ code: 255, stdout: '', stderr: expect.stringContaining('ERR_TARGET_AUTH') });
  });
});

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
