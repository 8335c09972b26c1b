import { z } from 'zod';
import type { AheadQuestion } from '../../../../client/local/protocol.ts';
import { MAX_TEXT_CHARS, textOfAtMost } from '../../operation.ts';

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Written by this side, and never by who calls. */
const OURS: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'keep-alive',
]);

const HEADER_NAME = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/)
  .refine((name) => !OURS.has(name.toLowerCase()), 'this header is set by hoopctl');

export const HTTP = {
  method: z.enum(METHODS).describe('Policy says which are permitted.'),
  path: z
    .string()
    .max(8_192)
    .regex(/^\/[\x21-\x7e]*$/)
    .describe('Path and query, percent-encoded, beginning with a slash: /orders?page=2'),
  headers: z
    .record(
      HEADER_NAME,
      z
        .string()
        .max(8_192)
        .regex(/^[\x20-\x7e]*$/),
    )
    .optional()
    .describe('More headers. The credential is not yours to send: the gateway has it.'),
  body: textOfAtMost(MAX_TEXT_CHARS)
    .regex(/^[^\r]*$/, 'a carriage return is not carried')
    .optional()
    .describe('Text of the body, with its type in the header content-type.'),
};

export interface HttpRequest {
  readonly method: (typeof METHODS)[number];
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
}

/** Pure. */
export function questionOf(request: HttpRequest): AheadQuestion {
  const { method, path, body } = request;
  const fields = Object.entries(headersOf(request)).map(([name, value]) => `${name}: ${value}\n`);
  const head = `${method} ${path}\n${fields.join('')}`;
  return { text: body === undefined ? head : `${head}\n${body}`, parameters: [] };
}

/** What is sent beside what this side writes by itself. Pure. */
export function headersOf({ headers = {} }: Pick<HttpRequest, 'headers'>): Readonly<Record<string, string>> {
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.trim()]);
  return { accept: 'application/json', 'user-agent': 'hoopctl', ...Object.fromEntries(given) };
}

export const httpOperation = z.strictObject(HTTP).transform(questionOf);
