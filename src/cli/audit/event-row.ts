import type { AuditEventItem } from '../../api/contract.ts';

export const HEADINGS = [
  'ID',
  'TIME',
  'WHO',
  'RESOURCE',
  'EVENT',
  'DECISION',
  'OUTCOME',
  'ROWS',
  'SESSION',
  'TEXT',
] as const;

/**
 * One event as cells of the search's table; the caller escapes them.
 *
 * Pure. Unknown or odd fields give empty cells: the gateway may be newer than we.
 */
export function eventRow(event: AuditEventItem): string[] {
  const actor = record(event['actor']);
  const name = text(actor['name']);
  const person = text(actor['person']);
  const who = person !== '' && person !== name ? `${name} for ${person}` : name;
  const outcome = [text(event['outcome']), text(event['status'])].filter((part) => part !== '').join(' ');
  const said = decidedBy(event) || text(event['text']) || text(event['reason']) || objects(event['objects']);
  const rows = event['rows'];
  return [
    event.id,
    event.at,
    who,
    text(event['resource']),
    event.type,
    text(event['decision']),
    outcome,
    typeof rows === 'number' ? String(rows) : '',
    text(event['session']),
    said.replace(/\s+/g, ' ').trim(),
  ];
}

/** Of a request that people have decided, who did, under which names, and what they said of it: `actor` is who had asked. */
function decidedBy(event: AuditEventItem): string {
  const facts = record(event['facts']);
  const person = text(facts['decidedBy']);
  if (person === '') return '';
  const names = text(facts['names']);
  const reason = text(event['reason']);
  return `by ${person}${names === '' ? '' : ` as ${names}`}${reason === '' ? '' : `: ${reason}`}`;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function objects(value: unknown): string {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string').join(' ') : '';
}
