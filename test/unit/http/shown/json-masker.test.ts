import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonMasker } from '../../../../src/masking/json/json-masker.ts';
import type { MaskKind } from '../../../../src/policy/model.ts';
import { detecting, fields, shownAlways, shownOf } from './support.ts';

type Masks = Readonly<Record<string, MaskKind>>;

const byPath = (paths: Masks) => () => new JsonMasker(fields(paths), undefined);
const byDetectors = () => new JsonMasker(undefined, detecting());
const EMAIL: Masks = { '$.email': 'redact' };
const SSN: Masks = { '$..ssn': 'redact' };

/** Detectors look, and what they find is shown. */
const NOTHING_FOUND = detecting('show');

describe('members by their paths', () => {
  it.each<[masks: Masks, json: string, shown: string]>([
    [EMAIL, '{"email":"a@b.nl","n":1}', '{"email":"***","n":1}'],
    [{ '$.email': 'partial' }, '{"email":"alice@example.com"}', '{"email":"a***@e***.com"}'],
    [{ '$.email': 'null' }, '{"email":"a@b.nl"}', '{"email":null}'],
    [EMAIL, ' {\t"email" :\r\n 12.50E+3 , "n" : 1.0e0 } ', ' {\t"email" :\r\n null , "n" : 1.0e0 } '],
    [EMAIL, '{"email":true,"email":false,"email":null}', '{"email":null,"email":null,"email":null}'],
    [EMAIL, '{"email":{"email":"x","y":[1,"]}"]},"z":{}}', '{"email":null,"z":{}}'],
    [EMAIL, '{"email":["a","b"]}', '{"email":null}'],
    [EMAIL, '{"other":{"email":"a"}}', '{"other":{"email":"a"}}'],
    [EMAIL, '[{"email":"a"},{"email":"b"}]', '[{"email":"***"},{"email":"***"}]'],
    [EMAIL, '{"Email":"a","EMAIL":"b"}', '{"Email":"***","EMAIL":"***"}'],
    [EMAIL, '{"\\u0065mail":"a","e\\u006Dail":"b"}', '{"\\u0065mail":"***","e\\u006Dail":"***"}'],
    [EMAIL, '{"emails":"a","emai":"b","":"c"}', '{"emails":"a","emai":"b","":"c"}'],
    [
      { '$.items[*].ssn': 'redact' },
      '{"items":[{"ssn":"1"},[{"ssn":2}]],"ssn":3}',
      '{"items":[{"ssn":"***"},[{"ssn":null}]],"ssn":3}',
    ],
    [
      SSN,
      '{"ssn":"1","a":{"b":[{"ssn":"2","c":"ssn"}]}}',
      '{"ssn":"***","a":{"b":[{"ssn":"***","c":"ssn"}]}}',
    ],
    [{ '$..a.b': 'redact' }, '{"a":{"a":{"b":1,"c":2}},"b":3}', '{"a":{"a":{"b":null,"c":2}},"b":3}'],
    [{ '$.*.x': 'redact' }, '{"p":{"x":1,"y":2},"x":3}', '{"p":{"x":null,"y":2},"x":3}'],
    [{ '$.é': 'redact' }, '{"É":"a","\\u00e9":"b"}', '{"É":"***","\\u00e9":"***"}'],
    // The Kelvin sign is a k in lower case.
    [{ '$.key': 'redact' }, '{"\u212aey":"a"}', '{"\u212aey":"***"}'],
    [{ '$.a': 'partial', '$..a': 'redact' }, '{"a":"alice@example.com"}', '{"a":"***"}'],
    [EMAIL, '"a@b.nl"', '"a@b.nl"'],
    [EMAIL, '', ''],
    [EMAIL, '\ufeff{"email":"a"}', '\ufeff{"email":"***"}'],
    [
      EMAIL,
      '{"big":12345678901234567890.10,"neg":-0.0,"s":"\\/\\u0041\\ud83d"}',
      '{"big":12345678901234567890.10,"neg":-0.0,"s":"\\/\\u0041\\ud83d"}',
    ],
  ])('%j masks %s', (masks, json, shown) => {
    expect(shownAlways(byPath(masks), json)).toBe(shown);
  });

  it('counts them', () => {
    const masker = byPath(SSN)();
    shownOf(masker, [Buffer.from('{"ssn":"1","a":{"ssn":[1,2]},"ssn":null}')]);
    expect(masker.maskedValues).toBe(2);
  });

  it('masks a value that is longer than what is held of it', () => {
    const long = 'x'.repeat(300_000);
    const pieces = `{"email":"${long}","rest":"${long}"}`
      .match(/.{1,1000}/g)!
      .map((piece) => Buffer.from(piece));
    expect(shownOf(byPath({ '$.email': 'partial' })(), pieces)).toBe(`{"email":"***","rest":"${long}"}`);
  });
});

