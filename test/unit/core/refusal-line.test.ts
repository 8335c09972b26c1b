import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusalLine } from '../../../src/core/refusal-line.ts';

describe('refusalLine', () => {
  it('is one line with keys in a fixed order', () => {
    expect(
      refusalLine({ hint: 'add a WHERE', reason: 'no "all"', rule: 'where', next: 'less', most: 5 }),
    ).toBe(
      '{"rule":"where","reason":"no \\"all\\"","hint":"add a WHERE","next":"less","most":5,"retryable":false}',
    );
  });

  it('escapes what could break a line or hide in it', () => {
    const text = 'a\u0000\n\r\t\u001b[31m\u007f\u0085\u2028\u2029\u202e\u200b\u{e0001}b';
    const json = refusalLine({ rule: 'r', reason: text, hint: text, next: 'report' });
    expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(json)).toEqual({
      rule: 'r',
      reason: text,
      hint: text,
      next: 'report',
      retryable: false,
    });
  });

  it('stays valid and below 1,200 octets, whatever it is given', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 3000 }),
      fc.string({ maxLength: 3000 }),
      fc.constant('\u0000'.repeat(2000)),
      fc.constant('𝕏"'.repeat(900)),
    );
    fc.assert(
      fc.property(text, text, text, (rule, reason, hint) => {
        const more = {
          next: 'reconnect',
          most: Number.MAX_SAFE_INTEGER,
          leaveOut: ['x'.repeat(3_000), 'a.b.c'],
        } as const;
        const json = refusalLine({ rule, reason, hint, ...more, approval: `apr_${'0'.repeat(26)}` });
        expect(Buffer.byteLength(json)).toBeLessThanOrEqual(1200);
        const parsed = JSON.parse(json);
        expect(Object.keys(parsed)).toEqual([
          ...['rule', 'reason', 'hint', 'next', 'most', 'leaveOut', 'retryable', 'approval'],
        ]);
        expect(parsed.hint === hint || parsed.hint.endsWith('…')).toBe(true);
      }),
      { numRuns: 10 },
    );
  });
});
