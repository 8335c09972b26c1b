import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { PseudonymKey, Pseudonyms } from '../../../../src/masking/pseudonyms.ts';
import type { PolicyObject } from '../../../../src/policy/model.ts';
import type {
  Classification,
  Classified,
} from '../../../../src/protocols/postgres/catalog/classification.ts';
import { ColumnPseudonyms } from '../../../../src/protocols/postgres/shown/column-pseudonyms.ts';
import { agent, engineOf, resource } from '../../policy/support.ts';

const KEY = new PseudonymKey(createSecretKey(Buffer.alloc(32, 1)));
const schema = (name: string): PolicyObject => ({
  type: 'Schema',
  id: `pg/${name}`,
  attrs: { name, system: false },
  parent: resource,
});
const FUNCTION: PolicyObject = {
  type: 'Function',
  id: 'pg/public.f',
  attrs: { schema: 'public', name: 'f', class: 'user', table: '', tags: [], detected: false },
  parent: schema('public'),
};

let relations = 0;
function column(name: string, tags: readonly string[], kind = 'table'): Classified {
  const [where = '', table = ''] = name.split('.');
  const attrs = { schema: where, name: table, kind, system: false, sensitive: false, tags: [...tags] };
  const parent: PolicyObject = { type: 'Table', id: `pg/${where}.${table}`, attrs, parent: schema(where) };
  const object: PolicyObject = { type: 'Column', id: `pg/${name}`, attrs: {}, parent };
  return { relation: ++relations, attribute: 1, tags, object };
}

const CUSTOMERS = column('public.customers.email', ['pii.email']);
const ORDERS = column('public.orders.email', ['pii.email']);
const LOG = column('public.log.who', ['pii.email', 'pii.ip']);
const STAFF = column('hr.staff.name', ['pii.name']);
const VIEW = column('public.v.email', ['pii.email'], 'view');

/** Of a principal under these rules: the domain of the column's pseudonyms, or why there is none. */
function given(policies: string, one: Classified, code: readonly PolicyObject[] = []): string {
  const engine = engineOf(
    `@id("read") permit (principal, action in Action::"sql.read", resource); ${policies}`,
  );
  const classification = {
    columns: [CUSTOMERS, ORDERS, LOG, STAFF, VIEW],
    code,
  } as unknown as Classification;
  const pseudonyms = new ColumnPseudonyms(
    {
      mayEver: (action, object, reach) => engine.mayEver(agent('bot', []), action, object, reach),
      pseudonyms: (domain) => KEY.of([], domain),
    },
    classification,
  ).of(one);
  return pseudonyms instanceof Pseudonyms ? `pseudonyms of ${pseudonyms.domain}` : pseudonyms;
}

const permit = (verb: string, where = 'resource') =>
  `@id("more") permit (principal, action == Action::"${verb}", ${where});`;

describe('pseudonyms of a column', () => {
  it('are given to who only reads, the same in all columns of the same tags', () => {
    for (const one of [CUSTOMERS, ORDERS]) expect(given('', one)).toBe('pseudonyms of pii.email');
    expect(given('', LOG)).toBe('pseudonyms of pii.email pii.ip');
    expect(given('', STAFF)).toBe('pseudonyms of pii.name');
    expect(given('', CUSTOMERS, [FUNCTION])).toBe('pseudonyms of pii.email');
  });

  it.each(['sql.insert', 'sql.update', 'sql.merge', 'sql.copy-in', 'sql.alter', 'sql.create', 'sql.grant'])(
    'are refused to who may %s on its table, on one of its domain, or on one that shares a tag',
    (verb) => {
      for (const table of ['customers', 'orders', 'log'])
        expect(given(permit(verb, `resource == Table::"pg/public.${table}"`), CUSTOMERS)).toBe(
          `${verb} on pg/public.${table} may be allowed, and who can write values can compare guesses`,
        );
      expect(given(permit(verb, 'resource == Table::"pg/hr.staff"'), CUSTOMERS)).toBe(
        'pseudonyms of pii.email',
      );
    },
  );

  it.each(['sql.delete', 'sql.truncate', 'sql.drop', 'sql.lock', 'sql.comment', 'sql.maintain'])(
    'are given to who may %s: it brings no value in',
    (verb) => expect(given(permit(verb), CUSTOMERS)).toBe('pseudonyms of pii.email'),
  );

  it.each([
    ['sql.create', 'resource == Schema::"pg/public"', 'pg/public'],
    ['sql.create', 'resource == Resource::"pg"', 'pg'],
    ['sql.do', 'resource', 'pg'],
    ['sql.admin', 'resource', 'pg'],
    ['sql.replicate', 'resource', 'pg'],
  ])('are refused to who may %s, %s', (verb, where, told) => {
    expect(given(permit(verb, where), CUSTOMERS)).toContain(`${verb} on ${told} may be allowed`);
  });

  it('are refused to who may call code that nobody has read', () => {
    expect(given(permit('sql.call'), CUSTOMERS, [FUNCTION])).toContain(
      'sql.call on pg/public.f may be allowed',
    );
    expect(given(permit('sql.call'), CUSTOMERS)).toBe('pseudonyms of pii.email');
  });

  it('are never given in views', () => {
    expect(given('', VIEW)).toContain('pg/public.v is no table');
  });
});
