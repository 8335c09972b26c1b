import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cutText, jsonBytes } from '../../../src/audit/text.ts';

const octets = (text: string) => Buffer.byteLength(JSON.stringify(text)) - 2;

/** Plain text with now and then what takes more than an octet, also around the places where a long one is taken apart. */
const text = fc
  .tuple(
    fc.constantFrom(0, 1, 4094, 4095, 4096, 4097, 8191),
    fc.array(fc.constantFrom('a', '"', '\\', '\n', '\u0001', 'é', '€', '😀', '\ud83d', '\ude00'), {
      maxLength: 40,
    }),
    fc.nat(5000),
  )
  .map(([before, odd, behind]) => 'x'.repeat(before) + odd.join('') + 'y'.repeat(behind));

it('a text takes what JSON makes of it', () => {
  fc.assert(fc.property(text, (one) => jsonBytes(one) === octets(one)));
});

it('as much as fits is kept, and no character is cut', () => {
  fc.assert(
    fc.property(text, fc.double({ min: 0, max: 1.2, noNaN: true }), (one, share) => {
      const most = Math.floor(octets(one) * share);
      const { text: kept, cut } = cutText(one, most);
      expect(one.startsWith(kept)).toBe(true);
      expect(octets(kept)).toBeLessThanOrEqual(most);
      expect(cut).toBe(kept.length < one.length);
      const next = String.fromCodePoint(one.codePointAt(kept.length) ?? 0x61);
      if (cut) expect(octets(kept + next)).toBeGreaterThan(most);
    }),
  );
});
