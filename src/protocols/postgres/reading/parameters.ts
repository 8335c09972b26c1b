import { isUtf8 } from 'node:buffer';
import type { Bind } from '../../../wire/postgres/extended.ts';
import type { FunctionCall } from '../../../wire/postgres/function-call.ts';

/**
 * A Bind's parameters, or a function call's arguments, as the audit keeps them (sealed): text as text, binary as `\x…` hexadecimal, NULL as null.
 *
 * @returns One per parameter, in order. Pure. Never throws.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html Bind
 */
export function parameterTexts(message: Bind | FunctionCall): (string | null)[] {
  const isBind = message.name === 'Bind';
  const formats = isBind ? message.parameterFormats : message.argumentFormats;
  return (isBind ? message.parameters : message.arguments).map((value, i) => {
    if (value === null) return null;
    const format = formats.length === 1 ? formats[0] : (formats[i] ?? 0);
    return format === 0 && isUtf8(value) ? value.toString('utf8') : `\\x${value.toString('hex')}`;
  });
}
