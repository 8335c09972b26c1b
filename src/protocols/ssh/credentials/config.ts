import { isIP } from 'node:net';
import { z } from 'zod';
import { duration, expected, parsed, secretRef, section, text } from '../../../core/config/shape.ts';
import { readRange } from '../../stream/addresses.ts';

/** Of these exactly one: each says how a host is shown that it is hoopd. */
export const WAYS = ['key', 'password', 'certificate'] as const;

/** The shape of `credentials`. @param base Directory that relative paths start from. */
export function sshCredentialsConfig(base: string) {
  const secret = secretRef(base);
  return section(
    {
      user: userName().describe('Who hoopd is on the host.'),
      key: secret.optional().describe("A private key in OpenSSH's format, without a passphrase."),
      password: secret.optional(),
      certificate: section(
        {
          ca: secret.describe('The private key of the authority that the host trusts for users.'),
          principals: principals().optional().describe('Default: the user.'),
          validity: duration('10s', '1h', '2m')
            .prefault('2m')
            .describe('A certificate is made for each connection and is of no use afterwards.'),
          sourceAddress: ranges().optional().describe('Where the host may be reached from with it.'),
          forceCommand: text(
            'a command',
            'write the command that the host runs whatever is asked',
          ).optional(),
        },
        'write {ca: {file: user-ca}}',
      ).optional(),
    },
    'write {user: deploy, key: {file: host.key}}',
  );
}

export type SshCredentialsConfig = z.output<ReturnType<typeof sshCredentialsConfig>>;
export type CertificateConfig = NonNullable<SshCredentialsConfig['certificate']>;

function userName() {
  return text('a user of the host', 'write a name such as deploy', /^[A-Za-z0-9_][A-Za-z0-9._@\\-]{0,63}$/);
}

function principals() {
  const list = expected('a list of principals', 'write [deploy]');
  const one = text('a principal', 'write a name such as deploy', /^[^\s,*?!\p{Cc}]{1,128}$/u);
  return z.array(one, list).min(1, list).max(32, list);
}

/** OpenSSH takes a range only where the bits behind its length are 0: what it would refuse is refused here. */
function ranges() {
  const list = expected('a list of addresses', 'write [10.1.0.0/16]');
  const one = parsed('an address or a range', 'write 10.1.0.0/16', (input) => {
    const range = readRange(input);
    return range === undefined ? undefined : isIP(input) === 0 ? range : input;
  });
  return z.array(one, list).min(1, list).max(32, list);
}
