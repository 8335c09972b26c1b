/** hoopd's own connection to a host, against OpenSSH's server: who it is, who hoopd is, and what is not taken. */

import { type AddressInfo, createServer, type Socket } from 'node:net';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { HoopError } from '../../../src/core/errors.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { SshCredentialsConfig } from '../../../src/protocols/ssh/credentials/config.ts';
import { configuredCredential } from '../../../src/protocols/ssh/credentials/index.ts';
import { seenKeys } from '../../../src/protocols/ssh/target/seen-keys.ts';
import { SshTarget } from '../../../src/protocols/ssh/target/ssh-target.ts';
import { targetAddresses } from '../../../src/protocols/stream/addresses.ts';
import { readNamedKey } from '../../../src/wire/ssh/named-key.ts';
import { freshKey } from '../../support/ssh/fresh-key.ts';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';

const WHO = {
  id: 'ses_1',
  actor: {
    kind: 'agent',
    name: 'shop-copilot',
    person: 'alice@example.com',
    issuer: 'https://issuer.test',
    subject: 'alice',
    groups: [],
    instance: 'ins_1',
    login: 'lgn_1',
    attested: {},
    declared: {},
  },
} as const;

let sshd: Sshd;

beforeAll(async () => {
  sshd = await startSshd({ certificateFor: 'localhost' });
});

afterAll(() => sshd?.stop());

interface Asked {
  readonly hostKeys?: readonly string[];
  readonly hostCa?: readonly string[];
  readonly credentials?: Partial<SshCredentialsConfig>;
  readonly secret?: string;
  readonly port?: number;
  readonly at?: Sshd;
}

function target({
  hostKeys = [],
  hostCa = [],
  credentials = KEY,
  secret,
  port,
  at = sshd,
}: Asked): SshTarget {
  const config = {
    protocol: 'ssh',
    session: { max: 1000 },
    credentials: { user: at.user, ...credentials } as SshCredentialsConfig,
  };
  const text = secret ?? at.text(credentials.certificate === undefined ? 'user' : 'user-ca');
  const resource = {
    name: 'host-1',
    config,
    object: { type: 'Resource', id: 'host-1', attributes: {} } as never,
    authority: () => undefined,
    document: () => undefined,
    secret: () => new Secret(text),
  };
  const blobs = (lines: readonly string[]) => lines.map((line) => readNamedKey(line)!.blob);
  return new SshTarget({
    port: port ?? at.port,
    hostKeys: blobs(hostKeys),
    hostCa: blobs(hostCa),
    addresses: targetAddresses([]),
    credential: configuredCredential(resource, systemClock),
    clock: systemClock,
  });
}

const KEY: Partial<SshCredentialsConfig> = { key: { file: 'user' } };
const certificate = (more = {}): Partial<SshCredentialsConfig> => ({
  certificate: { ca: { file: 'user-ca' }, validity: 60_000, ...more },
});

async function run(one: SshTarget, command: string, host = 'localhost'): Promise<string> {
  const client = await one.open(host, WHO, new AbortController().signal);
  try {
    return await new Promise<string>((resolve, reject) => {
      client.exec(command, (error, channel) => {
        if (error !== undefined) return reject(error);
        let text = '';
        channel.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        channel.once('close', () => resolve(text));
        channel.stderr.resume();
      });
    });
  } finally {
    client.end();
  }
}

const refused = (one: SshTarget, host = 'localhost') =>
  one.open(host, WHO, new AbortController().signal).then(
    () => 'connected',
    (error: { code: string; detail?: string }) => `${error.code}: ${error.detail}`,
  );

describe('who the host is', () => {
  it('takes a key that is pinned, of whatever kind, and no other', async () => {
    expect(await run(target({ hostKeys: [sshd.publicKey('host')] }), 'echo one')).toBe('one\n');
    expect(await run(target({ hostKeys: [sshd.publicKey('host-rsa')] }), 'echo rsa')).toBe('rsa\n');
    expect(await refused(target({ hostKeys: [sshd.publicKey('user')] }))).toMatch(
      /^ERR_TARGET_IDENTITY: .*has the key SHA256:/,
    );
  });

  it('takes the word of an authority, and of no other', async () => {
    expect(await run(target({ hostCa: [sshd.publicKey('host-ca')] }), 'echo certified')).toBe('certified\n');
    expect(await refused(target({ hostCa: [sshd.publicKey('user-ca')] }))).toMatch(
      /^ERR_TARGET_IDENTITY: .*signed by SHA256:\S+, which is none of hostCa/,
    );
    expect(await refused(target({ hostCa: [sshd.publicKey('host-ca')] }), '127.0.0.1')).toMatch(
      /^ERR_TARGET_IDENTITY: .*it is for localhost, not for 127.0.0.1/,
    );
  });

  it('takes nobody where nothing is configured', async () => {
    expect(await refused(target({}))).toMatch(/^ERR_TARGET_IDENTITY/);
  });
});