describe('what detectors find', () => {
  it.each<[json: string, shown: string]>([
    ['{"note":"mail a.b@example.nl now"}', '{"note":"mail *** now"}'],
    ['["123-45-6789","plain","4111111111111111"]', '["***","plain","***"]'],
    ['[4111111111111111,1234567]', '[null,1234567]'],
    ['{"bsn":111222333,"id":111222333}', '{"bsn":null,"id":111222333}'],
    ['{"bsn":"111222333","id":"111222333"}', '{"bsn":"***","id":"111222333"}'],
    ['{"123-45-6789":1,"123-45-6780":2}', '{"***":1,"*** (2)":2}'],
    ['{"x":"123\\u002d45-6789\\n"}', '{"x":"***\\n"}'],
    ['{"x":"\\u0061@b.nl"}', '{"x":"***"}'],
    [`{"x":"${Buffer.from('{"ssn":"123-45-6789"}').toString('base64')}"}`, '{"x":"***"}'],
    ['{"x":"{\\"mail\\":\\"a@b.nl\\",\\"n\\":1}"}', '{"x":"{\\"mail\\":\\"***\\",\\"n\\":1}"}'],
    [
      '{"at":"2024-01-02T03:04:05.678Z","u":"018f2d1c-7b4e-7cc0-9d3a-1f2e3d4c5b6a"}',
      '{"at":"2024-01-02T03:04:05.678Z","u":"018f2d1c-7b4e-7cc0-9d3a-1f2e3d4c5b6a"}',
    ],
  ])('%s', (json, shown) => {
    expect(shownAlways(byDetectors, json)).toBe(shown);
  });

  it('masks a string whole that is longer than is looked at', () => {
    const long = 'x'.repeat(1024 * 1024);
    const pieces = `["${long}",1]`.match(/.{1,65536}/g)!.map((piece) => Buffer.from(piece));
    expect(shownOf(byDetectors(), pieces)).toBe('["***",1]');
    expect(shownOf(byDetectors(), [Buffer.from(`["${long}",1]`)])).toBe('["***",1]');
  });
});

describe('what is not JSON to the letter', () => {
  it.each([
    '{"a":1,}',
    '[1,]',
    '[1 2]',
    '{"a" 1}',
    '{a:1}',
    "{'a':1}",
    '{"a":1}{"b":2}',
    '1 x',
    'nul',
    'nulls',
    'NaN',
    '-',
    '01',
    '1.',
    '.5',
    '1e',
    '+1',
    '"\t"',
    '"\\x"',
    '"\\u12g4"',
    '"abc',
    '[',
    '{"a":',
    '{"a"',
    '[}',
    '{]',
    ']',
    '/**/1',
    '\ufeff\ufeff1',
    '{"\\ud83d":1}',
    '{"a":1}\0',
    'tru',
    '\x1e1',
    '[,1]',
    '{,}',
    '[1}',
  ])('is not shown: %j', (json) => {
    for (const make of [byPath(EMAIL), byDetectors]) {
      expect(() => shownOf(make(), [Buffer.from(json)])).toThrow(
        expect.objectContaining({ code: 'ERR_TARGET_LOST' }),
      );
      const single = [...Buffer.from(json)].map((byte) => Uint8Array.of(byte));
      expect(() => shownOf(make(), single)).toThrow(expect.objectContaining({ code: 'ERR_TARGET_LOST' }));
    }
  });

  it.each([
    [[0x22, 0xc3, 0x28, 0x22]],
    [[0x22, 0xed, 0xa0, 0x80, 0x22]],
    [[0x22, 0xc0, 0xaf, 0x22]],
    [[0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]],
    [[0xff, 0xfe, 0x31, 0x00]],
    [[0x00, 0x31]],
    [[0x22, 0xe2, 0x82]],
  ])('is not shown: octets %j', (octets) => {
    const bytes = Buffer.from(octets);
    expect(() => shownOf(byPath(EMAIL)(), [bytes])).toThrow(
      expect.objectContaining({ code: 'ERR_TARGET_LOST' }),
    );
    for (let at = 0; at < bytes.length; at++) {
      const halves = [bytes.subarray(0, at), bytes.subarray(at)];
      expect(() => shownOf(byPath(EMAIL)(), halves)).toThrow(
        expect.objectContaining({ code: 'ERR_TARGET_LOST' }),
      );
    }
  });

  it('goes 512 levels deep and no further', () => {
    const nested = (depth: number) => Buffer.from('['.repeat(depth) + ']'.repeat(depth));
    expect(shownOf(byPath(EMAIL)(), [nested(512)])).toBe(String(nested(512)));
    expect(() => shownOf(byPath(EMAIL)(), [nested(513)])).toThrow('deeper than 512');
    expect(() => shownOf(byPath({ '$..x': 'redact' })(), [Buffer.from('{"x":'.repeat(10_000))])).toThrow(
      'deeper',
    );
  });

  it('has names and numbers within their bounds', () => {
    expect(() => shownOf(byPath(EMAIL)(), [Buffer.from(`{"${'k'.repeat(70_000)}":1}`)])).toThrow(
      'a name in it',
    );
    expect(() => shownOf(byPath(EMAIL)(), [Buffer.from('1'.repeat(2000))])).toThrow('a number in it');
  });
});

