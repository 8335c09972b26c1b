/** S12, of keys: what is said while they are agreed on, first and again. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { string, strings, uint32 } from '../../../../src/wire/ssh/fields.ts';
import { sshInside } from '../../../support/ssh/raw-client.ts';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import { servesOn } from '../attack.ts';
import type { SshClient } from '../client.ts';
import { type HandshakePlan, loginBy } from '../handshake.ts';
import { RawChannel } from '../raw-channel.ts';
import type { SshAttack, SshGroup, SshWorld } from '../world.ts';

/** What windows, pipes and sockets hold, of rounds of 500 kB. */
const MOST_ROUNDS = 30;
const RSS_BYTES = 128 * 1024 * 1024;

/** @see RFC 4253 §11; `EXT_INFO`, RFC 8308. */
const EXTRA: Readonly<Record<string, Buffer>> = {
  IGNORE: Buffer.concat([Buffer.of(2), string('x')]),
  UNIMPLEMENTED: Buffer.concat([Buffer.of(3), uint32(0)]),
  DEBUG: Buffer.concat([Buffer.of(4, 0), strings('x', '')]),
  EXT_INFO: Buffer.concat([Buffer.of(7), uint32(0)]),
  'SERVICE_REQUEST of a login': Buffer.concat([Buffer.of(5), string('ssh-userauth')]),
};

/** Message numbers that do not stand in the exchange are those that a cut prefix hides. @see CVE-2023-48795 */
const MOMENTS = ['KEXINIT', 'first', 'NEWKEYS'] as const;

/** Whether a client that shakes hands in this way gets on to run something. */
async function served(world: SshWorld, plan: HandshakePlan, config = {}): Promise<boolean> {
  const client = await loginBy({ ...world.throughConfig, ...config }, plan).catch(() => undefined);
  if (client === undefined) return false;
  const { code } = await client.exec(`ls ${world.place.at('data')}`).catch(() => ({ code: undefined }));
  client.close();
  return code === 0;
}

/** Nobody who knows strict key exchange gets on with more than belongs to it. */
function strict(name: string, moment: (typeof MOMENTS)[number]): SshAttack {
  return {
    case: `${name} before ${moment === 'first' ? 'the first message of the exchange' : moment}`,
    run: async (world) => {
      must(await served(world, {}), 'dead: not even an honest exchange is served');
      must(!(await served(world, { before: { [moment]: [EXTRA[name]!] } })), 'it was served');
      await servesOn(world);
    },
  };
}

/** Without strict key exchange RFC 4253 permits them. */
function loose(name: string, moment: (typeof MOMENTS)[number]): SshAttack {
  return {
    case: `${name} before ${moment}, of a client that does not know strict key exchange, is passed over`,
    run: async (world) => {
      const before = { [moment]: [EXTRA[name]!] };
      must(await served(world, { strict: false, before }), 'it was not served');
    },
  };
}

const MACS = { algorithms: { cipher: ['aes128-ctr' as const], hmac: ['hmac-sha2-256' as const] } };

/** What hoopd would rather have than anything else. */
const SAME_FIRST = {
  algorithms: { kex: ['curve25519-sha256' as const], serverHostKey: ['ssh-ed25519' as const] },
};

const rekey = (client: SshClient) => {
  const inside = sshInside(client.client) as unknown as {
    rekey(): void;
    readonly _kexinit: Buffer | undefined;
  };
  inside.rekey();
  return eventually('no new keys', () => inside._kexinit === undefined);
};

/** Begins an exchange, and says no more of it. */
const beginKeys = (client: SshClient) => (sshInside(client.client) as unknown as { rekey(): void }).rekey();

/** Past what the client keeps back itself while keys are agreed on. */
function sayAnyway(client: SshClient, payload: Buffer): void {
  const { _cipher: cipher } = sshInside(client.client) as unknown as {
    _cipher: { allocPacket(bytes: number): Buffer; encrypt(packet: Buffer): void };
  };
  const packet = cipher.allocPacket(payload.length);
  packet.set(payload, 5);
  cipher.encrypt(packet);
}

/** Nobody answers the gateway's part of the exchange from here on. */
function silent(client: SshClient): void {
  const { _decipher: decipher } = sshInside(client.client) as unknown as {
    _decipher: { _onPayload: (payload: Buffer) => void };
  };
  decipher._onPayload = () => undefined;
}

