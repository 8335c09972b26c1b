/** S15: recordings of programs that write to whoever looks at them. */
import { must } from '../../attack.ts';
import type { SshAttack, SshGroup } from '../world.ts';

const ESC = '\u001b';
const [BEFORE, AFTER] = ['looked-at-4f1c', 'and-on-4f1c'];

/** What a viewer's terminal would do something of, by name. */
const HOSTILE: Readonly<Record<string, string>> = {
  'the clipboard is set (OSC 52)': `${ESC}]52;c;cm0gLXJmIC8=\u0007`,
  'the clipboard is asked for (OSC 52)': `${ESC}]52;c;?${ESC}\\`,
  'a link whose text says something else (OSC 8)': `${ESC}]8;;https://evil.example/${ESC}\\here${ESC}]8;;${ESC}\\`,
  'a title': `${ESC}]0;evil\u0007`,
  'the title is asked for, which a terminal types': `${ESC}[21t`,
  'a setting is asked for (DECRQSS)': `${ESC}P$q"p${ESC}\\`,
  'keys are defined (DECUDK)': `${ESC}P0;1|17/726d0d${ESC}\\`,
  'who are you (DA)': `${ESC}[c${ESC}[>c${ESC}[=c`,
  'where is the cursor (DSR)': `${ESC}[6n${ESC}[5n`,
  'answerback (ENQ)': '\u0005',
  'a font is set, or asked for (OSC 50)': `${ESC}]50;?\u0007${ESC}]50;#+1\u0007`,
  'colours are asked for (OSC 4, 10, 11)': `${ESC}]4;1;?\u0007${ESC}]10;?\u0007${ESC}]11;?\u0007`,
  'a file is sent (OSC 1337)': `${ESC}]1337;File=name=eA==;inline=0:cm0=\u0007`,
  'a notice (OSC 9, 777)': `${ESC}]9;evil\u0007${ESC}]777;notify;evil;evil\u0007`,
  sixel: `${ESC}Pq#0;2;0;0;0#0~~@@vv@@~~${ESC}\\`,
  'an image (APC)': `${ESC}_Gf=24,s=1,v=1;AAAA${ESC}\\`,
  'the mouse, focus and pastes are told': `${ESC}[?1000h${ESC}[?1003h${ESC}[?1006h${ESC}[?1004h${ESC}[?2004h`,
  'the window is moved and made small': `${ESC}[3;0;0t${ESC}[8;1;1t${ESC}[2t`,
  'the keyboard is locked, keys mean something else': `${ESC}[2h${ESC}[?1h${ESC}=${ESC}[>4;2m`,
  'what was scrolled away is erased': `${ESC}[3J`,
  'a reset': `${ESC}c${ESC}[!p`,
  'it is printed (media copy)': `${ESC}[5i${ESC}[?5i`,
  'what is written and not seen': `${ESC}[8mrm -rf /${ESC}[28m`,
  'letters from right to left': '\u202erm -rf /\u202c\u2066x\u2069',
  'controls of eight bits': '\u009b6n\u009d52;c;cm0=\u009c',
};

/** Begin what is asked of a terminal, or changes more of it than its screen; what replay itself writes at the end is none of it. */
const ASKS = new RegExp(
  [
    `${ESC}[\\]P_^X=>c]`,
    `${ESC}\\[[\\d;>=?!]*[cntixp]`,
    `${ESC}\\[\\?(1|100\\d|1006|2004)h`,
    `${ESC}\\[3J`,
    `${ESC}\\[(?:[\\d;]*;)?8m`,
    `${ESC}\\[2h`,
    '[\\u0005\\u0080-\\u009f\\u202a-\\u202e\\u2066-\\u2069]',
  ].join('|'),
);

const octal = (text: string) =>
  [...Buffer.from(text)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');

/** A program writes it, and it is recorded as it was; who plays that sees what stands around it, and no more. */
function written(what: string, text: string): SshAttack {
  return {
    case: what,
    run: async (world) => {
      must(ASKS.test(text), 'dead: nothing would be asked of a terminal');
      const command = `printf '${BEFORE}${octal(text)}${AFTER}\\n'`;
      const whole = `${BEFORE}${text}${AFTER}`;
      const client = await world.through();
      const { stdout } = await client.exec(command, { pty: true });
      must(stdout.toString().includes(whole), 'dead: its client did not get it');
      const { id, kinds } = await world.recorded(client);
      must(kinds.get('output')?.includes(whole) === true, 'the recording is not faithful');
      const played = await world.played(id);
      must(played.code === 0, `it is not played: ${played.stderr}`);
      const [asked] = ASKS.exec(played.stdout + played.stderr) ?? [];
      must(
        asked === undefined,
        `a viewer's terminal is asked ${JSON.stringify(asked)}: ${JSON.stringify(played.stdout)}`,
      );
      for (const mark of [BEFORE, AFTER]) must(played.stdout.includes(mark), `${mark} is not shown`);
      const file = await world.hoopctl('session', 'replay', id, '--asciicast', '-');
      if (file.exitCode === 0) must(!file.stdout.includes(ESC), 'a line of the file acts by itself');
    },
  };
}

export const S15: SshGroup = {
  id: 'S15',
  policy: () => '@id("all") permit (principal, action, resource);',
  attacks: [
    ...Object.entries(HOSTILE).map(([what, text]) => written(what, text)),
    {
      case: 'the other screen, which is left at the end',
      run: async (world) => {
        const client = await world.through();
        await client.exec(`printf '${octal(`${ESC}[?1049h${BEFORE}${ESC}[?25l${ESC}[1;1r`)}'`, { pty: true });
        const { id } = await world.recorded(client);
        const { stdout } = await world.played(id);
        const at = (text: string) => stdout.lastIndexOf(text);
        must(at(BEFORE) > at(`${ESC}[?1049h`) && at(BEFORE) !== -1, 'dead: it is not shown');
        for (const back of [`${ESC}[?1049l`, `${ESC}[?25h`, `${ESC}[r`])
          must(at(back) > at(BEFORE), `${JSON.stringify(back)} does not come: ${JSON.stringify(stdout)}`);
      },
    },
    {
      case: 'ten thousand sizes of a terminal, of which a viewer keeps their own',
      run: async (world) => {
        const client = await world.through();
        const { channel, end, said } = await client.open(`read x; printf '${BEFORE}\\n'`, { pty: true });
        for (let n = 0; n < 10_000; n++) channel.setWindow(1 + (n % 200), 1 + (n % 300), 0, 0);
        channel.end('x\r');
        await end;
        must(said.stdout.includes(BEFORE), 'dead: nothing comes');
        const { id } = await world.recorded(client);
        const { stdout, code } = await world.played(id);
        must(code === 0 && stdout.includes(BEFORE), 'it is not played');
        must(!new RegExp(`${ESC}\\[8;`).test(stdout), "the viewer's window is resized");
        must(stdout.length < 1024 * 1024, `${stdout.length} characters are shown of it`);
      },
    },
  ],
};
