import { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Mask, type MaskShape, maskValue, strongest, writeMasked } from '../../../src/masking/mask.ts';
import { PseudonymKey, uuidText } from '../../../src/masking/pseudonyms.ts';
import { MASK_KINDS } from '../../../src/policy/model.ts';

const keyOf = (octet: number) => new PseudonymKey(createSecretKey(Buffer.alloc(32, octet)));
const RUN = ['agent', 'bot', 'run-1'];
const pseudonyms = keyOf(1).of(RUN, 'pii.email');
const MAIL = 'alice@example.com';
const UUID = '018f2d1c-0000-7000-8000-00000000beef';
const PSEUDONYM = /^anon_[a-z0-9]{16}$/;

const masked = (value: string | Uint8Array, mask: Mask, shape: MaskShape): string | null => {
  const result = maskValue(Buffer.from(value as string), mask, shape);
  return result && Buffer.from(result).toString(shape === 'uuid-binary' ? 'hex' : 'utf8');
};
const format = (text: string) => masked(text, 'keep-format', 'text');

describe('every form of every shape', () => {
  const jsonb = (json: string) => Buffer.concat([Buffer.of(1), Buffer.from(json)]);
  const values: Readonly<Record<MaskShape, Uint8Array>> = {
    text: Buffer.from(MAIL),
    json: Buffer.from(JSON.stringify(MAIL)),
    'jsonb-binary': jsonb(JSON.stringify(MAIL)),
    uuid: Buffer.from(UUID),
    'uuid-binary': Buffer.from(UUID.replaceAll('-', ''), 'hex'),
    opaque: Buffer.from('4111'),
  };
  const anon = pseudonyms.text(Buffer.from(MAIL));
  const key = pseudonyms.uuid(values['uuid-binary']);
  it.each<[MaskShape, Mask, string | null]>([
    ['text', 'partial', 'a***@e***.com'],
    ['text', 'keep-format', 'xxxxx@xxxxxxx.xxx'],
    ['text', pseudonyms, anon],
    ['text', 'pseudonym', '***'],
    ['text', 'redact', '***'],
    ['text', 'null', null],
    ['json', 'partial', '"a***@e***.com"'],
    ['json', 'keep-format', '"xxxxx@xxxxxxx.xxx"'],
    ['json', pseudonyms, `"${anon}"`],
    ['json', 'pseudonym', '"***"'],
    ['json', 'redact', '"***"'],
    ['json', 'null', null],
    ['jsonb-binary', 'partial', '\x01"a***@e***.com"'],
    ['jsonb-binary', 'keep-format', '\x01"xxxxx@xxxxxxx.xxx"'],
    ['jsonb-binary', pseudonyms, `\x01"${anon}"`],
    ['jsonb-binary', 'redact', '\x01"***"'],
    ['jsonb-binary', 'null', null],
    ['uuid', pseudonyms, uuidText(key)],
    ['uuid-binary', pseudonyms, Buffer.from(key).toString('hex')],
    ...MASK_KINDS.flatMap((kind): [MaskShape, Mask, null][] => [
      ['uuid', kind, null],
      ['uuid-binary', kind, null],
      ['opaque', kind, null],
    ]),
    ['opaque', pseudonyms, null],
  ])('%s by %s', (shape, mask, expected) => {
    expect(masked(values[shape], mask, shape)).toBe(expected);
    const out = Buffer.alloc(2048);
    const end = writeMasked(values[shape], 0, values[shape].length, mask, shape, out, 0);
    const written = end === -1 ? null : out.toString(shape === 'uuid-binary' ? 'hex' : 'utf8', 0, end);
    expect(written).toBe(expected);
  });
});

describe('keep-format', () => {
  it.each([
    ['123-45-6789', '000-00-0000'],
    ['DE89 3704 0044 0532 0130 00', 'XX00 0000 0000 0000 0000 00'],
    ["Siobhán O'Brien", "Xxxxxxx X'Xxxxx"],
    ['日本語テキスト', 'xxxxxxx'],
    ['a"b\\c12', 'x"x\\x00'],
    // Of more signs on end, of control characters, and of short words nothing is kept.
    ['abcdefg...hij', 'xxxxxxx..*xxx'],
    ['abc\tdefg', 'xxx*xxxx'],
    ['true', '***'],
    ['', '***'],
    ['!!??--==', '***'],
    ['a.b.c.', '***'],
    ['x'.repeat(321), '***'],
  ])('%j becomes %j', (from, to) => expect(format(from)).toBe(to));

  it('gives NULL for what is not UTF-8', () => {
    expect(maskValue(Buffer.of(0xff, 0xfe, 0x41, 0x42, 0x43), 'keep-format', 'text')).toBeNull();
  });

  it('depends on nothing but the class of each character', () => {
    const other = (text: string) =>
      [...text]
        .map((one) =>
          /[a-z]/.test(one)
            ? 'q'
            : /[A-Z]/.test(one)
              ? 'Q'
              : /[0-9]/.test(one)
                ? '7'
                : (one.codePointAt(0) ?? 0) >= 0x80
                  ? 'é'
                  : one,
        )
        .join('');
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z0-9@. é日-]{0,60}$/), (text) => {
        expect(format(other(text))).toBe(format(text));
      }),
    );
  });
});

