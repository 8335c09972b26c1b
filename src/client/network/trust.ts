/**
 * Which certificate authorities are believed, and where that was decided, for messages.
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { getCACertificates } from 'node:tls';
import { HoopError } from '../../core/errors.ts';
import type { Profile } from '../store/profiles.ts';

export interface Trust {
  /** PEM of the only authorities trusted for the gateway; `undefined`: Node's own and `NODE_EXTRA_CA_CERTS`. */
  readonly ca: string | undefined;
  /** For people: `the CA file /etc/hoop/ca.pem`. */
  readonly source: string;
  /** It was given at a login, and stands in the profile. */
  readonly kept?: true;
}

const MAX_CA_BYTES = 1024 * 1024;

/**
 * Decides what to trust for a gateway: `--ca`, else the profile's, else the machine's.
 *
 * @throws {HoopError} `ERR_CONFIG` the file cannot be read or holds no certificate.
 */
export async function chooseTrust(
  caFile: string | undefined,
  profile: Profile | undefined,
  env: NodeJS.ProcessEnv,
): Promise<Trust> {
  if (caFile !== undefined) return { ca: await readCa(caFile), source: `the CA file ${caFile}` };
  if (profile?.ca !== undefined) {
    return {
      ca: profile.ca,
      source: `the CA of profile "${profile.name}"${profile.caFile ? ` (${profile.caFile})` : ''}`,
      kept: true,
    };
  }
  const extra = env['NODE_EXTRA_CA_CERTS'];
  return { ca: undefined, source: extra ? `Node's authorities and ${extra}` : "Node's built-in authorities" };
}

/** For the identity provider, which may stand under a public authority or the gateway's own: both are believed. */
export function issuerAuthorities(trust: Trust): string[] | undefined {
  return trust.ca === undefined ? undefined : [...getCACertificates('default'), trust.ca];
}

async function readCa(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new HoopError('ERR_CONFIG', `the CA file ${path} cannot be read (${error.code ?? error.message})`, {
      hint: 'name the PEM file of the gateway’s CA, as seen from this folder',
    });
  });
  if (bytes.length > MAX_CA_BYTES) throw new HoopError('ERR_CONFIG', `the CA file ${path} is too large`);
  try {
    new X509Certificate(bytes);
  } catch {
    throw new HoopError('ERR_CONFIG', `the CA file ${path} holds no PEM certificate`, {
      hint: 'name a file with BEGIN CERTIFICATE',
    });
  }
  return bytes.toString('latin1');
}