describe('sequences', () => {
  it('of lines', () => {
    const make = () => new JsonMasker(fields(EMAIL), undefined, 'lines');
    expect(shownAlways(make, '{"email":"a"}\n{"email":1}\r\n\n{"x":2}')).toBe(
      '{"email":"***"}\n{"email":null}\r\n\n{"x":2}',
    );
    expect(() => shownOf(make(), [Buffer.from('{} {}')])).toThrow('follows');
  });

  it('of records', () => {
    const make = () => new JsonMasker(fields(EMAIL), undefined, 'records');
    expect(shownAlways(make, '\x1e{"email":"a"}\n\x1e{"email":1}\n')).toBe(
      '\x1e{"email":"***"}\n\x1e{"email":null}\n',
    );
  });
});

/** Names that lead to masked members now and then. */
const name = fc.constantFrom('a', 'b', 'ssn', 'SSN', 'email', 'x y', 'é', '__proto__');
const document = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4 }),
  ),
})).value;

/** What is shown of a document where `$.email` and `$..ssn` are masked. */
function masked(value: unknown, depth = 0): unknown {
  if (Array.isArray(value)) return value.map((one) => masked(one, depth));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const hidden = key.toLowerCase() === 'ssn' || (key === 'email' && depth === 0);
      if (hidden) return [key, typeof inner === 'string' ? '***' : null];
      return [key, masked(inner, depth + 1)];
    }),
  );
}

