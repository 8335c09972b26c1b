import type { RuleRef } from '../policy/model.ts';
import type { AuditEvent, EventFields, EventInput, Original } from './event.ts';
import type { Sealer } from './seal.ts';
import { cutText } from './text.ts';

/** What one event may hold. What is over is left out, and the event's `cut` says of what. */
export const EVENT_LIMITS = {
  /** Masked text and reason, octets as JSON. */
  textBytes: 8 * 1024,
  reasonBytes: 2 * 1024,
  /** Entries of a list, and octets of one entry. */
  actions: 64,
  objects: 1024,
  rules: 64,
  facts: 64,
  entryBytes: 1024,
  /** What policy was asked: more is left out as a whole. */
  askedBytes: 16 * 1024,
} as const;

type CutWord = NonNullable<AuditEvent['cut']>[number];

/** A part of an event as JSON, empty where all of it was left out, and whether something was. */
interface Part {
  readonly json: string;
  readonly cut: boolean;
}

/** Fields of an event as JSON, each behind its comma. */
interface Fields {
  readonly json: string;
  readonly cut: readonly CutWord[];
}

const NO_FIELDS: Fields = { json: '', cut: [] };

class FieldWriter implements Fields {
  json = '';
  readonly cut: CutWord[] = [];

  add(name: keyof EventFields, json: string): void {
    this.json += `,"${name}":${json}`;
  }

  part(name: keyof EventFields, { json, cut }: Part): void {
    if (json !== '') this.add(name, json);
    if (cut) this.cut.push(name as CutWord);
  }
}

/**
 * Gives events the form in which they are stored: named fields only, so that nothing unclassified slips in, the
 * original sealed, everything bounded.
 *
 * What events have in common, actors, rules and lists of names come again with every statement as the same objects,
 * which nobody changes: their text is made once.
 */
export class EventShaper {
  readonly #sealer: Sealer;
  readonly #parts = new WeakMap<object, Part>();
  readonly #common = new WeakMap<EventFields, Fields>();

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  /** @returns The text of a JSON object without line breaks. */
  json(input: EventInput, id: string, at: string): string {
    const sealed = this.#sealed(input, id);
    const common = input.common === undefined ? NO_FIELDS : this.#commonFields(input.common);
    const own = this.#fields(input);
    let json = `{"schemaVersion":2,"id":"${id}","at":"${at}","type":"${input.type}"`;
    if (input.operation !== undefined) json += `,"operation":${JSON.stringify(input.operation)}`;
    json += common.json + own.json;
    if (sealed !== undefined) json += `,"sealed":${sealed.json}`;
    const cut = [...(sealed?.cut === true ? ['original'] : []), ...common.cut, ...own.cut];
    return cut.length > 0 ? `${json},"cut":${JSON.stringify(cut)}}` : `${json}}`;
  }

  #commonFields(common: EventFields): Fields {
    const known = this.#common.get(common);
    if (known !== undefined) return known;
    const made = this.#fields(common);
    this.#common.set(common, made);
    return made;
  }

  #fields(input: EventFields): Fields {
    const out = new FieldWriter();
    for (const name in input) {
      const value = input[name as keyof EventFields];
      if (value !== undefined) WRITERS[name]?.(out, value as never, this.#parts);
    }
    return out;
  }

  /** What is shown whole hides nothing: only what an original says more than the text is sealed. */
  #sealed({ original, text, common }: EventInput, id: string): Part | undefined {
    if (original === undefined) return undefined;
    const hidden = beyond(original, text ?? common?.text);
    if (hidden === undefined) return undefined;
    const { sealed, cut } = this.#sealer.seal(hidden, id);
    const { keyId, nonce, data } = sealed;
    return { json: `{"keyId":"${keyId}","nonce":"${nonce}","data":"${data}"}`, cut };
  }
}

type Write = (out: FieldWriter, value: never, parts: WeakMap<object, Part>) => void;

const text =
  (name: keyof EventFields): Write =>
  (out, value: string) =>
    out.add(name, JSON.stringify(value));
const number =
  (name: keyof EventFields): Write =>
  (out, value: number) =>
    out.add(name, Number.isFinite(value) ? `${value}` : 'null');
