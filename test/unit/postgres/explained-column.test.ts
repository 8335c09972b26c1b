import { describe, expect, it } from 'vitest';
import { explainedColumn } from '../../../src/protocols/postgres/shown/explained-column.ts';

const EMAIL = { relation: 1, attribute: 2, name: 'public.customers.email' };
const ID = { relation: 1, attribute: 1, name: 'public.customers.id' };
const masks = {
  detected: { resource: { id: 'pg' } },
  maskOf: ({ attribute }: { readonly attribute: number }) => ({ 2: 'partial', 3: 'redact' })[attribute],
  masksRelation: (relation: number) => relation === 1,
  membersOf: ({ attribute }: { readonly attribute: number }) =>
    attribute === 3 ? [{ path: { text: '$.ssn', steps: [] }, kind: 'null' }] : undefined,
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
    [
      'is masked whole where it is a row of which a column is masked',
      { from: [ID, EMAIL], carried: true, origin: { relation: 1, attribute: 0 } },
      'redact',
    ],
    [
      'is shown where it is another row',
      { from: [ID], carried: true, origin: { relation: 2, attribute: 0 } },
      undefined,
    ],
    ['is shown where none of its columns is masked', { from: [ID], carried: true, origin: ID }, undefined],
  ])('%s', (_what, column, mask) => {
    expect(explainedColumn({ name: 'c', ...column }, masks, 'masked').mask).toBe(mask);
  });

  it('says which of its members are masked, where only these are and the server says which column it is', () => {
    const profile = { relation: 1, attribute: 3, name: 'public.customers.profile' };
    const column = { name: 'c', from: [profile], carried: true };
    expect(explainedColumn({ ...column, origin: profile }, masks, 'masked')).toMatchObject({
      mask: 'members',
      members: { '$.ssn': 'null' },
    });
    expect(explainedColumn(column, masks, 'masked')).toMatchObject({ mask: 'redact' });
  });

  it('is shown where analysis has found that nothing masked is in it', () => {
    expect(explainedColumn({ name: 'c', from: [EMAIL], carried: false }, masks, 'safe').mask).toBeUndefined();
    const carried = { name: 'c', from: [EMAIL], carried: true, origin: EMAIL };
    expect(explainedColumn(carried, masks, 'safe').mask).toBe('partial');
  });

  it('is hidden where it has what a sensitive catalog shows, which nobody has classified', () => {
    const column = { name: 'c', from: [ID], carried: true, origin: ID };
    expect(explainedColumn(column, masks, 'hidden').mask).toBe('redact');
  });

  it('says whether it is computed, and of what', () => {
    expect(explainedColumn({ name: 'c', from: [ID], carried: false }, masks, 'masked')).toEqual({
      name: 'c',
      from: ['pg/public.customers.id'],
      computed: true,
    });
    expect(explainedColumn({ name: 'c', from: [], carried: false }, masks, 'masked')).toEqual({
      name: 'c',
      from: [],
    });
  });
});
