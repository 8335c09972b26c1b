import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approveByBrowser } from '../../../src/demo/idp-browser.ts';
import { type Stage, setStage } from '../../../src/demo/stage.ts';
import { type Built, build } from '../../release/build.ts';
import { PLATFORMS } from '../../release/platforms.ts';
import { PROGRAMS } from '../../release/programs.ts';
import { cannot } from '../../support/cannot.ts';
import { eventually } from '../../support/waiting.ts';

const run = promisify(execFile);
const hoopctl = PROGRAMS.find(({ name }) => name === 'hoopctl')!;
const platform = PLATFORMS.find(({ arch }) => arch === process.arch && process.platform === 'linux');

describe.skipIf(cannot('the tarball: none is made for this machine', platform === undefined))(
  'the tarball',
  () => {
    let work = '';
    let stage: Stage | undefined;
    let built: readonly Built[] = [];
    /** Nothing of this process's: the tools of the machine, and the program that was unpacked. */
    let env: Record<string, string> = {};

    beforeAll(async () => {
      work = mkdtempSync(join(tmpdir(), 'hoop-tarball-'));
      const options = { out: join(work, 'out'), cache: join(work, 'cache'), seconds: 1_700_000_000 };
      const [made, set] = await Promise.all([
        build(hoopctl, platform!, { ...options, kinds: ['tar'], level: 1 }),
        setStage({ directory: undefined, port: undefined, idpPort: 0 }),
      ]);
      built = made;
      stage = set;
      const home = join(work, 'home');
      mkdirSync(home);
      await run('tar', ['-xzf', join(options.out, built[0]!.file), '-C', home, '--strip-components=1']);
      env = { PATH: `${join(home, 'bin')}:/usr/bin:/bin`, HOME: home, HOOPCTL_SECRET_STORE: 'file' };
    });
    afterAll(async () => {
      await stage?.close();
      rmSync(work, { recursive: true, force: true });
    });

    it('is one file that starts where it is unpacked, with a Node of its own', async () => {
      const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
      expect(built.map(({ file }) => file)).toEqual([`hoopctl-${version}-linux-${process.arch}.tar.gz`]);
      expect((await run('hoopctl', ['--version'], { env })).stdout).toBe(`${version}\n`);
      const doctor = await run('hoopctl', ['doctor', '--json'], { env }).catch(
        (error: { stdout: string }) => error,
      );
      expect(doctor.stdout).toContain(process.version);
    });

    it('logs in, and opens tunnels for psql', async () => {
      const { gateway, caFile, idp } = stage!;
      const words = ['login', '--gateway', gateway.url, '--ca', caFile, '--agent', 'shop-copilot', '--json'];
      const login: ChildProcess = spawn('hoopctl', words, { env });
      let said = '';
      login.stdout!.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      const ended = new Promise((resolve) => login.once('close', resolve));
      const code = await eventually('a code is shown', () => /"userCode":"([^"]+)"/.exec(said)?.[1]);
      await approveByBrowser(idp.issuer, code!, 'ada');
      expect(await ended).toBe(0);
      const query = 'SELECT email FROM customers ORDER BY id LIMIT 2';
      const { stdout } = await run('hoopctl', ['connect', 'pg-demo', '--', 'psql', '-Atc', query], { env });
      expect(stdout).toMatch(/^([a-z]\*\*\*@\S+\n){2}$/);
    });
  },
);