describe('who hoopd is', () => {
  const hostKeys = () => [sshd.publicKey('host')];

  it('shows a certificate of its own making, by which the host names the agent', async () => {
    const one = target({ hostKeys: hostKeys(), credentials: certificate() });
    expect(await run(one, 'echo $USER')).toBe(`${sshd.user}\n`);
    expect(sshd.log).toMatch(
      /Accepted publickey for \S+ .*ED25519-CERT .*ID shop-copilot for alice@example.com, ins_1, ses_1 \(serial \d+\) CA ED25519/,
    );
  });

  it('bounds what the certificate is good for', async () => {
    const forced = { forceCommand: 'echo forced', sourceAddress: ['127.0.0.0/8'] };
    expect(await run(target({ hostKeys: hostKeys(), credentials: certificate(forced) }), 'echo free')).toBe(
      'forced\n',
    );
    for (const more of [{ principals: ['nobody'] }, { sourceAddress: ['10.1.2.3'] }])
      expect(await refused(target({ hostKeys: hostKeys(), credentials: certificate(more) }))).toMatch(
        /^ERR_TARGET_AUTH/,
      );
  });

  it('is refused with a key that nobody trusts, and says nothing of one that is none', async () => {
    const refusedKey = target({ hostKeys: hostKeys(), secret: sshd.text('host-ca') });
    expect(await refused(refusedKey)).toMatch(/^ERR_TARGET_AUTH/);
    const none = await refused(target({ hostKeys: hostKeys(), secret: 'hunter2-is-no-key' }));
    expect(none).toMatch(/^ERR_TARGET_CREDENTIAL/);
    expect(none).not.toContain('hunter2');
  });
});

describe('a host that is none', () => {
  const hostKeys = () => [sshd.publicKey('host')];

  /** A server that does `act` with each connection. */
  async function serving(act: (socket: Socket) => void, ask: (port: number) => Promise<void>): Promise<void> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      act(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      await ask((server.address() as AddressInfo).port);
    } finally {
      server.close();
    }
  }

  const CASES: readonly (readonly [string, (socket: Socket) => void, RegExp])[] = [
    ['is gone at once', (socket) => socket.end(), /^ERR_TARGET_(LOST|UNREACHABLE)/],
    [
      'speaks HTTP',
      (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      /^ERR_TARGET_(LOST|UNREACHABLE)/,
    ],
    [
      'says a packet of 4 GiB',
      (socket) => socket.write('SSH-2.0-x\r\n\xff\xff\xff\xff', 'latin1'),
      /^ERR_TARGET_(LOST|UNREACHABLE)/,
    ],
    ['talks without end', (socket) => socket.write(`${'x'.repeat(99)}\n`.repeat(9999)), /^ERR_TARGET_LOST/],
  ];

  for (const [name, act, expected] of CASES)
    it(`${name}: is told from one that cannot be reached`, () =>
      serving(act, async (port) => {
        expect(await refused(target({ hostKeys: hostKeys(), port }))).toMatch(expected);
        expect(await refused(target({ hostCa: [sshd.publicKey('host-ca')], port }))).toMatch(expected);
      }));

  it('is waited for no longer than the session lasts', () =>
    serving(
      () => undefined,
      async (port) => {
        const over = new AbortController();
        const asked = target({ hostKeys: hostKeys(), port }).open('localhost', WHO, over.signal);
        over.abort(new HoopError('ERR_SESSION_ENDED'));
        await expect(asked).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' });
      },
    ));

  it('is not asked where its address is the machine\u2019s own, or nobody listens', async () => {
    expect(await refused(target({ hostKeys: hostKeys() }), '169.254.169.254')).toMatch(
      /^ERR_TARGET_UNREACHABLE: .*refused/,
    );
    expect(await refused(target({ hostKeys: hostKeys(), port: 1 }))).toMatch(
      /^ERR_TARGET_UNREACHABLE: ECONNREFUSED/,
    );
  });
});

describe('hoopd check --host-keys', () => {
  it('shows the keys that a host has, as the configuration takes them', async () => {
    const seen = await seenKeys(`127.0.0.1:${sshd.port}`);
    expect(seen.map(({ line }) => line)).toEqual([sshd.publicKey('host'), sshd.publicKey('host-rsa')]);
    expect(seen[0]!.fingerprint).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  });

  it('says what is no place, and who does not answer', async () => {
    for (const place of ['', 'a b', 'a:0', 'a:65536', 'root@a:22:1', '[::1'])
      await expect(seenKeys(place), place).rejects.toMatchObject({ code: 'ERR_USAGE' });
    await expect(seenKeys('[127.0.0.1]:1')).rejects.toMatchObject({ code: 'ERR_TARGET_UNREACHABLE' });
    await expect(seenKeys('169.254.169.254')).rejects.toMatchObject({ code: 'ERR_TARGET_UNREACHABLE' });
  });
});

describe('a password', () => {
  const { text: hostKey, line } = freshKey();
  /** Takes `secret` by one way only. */
  const serving = async (way: 'password' | 'keyboard-interactive', ask: (port: number) => Promise<void>) => {
    const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
      client.on('error', () => undefined);
      client.on('authentication', (asked) => {
        const decide = (given: string | undefined) =>
          given === 'secret' ? asked.accept() : asked.reject([way]);
        if (asked.method !== way) asked.reject([way]);
        else if (asked.method === 'password') decide(asked.password);
        else if (asked.method === 'keyboard-interactive')
          asked.prompt([{ prompt: 'Password: ', echo: false }], (answers) => decide(answers[0]));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      await ask((server.address() as AddressInfo).port);
    } finally {
      server.close();
    }
  };

  for (const way of ['password', 'keyboard-interactive'] as const)
    it(`is given by ${way}, where the host takes no other`, () =>
      serving(way, async (port) => {
        const credentials = { password: { env: 'X' } };
        const by = (secret: string) => target({ hostKeys: [line], credentials, secret, port });
        const client = await by('secret').open('127.0.0.1', WHO, new AbortController().signal);
        client.end();
        const wrong = await refused(by('hunter2'), '127.0.0.1');
        expect(wrong).toMatch(/^ERR_TARGET_AUTH/);
        expect(wrong).not.toContain('hunter2');
      }));
});
