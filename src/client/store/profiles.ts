/**
 * Profiles: what hoopctl remembers of each gateway. No secrets; those are in the secret store.
 */
import { join } from 'node:path';
import { HoopError } from '../../core/errors.ts';
import { rememberProfiles } from './names.ts';
import { ensurePrivateDir, readPrivateFile } from './private-files.ts';
import type { SecretStoreKind } from './secret-store.ts';

export interface Profile {
  readonly name: string;
  /** Origin of the gateway: `https://host[:port]`, no path. */
  readonly gateway: string;
  /** PEM; the only authorities trusted for this gateway. Kept whole, so that a moved file breaks nothing. */
  readonly ca?: string;
  /** Where `ca` came from, for messages. */
  readonly caFile?: string;
  readonly issuer?: string;
  readonly agent?: string;
  readonly model?: string;
  readonly modelVersion?: string;
  /** Where the login lies; absent if logged out. */
  readonly secretStore?: SecretStoreKind;
}

export const DEFAULT_PROFILE = 'default';
const MAX_PROFILES_BYTES = 1024 * 1024;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const TEXT_FIELDS = ['ca', 'caFile', 'issuer', 'agent', 'model', 'modelVersion'] as const;

/**
 * Reads all profiles.
 *
 * Plain JSON by hand: `conf`, which writes the file, costs 70 ms to load, and most commands only read.
 *
 * @returns By name; empty if none was ever saved.
 * @throws {HoopError} `ERR_CONFIG` the file is not ours alone, or not what we write.
 */
export async function readProfiles(directory: string): Promise<ReadonlyMap<string, Profile>> {
  const path = profilesPath(directory);
  const bytes = await readPrivateFile(path, MAX_PROFILES_BYTES);
  const profiles = new Map<string, Profile>();
  if (bytes === undefined) return profiles;
  for (const [name, value] of Object.entries(parseFile(path, bytes))) {
    profiles.set(name, parseProfile(path, name, value));
  }
  return profiles;
}

/** Creates or replaces one profile; the others stay. The file is replaced whole, mode 0600. */
export async function saveProfile(directory: string, profile: Profile): Promise<void> {
  const all = new Map(await readProfiles(directory));
  all.set(profile.name, profile);
  await writeAll(directory, all);
  await rememberProfiles(directory, [...all.keys()]);
}

/**
 * Turns what a person types for a gateway into its origin.
 *
 * @returns `https://host[:port]`; a bare `host[:port]` becomes https.
 * @throws {HoopError} `ERR_USAGE` not a URL, not https, or with a path, a query or a user name.
 */
export function parseGatewayUrl(text: string): string {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  if (url === null || url.hostname === '')
    throw new HoopError('ERR_USAGE', `"${text}" is not the URL of a gateway`, {
      hint: 'write https://host:port',
    });
  if (url.protocol !== 'https:')
    throw new HoopError('ERR_USAGE', `the gateway's URL must be https: ${text}`, {
      hint: `hoopd speaks TLS at every port: https://${url.host}`,
    });
  if (url.username || url.password || url.pathname !== '/' || url.search || url.hash) {
    throw new HoopError('ERR_USAGE', `the gateway's URL must be https://host:port and nothing more: ${text}`);
  }
  return url.origin;
}

/** @throws {HoopError} `ERR_USAGE` not a name we would put in a file. */
export function checkProfileName(name: string): string {
  if (NAME.test(name)) return name;
  throw new HoopError('ERR_USAGE', `"${name}" is not a profile name`, {
    hint: 'letters, digits, dot, dash and underscore, at most 64',
  });
}

/** Under which name the profile's login lies: bound to the gateway, so that no other one is ever handed it. */
export function secretAccount(profile: Pick<Profile, 'name' | 'gateway'>): string {
  return `${profile.name}@${profile.gateway}`;
}

function profilesPath(directory: string): string {
  return join(directory, 'profiles.json');
}

async function writeAll(directory: string, profiles: ReadonlyMap<string, Profile>): Promise<void> {
  await ensurePrivateDir(directory);
  const { default: Conf } = await import('conf');
  const file = new Conf<Record<string, unknown>>({
    cwd: directory,
    configName: 'profiles',
    configFileMode: 0o600,
    accessPropertiesByDotNotation: false,
  });
  const entries = [...profiles].map(([name, { name: _, ...rest }]) => [name, rest]);
  file.store = { schemaVersion: 1, profiles: Object.fromEntries(entries) };
}

function parseFile(path: string, bytes: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new HoopError('ERR_CONFIG', `${path} is not JSON`, { hint: 'delete it and run: hoopctl login' });
  }
  if (isRecord(value) && value['schemaVersion'] === 1 && isRecord(value['profiles']))
    return value['profiles'];
  if (isRecord(value) && Object.keys(value).length === 0) return {};
  throw new HoopError('ERR_CONFIG', `${path} was not written by this version of hoopctl`);
}

function parseProfile(path: string, name: string, value: unknown): Profile {
  if (!isRecord(value) || typeof value['gateway'] !== 'string') {
    throw new HoopError('ERR_CONFIG', `profile "${name}" in ${path} has no gateway`);
  }
  const texts: Partial<Record<(typeof TEXT_FIELDS)[number], string>> = {};
  for (const field of TEXT_FIELDS) {
    const text = value[field];
    if (typeof text === 'string') texts[field] = text;
  }
  const store = value['secretStore'];
  const kept: { secretStore?: SecretStoreKind } =
    store === 'keychain' || store === 'file' ? { secretStore: store } : {};
  return { name, gateway: parseGatewayUrl(value['gateway']), ...texts, ...kept };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
