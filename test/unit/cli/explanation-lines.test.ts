import { describe, expect, it } from 'vitest';
import type { Explanation } from '../../../src/api/explanation.ts';
import { renderExplanation } from '../../../src/cli/render/explanation.ts';

const base: Explanation = {
  schemaVersion: 1,
  effect: 'allow',
  pairs: [{ action: 'sql.select', object: 'pg/public.t', effect: 'allow', rules: ['read'] }],
  rules: [{ id: 'read' }, { id: 'pii', reason: 'nobody needs it' }],
  policyVersion: 'v1',
};
const lines = (more: Partial<Explanation>) => renderExplanation({ ...base, ...more }, 'pg');

it('what the target does of itself is told with what does it', () => {
  const through = 'a trigger on public.t';
  const pairs = [{ action: 'sql.call', object: 'pg/public.f', effect: 'deny', through, rules: [] } as const];
  expect(lines({ pairs })).toContain(
    '  deny    sql.call  pg/public.f (by a trigger on public.t)  no rule permits it',
  );
});

describe('what is masked is told with what hides it', () => {
  it('in a table of both', () => {
    const masked = ['pg/public.t.email', 'pg/public.t.note', 'pg/public.v.email', 'pg/detected'];
    const maskedBy = {
      'pg/public.t.email': ['pii', 'more'],
      'pg/public.t.note': [],
      'pg/detected': ['pii'],
    };
    expect(lines({ masked, maskedBy }).slice(-6)).toEqual([
      'masked in what it touches:',
      '  DATA                     BY',
      '  pg/public.t.email        pii, more',
      '  pg/public.t.note         no rule shows it',
      '  pg/public.v.email        what is seen in it',
      '  whatever detectors find  pii',
    ]);
  });

  it('by its names alone where the gateway says no more', () => {
    expect(lines({ masked: ['pg/public.t.email'] }).slice(-2)).toEqual([
      'masked in what it touches:',
      '  pg/public.t.email',
    ]);
  });

  it('whatever strangers call it', () => {
    const masked = ['pg/\u001b[2J'];
    const text = lines({ masked, maskedBy: { 'pg/\u001b[2J': ['a\u202eb'] } }).join('');
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});
