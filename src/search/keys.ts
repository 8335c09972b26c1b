import { hash } from 'node:crypto';
import { runIdsOf } from '../core/ids/runs.ts';
import { objectNames } from './object-names.ts';
import type { EventRecord } from './stored-event.ts';

export type KeyKind =
  | 'type'
  | 'agent'
  | 'person'
  | 'identity'
  | 'model'
  | 'resource'
  | 'session'
  | 'instance'
  | 'run'
  | 'approval'
  | 'object'
  | 'action'
  | 'decision'
  | 'outcome';

const MAX_TOKENS = 100_000;

/**
 * Tokens for exact filters in the full-text index: `k` and 80 bits of SHA-256 of kind and value, so that a value of
 * any form is one token. Most events repeat the values of the one before: they are remembered.
 */
export class KeyTokens {
  #known = new Map<string, string>();

  of(kind: KeyKind, value: string): string {
    const name = `${kind}\0${value}`;
    let token = this.#known.get(name);
    if (token === undefined) {
      token = `k${hash('sha256', name, 'hex').slice(0, 20)}`;
      if (this.#known.size >= MAX_TOKENS) this.#known.clear();
      this.#known.set(name, token);
    }
    return token;
  }
}

/** Who an event is about, as filters and sessions name them. */
export interface Who {
  readonly name?: string | undefined;
  readonly agent?: string | undefined;
  readonly person?: string | undefined;
  /** Issuer and subject: what identity is, where names are only for people. */
  readonly identity?: string | undefined;
  readonly model?: string | undefined;
  readonly instance?: string | undefined;
  /** JSON of what the instance gave up. */
  readonly attenuation?: string | undefined;
  /** Names of the run. */
  readonly runs?: readonly string[] | undefined;
}

export function whoOf(record: EventRecord): Who {
  const actor = asRecord(record['actor']);
  if (actor === undefined) return {};
  const name = asText(actor['name']);
  const isPerson = actor['kind'] === 'person';
  const issuer = asText(actor['issuer']);
  const subject = asText(actor['subject']);
  const attenuation = asRecord(actor['attenuation']);
  const [attested, declared] = [asRecord(actor['attested']) ?? {}, asRecord(actor['declared']) ?? {}];
  return {
    name,
    agent: isPerson ? undefined : name,
    person: asText(actor['person']) ?? (isPerson ? name : undefined),
    identity: issuer === undefined || subject === undefined ? undefined : identityOf(issuer, subject),
    model: asText(attested['model']) ?? asText(declared['model']),
    instance: asText(actor['instance']),
    attenuation: attenuation === undefined ? undefined : JSON.stringify(attenuation),
    runs: runIdsOf(attested, declared['run']),
  };
}

export function identityOf(issuer: string, subject: string): string {
  return `${issuer}\n${subject}`;
}

/** The filters that an event meets, as tokens separated by spaces. @param outcome `undefined`: it has none. */
export function keysOf(record: EventRecord, outcome: string | undefined, tokens: KeyTokens): string {
  const who = whoOf(record);
  const keys: string[] = [];
  const add = (kind: KeyKind, value: string | undefined) => {
    if (value !== undefined) keys.push(tokens.of(kind, value));
  };
  add('type', asText(record['type']));
  add('agent', who.agent);
  add('person', who.person);
  // Who decided on another's request has done that.
  add('person', deciderOf(record));
  add('identity', who.identity);
  add('model', who.model);
  add('resource', asText(record['resource']));
  add('session', asText(record['session']));
  add('instance', who.instance);
  for (const run of who.runs ?? []) add('run', run);
  add('approval', approvalOf(record));
  add('decision', asText(record['decision']));
  add('outcome', outcome);
  for (const name of new Set(texts(record['objects']).flatMap(objectNames))) add('object', name);
  for (const action of new Set(texts(record['actions']).flatMap(actionGroups))) add('action', action);
  return keys.join(' ');
}

/** Not of a search for it, which is no part of its story. */
function approvalOf(record: EventRecord): string | undefined {
  if (record['type'] === 'audit.searched') return undefined;
  return asText(asRecord(record['facts'])?.['approval']);
}

function deciderOf(record: EventRecord): string | undefined {
  return asText(asRecord(record['facts'])?.['decidedBy']);
}

/** What free text is looked for in: nothing that is sealed is in a record, and `text` is masked. */
export function wordsOf(record: EventRecord): string {
  const who = whoOf(record);
  const rules = Array.isArray(record['rules']) ? record['rules'] : [];
  const parts = [
    record['text'],
    record['reason'],
    record['status'],
    who.name,
    who.person,
    deciderOf(record),
    record['resource'],
  ];
  const ids = rules.map((rule) => asRecord(rule)?.['id']);
  return [...parts, ...texts(record['objects']), ...ids]
    .filter((part) => typeof part === 'string')
    .join('\n');
}

/** `sql.select` is found as itself and as `sql`. */
function actionGroups(action: string): string[] {
  const parts = action.toLowerCase().split('.').slice(0, 8);
  return parts.map((_, i) => parts.slice(0, i + 1).join('.'));
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}
