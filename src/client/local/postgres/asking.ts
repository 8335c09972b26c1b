/**
 * Asking ahead for one statement in PostgreSQL's protocol, over a stream where nothing runs.
 */
import type { Duplex } from 'node:stream';
import { Inlet } from '../../../core/bytes/inlet.ts';
import { HoopError } from '../../../core/errors.ts';
import { Bind, Execute, Parse } from '../../../wire/postgres/extended.ts';
import { Framer } from '../../../wire/postgres/framer.ts';
import { encodeFrontend } from '../../../wire/postgres/frontend.ts';
import { Query } from '../../../wire/postgres/query.ts';
import { ErrorResponse, reportText } from '../../../wire/postgres/report.ts';
import { encodeStartup, PROTOCOL_3_0 } from '../../../wire/postgres/startup.ts';
import { BACKEND } from '../../../wire/postgres/types.ts';
import { aheadAnswer, type Word } from '../ahead.ts';
import type { AheadAnswer, AheadQuestion } from '../protocol.ts';
import { nextFrame } from './next-frame.ts';

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
  names: { readonly user: string; readonly database: string },
  question: AheadQuestion,
): Promise<AheadAnswer> {
  const inlet = new Inlet(remote);
  const framer = new Framer('backend');
  remote.resume();
  try {
    const parameters = new Map(Object.entries({ ...names, application_name: 'hoopctl' }));
    const version = PROTOCOL_3_0;
    const startup = { name: 'StartupMessage', version, parameters, protocolOptions: new Map() } as const;
    remote.write(encodeStartup(startup));
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

function messagesOf({ text, parameters }: AheadQuestion): Buffer {
  if (parameters.length === 0) return Query.encode({ sql: text });
  const values = parameters.map((value) => Buffer.from(value));
  return Buffer.concat([
    Parse.encode({ statement: '', sql: text, parameterTypes: [] }),
    Bind.encode({ portal: '', statement: '', parameterFormats: [], parameters: values, resultFormats: [] }),
    Execute.encode({ portal: '', maxRows: 0 }),
    encodeFrontend({ name: 'Sync' }),
  ]);
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

function failure(error: ErrorResponse, hint = reportText(error, 'H')): HoopError {
  const code = reportText(error, 'V') === 'FATAL' ? 'ERR_TARGET_LOST' : 'ERR_DENIED';
  return new HoopError(code, reportText(error, 'M'), hint === undefined ? {} : { hint });
}
