import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { denialJson } from '../../../src/enforcement/denial.ts';

describe('denialJson', () => {
  it('is one line with keys in a fixed order', () => {
    expect(denialJson({ hint: 'add a WHERE', reason: 'no "all"', rule: 'where' })).toBe(
      '{"rule":"where","reason":"no \\"all\\"","hint":"add a WHERE","retryable":false}',
    );
  });

  it('escapes what could break a line or hide in it', () => {
    const text = 'a\u0000\n\r\t\u001b[31m\u007f\u0085\u2028\u2029\u202e\u200b\u{e0001}b';
    const json = denialJson({ rule: 'r', reason: text, hint: text });
    expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(json)).toEqual({ rule: 'r', reason: text, hint: text, retryable: false });
  });

  it('stays valid and below 1 KiB, whatever it is given', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 3000 }),
      fc.string({ maxLength: 3000 }),
      fc.constant('\u0000'.repeat(2000)),
      fc.constant('𝕏"'.repeat(900)),
    );
    fc.assert(
      fc.property(text, text, text, (rule, reason, hint) => {
        const json = denialJson({ rule, reason, hint });
        expect(Buffer.byteLength(json)).toBeLessThanOrEqual(1024);
        const parsed = JSON.parse(json);
        expect(Object.keys(parsed)).toEqual(['rule', 'reason', 'hint', 'retryable']);
        expect(parsed.hint === hint || parsed.hint.endsWith('…')).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});