/** While keys are agreed on a client says something else. It does not act, nobody grows, others are served. */
function amid(what: string, say: (client: SshClient, act: string) => void | Promise<void>): SshAttack {
  return {
    case: what,
    run: async (world) => {
      const { place } = world;
      place.reset();
      const act = `rm ${place.at('victim')}`;
      const before = place.state();
      await (await world.direct()).exec(act);
      must(place.state() !== before, 'dead: the command does nothing');
      place.reset();
      const kept = place.state();
      const rss = process.memoryUsage().rss;
      const client = await world.through();
      await say(client, act);
      await eventually('the connection goes on', () => client.closed);
      must(process.memoryUsage().rss - rss < RSS_BYTES, 'hoopd has grown');
      await servesOn(world);
      must(place.state() === kept, `it had its effect:\n${place.state()}`);
    },
  };
}

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** What OpenSSH gets with new keys for each thousand octets is what it gets without. */
function often(
  what: string,
  program: string,
  args: (place: string) => readonly string[],
  input?: string,
): SshAttack {
  return {
    case: what,
    hosts: ['OpenSSH', 'dropbear'],
    run: async (world) => {
      const run = async (by: 'program' | 'programDirect', limit: readonly string[]) => {
        world.place.reset();
        world.place.write('data/large', 'figures\n'.repeat(400_000));
        const ran = await world[by](program, [...limit, ...args(world.place.path)], input);
        must(ran.code === 0, `it ended with ${ran.code}: ${ran.stderr}`);
        return ran.stdout;
      };
      const limit = ['-o', 'RekeyLimit=1K'];
      const direct = await run('programDirect', []);
      must(direct.length > 1000, 'dead: nothing comes');
      must((await run('program', limit)) === direct, 'it gets something else');
      const told = await world.program('ssh', ['-v', ...limit, 'box', `cat ${world.place.at('data/large')}`]);
      const exchanges = told.stderr.match(/SSH2_MSG_NEWKEYS received/g)?.length ?? 0;
      must(exchanges > 2, `dead: there were ${exchanges} exchanges`);
    },
  };
}

