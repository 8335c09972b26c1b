/** S3, S8 and S9: what is asked of one channel, in which order, how often, and with which variables. */
import { string, uint32 } from '../../../../src/wire/ssh/fields.ts';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import { servesOn } from '../attack.ts';
import type { SshClient } from '../client.ts';
import { RawChannel } from '../raw-channel.ts';
import type { SshAttack, SshGroup } from '../world.ts';

interface Told {
  readonly channel: RawChannel;
  readonly client: SshClient;
  /** Permitted. */
  readonly look: string;
  /** Denied: it acts. */
  readonly act: string;
}

const TERMINAL = [string('xterm'), uint32(80), uint32(24), uint32(0), uint32(0), string('')];

/** On one channel something is asked that must have no effect; others on the connection are served. */
function onChannel(what: string, steps: (told: Told) => void): SshAttack {
  return {
    case: what,
    run: async (world) => {
      const { place } = world;
      const act = `rm ${place.at('victim')}`;
      place.reset();
      const before = place.state();
      await (await world.shared()).direct.exec(act);
      must(place.state() !== before, 'dead: the command does nothing');
      place.reset();
      const kept = place.state();
      const client = await world.through();
      const channel = await RawChannel.open(client);
      must(channel !== undefined, 'no channel is opened');
      steps({ channel, client, act, look: `ls ${place.at('data')}` });
      // Both are answered behind all that was asked.
      must(!(await client.ask('keepalive@openssh.com')), 'what nobody knows is said to be done');
      await servesOn(world);
      must(
        client.closed || (await client.exec(`ls ${place.at('data')}`)).code === 0,
        'the connection does not go on',
      );
      must(place.state() === kept, `it had its effect:\n${place.state()}`);
    },
  };
}

export const S3: SshGroup = {
  id: 'S3',
  attacks: [
    onChannel('exec of what is denied', ({ channel, act }) => channel.exec(act)),
    onChannel('exec without an answer', ({ channel, act }) => channel.exec(act, false)),
    onChannel('a second exec on the channel', ({ channel, look, act }) => {
      channel.exec(look);
      channel.exec(act);
    }),
    onChannel('a second exec, without an answer', ({ channel, look, act }) => {
      channel.exec(look, false);
      channel.exec(act, false);
    }),
    onChannel('exec twenty times', ({ channel, look, act }) => {
      for (let time = 0; time < 20; time++) channel.exec(time === 0 ? look : act);
    }),
    onChannel('a shell behind an exec, and what is typed there', ({ channel, look, act }) => {
      channel.exec(look);
      channel.request('shell', true);
      channel.data(`${act}\n`);
    }),
    onChannel('exec behind a shell', ({ channel, act }) => {
      channel.request('shell', true);
      channel.exec(act);
    }),
    onChannel('a shell, and what is typed there', ({ channel, act }) => {
      channel.request('shell', true);
      channel.data(`${act}\nexit\n`);
    }),
    onChannel('a terminal, a shell, and what is typed there', ({ channel, act }) => {
      channel.request('pty-req', true, ...TERMINAL);
      channel.request('shell', true);
      channel.data(`${act}\rexit\r`);
    }),
    onChannel('sftp behind an exec', ({ channel, look }) => {
      channel.exec(look);
      channel.request('subsystem', true, string('sftp'));
    }),
    onChannel('what is typed before an exec', ({ channel, look, act }) => {
      channel.data(`${act}\n`);
      channel.exec(look);
    }),
    onChannel('exec with octets behind the command', ({ channel, look, act }) =>
      channel.request('exec', true, string(look), string(`;${act}`)),
    ),
    onChannel('exec of two lengths', ({ channel, look, act }) =>
      channel.request('exec', true, Buffer.concat([uint32(look.length), Buffer.from(`${look}\n${act}`)])),
    ),
    onChannel('exec behind the end of input', ({ channel, act }) => {
      channel.eof();
      channel.exec(act);
    }),
    onChannel('exec on a channel that was closed', ({ channel, act }) => {
      channel.close();
      channel.exec(act);
    }),
    onChannel('exec on channels that nobody opened', ({ client, act }) => {
      for (const id of [1, 7, 255, 0x7fffffff])
        client.say(Buffer.concat([Buffer.of(98), uint32(id), string('exec'), Buffer.of(1), string(act)]));
    }),
    onChannel('EXEC in capitals', ({ channel, act }) => channel.request('EXEC', true, string(act))),
    onChannel('exec with a NUL behind its name', ({ channel, act }) =>
      channel.request('exec\0', true, string(act)),
    ),
    onChannel('a command with NUL in it', ({ channel, look, act }) => channel.exec(`${look}\0;${act}`)),
    onChannel('a command that is no UTF-8', ({ channel, look, act }) =>
      channel.request('exec', true, string(Buffer.from(`${look} \xff\xfe;${act}`, 'latin1'))),
    ),
    onChannel('a terminal behind an exec', ({ channel, look }) => {
      channel.exec(look);
      channel.request('pty-req', true, ...TERMINAL);
    }),
    onChannel('an exit status of the client itself', ({ channel, act }) => {
      channel.request('exit-status', false, uint32(0));
      channel.exec(act);
    }),
  ],
};

