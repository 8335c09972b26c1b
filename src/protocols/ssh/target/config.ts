import { isIP } from 'node:net';
import { z } from 'zod';
import { expected, parsed, port, section, text } from '../../../core/config/shape.ts';
import { readNamedKey } from '../../../wire/ssh/named-key.ts';
import { readRange } from '../../stream/addresses.ts';

const HOST = /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*$/;

/** The shape of `target`. */
export function sshTargetConfig() {
  return section(
    {
      host: hostName().optional(),
      hosts: hosts().optional(),
      port: port().prefault(22),
      hostKeys: keys(
        'Keys that a host is known by: lines of ssh-keyscan, or what hoopd check --host-keys says.',
      ),
      hostCa: keys("Authorities whose word on a host's key is good."),
      addresses: addresses(),
    },
    'write {host: host-1.internal, hostKeys: ["ssh-ed25519 AAAA…"]}',
  );
}

export type SshTargetConfig = z.output<ReturnType<typeof sshTargetConfig>>;

/** A name or an address that can be dialled; a port or a user stands apart. */
function isHostName(text: string): boolean {
  return HOST.test(text) || isIP(text) !== 0;
}

function hostName() {
  const cure = expected('a host', 'write host-1.internal or an address');
  return z.string(cure).refine(isHostName, cure);
}

function hosts() {
  const label = text('a label', 'write words such as web', /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);
  return section(
    {
      pattern: text(
        'names of hosts',
        'write web-*.internal: * is any letters within one part of a name',
        /^[A-Za-z0-9_.*-]{1,253}$/,
      ),
      labels: z.record(label, label, expected('a mapping of labels', 'write {role: web}')).prefault({}),
    },
    "write {pattern: 'web-*.internal', labels: {role: web}}",
  );
}

function keys(description: string) {
  const list = expected('a list of public keys', 'write ["ssh-ed25519 AAAA…"]');
  const one = parsed(
    'a public key of Ed25519, ECDSA or RSA',
    'write ssh-ed25519 AAAA…, as in a .pub file',
    readNamedKey,
  );
  return z.array(one, list).max(64, list).prefault([]).describe(description);
}

/** Addresses of the machine's own that this target may have all the same. */
function addresses() {
  const range = parsed('an address or a range', 'write 169.254.10.0/24', readRange);
  return z.array(range, expected('a list of addresses', 'write [169.254.10.0/24]')).max(64).prefault([]);
}
