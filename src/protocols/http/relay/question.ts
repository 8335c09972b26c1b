import type { Refusal } from '../../../enforcement/operation.ts';
import type { PolicyObject } from '../../../policy/model.ts';
import type { Question } from '../../stream/guard.ts';
import { pairOf } from '../entities.ts';
import { HTTP_LIMITS } from '../limits.ts';
import type { CanonicalRequest, RawHead } from '../request/canonical.ts';
import { isMethod } from '../request/methods.ts';
import type { RequestFacts } from './api-rules.ts';

/** Takes out of a text what nobody is to read in the audit. */
export type CleanText = (text: string) => string;

/** What a request asks, for the guard. Pure. @param clean As `DetectedValues.cleanText`. */
export function questionOf(
  resource: PolicyObject,
  request: CanonicalRequest,
  { operation, fields, bodyWhole }: RequestFacts,
  clean: CleanText,
): Omit<Question, 'approvable'> {
  const { method, path, query, parameters, contentType, upgrade } = request;
  const names = parameters.map(([name]) => name);
  return {
    pairs: [pairOf(resource, request, operation, (path) => cleaned(path, clean))],
    context: {
      query: [...new Set(parameters.map(([name, value]) => `${name}=${value}`))],
      queryNames: [...new Set(names)],
      repeated: [...new Set(names.filter((name, at) => names.indexOf(name) !== at))],
      contentType,
      fields,
      bodyWhole,
      ...(upgrade && { upgrade: upgrade.protocol, subprotocols: upgrade.subprotocols, message: false }),
    },
    text: textOf(request, clean),
    original: { request: `${method} ${path}${query}` },
  };
}

/** What is refused for its form, for the guard: on record, whatever policy permits. Pure. */
export function refusedQuestion({ method, target }: RawHead, refusal: Refusal, clean: CleanText): Question {
  const verb = isMethod(method) ? method : '‹method›';
  const [path = ''] = target.split('?', 1);
  return {
    pairs: [],
    context: {},
    text: `${verb} ${cleaned(path, clean)}`,
    original: { request: `${method} ${target}` },
    refusal,
  };
}

/** As people read it: the path, and of the query the names. */
export function textOf({ method, path, parameters }: CanonicalRequest, clean: CleanText): string {
  const names = parameters.map(([name]) => `${encodeURIComponent(name)}=…`).join('&');
  return `${method} ${cleaned(names === '' ? path : `${path}?${names}`, clean)}`;
}

function cleaned(text: string, clean: CleanText): string {
  const cut = text.length > HTTP_LIMITS.textChars ? `${text.slice(0, HTTP_LIMITS.textChars)}…` : text;
  try {
    return clean(cut);
  } catch {
    return '‹withheld›';
  }
}
