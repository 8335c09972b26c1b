/**
 * Saying no in PostgreSQL's own words to a local client whose stream could not be opened.
 */
import type { Duplex } from 'node:stream';
import type { HoopError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';

const SSL_REQUEST = 80877103;
const GSSENC_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
/** Time for the client to say hello, ms. */
const HELLO_MS = 5_000;
/** Octets of one text of ours. */
const MAX_FIELD_BYTES = 4096;

/** What the first bytes of a PostgreSQL client ask for; `more` while they are incomplete. */
export type Hello =
  | { readonly kind: 'more' | 'startup' | 'cancel' | 'foreign' }
  | { readonly kind: 'encryption'; readonly rest: Buffer };

/**
 * Reads one startup-phase packet. Pure, bounded by PostgreSQL's own limit.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html (StartupMessage, SSLRequest)
 */
export function readHello(bytes: Buffer): Hello {
  if (bytes.length < 8) return { kind: 'more' };
  const length = bytes.readUInt32BE(0);
  const code = bytes.readUInt32BE(4);
  if (length < 8 || length > LIMITS.pgStartupBytes) return { kind: 'foreign' };
  if (code === CANCEL_REQUEST) return { kind: 'cancel' };
  if (code === SSL_REQUEST || code === GSSENC_REQUEST) {
    return length === 8 ? { kind: 'encryption', rest: bytes.subarray(8) } : { kind: 'foreign' };
  }
  if (code >>> 16 !== 3) return { kind: 'foreign' };
  return { kind: bytes.length < length ? 'more' : 'startup' };
}

/**
 * Encodes a FATAL ErrorResponse.
 *
 * @returns The whole message; texts are cut at 4 KiB, NUL is dropped. Never throws.
 * @see https://www.postgresql.org/docs/current/protocol-error-fields.html
 */
export function encodeFatal(error: Pick<HoopError, 'sqlstate' | 'message' | 'hint'>): Buffer {
  const fields: [string, string | undefined][] = [
    ['S', 'FATAL'],
    ['V', 'FATAL'],
    ['C', error.sqlstate],
    ['M', error.message],
    ['H', error.hint],
  ];
  const parts: Buffer[] = [];
  for (const [name, text] of fields) {
    if (text !== undefined) parts.push(Buffer.from(name, 'latin1'), cString(text));
  }
  const body = Buffer.concat([...parts, Buffer.of(0)]);
  const head = Buffer.alloc(5);
  head.write('E', 0, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/**
 * Waits for the client's startup, declines encryption if asked, answers with the error and closes.
 *
 * Whatever else the client sends, or if it sends nothing for 5 s, it is closed without a word. Never throws.
 */
export function refusePostgresClient(client: Duplex, error: HoopError): void {
  let bytes: Buffer = Buffer.alloc(0);
  let declined = 0;
  const timer = setTimeout(() => client.destroy(), HELLO_MS);
  client.on('error', () => undefined).once('close', () => clearTimeout(timer));
  const finish = (answer?: Buffer) => {
    client.off('data', onData);
    // The rest is read and dropped: closing over unread bytes would reset the connection before the answer is seen.
    client.resume();
    client.end(answer);
  };
  const onData = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      const hello = readHello(bytes);
      if (hello.kind === 'more') return;
      if (hello.kind !== 'encryption')
        return finish(hello.kind === 'startup' ? encodeFatal(error) : undefined);
      if (++declined > 2) return finish();
      bytes = hello.rest;
      client.write('N');
    }
  };
  client.on('data', onData).once('end', () => client.end());
  client.resume();
}

/** Cut between characters, so that the text stays UTF-8. */
function cString(text: string): Buffer {
  let bytes = Buffer.from(text.replaceAll('\0', ''), 'utf8');
  if (bytes.length > MAX_FIELD_BYTES) {
    let end = MAX_FIELD_BYTES;
    while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
    bytes = bytes.subarray(0, end);
  }
  return Buffer.concat([bytes, Buffer.of(0)]);
}
