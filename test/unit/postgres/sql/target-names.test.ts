import { describe, expect, it } from 'vitest';
import { bindClassification } from '../../../../src/protocols/postgres/catalog/classification.ts';
import { CatalogNames } from '../../../../src/protocols/postgres/catalog/target-names.ts';
import type { ConfiguredTags } from '../../../../src/protocols/postgres/entities.ts';
import type { StrangeName } from '../../../../src/protocols/protocol.ts';
import { fixtureCatalog } from './fixture.ts';

const catalog = fixtureCatalog();
const resource = { type: 'Resource', id: 'pg', attrs: {} };

function names(classified: Readonly<Record<string, ConfiguredTags>>, functions: readonly string[] = []) {
  const classification = new Map(Object.entries(classified));
  const known = { catalog, classification: bindClassification(catalog, classification, resource) };
  return new CatalogNames(
    { name: 'pg', classification, plainText: { functions: new Set(functions) } },
    known,
  );
}

const CLASSIFIED = {
  'public.customers.email': ['pii.email'],
  'public.orders.pan': { '$.number': ['pii.card'] },
} as const;
const said = (strange: StrangeName | undefined) =>
  strange === undefined ? undefined : `${strange.problem}; ${strange.cure()}`;
const named = (type: string, id: string, hides = false) =>
  said(names(CLASSIFIED).named({ type, id: `pg/${id}`, hides }));

describe('names in a classification', () => {
  const told = (name: string, tags: ConfiguredTags = ['pii']) =>
    names({ [name]: tags })
      .configured()
      .map((one) => [one.path.join('/'), said(one)]);

  it.each<[string, string]>([
    [
      'public.custmers.email',
      'the database has no public.custmers: this masks nothing; did you mean public.customers?',
    ],
    [
      'publik.customers.email',
      'the database has no publik.customers: this masks nothing; did you mean public.customers?',
    ],
    [
      'public.Customers.email',
      'the database has no public.Customers: this masks nothing; did you mean public.customers?',
    ],
    [
      'hr.salaries.amount',
      'the database has no hr.salaries: this masks nothing; correct the name, if only it was renamed, or remove it',
    ],
    [
      'public.customers.emial',
      "the database's public.customers has no column emial: all of its columns are taken for that; did you mean email?",
    ],
    [
      'public.v_cust.password_hash',
      "the database's public.v_cust has no column password_hash: all of its columns are taken for that; correct the name, if only it was renamed, or remove it",
    ],
  ])('%s is told', (name, text) => {
    expect(told(name)).toEqual([[`classification/columns/${name}`, text]]);
    expect(told(name, { '$.a': ['pii'] })).toEqual([[`classification/fields/${name}`, text]]);
  });

  it.each(['public.customers.email', 'public.events.ip', 'public.v_cust.x', 'public.mv.k'])(
    '%s is there',
    (name) => expect(told(name)).toEqual([]),
  );

  it('functions that are shown are told where there is none', () => {
    const strange = names({}, ['public.get_ssn', 'pg_catalog.lower', 'public.get_sns']).configured();
    expect(strange.map(said)).toEqual([
      'the database has no function public.get_sns: what it was to show is withheld; did you mean public.get_ssn?',
    ]);
  });
});

describe('names in a rule', () => {
  const lacking = 'which the database does not have: the rule does not apply to it; ';
  it.each<[string, string, string]>([
    ['Table', 'public.custmers', 'did you mean public.customers?'],
    ['Table', 'customers', 'did you mean public.customers?'],
    ['Table', 'sales.customers', 'did you mean public.customers?'],
    ['Table', 'invoices', 'correct the name, if only it was renamed, or remove it'],
    ['Table', 'public.orders.pan', 'did you mean public.orders?'],
    ['Schema', 'pubilc', 'did you mean public?'],
    ['Column', 'public.customers.emial', 'did you mean public.customers.email?'],
    ['Column', 'public.custmers.email', 'did you mean public.customers.email?'],
    ['Column', 'public.orders.pam$.number', 'correct the name, if only it was renamed, or remove it'],
    ['Function', 'public.purgee', 'did you mean public.purge?'],
  ])('%s %s is told', (type, id, cure) => {
    expect(named(type, id)).toBe(lacking + cure);
    expect(named(type, id, true)).toBe(lacking + cure);
  });

  it.each<[string, string]>([
    ['Table', 'public.customers'],
    ['Table', 'public.v_cust'],
    ['Schema', 'public'],
    ['Schema', 'pg_catalog'],
    ['Column', 'public.customers.email'],
    ['Column', 'public.orders.pan$.number'],
    ['Function', 'public.purge'],
    ['Function', 'pg_catalog.lower'],
    // What is in no catalog.
    ['Table', 'detected'],
    ['Column', 'detected/pii.card'],
    ['Schema', 'pg_temp'],
    ['Table', 'pg_temp.mine'],
    ['Setting', 'setting.search_path'],
    ['Endpoint', 'orders'],
  ])('%s %s is there, or none of the catalog', (type, id) => {
    expect(named(type, id)).toBeUndefined();
    expect(named(type, id, true)).toBeUndefined();
  });

  const classify = 'the rule hides nothing there; classify it in resources.pg.classification';
  it.each<[string, string, string]>([
    ['Column', 'public.customers.ssn', 'which is not classified: '],
    ['Column', 'public.plain.title', 'which is not classified: '],
    // Policy is asked about its members alone.
    ['Column', 'public.orders.pan', 'which is not classified: '],
    ['Column', 'public.orders.pan$.cvc', 'which is not classified: '],
    ['Table', 'public.plain', 'of which no column is classified: '],
    ['Table', 'pg_catalog.pg_class', 'of which no column is classified: '],
  ])('%s %s is told where a rule is to hide it', (type, id, problem) => {
    expect(named(type, id, true)).toBe(problem + classify);
    expect(named(type, id)).toBeUndefined();
  });
});
