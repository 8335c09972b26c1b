/** S13, S16 and S18: hosts that are not who they are taken for, how commands end, and sessions that have lasted as long as they may. */
import { freshKey } from '../../../support/ssh/fresh-key.ts';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import type { SshAttack, SshGroup, SshWorld } from '../world.ts';

const ENDINGS: readonly (readonly [string, number | undefined, string | undefined])[] = [
  ...[0, 1, 2, 125, 126, 127, 128, 254, 255].map((code) => [`exit ${code}`, code, undefined] as const),
  ...['TERM', 'KILL', 'USR1', 'SEGV'].map((name) => [`kill -${name} $$`, undefined, name] as const),
];

/** Honest: it ends as where no gateway stands. */
function ends([command, code, signal]: (typeof ENDINGS)[number]): SshAttack {
  return {
    case: `${command} ends as it does where no gateway stands`,
    hosts: ['OpenSSH', 'dropbear'],
    run: async (world) => {
      const { direct, through } = await world.shared();
      for (const client of [direct, through]) {
        const ran = await client.exec(command);
        must(ran.code === code, `it ended with ${ran.code}`);
        must(ran.signal?.replace(/^SIG/, '') === signal, `it was ended by ${ran.signal}`);
      }
    },
  };
}

/** The host is another one: it is sent no login, whatever is asked. */
const STRANGER: readonly SshAttack[] = ['a command', 'files', 'a connection'].map((what) => ({
  case: `${what}, of a host that is not who it is taken for`,
  hosts: ['OpenSSH', 'dropbear'],
  run: async (world) => {
    const { place } = world;
    const logins = () => world.host.log.match(/publickey|Pubkey|password/gi)?.length ?? 0;
    const direct = await world.direct();
    must((await direct.exec('true')).code === 0 && logins() > 0, 'dead: nobody logs in');
    const before = logins();
    const client = await world.through();
    if (what === 'a connection') {
      const refused = await client
        .forward('127.0.0.1', world.host.port)
        .catch((error: Error) => error.message);
      must(String(refused).includes('ERR_TARGET_IDENTITY'), `it was answered by ${String(refused)}`);
    } else {
      const { channel, end } =
        what === 'files' ? await client.subsystem('sftp') : await client.open(`rm ${place.at('victim')}`);
      channel.end();
      const { code, stderr } = await end;
      must(code === 255 && stderr.includes('ERR_TARGET_IDENTITY'), `it ended with ${code}: ${stderr}`);
    }
    must(logins() === before, 'the host was sent a login');
  },
}));

const ALL = () => '@id("all") permit (principal, action, resource);';

/** Known by another key, of this kind or another, by an authority, or by both. */
const OTHERS: readonly (() => string)[] = [
  () => `hostKeys: ["${freshKey().line}"]`,
  () => `hostCa: ["${freshKey().line}"]`,
  () => `hostKeys: ["${freshKey().line}"], hostCa: ["${freshKey().line}"]`,
];

export const S13: readonly SshGroup[] = OTHERS.map((trust) => ({
  id: 'S13',
  policy: ALL,
  trust,
  attacks: STRANGER,
}));

export const S16: SshGroup = {
  id: 'S16',
  policy: ALL,
  attacks: [
    ...ENDINGS.map(ends),
    {
      case: 'a host that is gone amid a command: 255, and why',
      run: async (world) => {
        const kills = 'kill -9 $PPID; sleep 5';
        const direct = await world.direct();
        await direct.exec(kills).catch(() => undefined);
        must(direct.closed, 'dead: the host stays');
        const { code, stderr } = await (await world.through()).exec(kills);
        must(code === 255 && stderr.includes('ERR_TARGET_LOST'), `it ended with ${code}: ${stderr}`);
      },
    },
    ...[0, 1, 2, 126, 127, 128, 255].map((code) => ({
      case: `hoopctl ssh -- exit ${code}`,
      run: async (world: SshWorld) => {
        const ran = await world.hoopctl('ssh', 'box', '--', `echo said; exit ${code}`);
        must(
          ran.exitCode === code && ran.stdout === 'said\n',
          `it ended with ${ran.exitCode}: ${ran.stderr}`,
        );
      },
    })),
  ],
};

/** What runs at the host writes on and on, until it hears that nobody is there. */
const WRITES = 'while sleep 0.05; do echo on || exit; done';

/** Somebody ends the session: within a second nothing goes on, and its client is told. */
export const S18_KILLED: SshGroup = {
  id: 'S18',
  policy: ALL,
  attacks: ['a command', 'a shell', 'files', 'a connection'].map((what) => ({
    case: `${what}, in a session that somebody ends`,
    run: async (world) => {
      const client = await world.through();
      const { said } = await client.open(WRITES);
      if (what === 'a shell') await client.shell();
      else if (what === 'files') await client.subsystem('sftp');
      else if (what === 'a connection') await client.forward('127.0.0.1', world.host.port);
      await eventually('dead: nothing is printed', () => said.stdout.length > 0);
      const { sessions } = world.gateway.gateway;
      const [live] = sessions.list();
      must(live !== undefined, 'dead: there is no session');
      const ended = world.hoopctl('session', 'kill', live.ref.id);
      await eventually('it is not ended', () => sessions.find(live.ref.id) === undefined);
      const begun = Date.now();
      await eventually('the connection goes on', () => client.closed);
      must(Date.now() - begun < 1000, `it went on for ${Date.now() - begun} ms`);
      must((await ended).exitCode === 0, 'it could not be ended');
      must(said.stderr.includes('ERR_'), `its client is not told: ${said.stderr}`);
    },
  })),
};

export const S18: SshGroup = {
  id: 'S18',
  policy: ALL,
  resource: '    session: { max: 3s }',
  attacks: ['a command', 'a shell', 'files'].map((what) => ({
    case: `${what}, beyond the moment until which the session was given`,
    run: async (world) => {
      const direct = await world.direct();
      const kept = await direct.open(WRITES);
      const client = await world.through();
      const begun = Date.now();
      if (what === 'a command') await client.open(WRITES);
      else if (what === 'a shell') await client.shell();
      else await client.subsystem('sftp');
      await eventually('the connection goes on', () => client.closed);
      const lasted = Date.now() - begun;
      must(lasted < 4_500, `it lasted ${lasted} ms`);
      must(!direct.closed && kept.said.stdout.length > 0, 'dead: it ends where no gateway stands, too');
    },
  })),
};
