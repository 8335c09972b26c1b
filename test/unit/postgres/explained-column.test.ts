import { describe, expect, it } from 'vitest';
import { explainedColumn } from '../../../src/protocols/postgres/shown/explained-column.ts';

const EMAIL = { relation: 1, attribute: 2, name: 'public.customers.email' };
const ID = { relation: 1, attribute: 1, name: 'public.customers.id' };
const masks = {
  detected: { resource: { id: 'pg' } },
  maskOf: ({ attribute }: { readonly attribute: number }) => (attribute === 2 ? 'partial' : undefined),
  pseudonymsRefused: () => undefined,
} as never;

describe('a column of a result', () => {
  it.each([
    [
      'is masked as its column is, where the server says which',
      { from: [EMAIL], carried: true, origin: EMAIL },
      'partial',
    ],
    ['is masked whole where it does not', { from: [EMAIL, ID], carried: true }, 'redact'],
    ['is shown where none of its columns is masked', { from: [ID], carried: true, origin: ID }, undefined],
  ])('%s', (_what, column, mask) => {
    expect(explainedColumn({ name: 'c', ...column }, masks).mask).toBe(mask);
  });

  it('says whether it is computed, and of what', () => {
    expect(explainedColumn({ name: 'c', from: [ID], carried: false }, masks)).toEqual({
      name: 'c',
      from: ['pg/public.customers.id'],
      computed: true,
    });
    expect(explainedColumn({ name: 'c', from: [], carried: false }, masks)).toEqual({ name: 'c', from: [] });
  });
});