const part =
  <T>(name: keyof EventFields, make: (value: T) => Part): Write =>
  (out, value: T) =>
    out.part(name, make(value));
const once =
  <T extends object>(name: keyof EventFields, make: (value: T) => Part): Write =>
  (out, value: T, parts) => {
    const made = parts.get(value) ?? make(value);
    parts.set(value, made);
    out.part(name, made);
  };

/** Every field that is stored, and how: what is not named here is left out. */
const WRITERS: Readonly<Record<string, Write>> = Object.assign(Object.create(null), {
  actor: once('actor', whole),
  session: text('session'),
  resource: text('resource'),
  protocol: text('protocol'),
  text: part('text', (value: string) => bounded(value, EVENT_LIMITS.textBytes)),
  actions: once('actions', (value: readonly string[]) => list(value, EVENT_LIMITS.actions)),
  objects: once('objects', (value: readonly string[]) => list(value, EVENT_LIMITS.objects)),
  decision: text('decision'),
  rules: once('rules', rules),
  policyVersion: text('policyVersion'),
  asked: once('asked', question),
  reason: part('reason', (value: string) => bounded(value, EVENT_LIMITS.reasonBytes)),
  outcome: text('outcome'),
  status: text('status'),
  rows: number('rows'),
  bytes: number('bytes'),
  maskedValues: number('maskedValues'),
  durationMs: number('durationMs'),
  facts: part('facts', facts),
} satisfies Record<keyof EventFields, Write>);

/** What of an original the text does not show whole. */
function beyond(original: Original, shown: string | undefined): Original | undefined {
  let [hidden, others] = [0, 0];
  for (const name in original) {
    if (isHidden(original[name], shown)) hidden++;
    else others++;
  }
  if (hidden === 0) return undefined;
  if (others === 0) return original;
  return Object.fromEntries(Object.entries(original).filter(([, value]) => isHidden(value, shown)));
}

function isHidden(value: Original[string] | undefined, shown: string | undefined): boolean {
  if (value === undefined) return false;
  if (typeof value !== 'string') return value.length > 0;
  return value !== shown || cutText(value, EVENT_LIMITS.textBytes).cut;
}

/** A question of which a part is missing is another one. */
function question(asked: NonNullable<EventFields['asked']>): Part {
  const json = JSON.stringify(asked);
  const cut = Buffer.byteLength(json) > EVENT_LIMITS.askedBytes;
  return { json: cut ? '' : json, cut };
}

function whole(value: object): Part {
  return { json: JSON.stringify(value), cut: false };
}

function bounded(value: string, max: number): Part {
  const { text, cut } = cutText(value, max);
  return { json: JSON.stringify(text), cut };
}

/** Cut entries stay distinct enough to read; the original, sealed beside, is whole. */
function list(entries: readonly string[], max: number): Part {
  const kept = entries.slice(0, max).map((entry) => cutText(entry, EVENT_LIMITS.entryBytes));
  const cut = entries.length > max || kept.some((entry) => entry.cut);
  return { json: JSON.stringify(kept.map((entry) => entry.text)), cut };
}

function rules(entries: readonly RuleRef[]): Part {
  let short = entries.length > EVENT_LIMITS.rules;
  const entry = (text: string) => {
    const part = cutText(text, EVENT_LIMITS.entryBytes);
    short ||= part.cut;
    return part.text;
  };
  const kept = entries.slice(0, EVENT_LIMITS.rules).map((rule) => ({
    id: entry(rule.id),
    ...(rule.reason === undefined ? {} : { reason: entry(rule.reason) }),
    ...(rule.hint === undefined ? {} : { hint: entry(rule.hint) }),
  }));
  return { json: JSON.stringify(kept), cut: short };
}

function facts(input: NonNullable<EventFields['facts']>): Part {
  const kept: Record<string, string | number | boolean> = {};
  let short = false;
  for (const [index, [name, value]] of Object.entries(input).entries()) {
    const part =
      typeof value === 'string' ? cutText(value, EVENT_LIMITS.entryBytes) : { text: value, cut: false };
    short ||= index >= EVENT_LIMITS.facts || part.cut;
    if (index < EVENT_LIMITS.facts) kept[name] = part.text;
  }
  return { json: JSON.stringify(kept), cut: short };
}
