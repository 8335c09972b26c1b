import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DetectorSet } from '../../../src/masking/detectors/index.ts';
import type { ValueShape } from '../../../src/masking/mask.ts';
import { maskFindings } from '../../../src/masking/mask-findings.ts';
import type { MaskKind } from '../../../src/policy/model.ts';
import { MASK_KINDS } from '../../../src/policy/model.ts';

const set = new DetectorSet();
function mask(
  value: string | Uint8Array,
  kind: MaskKind | 'show',
  shape: ValueShape = 'text',
): string | null {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  const masked = maskFindings(bytes, set.scan(bytes, shape), () => kind, shape);
  return masked === null ? null : Buffer.from(masked).toString();
}

describe('masks only what was found', () => {
  it.each([
    ['call alice@example.com now', 'partial', 'call a***@e***.com now'],
    ['call alice@example.com now', 'redact', 'call *** now'],
    ['call alice@example.com now', 'null', null],
    ['a@b.cc 123-45-6789 x', 'redact', '*** *** x'],
    ['nothing', 'null', 'nothing'],
    ['{"n": 4111111111111111, "s": "a\\n\\u0061@b.cc"}', 'redact', '{"n": null, "s": "a\\n***"}'],
    ['[0.5227687358856201, "a@b.cc"]', 'null', '[0.5227687358856201, null]'],
    ['{"n": 4111111111111111', 'redact', '{"n": ***'],
  ] as const)('%j, %s: %j', (text, kind, result) => expect(mask(text, kind)).toBe(result));

  it('asks for each finding by its tags, and shows what may be shown', () => {
    const bytes = Buffer.from('a1@b.cc 123-45-6789');
    const kindFor = (tags: readonly string[]) => (tags.includes('pii.email') ? 'show' : 'redact');
    expect(String(maskFindings(bytes, set.scan(bytes), kindFor, 'text'))).toBe('a1@b.cc ***');
    expect(maskFindings(bytes, set.scan(bytes), () => 'show', 'text')).toBe(bytes);
  });

  it('turns an opaque value into NULL', () => {
    expect(mask('4111111111111111', 'partial', 'opaque')).toBeNull();
    expect(mask('4111111111111112', 'partial', 'opaque')).toBe('4111111111111112');
  });
});

describe('JSON', () => {
  it.each([
    ['{"a":"to alice@example.com"}', 'partial', '{"a":"to a***@e***.com"}'],
    ['{"alice@example.com":1}', 'redact', '{"***":1}'],
    ['{"a":4111111111111111}', 'redact', '{"a":null}'],
    ['[1,-4111111111111111.00,"x"]', 'redact', '[1,null,"x"]'],
    ['{"a@b.cc":1,"c@d.ee" : 2}', 'redact', '{"***":1,"*** (2)" : 2}'],
    ['{"a@b.cc":"a@b.cc"}', 'null', '{"***":null}'],
    ['4111111111111111', 'partial', 'null'],
    ['{"a":"x","b":"\\n4111111111111111 \\"hi\\""}', 'redact', '{"a":"x","b":"\\n*** \\"hi\\""}'],
    ['{"b":"\\u0034111111111111111"}', 'partial', '{"b":"***1111"}'],
    ['["alice\\u0040example.com", "ok\\n"]', 'partial', '["a***@e***.com", "ok\\n"]'],
    ['{"a":"alice@example.com"}', 'null', '{"a":null}'],
  ] as const)('%s, %s: %s', (json, kind, result) => expect(mask(json, kind, 'json')).toBe(result));

  it('keeps the version octet of binary jsonb', () => {
    expect(mask('\x01{"a":"alice@example.com"}', 'redact', 'jsonb-binary')).toBe('\x01{"a":"***"}');
    expect(mask('\x01[4111111111111111]', 'redact', 'jsonb-binary')).toBe('\x01[null]');
  });
});

describe('no planted value survives', () => {
  const digits = (length: number) =>
    fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length });
  const card = fc
    .tuple(fc.constantFrom('4', '51', '55', '6011', '37', '2221'), digits(15), fc.constantFrom('', ' ', '-'))
    .map(([prefix, body, gap]) => {
      const length = prefix === '37' ? 15 : 16;
      const head = (prefix + body.join('')).slice(0, length - 1);
      const sum = [...head]
        .reverse()
        .reduce((total, char, i) => total + (i % 2 ? +char : [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][+char]!), 0);
      return (head + ((10 - (sum % 10)) % 10)).match(/.{1,4}/g)!.join(gap);
    });
  const ssn = fc
    .tuple(
      fc.integer({ min: 1, max: 899 }),
      fc.integer({ min: 1, max: 99 }),
      fc.integer({ min: 1, max: 9999 }),
    )
    .filter(([area]) => area !== 666)
    .map(
      ([a, b, c]) =>
        `${String(a).padStart(3, '0')}-${String(b).padStart(2, '0')}-${String(c).padStart(4, '0')}`,
    );
  // `a@1.2.3-b.cc` is read as a package and its version.
  const email = fc.emailAddress().filter((one) => !/@\d+\.\d+\.\d+-/.test(one));
  const planted = fc.oneof(card, ssn, email);
  const around = fc.oneof(
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.constant('\\'),
    fc.constant('"'),
    fc.lorem(),
  );
  // A digit right beside a number makes another number of it; anything else may stand there.
  const before = around.map((text) => text.replace(/[\d\p{Nd}]/gu, 'n'));

  it('in text', () => {
    fc.assert(
      fc.property(before, planted, before, fc.constantFrom(...MASK_KINDS), (left, secret, right, kind) => {
        const masked = mask(`${left} ${secret} ${right}`, kind);
        expect(masked === null || !masked.includes(secret)).toBe(true);
      }),
      { numRuns: 1500 },
    );
  });

  it('in JSON, which stays JSON', () => {
    const escapeAll = (text: string) =>
      [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
    fc.assert(
      fc.property(
        before,
        planted,
        before,
        fc.boolean(),
        fc.constantFrom(...MASK_KINDS),
        (left, secret, right, escaped, kind) => {
          const inside = JSON.stringify(`${left} §§ ${right}`).replace('§§', () =>
            escaped ? escapeAll(secret) : secret,
          );
          for (const shape of ['json', 'jsonb-binary'] as const) {
            const masked = mask(`${shape === 'json' ? '' : '\x01'}{"k":${inside},"n":[1,null]}`, kind, shape);
            if (masked === null) continue;
            expect(JSON.stringify(JSON.parse(masked.replace('\x01', '')))).not.toContain(secret);
          }
        },
      ),
      { numRuns: 1500 },
    );
  });
});

it('never throws and keeps the shape, whatever the bytes', () => {
  const bytes = fc
    .array(fc.constantFrom(...'4111@a.co-_ 9"\\{}:,uAKIAeyJ+\x01'), { maxLength: 80 })
    .map((parts) => Buffer.from(parts.join('')));
  fc.assert(
    fc.property(fc.oneof(bytes, fc.uint8Array({ maxLength: 80 })), (value) => {
      for (const shape of ['text', 'json', 'jsonb-binary', 'opaque'] as const)
        for (const kind of MASK_KINDS) mask(value, kind, shape);
    }),
    { numRuns: 500 },
  );
});
