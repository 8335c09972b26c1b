/** S4: files, by every way in which they are named, opened and moved. */
import { PACKET } from '../../../../src/protocols/ssh/sftp/packets.ts';
import { string, uint32, uint64 } from '../../../../src/wire/ssh/fields.ts';
import { must } from '../../attack.ts';
import { acts, servesOn } from '../attack.ts';
import { SECRET } from '../place.ts';
import { FLAG, mode, NO_ATTRIBUTES, Sftp } from '../sftp.ts';
import type { SshAttack, SshGroup } from '../world.ts';

type Steps = (sftp: Sftp, at: (name: string) => string) => Promise<unknown>;

/** By bare packets: where no gateway stands they change the place, or show the secret. */
function packets(what: string, steps: Steps): SshAttack {
  return {
    case: what,
    hosts: ['OpenSSH', 'dropbear'],
    run: async (world) => {
      const { place } = world;
      const { direct, through } = await world.shared();
      const tried = async (client: typeof direct) => {
        place.reset();
        const before = place.state();
        const sftp = await Sftp.open(client);
        await steps(sftp, (name) => place.at(name));
        await sftp.close();
        if (sftp.received.includes(SECRET)) return 'the secret was shown';
        return place.state() === before ? undefined : `it had its effect:\n${place.state()}`;
      };
      must((await tried(direct)) !== undefined, 'dead: nothing comes of it where no gateway stands');
      const how = await tried(through);
      must(how === undefined, String(how));
    },
  };
}

/** A program of OpenSSH's or rsync, which ends otherwise, and does nothing. */
function program(
  what: string,
  name: string,
  args: (at: (name: string) => string, away: string, command: string) => readonly string[],
  input: (at: (name: string) => string) => string = () => '',
): SshAttack {
  return {
    case: what,
    run: async (world) => {
      const { place } = world;
      const at = (one: string) => place.at(one);
      const tried = async (by: 'program' | 'programDirect') => {
        place.reset();
        place.write('log/list', `${place.path}/secret/shadow\n`);
        const before = place.state();
        const { stdout } = await world[by](name, args(at, place.away, world.command(by)), input(at));
        return stdout.includes(SECRET) || place.state() !== before;
      };
      must(await tried('programDirect'), 'dead: nothing comes of it where no gateway stands');
      must(!(await tried('program')), `it had its effect:\n${place.state()}`);
    },
  };
}

/** Ways to the secret that begin with what is permitted, and others. */
const WAYS = [
  ...['secret/shadow', 'data/../secret/shadow', 'data/./../secret/shadow', 'data//..//secret//shadow'],
  ...[
    'data/sub/../../secret/shadow',
    'data/out',
    'data/./out',
    'data/sub/../out',
    'data/up/shadow',
    'data/up/./shadow',
  ],
  ...['data/up/../secret/shadow', 'data/up/../data/out', 'data/up/../data/up/shadow', 'data/../data/out'],
];

const reads: readonly SshAttack[] = [
  ...WAYS.map((way) => packets(`reads ${way}`, (sftp, at) => sftp.read(`${at('')}/${way}`))),
  packets('reads by the way of the root of a process', (sftp, at) =>
    sftp.read(`/proc/self/root${at('secret/shadow')}`),
  ),
  packets('reads from where the session begins', (sftp, at) =>
    sftp.read(`${'../'.repeat(12)}.${at('secret/shadow')}`),
  ),
  packets('reads by slashes before the path', (sftp, at) => sftp.read(`///${at('secret/shadow')}`)),
  packets('reads what it has opened for creating', (sftp, at) => sftp.read(at('secret/shadow'), FLAG.create)),
  packets('reads a hard link that it makes', async (sftp, at) => {
    await sftp.extended('hardlink@openssh.com', string(at('secret/shadow')), string(at('data/hard')));
    await sftp.read(at('data/hard'));
  }),
  packets('reads a link that it makes', async (sftp, at) => {
    await sftp.send(PACKET.symlink, string(at('secret/shadow')), string(at('data/made')));
    await sftp.read(at('data/made'));
  }),
  packets('reads what it has renamed', async (sftp, at) => {
    await sftp.send(PACKET.rename, string(at('secret')), string(at('data/secret')));
    await sftp.read(at('data/secret/shadow'));
  }),
];

const FLAGS = [
  ...[FLAG.write, FLAG.read | FLAG.write, FLAG.write | FLAG.append, FLAG.write | FLAG.truncate],
  ...[FLAG.truncate, FLAG.read | FLAG.truncate, FLAG.write | FLAG.create],
];

