import { HoopError } from '../../core/errors.ts';
import type { ApiContext } from './context.ts';

/** Largest request body where nothing else is said, octets: a token exchange needs about 20 KiB at the very most. */
const MAX_BODY_BYTES = 64 * 1024;

/**
 * Reads a request's body, never more of it than the bound.
 *
 * @throws {HoopError} `ERR_LIMIT` it is larger; `ERR_USAGE` it was cut off or is not UTF-8.
 */
export async function readBody(context: ApiContext, maxBytes = MAX_BODY_BYTES): Promise<string> {
  const { incoming } = context.env;
  if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (error) {
    if (error instanceof HoopError) throw error;
    throw new HoopError('ERR_USAGE', 'the request body was cut off or is not UTF-8', { cause: error });
  }
}

/** @throws {HoopError} as `readBody`; `ERR_USAGE` it is not JSON. */
export async function readJson(context: ApiContext, maxBytes = MAX_BODY_BYTES): Promise<unknown> {
  const text = await readBody(context, maxBytes);
  try {
    return JSON.parse(text);
  } catch {
    throw new HoopError('ERR_USAGE', 'the request body is not JSON');
  }
}

function tooLarge(maxBytes: number): HoopError {
  return new HoopError('ERR_LIMIT', `the request body is larger than ${maxBytes / 1024} KiB`);
}
