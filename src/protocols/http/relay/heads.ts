import type { ExchangeHead } from '../../../api/replay.ts';
import { type NotLocal, notLocal } from '../../../wire/http/local-check.ts';
import type { CleanText } from '../../stream/for-people.ts';
import {
  type CanonicalRequest,
  canonicalRequest,
  type RawHead,
  type RequestRules,
} from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';
import type { Refused } from '../request/refusals.ts';
import { textOf } from './question.ts';

/** A head that was read. */
export interface ReadHead {
  /** Why it does not come from whoever opened the tunnel; undefined: it does. */
  readonly foreign: NotLocal | undefined;
  readonly request: CanonicalRequest | Refused;
}

/** Characters of a head that is remembered. */
const MAX_CHARS = 4096;

/**
 * Reads the heads of one connection. Clients ask for the same again and again: a head that is the same as the one before it,
 * character for character, is the same object, which nobody changes.
 */
export class Heads {
  readonly #rules: RequestRules;
  readonly #proof: string | undefined;
  readonly #clean: CleanText;
  #last: RawHead | undefined;
  #read: ReadHead | undefined;
  #recorded: { readonly of: CanonicalRequest; readonly head: ExchangeHead } | undefined;

  /** @param proof As `notLocal` has it. @param clean As `DetectedValues.cleanText`. */
  constructor(rules: RequestRules, proof: string | undefined, clean: CleanText) {
    this.#rules = rules;
    this.#proof = proof;
    this.#clean = clean;
  }

  read(head: RawHead): ReadHead {
    if (this.#read !== undefined && this.#last !== undefined && isSame(this.#last, head)) return this.#read;
    const foreign = notLocal(head.rawHeaders, this.#proof);
    const read = { foreign, request: canonicalRequest(head, this.#rules) };
    const isKept = lengthOf(head) <= MAX_CHARS;
    this.#last = isKept ? head : undefined;
    this.#read = isKept ? read : undefined;
    return read;
  }

  /** As people may read it in the recording. */
  recorded(request: CanonicalRequest): ExchangeHead {
    if (this.#recorded?.of === request) return this.#recorded.head;
    const fields = request.headers.map(([name, value]): Field => [name, this.#clean(value)]);
    const head = { start: textOf(request, this.#clean), fields };
    this.#recorded = { of: request, head };
    return head;
  }
}

function isSame(one: RawHead, other: RawHead): boolean {
  if (one === other) return true;
  if (one.method !== other.method || one.target !== other.target || one.ended !== other.ended) return false;
  const [a, b] = [one.rawHeaders, other.rawHeaders];
  if (one.httpVersion !== other.httpVersion || one.connects !== other.connects || a.length !== b.length)
    return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

function lengthOf({ target, rawHeaders }: RawHead): number {
  let length = target.length;
  for (const text of rawHeaders) length += text.length;
  return length;
}
