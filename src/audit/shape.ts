import type { RuleRef } from '../policy/model.ts';
import type { AuditEvent, EventInput } from './event.ts';
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

type CutWord = NonNullable<AuditEvent['cut']>[number];

/**
 * Gives an event the form in which it is stored: named fields only, so that nothing unclassified slips in, the
 * original sealed, everything bounded.
 *
 * @returns The text of a JSON object without line breaks.
 */
export function eventJson(input: EventInput, id: string, at: string, sealer: Sealer): string {
  const cut: CutWord[] = [];
  const sealed = input.original === undefined ? undefined : sealer.seal(input.original, id);
  if (sealed?.cut === true) cut.push('original');
  const text = (value: string | undefined, max: number, word: CutWord) => {
    if (value === undefined) return undefined;
    const part = cutText(value, max);
    if (part.cut) cut.push(word);
    return part.text;
  };
  const event: { [K in keyof AuditEvent]-?: AuditEvent[K] | undefined } = {
    schemaVersion: 1,
    id,
    at,
    type: input.type,
    actor: input.actor,
    session: input.session,
    resource: input.resource,
    protocol: input.protocol,
    operation: input.operation,
    text: text(input.text, EVENT_LIMITS.textBytes, 'text'),
    actions: list(input.actions, EVENT_LIMITS.actions, 'actions', cut),
    objects: list(input.objects, EVENT_LIMITS.objects, 'objects', cut),
    decision: input.decision,
    rules: rules(input.rules, cut),
    policyVersion: input.policyVersion,
    reason: text(input.reason, EVENT_LIMITS.reasonBytes, 'reason'),
    outcome: input.outcome,
    sqlstate: input.sqlstate,
    rows: input.rows,
    bytes: input.bytes,
    maskedValues: input.maskedValues,
    durationMs: input.durationMs,
    facts: facts(input.facts, cut),
    sealed: sealed?.sealed,
    cut: cut.length === 0 ? undefined : cut,
  };
  return JSON.stringify(event);
}

/** Cut entries stay distinct enough to read; the original, sealed beside, is whole. */
function list(entries: readonly string[] | undefined, max: number, word: CutWord, cut: CutWord[]) {
  if (entries === undefined) return undefined;
  const kept = entries.slice(0, max).map((entry) => cutText(entry, EVENT_LIMITS.entryBytes));
  if (entries.length > max || kept.some((entry) => entry.cut)) cut.push(word);
  return kept.map((entry) => entry.text);
}

function rules(entries: readonly RuleRef[] | undefined, cut: CutWord[]): RuleRef[] | undefined {
  if (entries === undefined) return undefined;
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
  if (short) cut.push('rules');
  return kept;
}

function facts(input: EventInput['facts'], cut: CutWord[]): EventInput['facts'] {
  if (input === undefined) return undefined;
  const kept: Record<string, string | number | boolean> = {};
  let short = false;
  for (const [index, [name, value]] of Object.entries(input).entries()) {
    const part =
      typeof value === 'string' ? cutText(value, EVENT_LIMITS.entryBytes) : { text: value, cut: false };
    short ||= index >= EVENT_LIMITS.facts || part.cut;
    if (index < EVENT_LIMITS.facts) kept[name] = part.text;
  }
  if (short) cut.push('facts');
  return kept;
}