const MARK = 'marked-4f1c';
const NAMES = [
  ...[
    'LD_PRELOAD',
    'LD_LIBRARY_PATH',
    'LD_AUDIT',
    'BASH_ENV',
    'ENV',
    'PROMPT_COMMAND',
    'GIT_SSH_COMMAND',
    'GIT_EXEC_PATH',
  ],
  ...[
    'SSH_ASKPASS',
    'PYTHONSTARTUP',
    'PYTHONPATH',
    'PERL5OPT',
    'NODE_OPTIONS',
    'TERMINFO',
    'LOCPATH',
    'LANGUAGE',
  ],
  ...[
    'GCONV_PATH',
    'HOSTALIASES',
    'LESSOPEN',
    'PAGER',
    'EDITOR',
    'BASH_FUNC_ls%%',
    'lc_all',
    'LC',
    'LANG_X',
    'XLC_ALL',
    'TMPDIR',
  ],
];

/** What is set is shown by `env` where no gateway stands. */
function variable(name: string): SshAttack {
  return {
    case: `the variable ${name}`,
    run: async (world) => {
      const value = name.startsWith('BASH_FUNC') ? `() { echo ${MARK}; }` : MARK;
      const { direct, through } = await world.shared();
      const shown = (client: SshClient) => client.exec('env', { env: { [name]: value } });
      must((await shown(direct)).stdout.includes(MARK), 'dead: the host does not take it');
      const { code, stdout } = await shown(through);
      must(code === 0 && stdout.includes('SSH_CONNECTION='), `the command was not run: ${code}`);
      must(!stdout.includes(MARK), 'the host has it');
    },
  };
}

export const S8: SshGroup = {
  id: 'S8',
  policy: () => `
@id("use") permit (principal, action in [Action::"connect", Action::"reveal"], resource);
@id("look") permit (principal, action == Action::"ssh.exec", resource is Command)
when { ["env", "ls"].contains(resource.program) && !context.envNames.contains("LC_FORBIDDEN") };`,
  attacks: [
    ...NAMES.map(variable),
    {
      case: 'a variable that policy looks at, set behind the command',
      run: async (world) => {
        const client = await world.through();
        const channel = (await RawChannel.open(client))!;
        channel.exec('env');
        channel.request('env', true, string('LC_FORBIDDEN'), string(MARK));
        await client.heard(
          'an end',
          ({ name, fields }) => name === 'CHANNEL_CLOSE' && fields[0] === channel.received[0]?.fields[0],
        );
        const said = channel.received
          .filter(({ name }) => name === 'CHANNEL_DATA')
          .map(({ fields }) => String(fields[1]));
        must(said.join('').includes('SSH_CONNECTION='), 'the command was not run');
        must(!said.join('').includes(MARK) && channel.answers.failed === 1, 'it was set');
      },
    },
    ...[
      'PATH',
      'IFS',
      'HOME',
      'SHELL',
      'USER',
      'SSH_CONNECTION',
      'LC_A=B',
      'LC_A B',
      'LANG\0',
      '',
      '=',
      'LC_\u00e9',
    ].map(
      (name): SshAttack => ({
        case: `the variable ${JSON.stringify(name)} is not taken`,
        run: async (world) => {
          const client = await world.through();
          const channel = (await RawChannel.open(client))!;
          channel.request('env', true, string('LC_ALL'), string(MARK));
          channel.request('env', true, string(name), string(MARK));
          must(!(await client.ask('keepalive@openssh.com')), 'what nobody knows is said to be done');
          const { done, failed } = channel.answers;
          must(done === 1, 'dead: LC_ALL is not taken');
          must(failed === 1, 'it was taken');
        },
      }),
    ),
    {
      case: '10,000 variables',
      run: async (world) => {
        const client = await world.through();
        const channel = (await RawChannel.open(client))!;
        for (let n = 0; n < 10_000; n++) channel.request('env', true, string(`LC_N${n}`), string('x'));
        must(!(await client.ask('keepalive@openssh.com')), 'what nobody knows is said to be done');
        const { done, failed } = channel.answers;
        must(done <= 64 && done + failed === 10_000, `${done} of them were taken, ${failed} were not`);
        await servesOn(world);
      },
    },
    {
      case: 'a variable of 200 kB',
      run: async (world) => {
        const client = await world.through();
        const channel = (await RawChannel.open(client))!;
        channel.request('env', true, string('LC_LONG'), string('x'.repeat(200_000)));
        await client.ask('keepalive@openssh.com').catch(() => undefined);
        must(client.closed || channel.answers.failed === 1, 'it was taken');
        await servesOn(world);
      },
    },
  ],
};

