import type { Refusal } from '../../../enforcement/operation.ts';
import { JsonMasker } from '../../../masking/json/json-masker.ts';
import type { PieceMasker } from '../../../masking/pieces/piece-masker.ts';
import { type Coding, readCodings } from './codings.ts';
import { EmptyMasker } from './empty-masker.ts';
import { EventMasker } from './events/event-masker.ts';
import { FormMasker } from './form-masker.ts';
import type { AnswerMasks } from './masks.ts';
import { isUnicode, type MediaType, mediaType } from './media-type.ts';
import { type AnswerRule, answerRefused } from './refusals.ts';
import { TableMasker } from './table-masker.ts';
import { TextMasker } from './text-masker.ts';

/** What of an answer's head decides how its body is shown. Values as they came; undefined: the field is not there. */
export interface AnswerHead {
  readonly method: string;
  readonly status: number;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly contentRange: string | undefined;
  readonly contentLength: string | undefined;
  /** HTTP/2: nothing follows. */
  readonly ended?: boolean | undefined;
}

/** What becomes of a body. */
export type BodyPlan =
  /** Nothing is masked: its octets go on as they are. */
  | { readonly kind: 'pass' }
  /** Its codings are undone, and what `make` gives is shown of the rest, under a head for a masked body. */
  | MaskPlan
  /** Nothing of it is shown. */
  | { readonly kind: 'refuse'; readonly refusal: Refusal<AnswerRule> };

interface MaskPlan {
  readonly kind: 'mask';
  readonly codings: readonly Coding[];
  /** It may be long until anything of it comes: whoever reads it is given the head before. */
  readonly flows: boolean;
  make(): PieceMasker;
}

type Maker = () => PieceMasker;

/**
 * Without a type a body is read as JSON, to the letter: what is none is not shown, and an empty one is. Read as text it would
 * be JSON all the same for many a client, and hide by its escapes what detectors look for.
 */
const UNTYPED = { kind: 'mask', flows: false } as const;

const PASS: BodyPlan = { kind: 'pass' };
const EMPTY: BodyPlan = { kind: 'mask', codings: [], flows: true, make: () => new EmptyMasker() };

/**
 * How a body is shown, by its head alone. What nobody can read is refused, wherever something might be masked in it.
 *
 * Pure.
 *
 * @param masks What of this route is masked for the principal.
 * @param scrubs Secrets are looked for in the body, whatever is masked.
 */
export function planBody(head: AnswerHead, masks: AnswerMasks, scrubs: boolean): BodyPlan {
  if (!masks.any) return scrubs && !hasNone(head) ? unmasked(head) : PASS;
  if (hasNone(head)) return EMPTY;
  if (head.status === 206 || head.contentRange !== undefined) {
    return refuse('answer-partial', 'values are masked there, and this is a part of a body');
  }
  const codings = readCodings(head.contentEncoding);
  if (codings === undefined)
    return refuse('answer-coding', 'the body is in a content coding that is not undone');
  // An error keeps its status where it is not shown.
  if (head.contentType === undefined && head.status < 400)
    return { ...UNTYPED, codings, make: () => new JsonMasker(masks.fields, masks.detects) };
  const type = mediaType(head.contentType ?? '');
  if (type === undefined) return refuse('answer-type', 'the answer does not say what type its body is of');
  if (!isUnicode(type)) return refuse('answer-type', 'the body is not in UTF-8');
  const make = makerOf(type, masks);
  if (make === undefined)
    return refuse('answer-type', `values are masked there, and not in what is ${type.essence}`);
  return { kind: 'mask', codings, flows: isStream(type), make };
}

function hasNone({ method, status, contentLength, ended = false }: AnswerHead): boolean {
  return (
    ended || method === 'HEAD' || status === 204 || status === 205 || status === 304 || contentLength === '0'
  );
}

/** A body in a coding is decoded, so that a secret can be found in it; a part of one, or an unknown coding, is as it is. */
function unmasked({ status, contentEncoding, contentRange }: AnswerHead): BodyPlan {
  const codings = readCodings(contentEncoding) ?? [];
  if (codings.length === 0 || status === 206 || contentRange !== undefined) return PASS;
  return {
    kind: 'mask',
    codings,
    flows: true,
    make: () => ({ maskedValues: 0, push: (chunk) => chunk, end: () => undefined }),
  };
}

function refuse(rule: AnswerRule, reason: string): BodyPlan {
  return { kind: 'refuse', refusal: answerRefused(rule, reason) };
}

const JSON_LINES = new Set([
  'application/jsonl',
  'application/json-lines',
  'application/ndjson',
  'application/stream+json',
  'application/x-jsonlines',
  'application/x-ndjson',
]);
/** Named by their first row, unless they say that they have none. */
const TABLES = new Set(['text/csv', 'text/tab-separated-values']);
/** Texts beside `text/…` and `…+xml`. */
const TEXTS = new Set([
  'application/ecmascript',
  'application/graphql',
  'application/javascript',
  'application/sql',
  'application/toml',
  'application/x-javascript',
  'application/x-sh',
  'application/x-yaml',
  'application/xml',
  'application/yaml',
]);

function isStream({ essence }: MediaType): boolean {
  return essence === 'text/event-stream' || JSON_LINES.has(essence) || essence.endsWith('json-seq');
}

/** Undefined: nothing can be masked in this type. */
function makerOf({ essence, parameters }: MediaType, { fields, detects }: AnswerMasks): Maker | undefined {
  if (JSON_LINES.has(essence)) return () => new JsonMasker(fields, detects, 'lines');
  if (essence === 'application/json-seq' || essence.endsWith('+json-seq'))
    return () => new JsonMasker(fields, detects, 'records');
  if (essence === 'application/json' || essence === 'text/json' || essence.endsWith('+json'))
    return () => new JsonMasker(fields, detects);
  if (essence === 'text/event-stream') return () => new EventMasker(fields, detects);
  const isForm = essence === 'application/x-www-form-urlencoded';
  if (fields !== undefined) {
    if (isForm) return () => new FormMasker(fields, detects);
    // Any other text has no members: what is classified could stand anywhere in it.
    return TABLES.has(essence) && parameters.get('header')?.toLowerCase() !== 'absent'
      ? () => new TableMasker(fields, detects)
      : undefined;
  }
  const isText = essence.startsWith('text/') || essence.endsWith('+xml') || TEXTS.has(essence);
  if (detects === undefined || !(isForm || isText)) return undefined;
  return isForm ? () => new FormMasker(undefined, detects) : () => new TextMasker(detects);
}
