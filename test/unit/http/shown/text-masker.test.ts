import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TextMasker } from '../../../../src/protocols/http/shown/text-masker.ts';
import { detecting, shownAlways, shownOf } from './support.ts';

const make = () => new TextMasker(detecting());

it.each<[text: string, shown: string]>([
  ['mail a.b@example.nl now\nand 123-45-6789', 'mail *** now\nand ***'],
  ['card\n4222222222222 x', 'card\n*** x'],
  ['plain\r\n\r\n', 'plain\r\n\r\n'],
  ['', ''],
  ['-----BEGIN PRIVATE KEY-----\nMIIB\nMIIC\n-----END PRIVATE KEY-----\nrest', '***\nrest'],
  ['é 4111 1111 1111 1111 €', 'é *** €'],
])('%j', (text, shown) => {
  expect(shownAlways(make, text)).toBe(shown);
});

it('shows a line when it is whole, at once', () => {
  const masker = make();
  expect(masker.push(Buffer.from('one a@b.nl'))).toBeUndefined();
  expect(String(masker.push(Buffer.from('\ntwo')))).toBe('one ***\n');
  expect(String(masker.end())).toBe('two');
  expect(masker.maskedValues).toBe(1);
});

it('finds what is cut in two, in lines of any length', () => {
  const values = ['a.b@example.nl', '4111 1111 1111 1111', '123-45-6789', '+31 6 1234 5678'];
  const filler = fc.constantFrom(
    ' ',
    ', ',
    '\n',
    ' some words here ',
    ` ${'x'.repeat(3000)} `,
    ` ${'y '.repeat(4000)}`,
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(filler, fc.constantFrom(...values)), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 20 }),
      (parts, sizes) => {
        const bytes = Buffer.from(parts.map(([space, value]) => `${space}${value} .`).join(''));
        const pieces: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const end = at + sizes[i % sizes.length]!;
          pieces.push(bytes.subarray(at, end));
          at = end;
        }
        expect(shownOf(make(), pieces)).toBe(parts.map(([space]) => `${space}*** .`).join(''));
      },
    ),
    { numRuns: 60 },
  );
});

it('holds no more than it needs of a text without any end', () => {
  const masker = make();
  let shown = 0;
  for (let i = 0; i < 100; i++) shown += masker.push(Buffer.alloc(65_536, 0x78))?.length ?? 0;
  expect(shown).toBeGreaterThan(6_000_000);
});

it('gives up on a value without any end', () => {
  const masker = make();
  masker.push(Buffer.from('-----BEGIN PRIVATE KEY-----\n'));
  expect(() => {
    for (let i = 0; i < 40; i++) masker.push(Buffer.from(`${'x'.repeat(65_536)}\n`));
  }).toThrow('no end');
});

it('hides a stretch in which there is too much to find', () => {
  const shown = shownOf(make(), [Buffer.from('a@b.nl '.repeat(11_000))]);
  expect(shown).not.toContain('@');
  expect(shown.length).toBeLessThan(8192);
});