it('gives the document that a model of it gives, whatever pieces it comes in', () => {
  const masks: Masks = { '$.email': 'redact', '$..ssn': 'redact' };
  fc.assert(
    fc.property(
      document,
      fc.array(fc.nat(64), { maxLength: 30 }),
      fc.constantFrom(undefined, 1),
      (value, sizes, space) => {
        const bytes = Buffer.from(JSON.stringify(value, undefined, space));
        const pieces: Buffer[] = [];
        let at = 0;
        for (const size of sizes) {
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        pieces.push(bytes.subarray(at));
        expect(JSON.parse(shownOf(byPath(masks)(), pieces))).toEqual(masked(JSON.parse(String(bytes))));
      },
    ),
    { numRuns: 300 },
  );
});

it('leaves every octet where nothing is masked', () => {
  fc.assert(
    fc.property(fc.json(), (json) => shownAlways(byPath({ '$.nothing.of.this': 'redact' }), json) === json),
    { numRuns: 50 },
  );
});

/** What is shown of a body in these pieces; undefined: it cannot be read. */
function shownOrNot(make: () => JsonMasker, pieces: readonly Uint8Array[]): string | undefined {
  try {
    return shownOf(make(), pieces);
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_TARGET_LOST' });
    return undefined;
  }
}

it('reads a text that was damaged in one piece as it does octet by octet', () => {
  const names = ['"email"', '"ssn"', '"bsn"', '"Name"', '"\\u0065mail"', '"alice@example.com"'];
  const values = [
    ...['"alice@example.com"', '"Name 7"', '"111222333"', '"a\\nb"', '"é"', '""', '111222333'],
    ...['12.5e3', '01', 'true', 'null', 'nul', '{"ssn":"123-45-6789"}', '[]', '["x",1,{}]'],
  ];
  const member = fc
    .tuple(fc.constantFrom(...names), fc.constantFrom(':', ' :'), fc.constantFrom(...values))
    .map((parts) => parts.join(''));
  const text = fc
    .array(fc.array(member, { maxLength: 4 }), { maxLength: 4 })
    .map((objects) => `[${objects.map((members) => `{${members.join(',')}}`).join(',')}]`);
  const damage = fc.constantFrom('', '"', ',', '}', ']', ':', '\\', ' ', '\x01', '0');
  const both = () => new JsonMasker(fields({ '$.email': 'partial', '$..ssn': 'redact' }), detecting());
  let read = 0;
  fc.assert(
    fc.property(text, fc.double({ min: 0, max: 1, noNaN: true }), damage, (whole, where, by) => {
      const at = Math.floor(where * whole.length);
      const bytes = Buffer.from(whole.slice(0, at) + by + whole.slice(at + (by === '' ? 0 : 1)));
      const shown = shownOrNot(both, [bytes]);
      const single = [...bytes].map((byte) => Uint8Array.of(byte));
      expect(shownOrNot(both, single)).toBe(shown);
      if (shown === undefined) return;
      read++;
      expect(() => JSON.parse(shown)).not.toThrow();
    }),
    { numRuns: 400 },
  );
  expect(read).toBeGreaterThan(10);
});

it('takes a name for the label that it is, however many others there are', () => {
  const others = Array.from({ length: 400 }, (_, i) => `"n${i}":111222333`).join();
  const json = `[{${others},"bsn":111222333},{"bsn":111222333,"n7":111222333}]`;
  const shown = `[{${others},"bsn":null},{"bsn":null,"n7":111222333}]`;
  expect(shownOf(byDetectors(), [Buffer.from(json)])).toBe(shown);
});

/** A record of a list: its members in an order of their own, some of them left out. */
const record = fc
  .tuple(
    fc.record(
      {
        id: fc.nat(),
        customer_b_email: fc.constant('bob@example.com'),
        customer_a_email: fc.constant('ann@example.com'),
        'customer_a_emai"': fc.constant('quoted'),
        email: fc.constant('eve@example.com'),
        Email: fc.constant('eve@example.com'),
        e: fc.constant('x'),
        '': fc.constant('x'),
        lines: fc.array(
          fc.record({ sku: fc.constant('tea'), email: fc.constant('x') }, { requiredKeys: [] }),
        ),
        owner: fc.record(
          { email: fc.constant('x'), customer_a_email: fc.constant('x') },
          { requiredKeys: [] },
        ),
        [`${'long '.repeat(20)}email`]: fc.constant('x'),
      },
      { requiredKeys: [] },
    ),
    fc.boolean(),
  )
  .map(([members, turned]) => {
    const entries = Object.entries(members);
    return Object.fromEntries(turned ? entries.reverse() : entries);
  });

/** What is shown of records of which these members are masked: the whole of `owner`, if that is one of them. */
function withoutMasked(records: readonly object[], hidden: ReadonlySet<string>): unknown {
  const shown = (value: object): unknown =>
    Object.fromEntries(
      Object.entries(value).map(([name, inner]) => {
        if (!hidden.has(name.toLowerCase())) return [name, inner];
        return [name, typeof inner === 'string' ? '***' : null];
      }),
    );
  return records.map(shown);
}

it('takes no member for another, whatever the records before it had', () => {
  const hidden = fc.subarray(['customer_a_email', 'email', 'e', 'owner'], { minLength: 1 });
  const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 8 });
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 12 }),
      hidden,
      sizes,
      fc.constantFrom(undefined, 2),
      (records, names, pieces, space) => {
        const masks: Masks = Object.fromEntries(names.map((one) => [`$.${one}`, 'redact' as const]));
        const bytes = Buffer.from(JSON.stringify(records, undefined, space));
        const cuts = pieces.map((_, i) => pieces.slice(0, i + 1).reduce((a, b) => a + b));
        const parts = [0, ...cuts].map((from, i) => bytes.subarray(from, cuts[i]));
        const expected = withoutMasked(records, new Set(names));
        for (const make of [byPath(masks), () => new JsonMasker(fields(masks), NOTHING_FOUND)]) {
          expect(JSON.parse(shownOf(make(), [bytes]))).toEqual(expected);
          expect(JSON.parse(shownOf(make(), parts))).toEqual(expected);
        }
      },
    ),
    { numRuns: 300 },
  );
});

it('masks what is shorter than what stands for it, however often', () => {
  const list = (email: string) =>
    JSON.stringify(Array.from({ length: 5000 }, (_, id) => ({ id, email, n: [] })));
  expect(shownOf(byPath(EMAIL)(), [Buffer.from(list(''))])).toBe(list('***'));
});

it('looks at every string in a list of records alike, and keeps what it holds within bounds', () => {
  const rows = Array.from({ length: 300 }, (_, i) => ({
    id: i,
    note: i % 7 === 0 ? 'call 123-45-6789' : 'tea',
  }));
  const shown = rows.map(({ id, note }) => ({ id, note: note === 'tea' ? note : 'call ***' }));
  expect(JSON.parse(shownAlways(byDetectors, JSON.stringify(rows)))).toEqual(shown);
  const names = Array.from({ length: 2000 }, (_, i) => `"name${i}":"a@b.nl"`).join();
  expect(shownOf(byPath({ '$.name1999': 'redact' })(), [Buffer.from(`{${names}}`)])).toBe(
    `{${names.replace('"name1999":"a@b.nl"', '"name1999":"***"')}}`,
  );
});
