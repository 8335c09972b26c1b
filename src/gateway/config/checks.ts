import { statSync } from 'node:fs';
import { RE2JS } from 're2js';
import { nearest } from '../../core/config/mistake.ts';
import { type Complain, parseWebUrl } from '../../core/config/shape.ts';
import type { Secret } from '../../core/secret.ts';
import { issuerMistakes } from '../../identity/issuers/config.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import { parseSigningKey } from '../notify/signature.ts';
import { parseDirectory } from './directory.ts';
import {
  asText,
  type IssuerFiles,
  type Materials,
  readAuthorities,
  readSealKey,
  readSecret,
  readText,
  readTls,
} from './materials.ts';
import { authorityFiles, documentFiles, resourcesOf, secretRefs, webhookPath } from './named.ts';
import type { HoopdConfig } from './schema.ts';

export interface CheckOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly nowMs: number;
  /** False: secrets are neither looked up nor read, so that CI can check without them. */
  readonly secrets: boolean;
  readonly protocols: readonly Protocol[];
}

/** Checks what the shape alone cannot tell; reads every file that the configuration names. */
export function checkConfig(
  config: HoopdConfig,
  complain: Complain,
  options: CheckOptions,
): Materials | undefined {
  const issuers = checkIssuers(config, complain);
  checkAgents(config, complain);
  checkDetectors(config, complain);
  checkPolicies(config, complain);
  checkResources(config, options.protocols, complain);
  const authorities = readResourceAuthorities(config, options.protocols, complain);
  const documents = readDocuments(config, options.protocols, complain);
  const tls = readTls(config, options.nowMs, complain);
  const secrets = options.secrets ? readSecrets(config, options, complain) : new Map<string, Secret>();
  checkWebhooks(config, secrets, complain);
  const seals = options.secrets
    ? readSealKeys(config, options.env, complain)
    : { sealKey: undefined, formerSealKeys: [] };
  return tls === undefined ? undefined : { tls, ...seals, secrets, authorities, documents, issuers };
}

function readSealKeys(
  { audit }: HoopdConfig,
  env: NodeJS.ProcessEnv,
  complain: Complain,
): Pick<Materials, 'sealKey' | 'formerSealKeys'> {
  const sealKey = readSealKey(audit.sealKey, env, ['audit', 'sealKey'], complain);
  const formerSealKeys = audit.formerSealKeys.flatMap((ref, index) => {
    const path = ['audit', 'formerSealKeys', index];
    const key = readSealKey(ref, env, path, complain);
    if (key !== undefined && key.id === sealKey?.id)
      complain(path, 'is the key of audit.sealKey itself', 'name the key that it has replaced');
    return key ?? [];
  });
  return { sealKey, formerSealKeys };
}

function checkIssuers(config: HoopdConfig, complain: Complain): IssuerFiles[] {
  const seen = new Set<string>();
  return config.issuers.map((entry, index) => {
    if (seen.has(entry.issuer))
      complain(['issuers', index, 'issuer'], 'stands twice', 'merge the two entries');
    seen.add(entry.issuer);
    const files = readIssuerFiles(entry, index, complain);
    const { clientSecret: _, web, directory: __, ...rest } = entry;
    for (const { key, problem, cure } of issuerMistakes({
      ...rest,
      ...files,
      web: web && { clientId: web.clientId },
    }))
      complain(['issuers', index, key], problem, cure);
    return files;
  });
}

function readIssuerFiles(
  { caFile, directory }: HoopdConfig['issuers'][number],
  index: number,
  complain: Complain,
): IssuerFiles {
  const ca =
    caFile === undefined ? undefined : readAuthorities(caFile, ['issuers', index, 'caFile'], complain);
  const path = ['issuers', index, 'directory'];
  const text = directory === undefined ? undefined : readText(directory, path, complain);
  const people = text === undefined ? new Map<string, string[]>() : parseDirectory(text);
  if (typeof people === 'string')
    complain(path, people, 'write lines such as "ada@example.com: [developers]"');
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(directory === undefined ? {} : { directory: typeof people === 'string' ? new Map() : people }),
  };
}

