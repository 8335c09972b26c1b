/** A shell at a real terminal, with colours, another size and vi: each player shows what was shown, one scene behind the other. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Chromium } from '../../support/chromium.ts';
import { endedSession } from '../../support/replays/ended-session.ts';
import { type TerminalSize, Tmux } from '../../support/replays/tmux.ts';
import { HOOPCTL_MAIN } from '../../support/run-hoopctl.ts';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { eventually, timePasses } from '../../support/waiting.ts';

/** Where the picture goes; the one in docs is taken with PICTURES=docs/images. */
const PICTURES = process.env['PICTURES'];

const SMALL: TerminalSize = { columns: 72, rows: 16 };
const LARGE: TerminalSize = { columns: 90, rows: 20 };

/** What stood on the screen for a while. */
interface Scene {
  readonly name: string;
  readonly text: string;
  /** With its colours. */
  readonly drawn: string;
}

let directory: string;
let sshd: Sshd;
let stack: Stack;
let otto: Record<string, string>;
let session: string;
const scenes: Scene[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ssh-replays-'));
  sshd = await startSshd();
  stack = await startStack({
    resources: () => `  host-1:
    protocol: ssh
    target: { host: 127.0.0.1, port: ${sshd.port}, hostKeys: ['${sshd.publicKey('host')}'] }
    credentials: { user: ${sshd.user}, key: { file: ${sshd.file('user')} } }`,
  });
  otto = await stack.person('otto');
  await lived();
  session = await endedSession(stack, otto);
});

