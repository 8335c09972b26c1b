import { type FieldPath, matchesField } from '../../../../masking/json/field-path.ts';
import type { CanonicalRequest } from '../canonical.ts';
import { isRefused, type Refused, refused } from '../refusals.ts';
import { readQuery } from '../target/query.ts';
import { type JsonScalar, readJson } from './json.ts';
import { plainNumber } from './plain-number.ts';

/** Octets of a body that rules look at. It is held whole, before any of it is sent. */
export const MAX_READ_BODY = 1_048_576;
/** Octets of a form: each parameter is a field. */
const MAX_FORM = 65_536;
const MAX_FIELDS = 256;
const MAX_VALUE = 256;

export type ReadableBody = 'json' | 'form';

/**
 * As what a body is to be read where rules look at it, by its head alone.
 *
 * @param most Octets.
 * @returns `none` where there is none; the refusal where it is of a kind that is not read, or is too long already.
 */
export function readableBody(
  request: CanonicalRequest,
  most: number = MAX_READ_BODY,
): { readonly kind: ReadableBody | 'none' } | Refused {
  const { body, contentType, headers } = request;
  if (body === 'none') return { kind: 'none' };
  if (body !== 'chunked' && body.length > most)
    return refused('body-too-large', `rules look at this body, and it is longer than ${most} octets`);
  const value = (name: string) => headers.find((one) => one[0] === name)?.[1].toLowerCase();
  const charsets = [...(value('content-type') ?? '').matchAll(/charset[\t ]*=[\t ]*"?([^";\t ]*)/g)];
  const plain = [undefined, '', 'identity'].includes(value('content-encoding'));
  if (!plain || charsets.some(([, charset]) => charset !== 'utf-8'))
    return refused('body-type', 'rules look at this body, and it is encoded or not in UTF-8');
  if (contentType === 'application/json' || contentType.endsWith('+json')) return { kind: 'json' };
  if (contentType === 'application/x-www-form-urlencoded') return { kind: 'form' };
  return refused('body-type', 'rules look at this body, and it is neither JSON nor a form');
}

/**
 * The chosen members of a body, as rules have them: `$.amount=5`.
 *
 * Each scalar at a path is one, those in arrays too. A number is written in its plain form (`5.0` and `5e0` are `5`); a
 * string is as it is, so that `"5"` is `5` too, which servers take for the same. A value of more than 256 characters is
 * `$.note…`, and equals nothing that a rule could name.
 *
 * @param octets The whole body.
 * @returns Each once, in the order of the body. Refused with `body-malformed` or `body-too-large`.
 */
export function chosenFields(
  octets: Uint8Array,
  kind: ReadableBody,
  paths: readonly FieldPath[],
): { readonly fields: readonly string[] } | Refused {
  if (octets.length > MAX_READ_BODY) return refused('body-too-large', 'the body is longer than is read');
  const found = new Set<string>();
  const visit = (path: readonly string[], value: JsonScalar) => {
    for (const field of paths) {
      if (found.size <= MAX_FIELDS && matchesField(field, path)) found.add(written(field, value));
    }
  };
  const refusal = kind === 'json' ? readJson(octets, visit) : readForm(octets, visit);
  if (refusal !== undefined) return refusal;
  if (found.size > MAX_FIELDS)
    return refused('body-too-large', `the body has more than ${MAX_FIELDS} values that rules look at`);
  return { fields: [...found] };
}

function written({ text }: FieldPath, value: JsonScalar): string {
  const shown = value.kind === 'number' ? plainNumber(value.text) : value.text;
  return shown.length > MAX_VALUE ? `${text}…` : `${text}=${shown}`;
}

/** A form has one level. Its names may hold brackets, which are read by nobody alike: they are names. */
function readForm(
  octets: Uint8Array,
  visit: (path: readonly string[], value: JsonScalar) => void,
): Refused | undefined {
  if (octets.length > MAX_FORM)
    return refused('body-too-large', `the form is longer than ${MAX_FORM} octets`);
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
  if (!/^[\x21-\x7e]*$/.test(text)) return refused('body-malformed', 'the form holds what must be encoded');
  const query = readQuery(text);
  if (isRefused(query)) return refused('body-malformed', query.reason.replace('query', 'form'));
  for (const [name, value] of query.parameters) visit([name], { kind: 'string', text: value });
  return undefined;
}
