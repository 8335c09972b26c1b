import { describe, expect, it } from 'vitest';
import { readCodings } from '../../../../src/protocols/http/shown/codings.ts';
import type { AnswerMasks } from '../../../../src/protocols/http/shown/masks.ts';
import { mediaType } from '../../../../src/protocols/http/shown/media-type.ts';
import { type AnswerHead, planBody } from '../../../../src/protocols/http/shown/plan.ts';
import { detecting, fields, shownOf } from './support.ts';

const headers = new Map();
const NOTHING: AnswerMasks = {
  any: false,
  fields: undefined,
  elsewhere: false,
  detects: undefined,
  headers,
  hidden: [],
};
const FIELDS: AnswerMasks = {
  any: true,
  fields: fields({ '$.email': 'redact' }),
  elsewhere: false,
  detects: undefined,
  headers,
  hidden: [],
};
const DETECTS: AnswerMasks = {
  any: true,
  fields: undefined,
  elsewhere: false,
  detects: detecting(),
  headers,
  hidden: [],
};

function head(contentType?: string, more: Partial<AnswerHead> = {}): AnswerHead {
  const none = { contentEncoding: undefined, contentRange: undefined, contentLength: undefined };
  return { method: 'GET', status: 200, contentType, ...none, ...more };
}

/** The kind of plan, or the rule by which the body is refused. */
function planned(of: AnswerHead, masks: AnswerMasks): string {
  const plan = planBody(of, masks, false);
  return plan.kind === 'refuse' ? plan.refusal.rule : plan.kind;
}

describe('by the type of the body', () => {
  it.each<[type: string | undefined, fields: string, detects: string]>([
    ['application/json', 'mask', 'mask'],
    ['Application/JSON; Charset="UTF-8"', 'mask', 'mask'],
    ['application/vnd.api+json', 'mask', 'mask'],
    ['application/problem+json; charset=us-ascii', 'mask', 'mask'],
    ['application/x-ndjson', 'mask', 'mask'],
    ['application/json-seq', 'mask', 'mask'],
    ['application/json; charset=utf-16', 'answer-type', 'answer-type'],
    ['application/json; charset=utf-8; charset=utf-16', 'answer-type', 'answer-type'],
    ['application/json, text/plain', 'answer-type', 'answer-type'],
    ['text/event-stream', 'mask', 'mask'],
    ['text/csv; header=present', 'mask', 'mask'],
    ['text/csv; header=absent', 'answer-type', 'mask'],
    ['text/tab-separated-values', 'mask', 'mask'],
    ['application/x-www-form-urlencoded', 'mask', 'mask'],
    ['text/plain', 'answer-type', 'mask'],
    ['text/html; charset=utf-8', 'answer-type', 'mask'],
    ['text/html; charset=iso-8859-1', 'answer-type', 'answer-type'],
    ['application/xml', 'answer-type', 'mask'],
    ['image/svg+xml', 'answer-type', 'mask'],
    ['application/javascript', 'answer-type', 'mask'],
    ['application/octet-stream', 'answer-type', 'answer-type'],
    ['application/msgpack', 'answer-type', 'answer-type'],
    ['application/cbor', 'answer-type', 'answer-type'],
    ['application/x-protobuf', 'answer-type', 'answer-type'],
    ['multipart/mixed; boundary=x', 'answer-type', 'answer-type'],
    ['json', 'answer-type', 'answer-type'],
    ['', 'answer-type', 'answer-type'],
    [undefined, 'mask', 'mask'],
  ])('%s', (type, byFields, byDetectors) => {
    expect(planned(head(type), FIELDS)).toBe(byFields);
    expect(planned(head(type), DETECTS)).toBe(byDetectors);
    expect(planned(head(type), NOTHING)).toBe('pass');
  });
});

describe('by the rest of the head', () => {
  const json = 'application/json';

  it.each<[more: Partial<AnswerHead>, kind: string]>([
    [{ status: 206 }, 'answer-partial'],
    [{ contentRange: 'bytes 0-1/2' }, 'answer-partial'],
    [{ contentEncoding: 'gzip' }, 'mask'],
    [{ contentEncoding: 'compress' }, 'answer-coding'],
    [{ contentEncoding: 'gzip, gzip, gzip, gzip' }, 'answer-coding'],
    [{ contentEncoding: 'gzip;q=1' }, 'answer-coding'],
    [{ status: 404 }, 'mask'],
  ])('%j', (more, kind) => {
    expect(planned(head(json, more), FIELDS)).toBe(kind);
    expect(planned(head(json, more), NOTHING)).toBe('pass');
  });

  it.each<Partial<AnswerHead>>([
    { method: 'HEAD' },
    { status: 204 },
    { status: 304 },
    { contentLength: '0' },
    { ended: true, contentType: 'application/grpc' },
  ])('there is no body: %j', (more) => {
    const plan = planBody(head(more.contentType, more), FIELDS, false);
    if (plan.kind !== 'mask') throw new Error(plan.kind);
    expect(shownOf(plan.make(), [])).toBe('');
    expect(() => shownOf(plan.make(), [Buffer.from('x')])).toThrow('none');
  });
});

it('reads codings in the order in which they were applied', () => {
  expect(readCodings(undefined)).toEqual([]);
  expect(readCodings('identity')).toEqual([]);
  expect(readCodings('GZIP, br')).toEqual(['gzip', 'br']);
  expect(readCodings(' x-gzip ,,deflate, zstd')).toEqual(['gzip', 'deflate', 'zstd']);
  expect(readCodings('x-br')).toBeUndefined();
});

it.each<[value: string, essence: string | undefined, parameters: Readonly<Record<string, string>>]>([
  ['text/csv; header=present ; Charset="u\\tf-8";', 'text/csv', { header: 'present', charset: 'utf-8' }],
  [' a/b ', 'a/b', {}],
  ['a/b; x', undefined, {}],
  ['a/b; x="', undefined, {}],
  ['a/b c/d', undefined, {}],
  ['a/b;x=1;X=2', undefined, {}],
])('reads the type %s', (value, essence, parameters) => {
  const type = mediaType(value);
  expect(type?.essence).toBe(essence);
  expect(Object.fromEntries(type?.parameters ?? [])).toEqual(parameters);
});