export const S12_KEYS: SshGroup = {
  id: 'S12',
  policy: (place) => `
@id("use") permit (principal, action in [Action::"connect", Action::"reveal", Action::"ssh", Action::"sftp.read"], resource);
@id("no-rm") forbid (principal, action == Action::"ssh.exec", resource) when { resource.text like "*${place}/victim*" };
`,
  attacks: [
    ...Object.keys(EXTRA).flatMap((name) => MOMENTS.map((moment) => strict(name, moment))),
    ...['IGNORE', 'DEBUG'].flatMap((name) => MOMENTS.map((moment) => loose(name, moment))),
    {
      case: 'numbers of messages that are not begun anew behind new keys',
      run: async (world) => {
        must(await served(world, {}, MACS), 'dead: not even an honest exchange is served');
        must(!(await served(world, { countsOn: true }, MACS)), 'it was served');
        await servesOn(world);
      },
    },
    {
      case: 'a first message of an exchange that was guessed right',
      run: async (world) => must(await served(world, { guess: 'right' }, SAME_FIRST), 'it was not served'),
    },
    {
      case: 'a first message of an exchange that was guessed wrong, which is passed over',
      run: async (world) => must(await served(world, { guess: 'wrong' }), 'it was not served'),
    },
    {
      case: 'a first message that is said to follow, and does not',
      run: async (world) => {
        await served(world, { guess: 'none' }, { ...SAME_FIRST, readyTimeout: 2000 });
        await servesOn(world);
      },
    },
    {
      case: 'a first message that was guessed right by its kind, and wrong by the key of the host',
      run: async (world) => {
        const serverHostKey = ['rsa-sha2-512' as const, 'ssh-ed25519' as const];
        const algorithms = { ...SAME_FIRST.algorithms, serverHostKey };
        must(!(await served(world, { guess: 'right' }, { algorithms, readyTimeout: 2000 })), 'it was served');
        await servesOn(world);
      },
    },
    {
      case: 'new keys twenty times while a command writes',
      run: async (world) => {
        const hashes: string[] = [];
        for (const client of [await world.direct(), await world.through()]) {
          const { channel, end } = await client.open('seq 400000');
          channel.end();
          for (let n = 0; n < 20; n++) await rekey(client);
          hashes.push(hashOf((await end).stdout));
        }
        must(hashes[0] === hashes[1], 'something else has come');
      },
    },
    {
      case: 'new keys between what makes one request',
      run: async (world) => {
        for (const client of [await world.direct(), await world.through()]) {
          const channel = (await RawChannel.open(client))!;
          await rekey(client);
          channel.exec('cat');
          await rekey(client);
          channel.data('one ');
          await rekey(client);
          channel.data('two');
          channel.eof();
          await rekey(client);
          const isEnd = () => channel.received.some(({ name }) => name === 'CHANNEL_CLOSE');
          await eventually('it has no end', isEnd);
          const said = channel.received.filter(({ name }) => name === 'CHANNEL_DATA');
          must(said.map(({ fields }) => String(fields[1])).join('') === 'one two', 'something else has come');
        }
      },
    },
    often('new keys for each thousand octets of a command', 'ssh', (place) => [
      'box',
      `cat ${place}/data/large`,
    ]),
    {
      case: 'the rest of an output, taken when its channel is closed at the host already, which goes on',
      hosts: ['OpenSSH', 'dropbear'],
      run: async (world) => {
        world.place.reset();
        const done = world.place.at('data/done');
        const client = await world.through();
        const channel = (await RawChannel.open(client))!;
        channel.exec(`head -c 3600000 /dev/zero; touch ${done}`);
        await eventually('it has no end at the host', () => existsSync(done));
        must((await client.exec('echo on')).code === 0, 'it is not served beside');
        channel.window(2_000_000);
        await eventually('its rest does not come', () =>
          channel.received.some(({ name }) => name === 'CHANNEL_CLOSE'),
        );
        must((await client.exec('echo on')).code === 0, 'the connection to the host is lost');
      },
    },
    amid('a command while keys are agreed on', async (client, act) => {
      const channel = (await RawChannel.open(client))!;
      beginKeys(client);
      const fields = [Buffer.of(98), uint32(channel.id), string('exec'), Buffer.of(1), string(act)];
      sayAnyway(client, Buffer.concat(fields));
      // hoopd had not read it: by the protocol it came in time. What it does is refused all the same.
      await eventually('no answer', () => channel.answers.done > 0 || client.closed);
      client.close();
    }),
    amid('a command behind the first message of an exchange', async (client, act) => {
      const channel = (await RawChannel.open(client))!;
      silent(client);
      beginKeys(client);
      await eventually('hoopd has not begun', () => true);
      const fields = [Buffer.of(98), uint32(channel.id), string('exec'), Buffer.of(1), string(act)];
      sayAnyway(client, Buffer.concat(fields));
    }),
    amid('two exchanges at once', (client) => {
      silent(client);
      beginKeys(client);
      const { _kexinit: kexinit } = sshInside(client.client) as unknown as { _kexinit: Buffer };
      sayAnyway(client, kexinit);
    }),
    {
      case: 'new keys that nobody has agreed on, which change none',
      run: async (world) => {
        const client = await world.through();
        sayAnyway(client, Buffer.of(21));
        must(
          (await client.exec('echo on')).stdout.toString() === 'on\n',
          'the old ones are not used any more',
        );
        await rekey(client);
        must((await client.exec('echo on')).stdout.toString() === 'on\n', 'new ones are not used');
      },
    },
    amid('an exchange that offers nothing', (client) => {
      silent(client);
      sayAnyway(client, Buffer.concat([Buffer.of(20), Buffer.alloc(16 + 40 + 5)]));
    }),
    {
      case: 'an exchange that is begun and not ended, while a program writes: it has to wait',
      run: async (world) => {
        const { place } = world;
        place.reset();
        place.write('data/rounds', '');
        const client = await world.through();
        const channel = (await RawChannel.open(client))!;
        channel.window(0xff000000);
        channel.exec(`while head -c 500000 /dev/zero; do echo x >> ${place.at('data/rounds')}; done`);
        const rounds = () => place.text('data/rounds').length / 2;
        await eventually('nothing comes', () => rounds() > 20);
        silent(client);
        beginKeys(client);
        const before = rounds();
        const others = await world.through();
        for (let n = 0; n < 30; n++) await others.exec('head -c 1000000 /dev/zero');
        must(rounds() - before < MOST_ROUNDS, `${rounds() - before} rounds were written to nobody`);
        client.close();
        await servesOn(world);
      },
    },
  ],
};
