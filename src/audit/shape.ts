import type { RuleRef } from '../policy/model.ts';
import type { AuditEvent, EventFields, EventInput } from './event.ts';
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
} as const;

type Original = NonNullable<EventInput['original']>;
type CutWord = NonNullable<AuditEvent['cut']>[number];

/** A part of an event as JSON, and whether something of it was left out. */
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

  text(name: keyof EventFields, value: string): void {
    this.json += `,"${name}":${JSON.stringify(value)}`;
  }

  number(name: keyof EventFields, value: number): void {
    this.json += `,"${name}":${JSON.stringify(value)}`;
  }

  part(name: keyof EventFields, { json, cut }: Part): void {
    this.json += `,"${name}":${json}`;
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
    let json = `{"schemaVersion":1,"id":"${id}","at":"${at}","type":"${input.type}"`;
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
    if (input.actor !== undefined) out.part('actor', this.#once(input.actor, whole));
    if (input.session !== undefined) out.text('session', input.session);
    if (input.resource !== undefined) out.text('resource', input.resource);
    if (input.protocol !== undefined) out.text('protocol', input.protocol);
    if (input.text !== undefined) out.part('text', bounded(input.text, EVENT_LIMITS.textBytes));
    if (input.actions !== undefined) out.part('actions', this.#once(input.actions, actions));
    if (input.objects !== undefined) out.part('objects', this.#once(input.objects, objects));
    if (input.decision !== undefined) out.text('decision', input.decision);
    if (input.rules !== undefined) out.part('rules', this.#once(input.rules, rules));
    if (input.policyVersion !== undefined) out.text('policyVersion', input.policyVersion);
    if (input.reason !== undefined) out.part('reason', bounded(input.reason, EVENT_LIMITS.reasonBytes));
    if (input.outcome !== undefined) out.text('outcome', input.outcome);
    if (input.sqlstate !== undefined) out.text('sqlstate', input.sqlstate);
    if (input.rows !== undefined) out.number('rows', input.rows);
    if (input.bytes !== undefined) out.number('bytes', input.bytes);
    if (input.maskedValues !== undefined) out.number('maskedValues', input.maskedValues);
    if (input.durationMs !== undefined) out.number('durationMs', input.durationMs);
    if (input.facts !== undefined) out.part('facts', facts(input.facts));
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

  #once<T extends object>(value: T, make: (value: T) => Part): Part {
    const known = this.#parts.get(value);
    if (known !== undefined) return known;
    const made = make(value);
    this.#parts.set(value, made);
    return made;
  }
}

function beyond(original: Original, shown: string | undefined): Original | undefined {
  const { statement, parameters } = original;
  if (statement === undefined || statement !== shown) return original;
  if (cutText(statement, EVENT_LIMITS.textBytes).cut) return original;
  return parameters === undefined || parameters.length === 0 ? undefined : { parameters };
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

const actions = (entries: readonly string[]) => list(entries, EVENT_LIMITS.actions);
const objects = (entries: readonly string[]) => list(entries, EVENT_LIMITS.objects);

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
