/**
 * Saying no to a local client in PostgreSQL's own words.
 */
import type { Duplex } from 'node:stream';
import { Inlet } from '../../../core/bytes/inlet.ts';
import type { HoopError } from '../../../core/errors.ts';
import { refusalLine, wordOf } from '../../../core/refusal-line.ts';
import { encodeBackend } from '../../../wire/postgres/backend.ts';
import { localLogin } from '../../../wire/postgres/local-login.ts';
import { SQLSTATE } from '../../../wire/postgres/sqlstate.ts';

/** Time for a client to say hello, ms. */
const HELLO_MS = 5_000;
/** Octets of one text: before the login is over libpq takes no error of more than 30 000. */
const MAX_TEXT_BYTES = 4096;

/**
 * Encodes a FATAL ErrorResponse.
 *
 * @returns The whole message; texts are cut at 4 KiB, NUL is dropped. Never throws.
 * @see https://www.postgresql.org/docs/current/protocol-error-fields.html
 */
export function encodeFatal(
  error: Pick<HoopError, 'code' | 'message'> & Partial<Pick<HoopError, 'hint' | 'approval'>>,
): Buffer {
  return encodeBackend({
    name: 'ErrorResponse',
    fields: [
      ['S', 'FATAL'],
      ['V', 'FATAL'],
      ['C', SQLSTATE[error.code]],
      ['M', textOf(error.message)],
      ['H', textOf(refusalLine(wordOf(error)))],
    ],
  });
}

/**
 * Waits for a client's startup, declines encryption if it asks, answers with the error and closes.
 *
 * A client that sends anything else is closed without a word, as is one that has sent no startup after 5 s. Never
 * throws.
 */
export function refuseClient(client: Duplex, error: HoopError): void {
  const silent = setTimeout(() => client.destroy(), HELLO_MS);
  client.on('error', () => undefined).once('close', () => clearTimeout(silent));
  void answer(client, error);
}

async function answer(client: Duplex, error: HoopError): Promise<void> {
  const inlet = new Inlet(client);
  client.resume();
  const send = (bytes: Buffer) => client.writable && client.write(bytes);
  const login = await localLogin(inlet, send, undefined).catch(() => undefined);
  inlet.release();
  // What the client still says is read and dropped: closing over unread bytes would reset the connection.
  client.resume();
  client.end(login?.kind === 'session' ? encodeFatal(error) : undefined);
}

/** Cut between characters, so that the text stays UTF-8. */
function textOf(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll('\0', ''), 'utf8');
  let end = Math.min(bytes.length, MAX_TEXT_BYTES);
  while (end < bytes.length && end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
