/** A shell at a real terminal, with colours, another size and vi: each player shows what was shown, one scene behind the other. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { endedSession } from '../../support/replays/ended-session.ts';
import { eachPlayerShows, hoopctlLine, LARGE, SMALL } from '../../support/replays/players.ts';
import { Person, type Scene } from '../../support/replays/scenes.ts';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { eventually } from '../../support/waiting.ts';

let directory: string;
let sshd: Sshd;
let stack: Stack;
let otto: Record<string, string>;
let session: string;
let scenes: readonly Scene[];

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
  scenes = await lived();
  session = await endedSession(stack, otto);
});

afterAll(async () => {
  await stack?.stop();
  await sshd?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** What a person does at the host, and sees. */
async function lived(): Promise<readonly Scene[]> {
  const person = await Person.start(SMALL, stack.env());
  const { terminal } = person;
  try {
    await person.enter(hoopctlLine('ssh', 'host-1'));
    await eventually('the host has no prompt', async () =>
      /\n(?!at-home).*[$#]\n*$/.test(await terminal.screen()),
    );
    await person.enter(
      `LC_ALL=C.UTF-8 HOME=/nonexistent HISTFILE= PS1='\\[\\e[1;34m\\]host-1$ \\[\\e[m\\]' exec bash --norc --noprofile`,
    );
    await person.sees('host-1$');
    await person.enter(
      `clear; cd ${directory}; printf 'listen: 127.0.0.1\\nport: 5432\\n# größer\\n' > shop.conf`,
    );
    await person.enter(
      `printf '\\e[32mgreen \\e[1;31mred \\e[38;5;208morange \\e[48;2;30;60;90mblue\\e[0;7m turned \\e[m ✓ done\\n'`,
    );
    await person.scene('colours', 'blue turned  ✓ done\n');
    await person.enter('vi -u NONE -N -c "set number" shop.conf');
    await person.scene('vi', '  2 port: 5432', '~');
    await terminal.press('j');
    await terminal.type('cwPORT');
    await terminal.press('Escape');
    await terminal.resize(LARGE);
    await person.enter('GoTwo lines, of which the second is longer than the screen was wide before: yes');
    await terminal.type('end');
    await terminal.press('Escape');
    await person.scene('vi, in a larger terminal', '  2 PORT: 5432', '  5 end', 'before: yes');
    await person.enter(':wq');
    await eventually('vi does not end', async () => /host-1\$\n*$/.test(await terminal.screen()));
    await person.enter(`clear; ls --color=always; tac shop.conf; stty size`);
    await person.scene('back in the shell', `${LARGE.rows} ${LARGE.columns}\nhost-1$`);
    await person.enter('exit');
    await person.sees('at-home$');
    return person.scenes;
  } finally {
    await terminal.stop();
  }
}

eachPlayerShows(() => ({ stack, env: otto, session, scenes, directory }), {
  exitCode: 0,
  picture: { file: 'ssh-replay.png', scene: 'vi, in a larger terminal' },
});
