import { type Report, type ReportField, reportText } from '../../wire/postgres/report.ts';
import { KNOWN_SQLSTATES } from './sqlstates.ts';

const WITHHELD = 'details withheld by the gateway: they may hold masked values';

/**
 * Classes whose primary message names only what the client itself wrote, or the server's own state: identifiers,
 * syntax, locks, cancellation. All others (22 data exceptions, P0 raised by functions, XX, …) can quote a value.
 */
const MESSAGE_IS_HARMLESS = new Set([
  '08',
  '0A',
  '21',
  '23',
  '25',
  '26',
  '28',
  '34',
  '3D',
  '3F',
  '40',
  '42',
  '53',
  '54',
  '55',
  '57',
]);
/** Hints here suggest identifiers ("Perhaps you meant …"); elsewhere they may come from a function's author. */
const HINT_IS_HARMLESS = new Set(['42', '25']);

/**
 * Removes from an error or notice whatever may quote a stored value.
 *
 * Kept: severity, SQLSTATE if PostgreSQL knows it, position in the client's own statement, and the message where its
 * class cannot quote data. Dropped: detail, context, internal query, object names, source location. A notice has no
 * class to trust (`RAISE NOTICE` gives 00000), so its message always goes.
 *
 * @param report Decoded error or notice: fields in any order, repeated codes allowed.
 * @returns Fields in protocol order, always with S, V, C and M. Pure. Never throws.
 * @see https://www.postgresql.org/docs/current/protocol-error-fields.html
 */
export function scrubError(report: Report<string>): readonly ReportField[] {
  const get = (code: string) => reportText(report, code);
  const severity = severityOf(get('V') ?? get('S'));
  const given = get('C') ?? 'XX000';
  const sqlstate = KNOWN_SQLSTATES.has(given) ? given : 'XX000';
  const errorClass = sqlstate.slice(0, 2);
  const isNotice = !['ERROR', 'FATAL', 'PANIC'].includes(severity);
  const harmless = !isNotice && MESSAGE_IS_HARMLESS.has(errorClass);
  const scrubbed: ReportField[] = [
    ['S', severity],
    ['V', severity],
    ['C', sqlstate],
    ['M', harmless ? (get('M') ?? WITHHELD) : WITHHELD],
  ];
  const position = get('P');
  if (position !== undefined && /^\d{1,10}$/.test(position)) scrubbed.push(['P', position]);
  const hint = get('H');
  if (hint !== undefined && harmless && HINT_IS_HARMLESS.has(errorClass)) scrubbed.push(['H', hint]);
  return scrubbed;
}

const SEVERITIES = new Set(['ERROR', 'FATAL', 'PANIC', 'WARNING', 'NOTICE', 'DEBUG', 'INFO', 'LOG']);

function severityOf(value: string | undefined): string {
  return value !== undefined && SEVERITIES.has(value) ? value : 'ERROR';
}
