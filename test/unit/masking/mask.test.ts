import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_MASKED_BYTES, maskValue, strongest, writeMasked } from '../../../src/masking/mask.ts';
import { MASK_KINDS } from '../../../src/policy/model.ts';

const partial = (text: string) => String(maskValue(Buffer.from(text), 'partial', 'text'));
const jsonb = (json: string) => Buffer.concat([Buffer.of(1), Buffer.from(json)]);

describe('partial', () => {
  it.each([
    ['alice@example.com', 'a***@e***.com'],
    ['ann@x.io', 'a***@x***'],
    ['jürgen@exämple.museum', 'j***@e***'],
    ['4111 1111 1111 1111', '***1111'],
    ['4111111111111111', '***1111'],
    ['123-45-6789', '***789'],
    ['+49 30 1234567', '***4567'],
    ['DE89 3704 0044 0532 0130 00', '***3000'],
    ['hello world', 'h***'],
    ['日本語テキスト', '日***'],
    ['😀 smile', '😀***'],
    ['abcde', 'a***'],
    ['abcd', '***'],
    ['日本語字', '***'],
    ['', '***'],
    ['a@b@c@example.com', 'a***'],
    ['mail to bob@example.com', 'm***'],
    ['@handle', '@***'],
    ['someone@', '***@***'],
    ['12345678', '***78'],
    ['1234567', '1***'],
  ])('%j becomes %j', (from, to) => expect(partial(from)).toBe(to));

  it('gives NULL for what is not UTF-8, and never a length', () => {
    expect(maskValue(Buffer.of(0xff, 0xfe, 0x41, 0x42, 0x43), 'partial', 'text')).toBeNull();
    expect(partial('x'.repeat(10))).toBe(partial('x'.repeat(1_000_000)));
  });

  it('keeps at most a quarter of the characters', () => {
    const values = fc.oneof(fc.string(), fc.emailAddress(), fc.stringMatching(/^[0-9 -]{1,30}$/));
    fc.assert(
      fc.property(values, (text) => {
        const kept = [
          ...partial(text)
            .replace(/\*\*\*/g, '')
            .replace(/[@.]/g, ''),
        ].length;
        const own = [...text].length;
        expect(kept).toBeLessThanOrEqual(own <= 4 ? 0 : Math.ceil(own / 4));
      }),
    );
  });
});

describe('shapes', () => {
  it('are kept by every mask, whatever the value', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string().map((s) => Buffer.from(s)),
          fc.uint8Array(),
          fc.json().map((j) => Buffer.from(j)),
        ),
        (value) => {
          for (const kind of MASK_KINDS) {
            expect(maskValue(value, kind, 'opaque')).toBeNull();
            const json = maskValue(value, kind, 'json');
            if (json !== null) JSON.parse(Buffer.from(json).toString());
            const binary = maskValue(Buffer.concat([Buffer.of(1), value]), kind, 'jsonb-binary');
            if (binary !== null) JSON.parse(Buffer.from(binary.subarray(1)).toString());
            expect(binary === null || binary[0] === 1).toBe(true);
            if (kind === 'null')
              expect([json, binary, maskValue(value, kind, 'text')]).toEqual([null, null, null]);
          }
        },
      ),
    );
  });

  it('mask a bare JSON string as its text, the rest of JSON whole', () => {
    expect(String(maskValue(Buffer.from(' "alice@example.com" '), 'partial', 'json'))).toBe(
      '"a***@e***.com"',
    );
    expect(String(maskValue(Buffer.from('"\\u0061lice@example.com"'), 'partial', 'json'))).toBe(
      '"a***@e***.com"',
    );
    for (const json of ['{"a":"alice@example.com"}', '4111111111111111', '[1]', 'true', 'not json', ''])
      expect(String(maskValue(Buffer.from(json), 'partial', 'json'))).toBe('"***"');
    expect(maskValue(jsonb('"alice@example.com"'), 'partial', 'jsonb-binary')).toEqual(
      jsonb('"a***@e***.com"'),
    );
    expect(maskValue(Buffer.from('\x02{}'), 'redact', 'jsonb-binary')).toBeNull();
  });
});

describe('a JSON string', () => {
  it('is masked as its text is, escaped or not', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.emailAddress(),
      fc.stringMatching(/^["\\\n a-z0-9@.]*$/),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const masked = maskValue(Buffer.from(JSON.stringify(text)), 'partial', 'json');
        expect(JSON.parse(String(masked))).toBe(partial(text));
      }),
    );
  });

  it('that is no UTF-8, or no string, is hidden whole', () => {
    for (const literal of [
      Buffer.from('22ff41424322', 'hex'),
      Buffer.from('"a"b"'),
      Buffer.from('"a\nb c"'),
      Buffer.from('"'),
    ])
      expect(String(maskValue(literal, 'partial', 'json'))).toBe('"***"');
  });
});

it('in memory of the caller’s stands what is made in memory of its own', () => {
  const values = fc.oneof(
    fc.uint8Array(),
    fc.json().map((one) => Buffer.from(one)),
  );
  fc.assert(
    fc.property(
      values,
      fc.constantFrom(...MASK_KINDS),
      fc.constantFrom('text', 'json'),
      (value, kind, shape) => {
        const [out, source] = [
          Buffer.alloc(MAX_MASKED_BYTES + 3),
          Buffer.concat([Buffer.of(1, 2), value, Buffer.of(3)]),
        ];
        const end = writeMasked(source, 2, source.length - 1, kind, shape, out, 3);
        const alone = maskValue(value, kind, shape);
        expect(end === -1 ? null : out.subarray(3, end).toString('hex')).toEqual(
          alone === null ? null : Buffer.from(alone).toString('hex'),
        );
      },
    ),
  );
});

it('the strongest of several masks wins; none at all is redact', () => {
  expect(strongest(['partial', 'null', 'redact'])).toBe('null');
  expect(strongest(['partial', 'redact'])).toBe('redact');
  expect(strongest(['partial'])).toBe('partial');
  expect(strongest([])).toBe('redact');
});
