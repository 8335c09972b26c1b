import type { Denial } from '../../../enforcement/operation.ts';
import { NotificationResponse, ParameterStatus } from '../../../wire/postgres/connection.ts';
import type { Frame } from '../../../wire/postgres/frame.ts';
import {
  ErrorResponse,
  NoticeResponse,
  type ReportField,
  reportText,
} from '../../../wire/postgres/report.ts';
import { denialFields, targetEndedLine } from './denial.ts';
import type { SessionMasks } from './masks.ts';
import { type Said, saidAnew } from './scrub.ts';

/**
 * What a client sees of an error of the target's.
 *
 * @param denial Why the error was brought about: that is told in its place, unless the target ends the session.
 * @returns Undefined: it, octet by octet. Pure.
 */
export function shownError(
  error: ErrorResponse,
  denial: Denial | undefined,
  said: Said | undefined,
  masks: SessionMasks,
): Buffer | undefined {
  const ends = isFatal(error);
  if (denial !== undefined && !ends) return ErrorResponse.encode({ fields: denialFields(denial) });
  const needsStep = ends && (masks.active || reportText(error, 'H') === undefined);
  if (!masks.active && !needsStep) return undefined;
  const fields = masks.active ? looked(saidAnew(error, said), masks) : error.fields;
  return ErrorResponse.encode({ fields: needsStep ? withStep(fields) : fields });
}

/** With what to do next, in place of a hint. */
function withStep(fields: readonly ReportField[]): readonly ReportField[] {
  const sqlstate = reportText({ name: 'ErrorResponse', fields }, 'C') ?? '';
  return [...fields.filter(([code]) => code !== 'H'), ['H', targetEndedLine(sqlstate)]];
}

/** What a client sees of the target's notices while anything is masked for it. Pure. */
export function shownNotice(frame: Frame, said: Said | undefined, masks: SessionMasks): Buffer {
  return NoticeResponse.encode({ fields: looked(saidAnew(NoticeResponse.decode(frame.body), said), masks) });
}

/** Detectors have the last word, on what the client has written itself too. */
function looked(fields: readonly ReportField[], masks: SessionMasks): readonly ReportField[] {
  return fields.map(([code, text]) => [code, code === 'M' ? masks.detected.cleanText(String(text)) : text]);
}

/** Whatever another session has put into it may be what is masked here. */
export function shownNotification(frame: Frame): Buffer {
  const { processId, channel } = NotificationResponse.decode(frame.body);
  return NotificationResponse.encode({ processId, channel, payload: '' });
}

/** The target closes the connection next. */
export function isFatal(error: ErrorResponse): boolean {
  return ['FATAL', 'PANIC'].includes(reportText(error, 'V') ?? reportText(error, 'S') ?? '');
}

/** The last octet of a ReadyForQuery. */
export function statusOf(frame: Frame): string {
  return String.fromCharCode(frame.chunk[frame.end - 1] ?? 0);
}

/** The setting that a ParameterStatus tells of, and whether the server reads SQL otherwise by it than we do. */
export function reported(frame: Frame): { readonly setting: string; readonly unsafe: boolean } {
  const { parameter, value } = ParameterStatus.decode(frame.body);
  const unsafe =
    (parameter === 'standard_conforming_strings' && value !== 'on') ||
    (parameter === 'client_encoding' && value !== 'UTF8');
  return { setting: parameter, unsafe };
}

/**
 * Whether a setting's new value may be told: a function may have put what is masked into it. It may if the client named
 * it itself, if it was told before (at the login, say), or if it can hold no text.
 *
 * @param told As `settingKey` has them; a value that may be told is added.
 */
export function mayTell(frame: Frame, said: Said | undefined, told: Set<string>): boolean {
  const { parameter, value } = ParameterStatus.decode(frame.body);
  const key = settingKey(parameter, value);
  if (told.has(key)) return true;
  const may = !FREE_TEXT.has(parameter.toLowerCase()) || said?.text.includes(value) === true;
  if (may && told.size < MAX_TOLD) told.add(key);
  return may;
}

export function settingKey(parameter: string, value: string): string {
  return `${parameter}=${value}`;
}

/** Settings that the server reports, and whose values may be text of anybody's. */
const FREE_TEXT: ReadonlySet<string> = new Set(['application_name', 'timezone', 'search_path']);
const MAX_TOLD = 1000;
