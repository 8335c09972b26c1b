import { isUtf8 } from 'node:buffer';
import { type Codec, codec } from './codec.ts';
import { BACKEND } from './types.ts';

/**
 * One field: a code of one octet (as a character, U+0001 … U+00FF) and its value's octets as sent, which before
 * `client_encoding` takes effect need not be UTF-8. Whoever makes a report may give text, which is written as UTF-8.
 *
 * @see https://www.postgresql.org/docs/current/protocol-error-fields.html
 */
export type ReportField = readonly [code: string, value: Buffer | string];

/** An error or a notice: its fields in order. */
export interface Report<N extends string> {
  readonly name: N;
  readonly fields: readonly ReportField[];
}

export type ErrorResponse = Report<'ErrorResponse'>;
export type NoticeResponse = Report<'NoticeResponse'>;

export const ErrorResponse: Codec<ErrorResponse> = report('ErrorResponse');
export const NoticeResponse: Codec<NoticeResponse> = report('NoticeResponse');

/**
 * One field of an error or notice as text for people and comparisons.
 *
 * @param code `C` SQLSTATE, `M` message, `S` severity, `V` severity untranslated, `D` detail, `H` hint, …
 * @returns The first field of that code; octets that are not UTF-8 are shown as `\xNN`, never silently replaced;
 *   `undefined` if there is none. Pure. Never throws.
 * @see https://www.postgresql.org/docs/current/protocol-error-fields.html
 */
export function reportText(of: Report<string>, code: string): string | undefined {
  const value = of.fields.find(([one]) => one === code)?.[1];
  if (value === undefined || typeof value === 'string') return value;
  if (isUtf8(value)) return value.toString('utf8');
  return value
    .toString('latin1')
    .replace(/[\x80-\xff]/g, (octet) => `\\x${octet.charCodeAt(0).toString(16)}`);
}

function report<N extends 'ErrorResponse' | 'NoticeResponse'>(name: N): Codec<Report<N>> {
  return codec<Report<N>>(
    name,
    BACKEND[name],
    (reader) => {
      const fields: ReportField[] = [];
      for (let code = reader.byte(); code !== 0; code = reader.byte()) {
        fields.push([String.fromCharCode(code), reader.stringBytes()]);
      }
      return { fields };
    },
    (writer, { fields }) => {
      for (const [code, value] of fields) writer.byte(code.charCodeAt(0) || -1).string(value);
      writer.byte(0);
    },
  );
}
