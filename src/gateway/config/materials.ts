import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { parseSealKey, type SealKey } from '../../audit/keys.ts';
import type { Complain, SecretRef } from '../../core/config/shape.ts';
import { Secret } from '../../core/secret.ts';
import type { Directory } from './directory.ts';
import type { HoopdConfig } from './schema.ts';

/** What the files and variables named by a configuration hold. Secrets are wrapped. */
export interface Materials {
  readonly tls: { readonly cert: string; readonly key: Secret };
  /** Undefined if secrets were not asked for. */
  readonly sealKey: SealKey | undefined;
  /** Those that it has replaced. */
  readonly formerSealKeys: readonly SealKey[];
  /** By dotted path of the reference: `resources.pg-prod.credentials.password`. */
  readonly secrets: ReadonlyMap<string, Secret>;
  /** PEM of the authorities that a resource names, by dotted path: `resources.pg-prod.target.caFile`. */
  readonly authorities: ReadonlyMap<string, string>;
  /** Texts of the other files that a resource names, by dotted path: `resources.api-prod.api.openapi`. */
  readonly documents: ReadonlyMap<string, string>;
  /** By the issuer's place in the list. */
  readonly issuers: readonly IssuerFiles[];
}

/** What an issuer's own files hold. */
export interface IssuerFiles {
  readonly ca?: string;
  readonly directory?: Directory;
}

const MAX_SECRET_BYTES = 64 * 1024;

/** Reads a text file; complains and gives undefined if that cannot be done. */
export function readText(
  file: string,
  path: readonly PropertyKey[],
  complain: Complain,
  mostMiB = 1,
): string | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.length <= mostMiB * 1024 * 1024) return text;
    complain(path, `${file} is larger than ${mostMiB} MiB`, 'name the right file');
  } catch (error) {
    complain(path, `${file} cannot be read (${codeOf(error)})`, unreadableCure(error));
  }
  return undefined;
}

/** Reads authorities; complains and gives undefined if the file holds no certificate. */
export function readAuthorities(
  file: string,
  path: readonly PropertyKey[],
  complain: Complain,
): string | undefined {
  const pem = readText(file, path, complain);
  if (pem === undefined || pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  complain(path, 'holds no PEM certificate', 'name a file with BEGIN CERTIFICATE');
  return undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
}

function unreadableCure(error: unknown): string {
  const code = codeOf(error);
  if (code === 'EACCES') return 'let the user that hoopd runs as read it, and nobody else';
  return code === 'EISDIR' ? 'it is a directory: name the file' : 'create it or correct the path';
}

/** Gives the octets behind a reference, or complains without showing any of them. */
export function readSecret(
  ref: SecretRef,
  env: NodeJS.ProcessEnv,
  path: readonly PropertyKey[],
  complain: Complain,
): Buffer | undefined {
  const bytes = 'env' in ref ? fromEnv(ref.env, env, path, complain) : fromFile(ref.file, path, complain);
  if (bytes === undefined) return undefined;
  if (bytes.length > 0 && bytes.length <= MAX_SECRET_BYTES) return bytes;
  complain(
    path,
    bytes.length === 0 ? 'the secret is empty' : 'the secret is larger than 64 KiB',
    'store it anew',
  );
  return undefined;
}

function fromEnv(name: string, env: NodeJS.ProcessEnv, path: readonly PropertyKey[], complain: Complain) {
  const value = env[name];
  if (value !== undefined) return Buffer.from(value);
  complain(path, `the environment variable ${name} is not set`, `start hoopd with ${name} set`);
  return undefined;
}

function fromFile(file: string, path: readonly PropertyKey[], complain: Complain): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    complain(path, `${file} cannot be read (${codeOf(error)})`, unreadableCure(error));
    return undefined;
  }
}

/** A password or client secret: text, one final line break dropped. */
export function asText(bytes: Buffer): Secret {
  return new Secret(bytes.toString('utf8').replace(/\r?\n$/, ''));
}

/**
 * The key that seals originals in the audit: 32 octets in hex or base64.
 *
 * A file that others may read is refused: whoever reads it reads every sealed statement.
 */
export function readSealKey(
  ref: SecretRef,
  env: NodeJS.ProcessEnv,
  path: readonly PropertyKey[],
  complain: Complain,
): SealKey | undefined {
  const bytes = readSecret(ref, env, path, complain);
  if (bytes === undefined) return undefined;
  if ('file' in ref && (statSync(ref.file).mode & 0o077) !== 0) {
    complain(path, `${ref.file} may be read by others`, `run chmod 600 ${ref.file}`);
    return undefined;
  }
  const key = attempt(() => parseSealKey(bytes.toString('latin1')));
  if (key === undefined)
    complain(path, 'is not a key of 32 octets in base64 or hex', 'make one: openssl rand -base64 32');
  return key;
}

/** Reads certificate and key and checks that clients could use them: pair, dates and name. */
export function readTls(
  config: HoopdConfig,
  nowMs: number,
  complain: Complain,
): Materials['tls'] | undefined {
  const certPath = ['tls', 'certFile'];
  const cert = readText(config.tls.certFile, certPath, complain);
  const key = readText(config.tls.keyFile, ['tls', 'keyFile'], complain);
  if (cert === undefined || key === undefined) return undefined;
  const parsed = attempt(() => new X509Certificate(cert));
  if (parsed === undefined)
    complain(certPath, 'holds no PEM certificate', 'name a file with BEGIN CERTIFICATE');
  const privateKey = attempt(() => createPrivateKey(key));
  if (privateKey === undefined)
    complain(['tls', 'keyFile'], 'holds no unencrypted PEM key', 'name a file with BEGIN PRIVATE KEY');
  if (parsed === undefined || privateKey === undefined) return undefined;
  checkCertificate(parsed, privateKey, config.publicUrl, nowMs, complain);
  return { cert, key: new Secret(key) };
}

function checkCertificate(
  cert: X509Certificate,
  key: KeyObject,
  publicUrl: string | undefined,
  nowMs: number,
  complain: Complain,
): void {
  const path = ['tls', 'certFile'];
  if (!cert.checkPrivateKey(key))
    complain(['tls', 'keyFile'], "is not the certificate's key", 'name the two files of one pair');
  if (cert.validToDate.getTime() <= nowMs)
    complain(path, `expired on ${cert.validToDate.toISOString()}`, 'renew it');
  if (publicUrl === undefined) return;
  const host = new URL(publicUrl).hostname.replace(/^\[|\]$/g, '');
  const covers = isIP(host) === 0 ? cert.checkHost(host) : cert.checkIP(host);
  if (covers === undefined)
    complain(path, `the certificate is not for ${host} of publicUrl`, `get one whose names include ${host}`);
}

function attempt<Value>(make: () => Value): Value | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
