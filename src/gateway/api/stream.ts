import { Readable } from 'node:stream';

/** A streamed answer with the client's own pace: what it does not read is not produced. */
export function streamed(chunks: AsyncIterable<Uint8Array>, type: string): Response {
  const body = Readable.toWeb(Readable.from(chunks, { objectMode: false })) as ReadableStream;
  return new Response(body, { headers: { 'content-type': type } });
}

/** One JSON value per line. */
export async function* ndjson(values: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const value of values) yield Buffer.from(`${JSON.stringify(value)}\n`);
}
