import { Readable } from 'node:stream';
import { HoopError } from '../../../core/errors.ts';
import type { CanonicalRequest } from '../../http/request/canonical.ts';
import { maskedRequest } from '../../http/request/masked-request.ts';
import type { TargetAnswer } from '../../http/target/http-target.ts';
import { MAX_OBJECT } from './object-body.ts';

/** A request whose answer the gateway reads: in JSON, of no coding. Pure. */
export function readByUs(request: CanonicalRequest): CanonicalRequest {
  const { headers } = maskedRequest(request, []);
  return {
    ...request,
    headers: [...headers.filter(([name]) => name !== 'accept'), ['accept', 'application/json']],
  };
}

/** @throws {HoopError} `ERR_TARGET_LOST` it is longer than any object. */
export async function wholeOf(answer: TargetAnswer): Promise<Buffer> {
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_OBJECT) throw new HoopError('ERR_TARGET_LOST', 'the answer is longer than any object');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    answer.leave();
  }
}

/** The answer, with a body that was read. */
export function answeredBy(
  { status, rawHeaders }: Pick<TargetAnswer, 'status' | 'rawHeaders'>,
  octets: Buffer,
): TargetAnswer {
  return {
    status,
    rawHeaders,
    body: Readable.from([octets], { objectMode: false }),
    atHand: () => undefined,
    leave: () => undefined,
    trailers: () => [],
  };
}

/** What the gateway says in the place of a server. */
export function answeredJson(value: unknown, status: number): TargetAnswer {
  const octets = Buffer.from(JSON.stringify(value));
  const rawHeaders = ['Content-Type', 'application/json', 'Content-Length', String(octets.length)];
  return answeredBy({ status, rawHeaders }, octets);
}
