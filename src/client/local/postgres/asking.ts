/**
 * Asking ahead for one statement in PostgreSQL's protocol, over a stream where nothing runs.
 */
import type { Duplex } from 'node:stream';
import { Inlet } from '../../../core/bytes/inlet.ts';
import { HoopError } from '../../../core/errors.ts';
import { Framer } from '../../../wire/postgres/framer.ts';
import { encodeFrontend } from '../../../wire/postgres/frontend.ts';
import { Query } from '../../../wire/postgres/query.ts';
import { ErrorResponse, reportText } from '../../../wire/postgres/report.ts';
import { BACKEND } from '../../../wire/postgres/types.ts';
import { aheadAnswer, type Word } from '../ahead.ts';
import type { AheadAnswer, AheadQuestion } from '../protocol.ts';
import { nextFrame } from './next-frame.ts';
import { executed, introduction, prepared, type SessionNames } from './statement.ts';

/**
 * Sends one statement as clients do: without parameters as a simple query, with them as text, whose types the server
 * finds out.
 *
 * @param remote A stream that was opened for asking only. Ended afterwards.
 * @param names With what clients of this resource log in.
 * @throws {HoopError} `ERR_DENIED` it is denied, whoever would approve; `ERR_TARGET_LOST` the session was ended.
 */
export async function askAhead(
  remote: Duplex,
  names: SessionNames,
  question: AheadQuestion,
): Promise<AheadAnswer> {
  const inlet = new Inlet(remote);
  const framer = new Framer('backend');
  remote.resume();
  try {
    remote.write(introduction(names));
    const refused = await untilReady(inlet, framer);
    if (refused !== undefined) throw failure(refused);
    remote.write(messagesOf(question));
    const answer = await untilReady(inlet, framer);
    if (answer === undefined) throw new HoopError('ERR_PROTOCOL', 'the gateway did not say what it needs');
    return answerOf(answer);
  } finally {
    remote.end(encodeFrontend({ name: 'Terminate' }));
    framer.dispose();
  }
}

function messagesOf(question: AheadQuestion): Buffer {
  if (question.parameters.length === 0 && question.prepared === undefined)
    return Query.encode({ sql: question.text });
  return Buffer.concat([prepared(question), executed(0)]);
}

/** @returns The first error up to where the next can be sent. @throws {HoopError} `ERR_TARGET_LOST`; what was said last. */
async function untilReady(inlet: Inlet, framer: Framer): Promise<ErrorResponse | undefined> {
  let first: ErrorResponse | undefined;
  for (;;) {
    const frame = await nextFrame(inlet, framer);
    if (frame === undefined && first !== undefined) throw failure(first);
    if (frame === undefined) throw new HoopError('ERR_TARGET_LOST');
    if (frame.type === BACKEND.ErrorResponse) first ??= ErrorResponse.decode(Buffer.from(frame.body));
    if (frame.type === BACKEND.ReadyForQuery) return first;
  }
}

function answerOf(error: ErrorResponse): AheadAnswer {
  const word = wordOf(reportText(error, 'H') ?? '');
  const answer = aheadAnswer(word);
  if (answer !== undefined) return answer;
  throw failure(error, word.hint);
}

/** The gateway's word to machines; nothing, where the hint is for people. */
function wordOf(hint: string): Word {
  try {
    const value: unknown = JSON.parse(hint);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return { hint };
  }
}

function failure(error: ErrorResponse, hint = wordOf(reportText(error, 'H') ?? '').hint): HoopError {
  const code = reportText(error, 'V') === 'FATAL' ? 'ERR_TARGET_LOST' : 'ERR_DENIED';
  return new HoopError(code, reportText(error, 'M'), hint === undefined ? {} : { hint });
}
