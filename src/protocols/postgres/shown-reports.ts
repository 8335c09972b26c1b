import type { Denial } from '../../enforcement/operation.ts';
import { NotificationResponse, ParameterStatus } from '../../wire/postgres/connection.ts';
import type { Frame } from '../../wire/postgres/frame.ts';
import { ErrorResponse, NoticeResponse } from '../../wire/postgres/report.ts';
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

/** The setting by which the server reads SQL otherwise from now on, if this says that one has changed. */
export function changedReading(frame: Frame): string | undefined {
  const { parameter, value } = ParameterStatus.decode(frame.body);
  const unsafe =
    (parameter === 'standard_conforming_strings' && value !== 'on') ||
    (parameter === 'client_encoding' && value !== 'UTF8');
  return unsafe ? parameter : undefined;
}
