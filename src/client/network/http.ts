/**
 * HTTP/1.1 over connections of our own making: one place for proxy, authorities, deadlines and size limits.
 */
import { Agent, type AgentOptions, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { HoopError } from '../../core/errors.ts';

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** Until the head of the answer is there, ms; default 30_000. */
  readonly timeoutMs?: number;
}

export type Connect = (url: URL, signal?: AbortSignal) => Promise<Duplex>;

/** Answers that are held whole; streams are not bound by it. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 30_000;

/** Keeps connections to one origin and reuses them; `destroy` ends them all. */
export class OriginAgent extends Agent {
  readonly #connect: Connect;
  readonly #origin: URL;

  constructor(origin: URL, connect: Connect, options: AgentOptions = { keepAlive: true }) {
    super(options);
    this.#origin = origin;
    this.#connect = connect;
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    this.#connect(this.#origin).then(
      (socket) => callback?.(null, socket),
      (error: Error) => callback?.(error, undefined as never),
    );
    return undefined;
  }
}

/**
 * Sends a request and resolves with the answer's head; the body is read by the caller.
 *
 * Redirects are not followed. @throws whatever the connection threw, or an `Error` with a `code`.
 */
export function send(agent: Agent, request: HttpRequest): Promise<IncomingMessage> {
  const late = AbortSignal.timeout(request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const body = request.body;
  const outgoing = httpRequest({
    agent,
    method: request.method,
    path: `${request.url.pathname}${request.url.search}`,
    headers: {
      host: request.url.host,
      'user-agent': 'hoopctl',
      ...request.headers,
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    },
    ...(request.signal ? { signal: request.signal } : {}),
  });
  const onLate = () => outgoing.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
  late.addEventListener('abort', onLate, { once: true });
  outgoing.once('response', (answer) => {
    late.removeEventListener('abort', onLate);
    resolve(answer);
  });
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

/**
 * Reads a whole body as UTF-8.
 *
 * @param maxBytes Default 8 MiB. @throws {HoopError} `ERR_LIMIT` it is longer.
 */
export async function readBody(answer: IncomingMessage, maxBytes = MAX_BODY_BYTES): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new HoopError('ERR_LIMIT', `an answer is longer than ${maxBytes} octets`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
