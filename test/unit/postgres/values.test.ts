import { describe, expect, it } from 'vitest';
import { DetectorSet } from '../../../src/masking/detectors/index.ts';
import { maskFindings } from '../../../src/masking/mask-findings.ts';
import type { CatalogType } from '../../../src/protocols/postgres/catalog/model/model.ts';
import type { Look } from '../../../src/protocols/postgres/shown/values/look.ts';
import { shownValue } from '../../../src/protocols/postgres/shown/values/shown.ts';
import { tells, WireTypes } from '../../../src/protocols/postgres/shown/values/wire-types.ts';

const type = (kind: string, of = 0, name = ''): CatalogType => ({ name, kind, of, delimiter: ',' });
const TYPES = new WireTypes(
  new Map([
    [1016, type('a', 20)],
    [1009, type('a', 25)],
    [3807, type('a', 3802)],
    [3926, type('r', 20)],
    [4536, type('m', 3926)],
    [20001, type('d', 20)],
    [20002, type('a', 20001)],
    [20003, type('e')],
    [20004, type('c')],
    [20005, type('a', 20004)],
    [20006, type('b', 0, 'hstore')],
    [20007, type('b', 0, 'geometry')],
    [20008, type('d', 20008)],
    [1005, type('a', 21)],
  ]),
);
const detectors = new DetectorSet();
const look: Look = {
  types: TYPES,
  detect: (value, shape) => maskFindings(value, detectors.scan(value, shape), () => 'redact', shape),
};

/** What becomes of a value: the same, NULL, or another. */
function shown(value: string | Buffer, oid: number, format: 0 | 1 = 0): string | null {
  const bytes = Buffer.from(value as string);
  const after = shownValue(bytes, TYPES.of(oid), format, look);
  if (after === bytes) return 'same';
  return after === null ? null : Buffer.from(after).toString(format === 0 ? 'utf8' : 'hex');
}

const int32 = (value: number) => Buffer.from(value.toString(16).padStart(8, '0'), 'hex');
const int8 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
};
const item = (value: Buffer | null) =>
  value === null ? Buffer.from('ffffffff', 'hex') : Buffer.concat([int32(value.length), value]);
const arrayOf = (oid: number, nulls: number, ...values: (Buffer | null)[]) =>
  Buffer.concat([int32(1), int32(nulls), int32(oid), int32(values.length), int32(1), ...values.map(item)]);
const recordOf = (...fields: [number, Buffer | null][]) =>
  Buffer.concat([int32(fields.length), ...fields.flatMap(([oid, value]) => [int32(oid), item(value)])]);

const CARD = int8(4111111111111111n);
const SEVEN = int8(7n);
const MAIL = Buffer.from('ann@example.com');
const STARS = Buffer.from('***');

