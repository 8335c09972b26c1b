import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { HoopError } from '../../../../core/errors.ts';
import type { Switched, TargetAnswer } from '../http-target.ts';
import type { Watched } from '../patience.ts';

/** An answer with a body, whatever was asked. */
export function answerOf(response: IncomingMessage): TargetAnswer {
  const { statusCode = 0, rawHeaders } = response;
  return { status: statusCode, rawHeaders, body: response, trailers: () => response.rawTrailers };
}

/** The connection is gone, and was not said to have failed: an upgrade that nobody asked for ends so. */
export function closedUnanswered(): HoopError {
  return new HoopError('ERR_TARGET_LOST', undefined, { detail: 'closed unanswered' });
}

/**
 * What becomes of a request that asks for another protocol. Sends it.
 *
 * Only 101 makes a stream of the connection. Behind any other answer it is closed: what a client says from there on goes
 * nowhere, whatever the target took itself for.
 *
 * @throws {HoopError} As `Watched` has it.
 */
export function switched(call: ClientRequest, watched: Watched): Promise<Switched | TargetAnswer> {
  return new Promise((resolve, reject) => {
    call.on('error', (error) => reject(watched.means(error)));
    call.on('information', () => watched.informed());
    call.once('response', (response) => {
      watched.over();
      resolve(answerOf(response));
    });
    call.once('upgrade', ({ rawHeaders }: IncomingMessage, stream: Duplex, early: Buffer) => {
      watched.over();
      stream.on('error', () => undefined);
      if (early.length > 0) stream.unshift(early);
      resolve({ rawHeaders, stream });
    });
    call.once('close', () => {
      watched.over();
      reject(closedUnanswered());
    });
    call.end();
  });
}
