import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newSealKeyText, parseSealKey } from '../../../src/audit/keys.ts';
import { TextSeal } from '../../../src/audit/text-seal.ts';

const seal = new TextSeal(parseSealKey(newSealKeyText()));

describe('a sealed text', () => {
  it('opens under its name, and under no other', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.string(), (text, name, other) => {
        const sealed = seal.seal(text, name);
        expect(seal.open(sealed, name)).toBe(text.toWellFormed());
        if (other !== name) expect(seal.open(sealed, other)).toBeUndefined();
      }),
      { numRuns: 30 },
    );
  });

  it('does not open with another key, nor when any of it was changed', () => {
    const sealed = seal.seal('DROP TABLE s3cret', 'apr_1');
    expect(sealed).not.toContain('s3cret');
    expect(new TextSeal(parseSealKey(newSealKeyText())).open(sealed, 'apr_1')).toBeUndefined();
    for (let at = 0; at < sealed.length - 1; at++) {
      // The last letter of a part has bits that say nothing.
      if (sealed[at + 1] === '.') continue;
      const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`;
      expect(seal.open(changed, 'apr_1'), changed).toBeUndefined();
    }
    for (const none of ['', '.', '...', sealed.slice(0, -20), 'sk_0.a.b.c'])
      expect(seal.open(none, 'apr_1')).toBeUndefined();
  });

  it('opens with a key that was replaced, and is sealed with the one in force alone', () => {
    const [old, older, stranger] = [1, 2, 3].map(() => parseSealKey(newSealKeyText()));
    const current = parseSealKey(newSealKeyText());
    const rotated = new TextSeal(current, [old!, older!]);
    for (const key of [current, old!, older!])
      expect(rotated.open(new TextSeal(key).seal('x', 'apr_1'), 'apr_1')).toBe('x');
    expect(rotated.open(new TextSeal(stranger!).seal('x', 'apr_1'), 'apr_1')).toBeUndefined();
    const fresh = rotated.seal('y', 'apr_2');
    expect(new TextSeal(current).open(fresh, 'apr_2')).toBe('y');
    expect(new TextSeal(old!, [older!]).open(fresh, 'apr_2')).toBeUndefined();
  });

  it('is another one each time', () => {
    expect(seal.seal('x', 'apr_1')).not.toBe(seal.seal('x', 'apr_1'));
  });
});