const changes: readonly SshAttack[] = [
  ...FLAGS.map((flags) =>
    packets(`opens with the flags ${flags}`, (sftp, at) => sftp.write(at('data/report'), flags)),
  ),
  packets('makes a file', (sftp, at) => sftp.write(at('data/new'), FLAG.write | FLAG.create)),
  packets('makes a file, reading', (sftp, at) => sftp.read(at('data/new'), FLAG.read | FLAG.create)),
  packets('makes a file by appending', (sftp, at) => sftp.read(at('data/new'), FLAG.append | FLAG.create)),
  packets('makes a file through a link', (sftp, at) =>
    sftp.write(at('data/up/new'), FLAG.write | FLAG.create),
  ),
  packets('removes', (sftp, at) => sftp.send(PACKET.remove, string(at('data/report')))),
  packets('removes a link', (sftp, at) => sftp.send(PACKET.remove, string(at('data/out')))),
  packets('makes a directory', (sftp, at) => sftp.send(PACKET.mkdir, string(at('data/new')), NO_ATTRIBUTES)),
  packets('removes a directory', async (sftp, at) => {
    await sftp.send(PACKET.remove, string(at('log/app')));
    await sftp.send(PACKET.rmdir, string(at('log')));
  }),
  packets('renames', (sftp, at) =>
    sftp.send(PACKET.rename, string(at('data/report')), string(at('data/other'))),
  ),
  packets('renames as POSIX does', (sftp, at) =>
    sftp.extended('posix-rename@openssh.com', string(at('data/report')), string(at('data/sub/more'))),
  ),
  packets('links', (sftp, at) => sftp.send(PACKET.symlink, string('report'), string(at('data/made')))),
  packets('links hard', (sftp, at) =>
    sftp.extended('hardlink@openssh.com', string(at('data/report')), string(at('data/made'))),
  ),
  packets('changes a mode', (sftp, at) => sftp.send(PACKET.setstat, string(at('data/report')), mode(0o777))),
  packets('changes a size', (sftp, at) =>
    sftp.send(PACKET.setstat, string(at('data/report')), uint32(1), uint64(0n)),
  ),
  packets('changes an owner', (sftp, at) =>
    sftp.send(PACKET.setstat, string(at('data/report')), uint32(2), uint32(7), uint32(7)),
  ),
  packets('changes times', (sftp, at) =>
    sftp.send(PACKET.setstat, string(at('data/report')), uint32(8), uint32(7), uint32(7)),
  ),
  packets('changes the mode of what a link leads to', (sftp, at) =>
    sftp.send(PACKET.setstat, string(at('data/out')), mode(0o777)),
  ),
  packets('changes the mode of what it reads', async (sftp, at) => {
    const handle = await sftp.handle(at('data/report'), FLAG.read);
    await sftp.send(PACKET.fsetstat, string(handle!), mode(0o777));
  }),
  packets('changes times of a link', (sftp, at) =>
    sftp.extended('lsetstat@openssh.com', string(at('data/report')), uint32(8), uint32(7), uint32(7)),
  ),
];

const programs: readonly SshAttack[] = [
  program(
    'sftp, get',
    'sftp',
    (at) => ['-b', '-', `box:${at('data')}/`],
    (at) => `-get out ${at('stolen')}\n-get ../secret/shadow ${at('stolen')}\n`,
  ),
  program(
    'sftp, put',
    'sftp',
    () => ['-b', '-', 'box'],
    (at) => `put /etc/hostname ${at('data/new')}\n`,
  ),
  program(
    'sftp, rm',
    'sftp',
    () => ['-b', '-', 'box'],
    (at) => `rm ${at('victim')}\n`,
  ),
  program(
    'sftp, ln',
    'sftp',
    () => ['-b', '-', 'box'],
    (at) => `ln -s ${at('secret')} ${at('data/made')}\n`,
  ),
  program(
    'sftp, chmod',
    'sftp',
    () => ['-b', '-', 'box'],
    (at) => `chmod 777 ${at('data/report')}\n`,
  ),
  program('scp to it', 'scp', (at) => ['/etc/hostname', `box:${at('data/new')}`]),
  program('scp to it, as of old', 'scp', (at) => ['-O', '/etc/hostname', `box:${at('data/new')}`]),
  program('scp -p to it', 'scp', (at) => ['-p', '/etc/hostname', `box:${at('data/report')}`]),
  program('scp -r to it', 'scp', (at) => ['-r', '/etc/ssh', `box:${at('data/new')}`]),
  program('scp of a command', 'scp', (at, away) => ['-O', `box:$(touch ${at('hit')})`, away]),
];

export const S4: SshGroup = {
  id: 'S4',
  attacks: [
    ...reads,
    ...changes,
    ...programs,
    ...[
      'SFTP',
      'sftp ',
      ' sftp',
      'sftp\n',
      'sftp-server',
      'netconf',
      '/usr/lib/sftp-server',
      '-sftp',
      '',
    ].map(noSubsystem),
  ],
};

/** It is another one than what is permitted, whatever the host would make of its name. */
function noSubsystem(name: string): SshAttack {
  return {
    case: `the subsystem ${JSON.stringify(name)}`,
    run: async (world) => {
      const { channel, end } = await (await world.through()).subsystem(name);
      channel.end();
      const { code, stderr } = await end;
      must(code === 126 && stderr.includes('"rule":'), `it ended with ${code}: ${stderr}`);
      await servesOn(world);
    },
  };
}

