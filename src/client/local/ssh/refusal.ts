/**
 * Saying no to a local client in SSH's own words, before anything is encrypted.
 */
import type { Duplex } from 'node:stream';
import { ERROR_TABLE, type HoopError } from '../../../core/errors.ts';
import { refusalLine, wordOf } from '../../../core/refusal-line.ts';
import { visible } from '../../../core/visible.ts';
import { disconnect } from '../../../wire/ssh/packet.ts';

/** Time for a client to read it, ms. */
const LINGER_MS = 2_000;
const IDENTIFICATION = 'SSH-2.0-hoopctl\r\n';
/** RFC 4253 §11.1: the host may not be connected to; the service is not there. */
const NOT_ALLOWED = 1;
const NOT_AVAILABLE = 7;
const EXIT_UNAVAILABLE = 69;
const MAX_TEXT = 2_000;

/** Tells the error as the reason of a disconnect, and closes. Whatever the client says is dropped. Never throws. */
export function refuseClient(local: Duplex, error: HoopError): void {
  if (!local.writable) return void local.destroy();
  const { exit } = ERROR_TABLE[error.code];
  const text = `${error.message} ${refusalLine(wordOf(error))}`;
  const late = setTimeout(() => local.destroy(), LINGER_MS);
  local.on('error', () => undefined).once('close', () => clearTimeout(late));
  local.resume();
  local.write(IDENTIFICATION);
  local.end(
    disconnect(exit === EXIT_UNAVAILABLE ? NOT_AVAILABLE : NOT_ALLOWED, visible(text).slice(0, MAX_TEXT)),
  );
}