describe('what is left of a secret', () => {
  const runs = (text: string) =>
    Array.from({ length: Math.max(0, text.length - 2) }, (_, at) => text.slice(at, at + 3));
  /** Without the letters and digits that stand for others, and without the sign of what is hidden. */
  const secrets = fc.oneof(
    fc.stringMatching(/^[a-wA-W1-9@. _-]{5,60}$/),
    fc
      .tuple(fc.stringMatching(/^[b-w]{3,12}$/), fc.stringMatching(/^[b-w]{3,12}$/))
      .map((at) => at.join('@')),
  );

  it('is no run of three characters, but the digits and the top-level domain that partial shows', () => {
    fc.assert(
      fc.property(secrets, (secret) => {
        for (const mask of ['keep-format', 'redact', 'null'] as const) {
          const shown = masked(secret, mask, 'text') ?? '';
          for (const run of runs(secret)) expect(shown.includes(run), `${mask}: ${shown}`).toBe(false);
        }
        const partial = (masked(secret, 'partial', 'text') ?? '')
          .replace(/^\*\*\*[0-9]{1,4}$/, '')
          .replace(/\.[a-zA-Z]+$/, '');
        for (const run of runs(secret)) expect(partial.includes(run), partial).toBe(false);
      }),
    );
  });

  it('is nothing at all in a pseudonym: whatever a value is like, its pseudonym has one form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), fc.uint8Array(), (text, octets) => {
        expect(masked(text, pseudonyms, 'text')).toMatch(PSEUDONYM);
        expect(masked(octets, pseudonyms, 'text')).toMatch(PSEUDONYM);
      }),
    );
  });
});

describe('pseudonyms', () => {
  it('are equal for equal values of one domain in one run, and others for any other', () => {
    const others = [
      keyOf(2).of(RUN, 'pii.email'),
      keyOf(1).of(['agent', 'bot', 'run-2'], 'pii.email'),
      keyOf(1).of(['agent', 'other', 'run-1'], 'pii.email'),
      keyOf(1).of(RUN, 'pii.name'),
      // Parts of a scope do not run into each other.
      keyOf(1).of(['agent', 'bot', 'run-1pii', '.email'], ''),
    ];
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, two) => {
        const [a, b] = [Buffer.from(one), Buffer.from(two)];
        expect(keyOf(1).of(RUN, 'pii.email').text(a)).toBe(pseudonyms.text(a));
        expect(pseudonyms.text(a) === pseudonyms.text(b)).toBe(one === two);
        for (const other of others) expect(other.text(a)).not.toBe(pseudonyms.text(a));
      }),
    );
  });

  it('of a UUID are UUIDs of the version that is nobody’s, the same in text and in binary', () => {
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        const text = masked(uuid, pseudonyms, 'uuid');
        expect(text).toMatch(/^ffffffff-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        const octets = Buffer.from(uuid.replaceAll('-', ''), 'hex');
        expect(masked(octets, pseudonyms, 'uuid-binary')).toBe(text?.replaceAll('-', ''));
      }),
    );
    expect(masked('no uuid', pseudonyms, 'uuid')).toBeNull();
    expect(masked('no uuid', pseudonyms, 'uuid-binary')).toBeNull();
  });
});

describe('the strongest mask', () => {
  it('is the one that shows least: characters, their classes, equality, that there is a value, nothing', () => {
    expect(MASK_KINDS).toEqual(['partial', 'keep-format', 'pseudonym', 'redact', 'null']);
    const forms: readonly Mask[] = ['partial', 'keep-format', pseudonyms, 'redact', 'null'];
    fc.assert(
      fc.property(fc.shuffledSubarray([...forms], { minLength: 1 }), (some) => {
        const last = forms.findLast((one) => some.includes(one));
        expect(strongest(some)).toBe(last);
      }),
    );
    expect(strongest([])).toBe('redact');
  });

  it('of two domains is neither: values of both cannot be told apart by one pseudonym', () => {
    expect(strongest([pseudonyms, keyOf(1).of(RUN, 'pii.name')])).toBe('redact');
    expect(strongest([pseudonyms, keyOf(1).of(RUN, 'pii.email')])).toBe(pseudonyms);
    expect(strongest(['partial', pseudonyms, keyOf(1).of(RUN, 'pii.name')])).toBe('redact');
  });
});
