import type { Denial } from '../../enforcement/operation.ts';
import { NotificationResponse, ParameterStatus } from '../../wire/postgres/connection.ts';
import type { Frame } from '../../wire/postgres/frame.ts';
import { ErrorResponse, NoticeResponse, reportText } from '../../wire/postgres/report.ts';
import { denialFields } from './denial.ts';
import { scrubError } from './scrub.ts';

/** What a client sees of the target's reports while anything is masked for it. Pure. */
export function shownError(error: ErrorResponse, denial: Denial | undefined): Buffer {
  return ErrorResponse.encode({ fields: denial === undefined ? scrubError(error) : denialFields(denial) });
}

export function shownNotice(frame: Frame): Buffer {
  return NoticeResponse.encode({ fields: scrubError(NoticeResponse.decode(frame.body)) });
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