export const S9: SshGroup = {
  id: 'S9',
  attacks: [
    onChannel('sizes of a terminal that there is none of, ten thousand times', ({ channel }) => {
      for (let n = 0; n < 10_000; n++)
        channel.request('window-change', false, uint32(n), uint32(n), uint32(0), uint32(0));
    }),
    onChannel('signals before anything runs', ({ channel }) => {
      for (const name of ['KILL', 'TERM', 'USR1', 'x'.repeat(10_000), ''])
        channel.request('signal', false, string(name));
    }),
    onChannel('a thousand signals', ({ channel, look }) => {
      channel.exec(look);
      for (let n = 0; n < 1000; n++) channel.request('signal', false, string('KILL'));
    }),
    onChannel('a break', ({ channel, look }) => {
      channel.exec(look);
      channel.request('break', true, uint32(500));
    }),
    onChannel('no more is taken', ({ channel }) => channel.request('eow@openssh.com', false)),
    onChannel('what nobody knows, with an answer', ({ channel }) =>
      channel.request('x@example.com', true, string('y')),
    ),
    onChannel('what nobody knows, without', ({ channel }) =>
      channel.request('x@example.com', false, string('y')),
    ),
    onChannel('X11', ({ channel, look }) => {
      channel.request('x11-req', true, Buffer.of(0), string('MIT-MAGIC-COOKIE-1'), string('00'), uint32(0));
      channel.exec(look);
    }),
    onChannel('flow control', ({ channel, look }) => {
      channel.exec(look);
      channel.request('xon-xoff', false, Buffer.of(1));
    }),
    onChannel('answers to what nobody asked', ({ client, channel }) => {
      for (const type of [99, 100]) client.say(Buffer.concat([Buffer.of(type), uint32(channel.id)]));
    }),
    onChannel('a window that overflows', ({ client, channel, look }) => {
      for (let n = 0; n < 4; n++)
        client.say(Buffer.concat([Buffer.of(93), uint32(channel.id), uint32(0xffffffff)]));
      channel.exec(look);
    }),
    {
      case: 'a window that is given before anything runs counts, as where no gateway stands',
      run: async (world) => {
        const look = `ls -R ${world.place.path}`;
        for (const client of [await world.direct(), await world.through()]) {
          const channel = (await RawChannel.open(client, 0))!;
          channel.window(100_000);
          channel.exec(look);
          const ended = () => channel.received.some(({ name }) => name === 'CHANNEL_CLOSE');
          await eventually('it has no end', ended);
          must(
            channel.received.some(({ name }) => name === 'CHANNEL_DATA'),
            'it has no output',
          );
        }
      },
    },
    onChannel('data of other kinds', ({ client, channel, look, act }) => {
      channel.exec(look);
      for (const kind of [0, 1, 2, 0xffffffff])
        client.say(Buffer.concat([Buffer.of(95), uint32(channel.id), uint32(kind), string(`${act}\n`)]));
    }),
  ],
};
