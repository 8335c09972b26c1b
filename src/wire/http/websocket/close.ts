import { isUtf8 } from 'node:buffer';
import { MAX_CONTROL } from './frames.ts';

/** Why a WebSocket is closed. */
export interface Close {
  /** RFC 6455 §7.4; 1005: none was given. */
  readonly code: number;
  /** At most 123 octets of UTF-8. */
  readonly reason: string;
}

/** Codes that say something, and of which no frame may speak: none was given, lost, TLS failed. */
const NO_CODE = 1005;
const RESERVED: ReadonlySet<number> = new Set([1004, NO_CODE, 1006, 1015]);
const MAX_REASON = MAX_CONTROL - 2;

/**
 * Reads a close frame. Pure.
 *
 * @returns Undefined where it is malformed: a code that no frame may have, or a reason that is not UTF-8. Never throws.
 * @see RFC 6455 §5.5.1, §7.4
 */
export function readClose(bytes: Buffer): Close | undefined {
  if (bytes.length === 0) return { code: NO_CODE, reason: '' };
  if (bytes.length === 1) return undefined;
  const code = bytes.readUInt16BE(0);
  const reason = bytes.subarray(2);
  const known = (code >= 1000 && code < 1015 && !RESERVED.has(code)) || (code >= 3000 && code < 5000);
  return known && isUtf8(reason) ? { code, reason: reason.toString() } : undefined;
}

/**
 * The payload of a close frame. Pure.
 *
 * @param close A reason that is too long is cut between two characters; behind 1005 there is none.
 * @returns At most 125 octets. Never throws.
 */
export function closePayload({ code, reason }: Close): Buffer {
  if (code === NO_CODE) return Buffer.alloc(0);
  let text = Buffer.from(reason);
  if (text.length > MAX_REASON) {
    let end = MAX_REASON;
    // Octets 10xxxxxx go on with a character.
    while ((text[end]! & 0xc0) === 0x80) end--;
    text = text.subarray(0, end);
  }
  const payload = Buffer.allocUnsafe(2 + text.length);
  payload.writeUInt16BE(code, 0);
  payload.set(text, 2);
  return payload;
}