/** Files may be left in `drop`, and nobody sees what is there; programs that move files may do so within `data`. */
const DROP = (place: string) => `
@id("use") permit (principal, action in [Action::"connect", Action::"reveal", Action::"ssh.subsystem"], resource);
@id("drop") permit (principal, action in [Action::"sftp.put", Action::"sftp.stat"], resource is Path) when { resource.path like "${place}/drop/*" };
@id("movers") permit (principal, action == Action::"ssh.exec", resource is Command)
when { ["scp", "rsync", "/usr/bin/rsync", "/usr/bin/scp"].contains(resource.program) };
@id("data") permit (principal, action in Action::"sftp", resource is Path)
when { resource.path == "${place}/data" || resource.path like "${place}/data/*" };
@id("look") permit (principal, action == Action::"ssh.exec", resource is Command) when { resource.program == "ls" };
`;

const rsync = (what: string, args: (at: (name: string) => string, away: string) => readonly string[]) =>
  program(what, 'rsync', (at, away, command) => ['-e', command, ...args(at, away)]);

export const S4_DROP: SshGroup = {
  id: 'S4',
  policy: DROP,
  attacks: [
    ...[FLAG.append, FLAG.create, FLAG.create | FLAG.append, FLAG.read, 0].map((flags) =>
      packets(`reads what may only be left there, opened with the flags ${flags}`, (sftp, at) =>
        sftp.read(at('drop/box'), flags),
      ),
    ),
    packets('reads it as it writes to it', (sftp, at) => sftp.read(at('drop/box'), FLAG.read | FLAG.write)),
    packets('copies it within the host', async (sftp, at) => {
      const from = await sftp.handle(at('drop/box'), FLAG.append);
      const to = await sftp.handle(at('data/report'), FLAG.read | FLAG.write);
      if (from === undefined || to === undefined) return;
      await sftp.extended('copy-data', string(from), uint64(0n), uint64(0n), string(to), uint64(0n));
      await sftp.readFrom(to);
    }),
    rsync('rsync of what is elsewhere', (at) => [`box:${at('secret/shadow')}`, at('stolen')]),
    rsync('rsync to elsewhere', (at) => ['/etc/hostname', `box:${at('hit')}`]),
    rsync('rsync by a list that lies at the host', (at) => [
      '-r',
      `--files-from=:${at('log/list')}`,
      'box:/',
      at('stolen'),
    ]),
    rsync('rsync by its path', (at) => [
      '--rsync-path=/usr/bin/rsync',
      '-r',
      `box:${at('secret')}`,
      at('stolen'),
    ]),
    rsync('rsync that logs', (at, away) => [`-M--log-file=${at('hit')}`, `box:${at('data/report')}`, away]),
    rsync('rsync that keeps what it replaces elsewhere', (at) => [
      '-b',
      '-I',
      `--backup-dir=${at('hit')}`,
      '/etc/hostname',
      `box:${at('data/report')}`,
    ]),
    rsync('rsync that begins another program', (at, away) => [
      `--rsync-path=touch ${at('hit')}; rsync`,
      `box:${at('data/report')}`,
      away,
    ]),
    acts('rsync at the host itself', (place) => `rsync ${place}/secret/shadow ${place}/data/copy`),
    acts(
      'rsync that starts what it is told to',
      (place) => `rsync -e 'sh -c ">${place}/hit"' x:y ${place}/data`,
    ),
    acts('scp at the host itself', (place) => `scp ${place}/secret/shadow ${place}/data/copy`, {
      hosts: ['OpenSSH'],
    }),
    acts(
      'scp that starts what it is told to',
      (place) => `scp -o 'ProxyCommand=touch ${place}/hit' x:y ${place}/data`,
    ),
    acts('scp of what is elsewhere', (place) => `scp -f ${place}/secret/shadow`, { input: '\0\0\0\0' }),
    acts('scp by its path', (place) => `/usr/bin/scp -f ${place}/secret/shadow`, { input: '\0\0\0\0' }),
    acts('scp with an option that nobody knows', (place) => `scp -q -f ${place}/secret/shadow`, {
      input: '\0\0\0\0',
    }),
  ],
};

/** As `DROP`; whom a file that is left there runs as, is not for who leaves it to say. */
export const S4_MODES: SshGroup = {
  id: 'S4',
  policy: (place) => `
@id("use") permit (principal, action in [Action::"connect", Action::"reveal", Action::"ssh.subsystem"], resource);
@id("drop") permit (principal, action in [Action::"sftp.put", Action::"sftp.get", Action::"sftp.mkdir"], resource is Path)
when { resource.path like "${place}/drop/*" };`,
  attacks: [0o4755, 0o2755, 0o6777].map((bits) =>
    packets(`makes a file with the mode ${bits.toString(8)}`, (sftp, at) =>
      sftp.handle(at('drop/run'), FLAG.write | FLAG.create, mode(bits)),
    ),
  ),
};