describe('binary', () => {
  it('an array keeps what nothing is found in, and says that it holds NULL', () => {
    expect(shown(arrayOf(20, 0, SEVEN), 1016, 1)).toBe('same');
    expect(shown(arrayOf(20, 0, CARD, SEVEN), 1016, 1)).toBe(arrayOf(20, 1, null, SEVEN).toString('hex'));
    expect(shown(arrayOf(20001, 1, null, CARD), 20002, 1)).toBe(
      arrayOf(20001, 1, null, null).toString('hex'),
    );
    expect(shown(arrayOf(25, 0, MAIL, Buffer.from('x')), 1009, 1)).toBe(
      arrayOf(25, 0, STARS, Buffer.from('x')).toString('hex'),
    );
    expect(shown(Buffer.concat([int32(0), int32(0), int32(20)]), 1016, 1)).toBe('same');
  });

  it('a record, within an array too, field by field', () => {
    const before = recordOf(
      [20, CARD],
      [25, MAIL],
      [16, Buffer.from([1])],
      [20007, Buffer.from('x')],
      [25, null],
    );
    const after = recordOf([20, null], [25, STARS], [16, Buffer.from([1])], [20007, null], [25, null]);
    expect(shown(before, 2249, 1)).toBe(after.toString('hex'));
    expect(shown(arrayOf(20004, 0, before), 20005, 1)).toBe(arrayOf(20004, 0, after).toString('hex'));
  });

  it('ranges are NULL as a whole', () => {
    const range = (low: Buffer) =>
      Buffer.concat([Buffer.from([2]), item(low), item(int8(5500005555555560n))]);
    expect(shown(Buffer.from([1]), 3926, 1)).toBe('same');
    expect(shown(Buffer.concat([Buffer.from([0x12]), item(SEVEN)]), 3926, 1)).toBe('same');
    expect(shown(range(CARD), 3926, 1)).toBeNull();
    expect(shown(Buffer.concat([int32(1), item(range(CARD))]), 4536, 1)).toBeNull();
    expect(shown(Buffer.concat([int32(1), item(range(SEVEN))]), 4536, 1)).toBe('same');
  });

  it('hstore, where a key cannot be NULL', () => {
    const before = Buffer.concat([int32(2), item(MAIL), item(null), item(Buffer.from('k')), item(MAIL)]);
    const after = Buffer.concat([int32(2), item(STARS), item(null), item(Buffer.from('k')), item(STARS)]);
    expect(shown(before, 20006, 1)).toBe(after.toString('hex'));
  });

  it.each([
    ['000400030000000010 0f045704570457', null],
    ['0004 0003 0000 0002 100f 0457 0457 0457', null],
    ['0004 0003 0000 0002 100f 0457 0457 0458', 'same'],
    ['0000 0000 c000 0000', 'same'],
    ['0000 0000 d000 0000', 'same'],
    ['0001 ffff 0000 0004 1388', 'same'],
    ['0001 0007 4000 0000 0001', 'same'],
  ])('numeric %s', (hex, result) => {
    expect(shown(Buffer.from(hex.replaceAll(' ', ''), 'hex'), 1700, 1)).toBe(result);
  });

  it('octets: as text, as text among others, as packed digits', () => {
    expect(shown(Buffer.from('mail ann@example.com'), 17, 1)).toBeNull();
    expect(shown(Buffer.concat([Buffer.from([0xff, 0, 0xfe]), MAIL, Buffer.from([0xff])]), 17, 1)).toBeNull();
    expect(shown(Buffer.from('4111111111111111', 'hex'), 17, 1)).toBeNull();
    expect(shown(Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), 17, 1)).toBe('same');
  });

  it('lexemes, enums, floats that are whole numbers, jsonb', () => {
    const lexeme = (text: string) =>
      Buffer.concat([int32(1), Buffer.from(`${text}\0`), Buffer.from('00010001', 'hex')]);
    expect(shown(lexeme('ann@example.com'), 3614, 1)).toBeNull();
    expect(shown(lexeme('word'), 3614, 1)).toBe('same');
    expect(shown('ann@example.com', 20003, 1)).toBeNull();
    const float = Buffer.alloc(8);
    float.writeDoubleBE(4111111111111111);
    expect(shown(float, 701, 1)).toBeNull();
    expect(shown('\x01{"a":"ann@example.com","b":1}', 3802, 1)).toBe(
      Buffer.from('\x01{"a":"***","b":1}').toString('hex'),
    );
  });

  it('what nobody knows how to read is NULL, whatever it holds', () => {
    expect(shown('harmless', 20007, 1)).toBeNull();
    expect(shown('harmless', 99_999, 1)).toBeNull();
    expect(shown('harmless', 20008, 1)).toBeNull();
  });

  it('what does not fit its type is refused', () => {
    for (const [bytes, oid] of [
      [arrayOf(20, 0, CARD).subarray(0, 26), 1016],
      [recordOf([20, CARD]).subarray(0, 14), 2249],
      [Buffer.from('00'), 1700],
    ] as const)
      expect(() => shown(Buffer.from(bytes), oid, 1)).toThrow(RangeError);
  });
});

describe('text', () => {
  it.each([
    ['{4111111111111111,7,NULL}', 1016, '{NULL,7,NULL}'],
    ['[0:1]={4111111111111111,7}', 1016, '[0:1]={NULL,7}'],
    ['{{1,2},{3,4}}', 1016, 'same'],
    [
      '{{ann@example.com,"a b"},{NULL,"x \\"y\\" ann@example.com"}}',
      1009,
      '{{"***","a b"},{NULL,"x \\"y\\" ***"}}',
    ],
    ['{"{\\"a\\": \\"ann@example.com\\"}"}', 3807, '{"{\\"a\\": \\"***\\"}"}'],
    ['(1,ann@example.com,"say ""hi"" to ann@example.com",)', 2249, '(1,"***","say ""hi"" to ***",)'],
    ['(4111111111111111,"(1,4111111111111111)")', 20004, '(,"(1,)")'],
    ['(,"\\\\x616e6e406578616d706c652e636f6d")', 2249, '(,)'],
    ['[4111111111111111,5500005555555560)', 3926, null],
    ['"a"=>"ann@example.com", "4111111111111111"=>NULL', 20006, '"a"=>"***", "***"=>NULL'],
    ['\\x616e6e406578616d706c652e636f6d', 17, null],
    ['ann\\100example.com', 17, null],
    ['4.111111111111111e+15', 701, null],
    ['$4,111,111,111,111,111.00', 790, null],
    [
      '(1,"{""a"": [4111111111111111, ""x""]}","{7,4111111111111111}")',
      2249,
      '(1,"{""a"": [null, ""x""]}","{7,NULL}")',
    ],
    ['0.5227687358856201', 701, 'same'],
    [`'ann@example.com':1`, 3614, null],
    ['ann@example.com', 20003, null],
    ['ann@example.com', 99_999, null],
    ['nothing', 99_999, 'same'],
    ['{not an array', 1016, 'same'],
  ])('%s of type %i: %s', (value, oid, result) => expect(shown(value, oid)).toBe(result));

  it('is looked at only where something can stand in it, unless detectors are configured', () => {
    expect(tells(TYPES.of(23), false, 0)).toBe(false);
    expect(tells(TYPES.of(1005), false, 0)).toBe(false);
    expect(tells(TYPES.of(1016), false, 0)).toBe(true);
    expect(tells(TYPES.of(99_999), false, 0)).toBe(true);
    expect(tells(TYPES.of(23), true, 0)).toBe(true);
    expect([tells(TYPES.of(1114), false, 0), tells(TYPES.of(1114), false, 1)]).toEqual([false, true]);
  });
});
