import { isUtf8 } from 'node:buffer';
import type { Look } from './look.ts';

/** Longer octets are not looked at as the digits of their hexadecimal form: a number written so is short. */
const PACKED_MAX_BYTES = 32;
/** Printable characters in a row that are looked at in what is no text. Shorter ones are there by chance. */
const PRINTABLE = /[\t\n\r -~]{12,}/g;

/**
 * What may be shown of octets: NULL if they are a text, or hold one, in which something is found, or if their digits in
 * hexadecimal are a number that is, or eight of them the int8 of one.
 *
 * @param content The octets that `value` stands for.
 */
export function byteaShown(value: Buffer, content: Buffer, look: Look): Uint8Array | null {
  if (look.detect(textWithin(content), 'opaque') === null) return null;
  if (content.length > PACKED_MAX_BYTES) return value;
  const number = content.length === 8 ? `\n${content.readBigInt64BE(0)}` : '';
  return look.detect(Buffer.from(content.toString('hex') + number), 'opaque') === null ? null : value;
}

function textWithin(content: Buffer): Buffer {
  if (isUtf8(content)) return content;
  return Buffer.from((content.toString('latin1').match(PRINTABLE) ?? []).join('\0'), 'latin1');
}

/** The octets that the text form of a bytea stands for, in either `bytea_output`. */
export function byteaContent(text: Buffer): Buffer {
  if (text[0] === 0x5c && text[1] === 0x78) return Buffer.from(text.toString('latin1', 2), 'hex');
  const plain = text
    .toString('latin1')
    .replace(/\\(\\|[0-7]{3})/g, (_, escaped: string) =>
      escaped === '\\' ? '\\' : String.fromCharCode(Number.parseInt(escaped, 8)),
    );
  return Buffer.from(plain, 'latin1');
}
