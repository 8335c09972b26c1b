import type { Refusal } from '../../../enforcement/operation.ts';
import type { PolicyObject } from '../../../policy/model.ts';
import { type CleanText, forPeople } from '../../stream/for-people.ts';
import type { Question } from '../../stream/guard.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import { pairOf } from '../entities.ts';
import type { CanonicalRequest, RawHead } from '../request/canonical.ts';
import { isMethod } from '../request/methods.ts';
import { otherRequests } from '../request/other-requests.ts';
import { Known } from './known.ts';
import type { AskedQuestion, Understood } from './meaning.ts';

/** What rules may ask of a request beside its head. */
export interface RequestFacts {
  /** The operation of the API's description, by its name there. */
  readonly operation: { readonly id: string; readonly tags: readonly string[] } | undefined;
  /** Chosen members of the body, `$.amount=5`. */
  readonly fields: readonly string[];
  /** There is no body, or it was read whole. */
  readonly bodyWhole: boolean;
}

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

  of(understood: Understood): AskedQuestion {
    const make = () => understood.question(this.#resource, this.#clean);
    return understood.alike === undefined ? make() : this.#known.of(understood.alike, make);
  }
}

/** A request of which this is known. Pure. */
export function understoodBy(request: CanonicalRequest, facts: RequestFacts): Understood {
  return {
    alike: alikeBy(request, facts),
    question: (resource, clean) => questionOf(resource, request, facts, clean),
  };
}

function alikeBy(request: CanonicalRequest, facts: RequestFacts): string | undefined {
  if (request.upgrade !== undefined || facts.fields.length > 0) return undefined;
  const { method, path, query, contentType } = request;
  // None of them holds a line break.
  return [method, path, query, contentType, facts.bodyWhole, facts.operation?.id].join('\n');
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
  const context = {
    query: [...new Set(parameters.map(([name, value]) => `${name}=${value}`))],
    queryNames: [...new Set(names)],
    repeated: [...new Set(names.filter((name, at) => names.indexOf(name) !== at))],
    contentType,
    fields,
    bodyWhole,
    ...(upgrade && { upgrade: upgrade.protocol, subprotocols: upgrade.subprotocols, message: false }),
  };
  const pairs = (other: CanonicalRequest) => [
    pairOf(resource, other, operation, (path) => forPeople(path, clean)),
  ];
  return {
    pairs: pairs(request),
    context,
    nearby:
      upgrade === undefined && operation === undefined
        ? otherRequests(request, (other) => ({ pairs: pairs(other), context }))
        : undefined,
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
    text: `${verb} ${forPeople(path, clean)}`,
    original: { request: `${method} ${target}` },
    refusal,
  };
}

/** As people read it: the path, and of the query the names. */
export function textOf({ method, path, parameters }: CanonicalRequest, clean: CleanText): string {
  const names = parameters.map(([name]) => `${encodeURIComponent(name)}=…`).join('&');
  return `${method} ${forPeople(names === '' ? path : `${path}?${names}`, clean)}`;
}

/** As it was allowed: people may have said yes to it. */
export function asAllowed(question: Question, { approvals }: OpenOperation): Question {
  return approvals === undefined ? question : { ...question, context: { ...question.context, approvals } };
}
