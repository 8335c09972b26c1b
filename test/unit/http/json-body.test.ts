import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesField, parseFieldPath } from '../../../src/masking/json/field-path.ts';
import {
  chosenFields,
  MAX_READ_BODY,
  readableBody,
} from '../../../src/protocols/http/request/body/chosen-fields.ts';
import { readJson } from '../../../src/protocols/http/request/body/json.ts';
import { plainNumber } from '../../../src/protocols/http/request/body/plain-number.ts';
import { canonicalRequest } from '../../../src/protocols/http/request/canonical.ts';
import { isRefused } from '../../../src/protocols/http/request/refusals.ts';

/** The rule that refuses, or `path kind text` of each scalar. */
function read(octets: Uint8Array | string): string | string[] {
  const found: string[] = [];
  const bytes = typeof octets === 'string' ? Buffer.from(octets) : octets;
  const refusal = readJson(bytes, (path, { kind, text }) => found.push(`${path.join('.')} ${kind} ${text}`));
  return refusal?.rule ?? found;
}

function chosen(
  body: string,
  paths: readonly string[],
  kind: 'json' | 'form' = 'json',
): string | readonly string[] {
  const fields = chosenFields(
    Buffer.from(body),
    kind,
    paths.map((text) => parseFieldPath(text)!),
  );
  return isRefused(fields) ? fields.rule : fields.fields;
}

describe('a JSON body', () => {
  it('is read to its leaves, and a number keeps its digits', () => {
    expect(
      read(' {"a":{"b":[1,{"c":"x"},[true,null]]},\n"\\u0064":12345678901234567890.10e+1, "":""}\t'),
    ).toEqual([
      'a.b number 1',
      'a.b.c string x',
      'a.b word true',
      'a.b word null',
      'd number 12345678901234567890.10e+1',
      ' string ',
    ]);
    expect(read('"\\ud83d\\ude00"')).toEqual([' string 😀']);
    expect(read('[]')).toEqual([]);
    expect(read(`${'['.repeat(64)}${']'.repeat(64)}`)).toEqual([]);
  });

  it.each([
    ...[
      '',
      ' ',
      '{',
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      '[1,]',
      '[,1]',
      '[1 2]',
      '{a:1}',
      "{'a':1}",
      '{"a":1}}',
      '1 2',
      'x',
    ],
    ...[
      '01',
      '+1',
      '.5',
      '5.',
      '1e',
      '-',
      'NaN',
      'Infinity',
      '0x10',
      'True',
      'nul',
      'truex',
      '"a',
      '"\\x"',
      '"\\u12"',
    ],
    ...[
      '"a\nb"',
      '"\t"',
      '// x\n1',
      '/* x */1',
      '\ufeff1',
      '{"a":1 "b":2}',
      '"\\ud800"',
      '"\\udc00\\ud800"',
      '\u00a01',
    ],
    ...[
      '{"method":1,"method":2}',
      '{"a":1,"\\u0061":2}',
      '{"a":1,"A":2}',
      '{"x":{"a":1,"b":2,"a":3}}',
      '{"":1,"":2}',
    ],
  ])('%j is none', (text) => expect(read(text)).toBe('body-malformed'));

  it('is UTF-8', () => {
    for (const octets of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0xae, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0xff, 0xfe, 0x31, 0],
    ])
      expect(read(Uint8Array.from(octets))).toBe('body-malformed');
  });

  it('is not deeper than is read', () => {
    for (const [open, depth] of [
      ['[', 65],
      ['{"a":', 10_000],
      ['[', 1_000_000],
    ] as const)
      expect(read(open.repeat(depth))).toBe('body-too-large');
  });

  const TIME = { numRuns: 2_000, interruptAfterTimeLimit: 1_000 };

  it('is what JSON.parse understands, but for names that are there twice', () => {
    const token = fc.constantFrom(
      ...'{ } [ ] , : "a" "b" "\\" 1 -1 0 1.5e3 . e true nul l null \\ud800 '.split(' '),
      ' ',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 9 }), (tokens) => {
        const text = tokens.join('');
        let parsed: { readonly value: unknown } | undefined;
        try {
          parsed = { value: JSON.parse(text) };
        } catch {}
        const found = read(text);
        if (parsed === undefined) expect(found).toBe('body-malformed');
        else if (found === 'body-malformed') expect(text).toMatch(/"a".*"a"|"b".*"b"/);
        else expect(found).toHaveLength(leaves(parsed.value));
      }),
      TIME,
    );
  });

  it('is read whatever it holds', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const found = read(JSON.stringify(value));
        // A name that is there in both cases is refused.
        if (found !== 'body-malformed') expect(found).toHaveLength(leaves(value));
      }),
      TIME,
    );
  });
});

function leaves(value: unknown): number {
  if (value === null || typeof value !== 'object') return 1;
  return Object.values(value).reduce((sum: number, one) => sum + leaves(one), 0);
}

