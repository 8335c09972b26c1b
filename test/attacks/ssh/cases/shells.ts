/** S2: commands that are typed into a shell. */
import { existsSync } from 'node:fs';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import { unheard } from '../attack.ts';
import type { Opened, SshClient } from '../client.ts';
import type { SshAttack, SshGroup, SshWorld } from '../world.ts';

const ESC = '\u001b';

/** How `rm VICTIM` may be typed at bash, so that no reader of the keys sees those words. */
const TYPED: Readonly<Record<string, (victim: string) => string>> = {
  plainly: (victim) => `rm ${victim}\r`,
  'completed by Tab': (victim) => `rm ${victim.slice(0, -3)}\t\r`,
  'from the history': (victim) => `echo ${victim}\rrm !$\r`,
  'changed by arrows': (victim) => `rmx ${victim}${ESC}[H${ESC}[C${ESC}[C${ESC}[3~\r`,
  'with its beginning typed last': (victim) => ` ${victim}\u0001rm\r`,
  'pasted within brackets': (victim) => `${ESC}[200~rm ${victim}${ESC}[201~\r`,
  'in a here document': (victim) => `sh <<end\rrm ${victim}\rend\r`,
  'over several lines': (victim) => `r\\\rm ${victim}\r`,
  'under another name': (victim) => `alias ls=rm\rls ${victim}\r`,
  'by a variable': (victim) => `x=r; y=m; $x$y ${victim}\r`,
  'without an echo': (victim) => `stty -echo\rrm ${victim}\rstty echo\r`,
  'with letters taken back': (victim) => `rmdir\u007f\u007f\u007f ${victim}\r`,
  'killed and yanked': (victim) => `rm ${victim}\u0015\u0019\r`,
};

async function typed(shell: Opened, keys: string): Promise<void> {
  // A shell that is not there yet reads what was typed before as a file would be read.
  await eventually('no prompt', () => /[$#] $/.test(shell.said.stdout.toString()));
  shell.channel.write(keys);
}

/** Does it where a shell is there. */
async function removes(
  world: SshWorld,
  client: SshClient,
  keys: (victim: string) => string,
): Promise<Opened> {
  world.place.reset();
  const victim = world.place.at('victim');
  const shell = await client.shell();
  await typed(shell, keys(victim));
  await eventually(
    () => `dead: it is not removed: ${shell.said.stdout.toString()}`,
    () => !existsSync(victim),
  );
  return shell;
}

/** No rule speaks of what is typed: there is a shell, or there is none. */
export const S2_NONE: SshGroup = {
  id: 'S2',
  attacks: Object.entries(TYPED).map(
    ([what, keys]): SshAttack => ({
      case: `a command that is typed ${what}, where policy permits commands and no shell`,
      run: async (world) => {
        const direct = await world.direct();
        const shell = await removes(world, direct, keys);
        shell.channel.end('exit\r');
        direct.close();
        world.place.reset();
        await unheard(world, async () => {
          const client = await world.through();
          const inTerminal = await client.shell().then(
            () => true,
            () => false,
          );
          must(!inTerminal, 'there is a terminal');
          const refused = await client.shell(false);
          refused.channel.write(keys(world.place.at('victim')));
          const { code } = await refused.end;
          must(code === 126, `the shell ended with ${code}`);
          client.close();
        });
      },
    }),
  ),
};

const SHELLS = `
@id("use") permit (principal, action in [Action::"connect", Action::"reveal", Action::"ssh"], resource);
@id("no-rm") forbid (principal, action == Action::"ssh.exec", resource) when { resource.program == "rm" };
`;

export const S2: SshGroup = {
  id: 'S2',
  policy: () => SHELLS,
  attacks: [
    ...Object.entries(TYPED).map(
      ([what, keys]): SshAttack => ({
        case: `a command that is typed ${what}, where there is a shell: its screen is on record`,
        run: async (world) => {
          const client = await world.through();
          const shell = await removes(world, client, keys);
          shell.channel.write('echo the-$((1 + 1))nd\r');
          await eventually('it does not go on', () => shell.said.stdout.includes('the-2nd'));
          const screen = shell.said.stdout.toString();
          const { kinds } = await world.recorded(client);
          must(kinds.get('request') === 'shell', `it is on record as ${kinds.get('request')}`);
          must(kinds.get('output')?.startsWith(screen) === true, 'the recording shows something else');
        },
      }),
    ),
    {
      case: 'what is typed without an echo, which is kept nowhere',
      run: async (world) => {
        const secret = 'Tr0ub4dor-and-3';
        const client = await world.through();
        const shell = await client.shell();
        await typed(shell, `read -rsp 'Word: ' word\r`);
        await eventually('it is not asked for', () => /Word: $/.test(shell.said.stdout.toString()));
        for (const key of `${secret}\r`) shell.channel.write(key);
        shell.channel.write('printf %s "got $word" | wc -c\r');
        await eventually('dead: it was not typed', () =>
          shell.said.stdout.includes(`${4 + secret.length}\r\n`),
        );
        const { kinds } = await world.recorded(client);
        must(kinds.get('input')?.includes('read -rsp') === true, 'dead: nothing that is typed is kept');
        must(![...kinds.values()].join().includes(secret.slice(0, 6)), 'it is in the recording');
      },
    },
  ],
};
