import type { KeyObject } from 'node:crypto';
import type { Clock } from '../../../core/clock.ts';
import type { Secret } from '../../../core/secret.ts';
import type { ConfiguredResource, Protocol, ResourceConfig } from '../../protocol.ts';
import { parsedKey, readPrivateKey } from './authority.ts';
import { type SshCredentialsConfig, WAYS } from './config.ts';
import type { SshLogin } from './login.ts';
import { certifiedKey, type LoginFor } from './user-certificate.ts';

type SecretAt = ReturnType<Protocol['secrets']>[number];

const KEY = ['credentials', 'key'];
const PASSWORD = ['credentials', 'password'];
const AUTHORITY = ['credentials', 'certificate', 'ca'];

/** Where secrets are referred to. Pure. */
export function credentialSecrets({ key, password, certificate }: SshCredentialsConfig): SecretAt[] {
  const named = [
    [KEY, key],
    [PASSWORD, password],
    [AUTHORITY, certificate?.ca],
  ] as const;
  return named.flatMap(([path, ref]) => (ref === undefined ? [] : [{ path, ref }]));
}

/** The ways that are configured: exactly one is right. Pure. */
export function waysOf(credentials: SshCredentialsConfig): readonly string[] {
  return WAYS.filter((way) => credentials[way] !== undefined);
}

/** How hoopd logs in to the hosts of one resource, with secrets as they are when it does. */
export type SshCredential = (who: LoginFor) => SshLogin;

export function configuredCredential(
  resource: ConfiguredResource<ResourceConfig & { readonly credentials: SshCredentialsConfig }>,
  clock: Clock,
): SshCredential {
  const { user, password, certificate } = resource.config.credentials;
  const read = remembered(readPrivateKey);
  const parse = remembered(parsedKey);
  return (who) => {
    if (password !== undefined) return { kind: 'password', user, password: resource.secret(PASSWORD) };
    if (certificate === undefined) return { kind: 'key', user, key: parse(resource.secret(KEY), 'the key') };
    const authority: KeyObject = read(resource.secret(AUTHORITY), "the authority's key");
    return { kind: 'certificate', user, ...certifiedKey(certificate, user, authority, who, clock.now()) };
  };
}

/** A key is read once for as long as it stays the same. */
function remembered<Key>(read: (secret: Secret, what: string) => Key): (secret: Secret, what: string) => Key {
  let last: { readonly text: string; readonly key: Key } | undefined;
  return (secret, what) => {
    const text = secret.expose();
    if (last?.text !== text) last = { text, key: read(secret, what) };
    return last.key;
  };
}