describe('a number in its plain form', () => {
  it.each([
    ['5', '5'],
    ['5.0', '5'],
    ['5e0', '5'],
    ['0.5E+1', '5'],
    ['500e-2', '5'],
    ['-0.250', '-0.25'],
    ['0', '0'],
    ['-0.0e9', '0'],
    ['1e3', '1000'],
    ['12.5e-4', '0.00125'],
    ['12345678901234567890.10', '12345678901234567890.1'],
    ['1.50e400', '1.5e400'],
    ['1e-400', '1e-400'],
    ['5e0000000000000000000000001', '50'],
    [`1e${'9'.repeat(30)}`, '1e1000000000000000000'],
  ])('%s is %s', (text, plain) => expect(plainNumber(text)).toBe(plain));

  it('is the same number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(Number(plainNumber(JSON.stringify(number)))).toBe(number === 0 ? 0 : number);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('chosen fields of a body', () => {
  const body =
    '{"amount":5.0,"to":{"iban":"DE1","Role":"admin"},"items":[{"sku":"a"},{"sku":"b","role":["x",null]}]}';

  it.each([
    [['$.amount'], ['$.amount=5']],
    [['$.AMOUNT'], ['$.AMOUNT=5']],
    [['$.to.iban'], ['$.to.iban=DE1']],
    [['$.items[*].sku'], ['$.items[*].sku=a', '$.items[*].sku=b']],
    [['$.items.sku'], ['$.items.sku=a', '$.items.sku=b']],
    [['$..role'], ['$..role=admin', '$..role=x', '$..role=null']],
    [['$.to.*'], ['$.to.*=DE1', '$.to.*=admin']],
    [['$.none', '$.to', '$.items'], []],
  ])('%j', (paths, fields) => expect(chosen(body, paths)).toEqual(fields));

  it('are found by whatever letters some server takes for theirs', () => {
    expect(chosen('{"\u017ftatus":"paid"}', ['$.status'])).toEqual(['$.status=paid']);
    expect(chosen('{"\\u212aind":"a"}', ['$.kind'])).toEqual(['$.kind=a']);
    expect(chosen('{"status":"open","\u017ftatus":"paid"}', ['$.status'])).toBe('body-malformed');
  });

  it('equal nothing where they are too long, and are refused where they are too many', () => {
    expect(chosen(JSON.stringify({ a: 'x'.repeat(257) }), ['$.a'])).toEqual(['$.a…']);
    expect(chosen(JSON.stringify({ a: Array.from({ length: 257 }, (_, at) => at) }), ['$.a'])).toBe(
      'body-too-large',
    );
    expect(chosen(`"${'x'.repeat(MAX_READ_BODY)}"`, ['$.a'])).toBe('body-too-large');
    expect(chosen('{"a":1,"a":2}', ['$.b'])).toBe('body-malformed');
  });

  it('are those of a form too', () => {
    expect(chosen('role=user&Role=ad%6Din&x=1+2', ['$.role', '$.x'], 'form')).toEqual([
      '$.role=user',
      '$.role=admin',
      '$.x=1 2',
    ]);
    for (const form of ['role=user;role=admin', 'a=%ff', 'a=b c', 'a=é', 'a=%00', '&'.repeat(1000)])
      expect(chosen(form, ['$.role'], 'form'), form).toBe('body-malformed');
    expect(chosen(`a=${'x'.repeat(70_000)}`, ['$.a'], 'form')).toBe('body-too-large');
  });

  it.each([
    '',
    '$',
    'amount',
    '$.',
    '$.a.',
    '$[0]',
    '$.a[0]',
    '$..a..b',
    '$.a b',
    '$...a',
    `$${'.a'.repeat(33)}`,
  ])('are not named by %j', (text) => expect(parseFieldPath(text)).toBeUndefined());

  it('may lie behind any number of names', () => {
    const path = parseFieldPath('$.a..b.c')!;
    expect(
      [
        ['a', 'b', 'c'],
        ['A', 'x', 'y', 'B', 'C'],
      ].every((names) => matchesField(path, names)),
    ).toBe(true);
    expect(
      [
        ['b', 'c'],
        ['a', 'c'],
        ['a', 'b', 'c', 'd'],
      ].some((names) => matchesField(path, names)),
    ).toBe(false);
  });
});

describe('by its head a body', () => {
  const kind = (lines: readonly string[], length = '5') => {
    const rawHeaders = ['host', 'localhost', 'content-length', length, ...lines];
    const request = canonicalRequest(
      { method: 'POST', target: '/', httpVersion: '1.1', rawHeaders },
      { credentialHeaders: [] },
    );
    if (isRefused(request)) throw new Error(request.reason);
    const found = readableBody(request);
    return isRefused(found) ? found.rule : found.kind;
  };

  it.each([
    ['application/json', 'json'],
    ['Application/Problem+JSON; charset="UTF-8"', 'json'],
    ['application/x-www-form-urlencoded', 'form'],
    ['application/json; charset=utf-16', 'body-type'],
    ['application/json; charset=utf-8; charset=utf-7', 'body-type'],
    ['multipart/form-data; boundary=x', 'body-type'],
    ['text/plain', 'body-type'],
  ])('of %s: %s', (type, expected) => expect(kind(['content-type', type])).toBe(expected));

  it('is refused without a type, encoded, and too long', () => {
    expect(kind([])).toBe('body-type');
    expect(kind(['content-type', 'application/json', 'content-encoding', 'gzip'])).toBe('body-type');
    expect(kind(['content-type', 'application/json', 'content-encoding', 'identity'])).toBe('json');
    expect(kind(['content-type', 'application/json'], String(MAX_READ_BODY + 1))).toBe('body-too-large');
  });
});
