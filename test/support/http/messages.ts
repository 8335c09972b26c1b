/** HTTP/1 as bytes, read and written by hand: nothing here is checked that a test may want to be wrong. */

export interface Message {
  /** `GET /a HTTP/1.1`, `HTTP/1.1 200 OK`. */
  readonly start: string;
  /** In order, as they were sent. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** Where it ended in what was read. */
  readonly end: number;
  /** No more could have followed: it ended with the connection. */
  readonly last: boolean;
}

export interface ReadOptions {
  /** Start lines behind whose head nothing follows; default none. Answers to HEAD, say. */
  readonly bodiless?: RegExp;
  /** Everything came: what has no length ends here. */
  readonly ended?: boolean;
  readonly response?: boolean;
  /** A length counts before `chunked`. */
  readonly lengthFirst?: boolean;
}

/**
 * Reads the message that begins at `from`, as careless servers do: lines may end in LF alone, a header may be folded, spaces
 * may stand before its colon, any coding that has `chunked` in it counts before a length, of several lengths the last does.
 *
 * @returns Undefined while it is not whole.
 */
export function readMessage(octets: Buffer, from: number, options: ReadOptions = {}): Message | undefined {
  const text = octets.toString('latin1', from);
  const head = /^([\s\S]*?)\r?\n\r?\n/.exec(text);
  if (head === null) return undefined;
  const [start = '', ...lines] = head[1]!.replaceAll(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const;
  });
  const begin = from + head[0].length;
  const body = readBody(octets, begin, start, headers, options);
  return body === undefined ? undefined : { start, headers, ...body };
}

type Body = Pick<Message, 'body' | 'end' | 'last'>;

function readBody(
  octets: Buffer,
  begin: number,
  start: string,
  headers: Message['headers'],
  { bodiless, ended = false, response = false, lengthFirst = false }: ReadOptions,
): Body | undefined {
  const values = (name: string) =>
    headers.filter((one) => one[0].toLowerCase() === name).map((one) => one[1]);
  const none = bodiless?.test(start) === true || (response && /^HTTP\/1\.\d (?:1\d\d|204|304)/.test(start));
  if (none) return { body: Buffer.alloc(0), end: begin, last: false };
  const length = values('content-length').at(-1);
  const chunked = values('transfer-encoding').some((coding) => /chunked/i.test(coding));
  if (chunked && !(lengthFirst && length !== undefined)) return readChunks(octets, begin);
  if (length === undefined && response) {
    return ended ? { body: octets.subarray(begin), end: octets.length, last: true } : undefined;
  }
  const end = begin + (Number.parseInt(length ?? '0', 10) || 0);
  return octets.length < end ? undefined : { body: octets.subarray(begin, end), end, last: false };
}

function readChunks(octets: Buffer, begin: number): Body | undefined {
  const parts: Buffer[] = [];
  for (let at = begin; ; ) {
    const lineEnd = octets.indexOf('\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(octets.toString('latin1', at, lineEnd), 16) || 0;
    const dataEnd = lineEnd + 1 + size;
    if (size === 0) {
      const trailers = /^(?:[^\r\n]+\r?\n)*\r?\n/.exec(octets.toString('latin1', lineEnd + 1));
      if (trailers === null) return undefined;
      return { body: Buffer.concat(parts), end: lineEnd + 1 + trailers[0].length, last: false };
    }
    if (octets.length < dataEnd + 1) return undefined;
    parts.push(octets.subarray(lineEnd + 1, dataEnd));
    at = octets[dataEnd] === 0x0d ? dataEnd + 2 : dataEnd + 1;
  }
}

/** Lines with CRLF and an empty one behind them. */
export function head(...lines: readonly string[]): string {
  return `${[...lines, '', ''].join('\r\n')}`;
}

/** An answer with its length. */
export function answer(status: string, headers: readonly string[], body: string | Buffer = ''): Buffer {
  const octets = Buffer.from(body);
  const lines = [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${octets.length}`];
  return Buffer.concat([Buffer.from(head(...lines), 'latin1'), octets]);
}

export function json(value: unknown): Buffer {
  return answer('200 OK', ['Content-Type: application/json'], JSON.stringify(value));
}

/** In chunks of the given pieces. */
export function chunked(
  status: string,
  headers: readonly string[],
  ...pieces: readonly (string | Buffer)[]
): Buffer {
  const chunks = pieces.map((piece) => {
    const octets = Buffer.from(piece);
    return Buffer.concat([Buffer.from(`${octets.length.toString(16)}\r\n`), octets, Buffer.from('\r\n')]);
  });
  const lines = [`HTTP/1.1 ${status}`, ...headers, 'Transfer-Encoding: chunked'];
  return Buffer.concat([Buffer.from(head(...lines), 'latin1'), ...chunks, Buffer.from('0\r\n\r\n')]);
}