function checkAgents(config: HoopdConfig, complain: Complain): void {
  const issuers = config.issuers.map(({ issuer }) => issuer);
  for (const [name, { match }] of Object.entries(config.agents)) {
    if (match === undefined || issuers.includes(match.issuer)) continue;
    const meant = nearest(match.issuer, issuers);
    const cure = meant === undefined ? 'add it to issuers' : `did you mean ${meant}?`;
    complain(['agents', name, 'match', 'issuer'], `${match.issuer} is not among issuers`, cure);
  }
}

function checkDetectors(config: HoopdConfig, complain: Complain): void {
  for (const [name, { pattern }] of Object.entries(config.detectors)) {
    const path = ['detectors', name, 'pattern'];
    try {
      if (RE2JS.compile(pattern).matcher('').find())
        complain(path, 'matches the empty text', 'make it match at least one character');
    } catch (error) {
      const why = error instanceof Error ? error.message : 'unknown';
      complain(path, `is not a linear-time expression (${why})`, 'write RE2 syntax: no look-around, no \\1');
    }
  }
}

function checkPolicies(config: HoopdConfig, complain: Complain): void {
  const found = statSync(config.policies, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true)
    complain(['policies'], `${config.policies} is not a directory`, 'create it or correct the path');
}

function checkResources(config: HoopdConfig, protocols: readonly Protocol[], complain: Complain): void {
  for (const { path, protocol, config: its } of resourcesOf(config, protocols))
    protocol.check(its, (below, problem, cure) => complain([...path, ...below], problem, cure));
}

function readResourceAuthorities(
  config: HoopdConfig,
  protocols: readonly Protocol[],
  complain: Complain,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const { path, file } of authorityFiles(config, protocols)) {
    const pem = readAuthorities(file, path, complain);
    if (pem !== undefined) found.set(path.join('.'), pem);
  }
  return found;
}

const DOCUMENT_MIB = 8;

function readDocuments(
  config: HoopdConfig,
  protocols: readonly Protocol[],
  complain: Complain,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const { path, file, mistake } of documentFiles(config, protocols)) {
    const text = readText(file, path, complain, DOCUMENT_MIB);
    const wrong = text === undefined ? undefined : mistake(text);
    if (wrong !== undefined) complain(path, `${file}${wrong.problem}`, wrong.cure);
    else if (text !== undefined) found.set(path.join('.'), text);
  }
  return found;
}

function readSecrets(
  config: HoopdConfig,
  { env, protocols }: CheckOptions,
  complain: Complain,
): Map<string, Secret> {
  const secrets = new Map<string, Secret>();
  for (const { path, ref } of secretRefs(config, protocols)) {
    const bytes = readSecret(ref, env, path, complain);
    if (bytes !== undefined) secrets.set(path.join('.'), asText(bytes));
  }
  return secrets;
}

/** What only the secrets themselves can show to be wrong. */
function checkWebhooks(config: HoopdConfig, secrets: ReadonlyMap<string, Secret>, complain: Complain): void {
  for (const index of config.approvals.webhooks.keys()) {
    const [urlPath, keyPath] = [webhookPath(index, 'url'), webhookPath(index, 'secret')];
    const url = secrets.get(urlPath.join('.'))?.expose();
    if (url !== undefined && parseWebUrl(url) === undefined)
      complain(urlPath, 'holds no https URL', 'store the address that the receiver gave');
    const key = secrets.get(keyPath.join('.'))?.expose();
    if (key !== undefined && parseSigningKey(key) === undefined)
      complain(
        keyPath,
        'is not a key of 24…64 octets in base64',
        'make one: echo whsec_$(openssl rand -base64 32)',
      );
  }
}
