import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFieldPath } from '../../../src/masking/json/field-path.ts';
import { FieldState } from '../../../src/masking/json/field-states.ts';
import type { Mask } from '../../../src/masking/mask.ts';
import { MAX_DOCUMENT_BYTES, maskedDocument } from '../../../src/protocols/postgres/shown/documents.ts';
import {
  type CellDetector,
  type MaskedDocument,
  RowRewriter,
  rowPlan,
} from '../../../src/protocols/postgres/shown/rows.ts';
import { WireTypes } from '../../../src/protocols/postgres/shown/values/wire-types.ts';
import { DataRow } from '../../../src/wire/postgres/rows.ts';

const fieldsOf = (paths: Readonly<Record<string, Mask>>) =>
  FieldState.start(Object.entries(paths).map(([path, kind]) => ({ path: parseFieldPath(path)!, kind })))!;

const FIELDS = fieldsOf({
  '$.email': 'redact',
  '$.contact.phone': 'partial',
  '$..ssn': 'null',
  '$.cards[*].pan': 'redact',
});

/** What becomes of a document as text; undefined: it is to be masked whole. The octets of jsonb are those behind its version. */
function shown(text: string | Buffer, fields = FIELDS): string | undefined {
  const octets = Buffer.from(text as string);
  const asText = maskedDocument(octets, 'json', fields)?.toString();
  const binary = maskedDocument(Buffer.concat([Buffer.of(1), octets]), 'jsonb-binary', fields);
  if (binary !== undefined) expect(binary[0]).toBe(1);
  expect(binary?.subarray(1).toString()).toBe(asText);
  return asText;
}

const DEEP = 600;
const SECRET = 'ann@example.com';

describe('a document of which members are masked', () => {
  it.each([
    ['a member', `{"id": 1, "email": "${SECRET}"}`, '{"id": 1, "email": "***"}'],
    [
      'in part',
      '{"contact":{"phone":"+31612345678","city":"Ede"}}',
      '{"contact":{"phone":"***678","city":"Ede"}}',
    ],
    ['at any depth', '{"a":[{"b":{"ssn":"x"}}],"ssn":{"y":1}}', '{"a":[{"b":{"ssn":null}}],"ssn":null}'],
    ['in arrays', '{"cards":[{"pan":"4111"},[{"pan":"42"}]]}', '{"cards":[{"pan":"***"},[{"pan":"***"}]]}'],
    [
      'a document that is an array',
      `[{"email":"${SECRET}"},{"email":"b"}]`,
      '[{"email":"***"},{"email":"***"}]',
    ],
    [
      'a number, a word, what holds others',
      '{"email":[{"a":"b"}],"ssn":12,"x":0}',
      '{"email":null,"ssn":null,"x":0}',
    ],
    ['null, which stays', '{"email":null}', '{"email":null}'],
    ['an empty text', '{"email":""}', '{"email":"***"}'],
    [
      'each of a name that is there twice',
      `{"email":"${SECRET}","email":"b"}`,
      '{"email":"***","email":"***"}',
    ],
    [
      'a name with escapes',
      '{"\\u0065mail":"b","e\\u006dail":"c"}',
      '{"\\u0065mail":"***","e\\u006dail":"***"}',
    ],
    ['a name in another case', '{"EMAIL":"b","eMail":"c"}', '{"EMAIL":"***","eMail":"***"}'],
    [
      'a name with a letter that folds to it',
      '{"cards":[{"pan":"1"}],"a":{"\u017f\u017fn":"b"}}',
      '{"cards":[{"pan":"***"}],"a":{"\u017f\u017fn":null}}',
    ],
    [
      'a text with escapes and a null octet',
      '{"email":"a\\u0000\\"}b","x":"\\u0000"}',
      '{"email":"***","x":"\\u0000"}',
    ],
    ['what stands between', '{ "email" :\t"b" ,\n"x" : 1.50e2 }', '{ "email" :\t"***" ,\n"x" : 1.50e2 }'],
    ['blanks before it', ' \n{"email":"b"}', ' \n{"email":"***"}'],
  ])('hides %s', (_what, text, masked) => expect(shown(text)).toBe(masked));

  it.each([
    ['none of them', '{"id":1,"mail":"x","contact":"y","x":{"email":"z"}}'],
    ['nothing', '{}'],
    ['an empty array', '[]'],
  ])('is the same array where it has %s', (_what, text) => {
    const octets = Buffer.from(text);
    expect(maskedDocument(octets, 'json', FIELDS)).toBe(octets);
  });

  it.each([
    ['a text, which may hold a document', JSON.stringify(`{"email":"${SECRET}"}`)],
    ['a number', '12'],
    ['a word', 'null'],
    ['no JSON', `{email: ${SECRET}}`],
    ['none to the end', `{"email":"${SECRET}"`],
    ['followed by something', `{} "${SECRET}"`],
    ['nothing at all', ''],
    ['deeper than it is read', `${'[{"a":'.repeat(DEEP)}1${'}]'.repeat(DEEP)}`],
    ['of a number that is too long', `{"a":${'9'.repeat(2000)}}`],
    ['of a name that is too long', `{"${'a'.repeat(70_000)}":1}`],
    ['of a name with half a character', '{"a\\ud800":1}'],
    ['not in UTF-8', Buffer.concat([Buffer.from('{"a":"'), Buffer.of(0xff), Buffer.from('"}')])],
    ['longer than it is read', JSON.stringify({ a: 'x'.repeat(MAX_DOCUMENT_BYTES) })],
  ])('is to be masked whole where it is %s', (_what, text) => expect(shown(text)).toBeUndefined());

  it('is to be masked whole in a version of jsonb that nobody knows', () => {
    expect(maskedDocument(Buffer.from('\x02{"email":"b"}'), 'jsonb-binary', FIELDS)).toBeUndefined();
    expect(maskedDocument(Buffer.from('{"email":"b"}'), 'jsonb-binary', FIELDS)).toBeUndefined();
  });

  it('may have a megabyte, and a thousand members', () => {
    const rows = Array.from({ length: 1000 }, (_, id) => ({ id, note: 'x'.repeat(1000), ssn: SECRET }));
    const text = JSON.stringify({ rows, email: SECRET.repeat(100_000) });
    const masked = shown(text)!;
    expect(masked).not.toContain(SECRET);
    expect(JSON.parse(masked).rows[999]).toEqual({ id: 999, note: 'x'.repeat(1000), ssn: null });
  });

  it('shows what a reading of its own leaves of any document', () => {
    const names = fc.constantFrom('email', 'Email', 'ssn', 'contact', 'phone', 'cards', 'pan', 'x');
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        tie('leaf'),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(names, tie('tree'), { maxKeys: 4 }),
      ),
      leaf: fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null)),
    }));
    const document = fc.oneof(fc.array(tree, { maxLength: 4 }), fc.dictionary(names, tree, { maxKeys: 6 }));
    fc.assert(
      fc.property(document, (value) => {
        const again: unknown = JSON.parse(JSON.stringify(value));
        expect(JSON.parse(shown(JSON.stringify(again))!)).toEqual(expected(again, []));
      }),
      { numRuns: 2000 },
    );
  });
});

