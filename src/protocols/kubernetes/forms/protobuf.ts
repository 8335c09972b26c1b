import { MAX_VALUES } from '../../http/request/body/json.ts';
import { type Json, numberOf } from '../guards/json.ts';
import { API_RELEASE, MESSAGES, type Message, type MessageField } from './messages.ts';
import { SPECIAL } from './special.ts';
import { textOf } from './text.ts';
import { Unreadable, type WireField, wireFields } from './wire-reader.ts';

/** Before whatever is written in this form. */
const MAGIC = Buffer.from('k8s\0');
/** Where groups of the server's own are described; the core group has no name. */
const DESCRIBED: Readonly<Record<string, string>> = {
  '': 'core',
  apps: 'apps',
  autoscaling: 'autoscaling',
  batch: 'batch',
  policy: 'policy',
  'rbac.authorization.k8s.io': 'rbac',
  'storage.k8s.io': 'storage',
  'networking.k8s.io': 'networking',
  'events.k8s.io': 'events',
  'node.k8s.io': 'node',
  'scheduling.k8s.io': 'scheduling',
  'discovery.k8s.io': 'discovery',
  'coordination.k8s.io': 'coordination',
  'certificates.k8s.io': 'certificates',
  'authorization.k8s.io': 'authorization',
  'authentication.k8s.io': 'authentication',
  'admissionregistration.k8s.io': 'admissionregistration',
};
/** Sent to any group, and described once. */
const OPTIONS = 'DeleteOptions';

/**
 * An object that a client of the server's own kinds writes in protobuf, as the same client would write it in JSON: by the descriptions
 * of these kinds. What is not described has no meaning here.
 *
 * Pure, linear.
 *
 * @throws {Unreadable} It is of no kind that is described, or has what its description has not, as what is newer: it says by which
 *   version it is described.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
export function objectInProtobuf(octets: Uint8Array): Json {
  if (Buffer.compare(octets.subarray(0, MAGIC.length), MAGIC) !== 0)
    throw new Unreadable('the body is no protobuf of a cluster');
  const reader = new ObjectReader();
  const { apiVersion, kind, raw, contentEncoding, contentType } = enveloped(octets.subarray(MAGIC.length));
  if (contentEncoding !== '' || contentType !== '')
    throw new Unreadable('the protobuf holds an object in yet another form');
  if (raw === undefined) throw new Unreadable('the protobuf holds no object');
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const name = kind === OPTIONS ? `meta.v1.${OPTIONS}` : `${DESCRIBED[group]}.${version}.${kind}`;
  if (!MESSAGES.has(name)) throw new Unreadable(unknownKind(apiVersion, kind));
  return { apiVersion, kind, ...reader.members(name, raw) };
}

/** What stands around an object. */
function enveloped(octets: Uint8Array) {
  const found = {
    apiVersion: '',
    kind: '',
    raw: undefined as Uint8Array | undefined,
    contentEncoding: '',
    contentType: '',
  };
  const names = new Map([
    [3, 'contentEncoding'],
    [4, 'contentType'],
  ] as const);
  for (const { number, form, value } of eachOnce(octets)) {
    const name = names.get(number as 3 | 4);
    if (form !== 'octets') throw new Unreadable(UNDESCRIBED);
    if (number === 2) found.raw = value;
    else if (name !== undefined) found[name] = textOf(value);
    else if (number === 1) Object.assign(found, typed(value));
    else throw new Unreadable(UNDESCRIBED);
  }
  return found;
}

function typed(octets: Uint8Array): { apiVersion?: string; kind?: string } {
  const entries = [...eachOnce(octets)].map(({ number, form, value }) => {
    if (form !== 'octets' || number > 2) throw new Unreadable(UNDESCRIBED);
    return [number === 1 ? 'apiVersion' : 'kind', textOf(value)];
  });
  return Object.fromEntries(entries) as { apiVersion?: string; kind?: string };
}

