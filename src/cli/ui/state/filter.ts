import { AUDIT_FILTER_NAMES, AUDIT_FILTER_WORDS, type AuditFilterName } from '../../../api/audit-filters.ts';
import type { AuditEventItem, AuditQuery } from '../../../api/contract.ts';
import { isHoopError } from '../../../core/errors.ts';
import { eventRow } from '../../audit/event-row.ts';
import { parseMoment } from '../../parse.ts';

/** Of these fields a beginning will do while it is typed. */
const WORDS: Partial<Record<AuditFilterName, readonly string[]>> = AUDIT_FILTER_WORDS;
/** The feed is of operations unless somebody says `type:`. */
const OPERATIONS = 'operation.decided';
const ANY = 'any';

export interface ReadFilter {
  readonly query: AuditQuery;
  /** What is wrong with it: it is not asked for. */
  readonly mistake?: string;
}

/**
 * Reads what is typed above the feed: `decision:deny resource:shop since:1h customers`.
 *
 * Pure. @returns The query as the gateway takes it; the last word may be a beginning.
 */
export function readFilter(text: string, nowMs: number): ReadFilter {
  const query: Record<string, string> = { type: OPERATIONS };
  const words: string[] = [];
  for (const part of text.split(/\s+/).filter(Boolean)) {
    const [, name = '', value = ''] = /^([a-z]+):(.*)$/.exec(part) ?? [];
    if (!isName(name)) {
      words.push(part);
      continue;
    }
    if (value === '') continue;
    const read = readValue(name, value, nowMs);
    if (read.mistake !== undefined) return { query, mistake: read.mistake };
    if (name === 'type' && value === ANY) delete query['type'];
    else query[name] = read.value;
  }
  if (words.length > 0) query['q'] = words.join(' ') + (/[\p{L}\p{N}]$/u.test(words.at(-1)!) ? '*' : '');
  return { query };
}

/** What may stand before a colon; the rest of a filter are words of the text. */
function isName(name: string): name is AuditFilterName {
  return (AUDIT_FILTER_NAMES as readonly string[]).includes(name);
}

function readValue(
  name: AuditFilterName,
  value: string,
  nowMs: number,
): { readonly value: string; readonly mistake?: string } {
  const words = WORDS[name];
  if (words !== undefined) {
    const found = words.find((word) => word.startsWith(value));
    return found === undefined
      ? { value, mistake: `${name}: is one of ${words.join(', ')}` }
      : { value: found };
  }
  if (name !== 'since' && name !== 'until') return { value };
  try {
    return { value: parseMoment(value, name, nowMs) };
  } catch (error) {
    if (!isHoopError(error)) throw error;
    return { value, mistake: `${name}: takes 1h, 2026-01-31 or 2026-01-31T12:00:00Z` };
  }
}

/** Whether an event that is at hand fits what is typed, until the gateway has answered. Pure. */
export function fitsEvent(event: AuditEventItem, text: string): boolean {
  const cells = eventRow(event).join(' ').toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((part) => {
      const [, name = '', value = ''] = /^([a-z]+):(.*)$/.exec(part) ?? [];
      if (!isName(name)) return cells.includes(part);
      const field = event[name];
      return typeof field === 'string' && WORDS[name] !== undefined ? field.startsWith(value) : true;
    });
}

/** Whether all words are somewhere in these texts, whatever their case. Pure. */
export function fitsWords(texts: readonly (string | undefined)[], filter: string): boolean {
  if (filter === '') return true;
  const text = texts.join('\n').toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
