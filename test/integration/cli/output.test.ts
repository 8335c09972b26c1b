/** What becomes of output that goes nowhere, or to a terminal with few columns. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cannot } from '../../support/cannot.ts';
import { HOOPCTL_MAIN } from '../../support/run-hoopctl.ts';

const HOOPD = `import(${JSON.stringify(new URL('../../../src/gateway/main.ts', import.meta.url).href)})
  .then(({ run }) => run(['node', 'hoopd', ...process.argv.slice(1)]))`;
const hoopctl = (args: readonly string[]) => [HOOPCTL_MAIN, ...args];
const hoopd = (args: readonly string[]) => ['-e', HOOPD, '--', ...args];

let directory: string;
let env: NodeJS.ProcessEnv;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'hoop-output-'));
  env = { PATH: process.env['PATH'], HOME: directory, HOOPCTL_CONFIG_DIR: join(directory, 'settings') };
  spawnSync(process.execPath, hoopd(['init', join(directory, 'gw')]), { env });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const PRINTS: readonly [string, readonly string[]][] = [
  ['hoopctl --version', hoopctl(['--version'])],
  ['hoopctl --help', hoopctl(['--help'])],
  ['hoopctl audit search --help', hoopctl(['audit', 'search', '--help'])],
  ['hoopctl completion zsh', hoopctl(['completion', 'zsh'])],
  ['hoopctl policy pack', hoopctl(['policy', 'pack'])],
  ['hoopctl agent-guide', hoopctl(['agent-guide'])],
  ['hoopctl doctor', hoopctl(['doctor'])],
  ['hoopd --version', hoopd(['--version'])],
  ['hoopd --help', hoopd(['--help'])],
  ['hoopd check --schema', hoopd(['check', '--schema'])],
  ['hoopd demo --help', hoopd(['demo', '--help'])],
];

const noFull = cannot('output without room: there is no /dev/full', !existsSync('/dev/full'));

describe.skipIf(noFull)('standard output that cannot be written', () => {
  const onto = (args: readonly string[], path: string, flags: string) => {
    const { status, stderr } = spawnSync(process.execPath, args, {
      env,
      encoding: 'utf8',
      stdio: ['ignore', openSync(path, flags), 'pipe'],
    });
    return { status, stderr };
  };

  test.each(PRINTS)('ends %s with an error and no stack: no room', (_, args) => {
    const { status, stderr } = onto(args, '/dev/full', 'w');
    expect({ status, stderr }).toEqual({
      status: 78,
      stderr: expect.stringMatching(
        /^hoop(ctl|d): standard output cannot be written to \(ENOSPC\)\nhint: .*\n$/m,
      ),
    });
  });

  test('the same where it is only for reading', () => {
    expect(onto(hoopctl(['--version']), '/dev/null', 'r')).toMatchObject({
      status: 78,
      stderr: expect.stringContaining('(EBADF)'),
    });
  });

  test('hoopd check and init say so too', () => {
    const config = join(directory, 'gw/hoopd.yaml');
    expect(onto(hoopd(['check', '--json', '-c', config]), '/dev/full', 'w').status).toBe(78);
    expect(onto(hoopd(['init', join(directory, 'other')]), '/dev/full', 'w').status).toBe(78);
  });

  test('with --json it is an object', () => {
    const { status, stderr } = onto(hoopctl(['policy', 'pack', '--json']), '/dev/full', 'w');
    expect([status, JSON.parse(stderr)]).toMatchObject([78, { error: { code: 'ERR_CONFIG' } }]);
  });

  test('nothing is wrong where there was nothing to say', () => {
    const { status, stderr } = onto(hoopctl(['profile', 'list']), '/dev/full', 'w');
    expect([status, stderr]).toEqual([0, 'hoopctl: there is no profile: hoopctl login makes one\n']);
  });
});

test('a reader that has left ends hoopctl silently with 141', () => {
  // It has left when hoopctl begins.
  const script = `{ sleep 0.5; "$@"; echo "$?" >&2; } | true`;
  const args = ['-c', script, 'bash', process.execPath, ...hoopctl(['completion', 'bash'])];
  expect(spawnSync('bash', args, { env, encoding: 'utf8' }).stderr).toBe('141\n');
});

const noTerminal = cannot(
  'lines on terminals: there is no script of util-linux',
  spawnSync('script', ['--version']).status !== 0,
);

describe.skipIf(noTerminal)('on a terminal', () => {
  /** As util-linux's script shows it, on a terminal with so many columns. */
  const shown = (columns: number, args: readonly string[]) => {
    const words = [process.execPath, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
    const { stdout } = spawnSync(
      'script',
      ['-qec', `stty cols ${columns}; ${words.join(' ')}`, '/dev/null'],
      {
        env: { ...env, TERM: 'xterm' },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    return stdout.replaceAll('\r\n', '\n');
  };
  const inPipe = (args: readonly string[]) => {
    const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
    return stdout + stderr;
  };
  const words = (text: string) => text.replace(/\\\n/g, ' ').split(/\s+/).filter(Boolean);

  test.each<[number, string, readonly string[]]>([
    [40, 'help', hoopctl(['audit', 'search', '--help'])],
    [60, 'help', hoopctl(['connect', '--help'])],
    [40, 'findings', hoopctl(['doctor'])],
    [40, 'an error', hoopctl(['audit', 'search', '--decision', 'denied'])],
    [40, "hoopd's help", hoopd(['check', '--help'])],
    [40, "hoopd's error", hoopd(['check', '-c', '/nowhere/hoopd.yaml'])],
  ])('of %i columns no word of %s is broken, and none is lost', (columns, _, args) => {
    const text = shown(columns, args);
    expect(words(text)).toEqual(words(inPipe(args)));
    // A line that is longer is one word that nothing could break.
    for (const line of text.split('\n').filter((one) => one.length > columns))
      expect(line.trim()).not.toMatch(/[^\\] [^\\]/);
  });

  test('COLUMNS goes before what the terminal says', () => {
    const args = hoopctl(['audit', 'search', '--decision', 'denied']);
    env = { ...env, COLUMNS: '30' };
    const lines = shown(100, args).split('\n');
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(30);
  });
});
