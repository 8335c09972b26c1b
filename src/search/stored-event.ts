/** What an event of a chain looks like to the index: JSON, so nothing of it is taken for granted. */
export type EventRecord = Readonly<Record<string, unknown>>;

/** Of events, not of the chain that holds them: see audit/event.ts. */
const SCHEMA = 2;

/**
 * An event as this version has it, whichever wrote it: version 1 called the target's status `sqlstate`, and what was only
 * explained, or asked ahead and needed no approval, was once written down as denied.
 *
 * @param record As it stands in a chain, which is never changed.
 * @returns The record itself where it is of this version; a later one's is shown as it is. Pure.
 */
export function inPresentForm(record: EventRecord): EventRecord {
  if (wasExplained(record)) return { ...record, decision: 'explained' };
  if (record['schemaVersion'] !== 1) return record;
  const { sqlstate, ...same } = record;
  return { ...same, schemaVersion: SCHEMA, ...(sqlstate === undefined ? {} : { status: sqlstate }) };
}

/** Words of the gateway's own, which begin no other reason. */
const ONLY_TOLD = /^(?:explains|asks)-only: /;

function wasExplained({ decision, reason }: EventRecord): boolean {
  return decision === 'deny' && typeof reason === 'string' && ONLY_TOLD.test(reason);
}