function* eachOnce(octets: Uint8Array): Generator<WireField> {
  const seen = new Set<number>();
  for (const field of wireFields(octets)) {
    if (seen.has(field.number)) throw new Unreadable(TWICE);
    seen.add(field.number);
    yield field;
  }
}

const UNDESCRIBED = 'the protobuf has something that no object of a cluster has';

/** As clients name them; what is called otherwise is not repeated. */
const KIND = /^[A-Za-z0-9./-]{1,200}$/;

function unknownKind(apiVersion: string, kind: string): string {
  const named = `${apiVersion} ${kind}`;
  const what = KIND.test(named.replace(' ', '')) ? named : 'a kind without a name';
  return `the protobuf is of ${what}, which k8s.io/api ${API_RELEASE} does not have: send what is newer as JSON`;
}

/** @param within A message that is described. */
function unknownField(within: string, number: number): string {
  return `the protobuf has field ${number} of ${within}, which k8s.io/api ${API_RELEASE} does not have: send what is newer as JSON`;
}

const TWICE = 'the protobuf has a field twice';

class ObjectReader {
  #values = 0;

  /** @param name Of a message: `core.v1.Pod`. */
  members(name: string, octets: Uint8Array): Readonly<Record<string, Json>> {
    const message = MESSAGES.get(name);
    if (message === undefined) throw new Unreadable(UNDESCRIBED);
    const members = Object.create(null) as Record<string, Json>;
    for (const field of wireFields(octets)) this.#add(members, message, name, field);
    return members;
  }

  #add(members: Record<string, Json>, { fields }: Message, within: string, field: WireField): void {
    if (++this.#values > MAX_VALUES) throw new Unreadable(`the protobuf has more than ${MAX_VALUES} values`);
    const described = fields.get(field.number);
    if (described === undefined) throw new Unreadable(unknownField(within, field.number));
    const { name, type, how } = described;
    const known = members[name];
    if (how === 'list') {
      const value = this.#value(type, field);
      if (known === undefined) members[name] = [value];
      else (known as Json[]).push(value);
    } else if (how === 'mapping') {
      members[name] ??= Object.create(null) as Record<string, Json>;
      this.#entry(members[name] as Record<string, Json>, described, field);
    } else if (how === 'inline') {
      for (const [one, value] of Object.entries(this.members(type, octetsOf(field)))) {
        if (one in members) throw new Unreadable(TWICE);
        members[one] = value;
      }
    } else {
      if (known !== undefined) throw new Unreadable(TWICE);
      members[name] = this.#value(type, field);
    }
  }

  #entry(mapping: Record<string, Json>, { type }: MessageField, field: WireField): void {
    let key = '';
    let value: Json;
    for (const one of eachOnce(octetsOf(field))) {
      if (one.number === 1) key = textOf(octetsOf(one));
      else if (one.number === 2) value = this.#value(type, one);
      else throw new Unreadable(UNDESCRIBED);
    }
    if (value === undefined || key in mapping) throw new Unreadable(TWICE);
    mapping[key] = value;
  }

  #value(type: string, field: WireField): Json {
    if (type === 'b') return numberIn(field) !== 0n;
    if (type === 'i') return numberOf(numberIn(field));
    const octets = octetsOf(field);
    if (type === 's') return textOf(octets);
    if (type === 'y') return Buffer.from(octets).toString('base64');
    const special = SPECIAL.get(type);
    const members = this.members(type, octets);
    if (special !== undefined) return special(members);
    return MESSAGES.get(type)?.wraps === true ? (members['items'] ?? []) : members;
  }
}

function octetsOf({ form, value }: WireField): Uint8Array {
  if (form === 'octets') return value;
  throw new Unreadable(UNDESCRIBED);
}

function numberIn({ form, value }: WireField): bigint {
  if (form === 'number') return value;
  throw new Unreadable(UNDESCRIBED);
}
