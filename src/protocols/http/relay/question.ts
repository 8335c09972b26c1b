import type { Refusal } from '../../../enforcement/operation.ts';
import type { PolicyObject } from '../../../policy/model.ts';
import type { Question } from '../../stream/guard.ts';
import { pairOf } from '../entities.ts';
import { HTTP_LIMITS } from '../limits.ts';
import type { CanonicalRequest, RawHead } from '../request/canonical.ts';
import { isMethod } from '../request/methods.ts';
import type { RequestFacts } from './api-rules.ts';
import { Known } from './known.ts';

/** Takes out of a text what nobody is to read in the audit. */
export type CleanText = (text: string) => string;

type AskedQuestion = Omit<Question, 'approvable'>;

/** Questions that one connection remembers. */
const MAX_QUESTIONS = 16;

/**
 * What the requests of one connection ask. Requests that ask the same are the same objects, which nobody changes: what policy
 * and audit remember of a question they remember by its objects.
 */
export class Questions {
  readonly #resource: PolicyObject;
  readonly #clean: CleanText;
  readonly #known = new Known<AskedQuestion>(MAX_QUESTIONS);

  constructor(resource: PolicyObject, clean: CleanText) {
    this.#resource = resource;
    this.#clean = clean;
  }

  of(request: CanonicalRequest, facts: RequestFacts): AskedQuestion {
    const make = () => questionOf(this.#resource, request, facts, this.#clean);
    if (request.upgrade !== undefined || facts.fields.length > 0) return make();
    const { method, path, query, contentType } = request;
    // None of them holds a line break.
    const key = [method, path, query, contentType, facts.bodyWhole, facts.operation?.id].join('\n');
    return this.#known.of(key, make);
  }
}

/** What a request asks, for the guard. Pure. @param clean As `DetectedValues.cleanText`. */
export function questionOf(
  resource: PolicyObject,
  request: CanonicalRequest,
  { operation, fields, bodyWhole }: RequestFacts,
  clean: CleanText,
): AskedQuestion {
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
