import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sshCredentialsConfig } from '../../../src/protocols/ssh/credentials/config.ts';
import { credentialSecrets, waysOf } from '../../../src/protocols/ssh/credentials/index.ts';
import { sshTargetConfig } from '../../../src/protocols/ssh/target/config.ts';
import { publicBlob } from '../../../src/wire/ssh/keys.ts';
import { lineOf } from '../../../src/wire/ssh/named-key.ts';

const key = lineOf(publicBlob(generateKeyPairSync('ed25519').publicKey));
const said = (result: { error?: { issues: readonly { message: string }[] } }) =>
  result.error?.issues[0]?.message;

describe('target', () => {
  const read = (value: object) => sshTargetConfig().safeParse(value);

  it('is a host or names of many, and what they are known by', () => {
    expect(read({ host: 'host-1.internal', hostKeys: [key] }).data).toMatchObject({
      host: 'host-1.internal',
      port: 22,
      hostKeys: [{ line: key }],
      hostCa: [],
    });
    expect(read({ hosts: { pattern: 'web-*.internal' }, hostCa: [key] }).data?.hosts).toEqual({
      pattern: 'web-*.internal',
      labels: {},
    });
  });

  it('says what else to write', () => {
    for (const host of [
      '-oProxyCommand=x',
      'root@host',
      'host:22',
      'a b',
      '../x',
      '',
      'a..b',
      `${'a'.repeat(64)}.b`,
    ])
      expect(said(read({ host })), host).toMatch(/^expected a host, .*; write host-1.internal/);
    expect(said(read({ host: 'a', hostKeys: ['SHA256:abc'] }))).toMatch(/^expected a public key/);
    expect(said(read({ host: 'a', addresses: ['169.254.0.0/33'] }))).toMatch(
      /^expected an address or a range/,
    );
  });
});

describe('credentials', () => {
  const read = (value: object) => sshCredentialsConfig('/etc/hoop').safeParse(value);

  it('are one of three ways, each with its secret', () => {
    const ca = {
      certificate: { ca: { file: 'user-ca' }, sourceAddress: ['10.0.0.1'], forceCommand: 'uptime' },
    };
    const ways = [{ key: { file: 'id' } }, { password: { env: 'X' } }, ca];
    const paths = ways.map((way) => {
      const { data } = read({ user: 'deploy', ...way });
      expect(waysOf(data!)).toHaveLength(1);
      return credentialSecrets(data!).map(({ path }) => path.join('.'));
    });
    expect(paths).toEqual([['credentials.key'], ['credentials.password'], ['credentials.certificate.ca']]);
    expect(read({ user: 'deploy', ...ca }).data?.certificate?.validity).toBe(120_000);
  });

  it('repeat no secret that stands where a reference belongs', () => {
    for (const value of [{ key: 'hunter2' }, { certificate: { ca: 'hunter2' } }])
      expect(said(read({ user: 'deploy', ...value }))).not.toMatch(/hunter2/);
    for (const user of ['-root', 'a b', '', 'a\n'])
      expect(said(read({ user, key: { env: 'X' } }))).toMatch(/^expected a user/);
  });
});
