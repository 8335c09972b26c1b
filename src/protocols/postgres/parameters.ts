import { isUtf8 } from 'node:buffer';
import type { Bind } from './codec/extended.ts';

/**
 * A Bind's parameters as the audit keeps them (sealed): text as text, binary as `\x…` hexadecimal, NULL as null.
 *
 * @returns One per parameter, in order. Pure. Never throws.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html Bind
 */
export function parameterTexts(message: Bind): (string | null)[] {
  const { parameterFormats: formats } = message;
  return message.parameters.map((value, i) => {
    if (value === null) return null;
    const format = formats.length === 1 ? formats[0] : (formats[i] ?? 0);
    return format === 0 && isUtf8(value) ? value.toString('utf8') : `\\x${value.toString('hex')}`;
  });
}