afterAll(async () => {
  await stack?.stop();
  await sshd?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const hoopctl = (...words: readonly string[]) => [process.execPath, HOOPCTL_MAIN, ...words].join(' ');

/** What a person does at the host, and sees. */
async function lived(): Promise<void> {
  const terminal = await Tmux.start(SMALL, stack.env());
  const scene = async (name: string, ...shows: readonly string[]) => {
    await shown(terminal, ...shows);
    const drawn = await eventually(`${name} does not stand still`, async () => {
      const before = await terminal.screen(true);
      await timePasses(700, 'each scene is to be seen again where it is played in its own time');
      return (await terminal.screen(true)) === before ? before : '';
    });
    scenes.push({ name, text: await terminal.screen(), drawn });
  };
  const enter = async (text: string) => {
    await terminal.type(text);
    await terminal.press('Enter');
  };
  try {
    await enter(hoopctl('ssh', 'host-1'));
    await eventually('the host has no prompt', async () =>
      /\n(?!at-home).*[$#]\n*$/.test(await terminal.screen()),
    );
    await enter(
      `LC_ALL=C.UTF-8 HOME=/nonexistent HISTFILE= PS1='\\[\\e[1;34m\\]host-1$ \\[\\e[m\\]' exec bash --norc --noprofile`,
    );
    await shown(terminal, 'host-1$');
    await enter(`clear; cd ${directory}; printf 'listen: 127.0.0.1\\nport: 5432\\n# größer\\n' > shop.conf`);
    await enter(
      `printf '\\e[32mgreen \\e[1;31mred \\e[38;5;208morange \\e[48;2;30;60;90mblue\\e[0;7m turned \\e[m ✓ done\\n'`,
    );
    await scene('colours', 'blue turned  ✓ done\n');
    await enter('vi -u NONE -N -c "set number" shop.conf');
    await scene('vi', '  2 port: 5432', '~');
    await terminal.press('j');
    await terminal.type('cwPORT');
    await terminal.press('Escape');
    await terminal.resize(LARGE);
    await enter('GoTwo lines, of which the second is longer than the screen was wide before: yes');
    await terminal.type('end');
    await terminal.press('Escape');
    await scene('vi, in a larger terminal', '  2 PORT: 5432', '  5 end', 'before: yes');
    await enter(':wq');
    await eventually('vi does not end', async () => /host-1\$\n*$/.test(await terminal.screen()));
    await enter(`clear; ls --color=always; tac shop.conf; stty size`);
    await scene('back in the shell', `${LARGE.rows} ${LARGE.columns}\nhost-1$`);
    await enter('exit');
    await shown(terminal, 'at-home$');
  } finally {
    await terminal.stop();
  }
}

const shown = (terminal: Tmux, ...texts: readonly string[]) =>
  eventually(
    () => `the terminal shows ${texts.join(', ')}`,
    () => terminal.screen(),
    (screen) => texts.every((text) => screen.includes(text)),
    { withinMs: 20_000 },
  );

/** A player comes to each scene, in their order. @param seen Told of each. */
async function comesBy(
  look: () => Promise<string>,
  of: (scene: Scene) => string,
  seen: (scene: Scene) => Promise<unknown>,
): Promise<void> {
  for (const scene of scenes) {
    const enough = (screen: string) => screen.trimEnd() === of(scene).trimEnd();
    await eventually(`it comes to ${scene.name}:\n${of(scene)}\n`, look, enough, {
      withinMs: 30_000,
      everyMs: 30,
    });
    await seen(scene);
  }
}

/** Plays it in a terminal, whose size is changed as it was then. @returns What the screen shows when it has ended. */
async function played(command: string): Promise<string> {
  const terminal = await Tmux.start(SMALL, otto);
  try {
    await terminal.type(command);
    await terminal.press('Enter');
    await comesBy(
      () => terminal.screen(true),
      ({ drawn }) => drawn,
      async ({ name }) => name === 'vi' && terminal.resize(LARGE),
    );
    await shown(terminal, 'at-home$');
    return await terminal.screen();
  } finally {
    await terminal.stop();
  }
}

async function cast(version: 2 | 3): Promise<string> {
  const { stdout, stderr } = await stack.hoopctl(
    ['session', 'replay', session, '--asciicast', `${version}`],
    otto,
  );
  expect(stderr).toBe('');
  return stdout;
}

it('hoopctl plays it, with its colours, and says below what was shown how it ended', async () => {
  const end = await played(hoopctl('session', 'replay', session));
  const [before, after] = end.split('-- exit 0\n');
  expect(before).toContain(scenes.at(-1)!.text.trimEnd());
  expect(after).toContain('at-home$');
});

it('asciinema plays it, with its colours', async () => {
  const file = join(directory, 'shell.cast');
  writeFileSync(file, await cast(2));
  await played(`asciinema play ${file}`);
});

let browser: Chromium;

describe('asciinema-player', () => {
  let server: Server;
  let casts: Readonly<Record<string, string>>;
  beforeAll(async () => {
    casts = { '/2.cast': await cast(2), '/3.cast': await cast(3) };
    browser = await Chromium.start(readFileSync(stack.caFile, 'utf8'));
    server = createServer((request, response) => {
      response.end(casts[request.url ?? ''] ?? page(request.url ?? ''));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    server?.close();
    await browser?.stop();
  });

  it.each([2, 3])('plays version %i', async (version) => {
    const { port } = server.address() as AddressInfo;
    await browser.size({ width: 1000, height: 560 });
    await browser.open(`http://127.0.0.1:${port}/player/${version}`);
    await comesBy(
      () => browser.value<string>('shown()').catch(() => ''),
      ({ text }) => text,
      async ({ name }) => name === 'vi, in a larger terminal' && version === 3 && picture(),
    );
  });
});

async function picture(): Promise<void> {
  if (PICTURES === undefined) return;
  const file = join(PICTURES, 'ssh-replay.png');
  await browser.picture(file);
  expect(statSync(file).size).toBeLessThan(200_000);
}

const require = createRequire(import.meta.url);
const SCRIPT = readFileSync(require.resolve('asciinema-player/dist/bundle/asciinema-player.min.js'), 'utf8');
const STYLE = readFileSync(require.resolve('asciinema-player/dist/bundle/asciinema-player.css'), 'utf8');

/** A page with the player in it, as its own documentation has it. */
function page(url: string): string {
  const version = url.endsWith('/3') ? 3 : 2;
  return `<!doctype html><meta charset="utf-8"><style>body { margin: 0 } ${STYLE}</style>
<div id="player"></div><script>${SCRIPT.replaceAll('</script', '<\\/script')}</script>
<script>
const player = AsciinemaPlayer.create('/${version}.cast', document.getElementById('player'), { autoPlay: true, controls: false });
function shown() {
  return [...document.querySelectorAll('.ap-line')].map((line) => line.textContent.trimEnd()).join('\\n');
}
</script>`;
}