/** The same by a reading of its own: which paths hide what, said once more. */
function expected(value: unknown, path: readonly string[]): unknown {
  const at = path.join('.');
  if (path.at(-1) === 'ssn') return null;
  if (at === 'email' || at === 'cards.pan') return typeof value === 'string' ? '***' : null;
  if (at === 'contact.phone') return typeof value === 'string' ? expect.any(String) : null;
  if (Array.isArray(value)) return value.map((one) => expected(one, path));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, expected(one, [...path, name.toLowerCase()])]),
  );
}

describe('a row with such a document', () => {
  const types = new WireTypes(new Map());
  const found: CellDetector = {
    nextRecord: () => undefined,
    attends: (octets) => octets < 1000,
    suspects: (bytes, start, end) => Buffer.from(bytes.subarray(start, end)).includes('4111'),
    detect: (value) =>
      Buffer.from(value).includes('4111')
        ? Buffer.from(Buffer.from(value).toString().replace('4111', '***'))
        : value,
  };
  const show: MaskedDocument = { fields: FIELDS, rest: { kind: 'show' } };
  const look: MaskedDocument = {
    fields: FIELDS,
    rest: { kind: 'detect', type: types.of(114), format: 0, types },
  };

  function rewritten(
    value: string,
    document: MaskedDocument,
    mask: Mask = 'redact',
  ): string | null | undefined {
    const chunk = DataRow.encode({ values: [Buffer.from(value)] });
    const plan = rowPlan([{ kind: 'mask', mask, shape: 'json', document }]);
    const row = new RowRewriter().rewrite({ chunk, start: 0, end: chunk.length }, plan, found);
    if (row === undefined) return undefined;
    const { piece } = row;
    return DataRow.decode(piece.chunk.subarray(piece.start + 5, piece.end)).values[0]?.toString() ?? null;
  }

  it.each([
    ['goes on as it came where it has none of them', '{"a":"4111"}', show, undefined],
    ['shows the rest', '{"a":"4111","email":"x"}', show, '{"a":"4111","email":"***"}'],
    ['is looked at by detectors, too', '{"a":"4111","email":"x"}', look, '{"a":"***","email":"***"}'],
    ['also where it has none of them', '{"a":"4111"}', look, '{"a":"***"}'],
    ['and where they find nothing', '{"a":"1","email":"x"}', look, '{"a":"1","email":"***"}'],
    ['has nothing of a member left for them to find', '{"email":"4111"}', look, '{"email":"***"}'],
    [
      'is hidden whole where they do not look',
      JSON.stringify({ a: 'x'.repeat(2000), email: 'x' }),
      look,
      '"***"',
    ],
    ['is hidden whole where it cannot be read', '{"email":', show, '"***"'],
  ])('%s', (_what, value, document, expected) => expect(rewritten(value, document)).toBe(expected));

  it('is NULL where it cannot be read and a member would be', () => {
    expect(rewritten('{"email":', show, 'null')).toBeNull();
  });
});
