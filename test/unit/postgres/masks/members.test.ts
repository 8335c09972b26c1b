import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DetectorSet } from '../../../../src/masking/detectors/index.ts';
import { kindOf } from '../../../../src/masking/mask.ts';
import { PseudonymKey } from '../../../../src/masking/pseudonyms.ts';
import type { MaskKind, PolicyObject } from '../../../../src/policy/model.ts';
import { bindClassification } from '../../../../src/protocols/postgres/catalog/classification.ts';
import type { Catalog, Derived, Relation } from '../../../../src/protocols/postgres/catalog/model/model.ts';
import type { ConfiguredTags } from '../../../../src/protocols/postgres/entities.ts';
import { SessionMasks } from '../../../../src/protocols/postgres/shown/masks.ts';
import type { StatementPlan } from '../../../../src/protocols/postgres/sql/meaning/plan.ts';
import { DetectedValues } from '../../../../src/protocols/stream/detected-values.ts';
import { RowDescription } from '../../../../src/wire/postgres/rows.ts';
import { resource } from '../../policy/support.ts';

const [INT4, TEXT, JSON_TYPE, JSONB, JSONB_ARRAY] = [23, 25, 114, 3802, 3807];
const PROFILE = 2;
/** `people (id, profile, note)`, and what stands around it. */
const RELATIONS = new Map(
  [
    [20_001, 'people'],
    [20_002, 'child'],
    [20_003, 'v'],
    [20_004, 'other'],
    [20_005, 'w'],
  ].map(([oid, name]) => [oid as number, relation(oid as number, name as string)]),
);

function relation(oid: number, name: string): Relation {
  const kind = name.length === 1 ? 'view' : 'table';
  const columns = ['id', 'profile', 'note'].map((column, at) => ({
    attnum: at + 1,
    name: column,
    typeOid: [INT4, JSONB, TEXT][at]!,
    notNull: false,
    hasDefault: false,
    generated: false,
    hasMissing: false,
  }));
  const byName = new Map(columns.map((column) => [column.name, column]));
  return { oid, schema: 'public', name, kind, columns: byName, rowSecurity: false };
}

/** @param derived Of `people`, or of another. */
function catalog(derived: readonly Derived[] = [], of = 20_001): Catalog {
  return {
    relations: RELATIONS,
    derived: new Map([[of, derived]]),
    rules: new Set(),
    parents: new Map([[20_002, [20_001]]]),
    children: new Map([[20_001, [20_002]]]),
    views: new Map(),
    functions: new Map(),
    valueTypes: new Map(),
    lookupRelation: (schema: string, name: string) =>
      [...RELATIONS.values()].find((one) => one.schema === schema && one.name === name),
  } as unknown as Catalog;
}

const MEMBERS = { '$.email': ['pii.email'], '$..ssn': ['pii.ssn'] };
const bound = (tags: Readonly<Record<string, ConfiguredTags>>, of = catalog()) =>
  bindClassification(of, new Map(Object.entries(tags)), resource);

/** As `table.column`: its members that are classified, or that it is as a whole, and by which tags. */
function classified(tags: Readonly<Record<string, ConfiguredTags>>, of = catalog()) {
  return Object.fromEntries(
    bound(tags, of).columns.map(({ object, tags: all, members }) => [
      object.id.replace('pg/public.', ''),
      members === undefined
        ? all.join()
        : Object.fromEntries(members.map(({ path, tags: own }) => [path.text, own.join()])),
    ]),
  );
}

const BY_MEMBERS = { '$.email': 'pii.email', '$..ssn': 'pii.ssn' };
const WHOLE = 'pii.email,pii.ssn';
const at = (target: number, from?: number, attribute?: number, asIs?: true): Derived => ({
  from,
  relation: target,
  attribute,
  ...(asIs === undefined ? {} : { asIs }),
});

describe('members of a column of documents', () => {
  it('are classified in the column, and in the same column of its family', () => {
    expect(classified({ 'public.people.profile': MEMBERS })).toEqual({
      'people.profile': BY_MEMBERS,
      'child.profile': BY_MEMBERS,
    });
  });

  it('are what policy is asked about, as columns of the table', () => {
    const { columns, tagsOf } = bound({ 'public.people.profile': MEMBERS });
    const [member] = columns.find(({ relation: oid }) => oid === 20_001)!.members!;
    expect(member!.object).toMatchObject({
      type: 'Column',
      id: 'pg/public.people.profile$.email',
      attrs: { schema: 'public', table: 'people', name: 'profile$.email', tags: ['pii.email'] },
      parent: { type: 'Table', id: 'pg/public.people' },
    });
    expect(tagsOf(20_001)).toEqual(['pii.email', 'pii.ssn']);
  });

  it.each<[string, readonly Derived[], unknown]>([
    ['are classified where a view hands it on', [at(20_003, PROFILE, PROFILE, true)], BY_MEMBERS],
    ['make a whole of what is made of it', [at(20_003, PROFILE, PROFILE)], WHOLE],
    [
      'make a whole of what it also decides on',
      [at(20_003, PROFILE, PROFILE, true), at(20_003, PROFILE)],
      WHOLE,
    ],
    ['make a whole of what its rows are made into', [at(20_003, undefined, PROFILE)], WHOLE],
  ])('%s', (_what, derived, told) => {
    expect(classified({ 'public.people.profile': MEMBERS }, catalog(derived))).toMatchObject({
      'v.profile': told,
    });
  });

  it('are not told apart where a view has other columns in the same, classified as a whole', () => {
    const both = { 'public.people.profile': MEMBERS, 'public.other.profile': ['pii.name'] };
    const derived = new Map([
      [20_001, [at(20_003, PROFILE, PROFILE, true)]],
      [20_004, [at(20_003, PROFILE, PROFILE, true)]],
    ]);
    expect(classified(both, { ...catalog(), derived })).toMatchObject({
      'v.profile': 'pii.email,pii.name,pii.ssn',
    });
  });

  it('are those of all columns that a view has in the same', () => {
    const both = { 'public.people.profile': MEMBERS, 'public.other.profile': { '$.ssn': ['pii.name'] } };
    const derived = new Map([
      [20_001, [at(20_003, PROFILE, PROFILE, true)]],
      [20_004, [at(20_003, PROFILE, PROFILE, true)]],
    ]);
    expect(classified(both, { ...catalog(), derived })).toMatchObject({
      'v.profile': { ...BY_MEMBERS, '$.ssn': 'pii.name' },
    });
  });

  it('make a whole of every column of a table that has none of that name', () => {
    expect(classified({ 'public.people.gone': MEMBERS })).toMatchObject({
      'people.id': WHOLE,
      'people.profile': WHOLE,
      'people.note': WHOLE,
    });
  });

  it('stay classified while a transaction calls the column something else', () => {
    const before = bound({ 'public.people.profile': MEMBERS });
    const after = bindClassification(catalog(), new Map(), resource, before.columns);
    expect(after.columns.map(({ members }) => members?.map(({ path }) => path.text))).toEqual([
      ['$.email', '$..ssn'],
      ['$.email', '$..ssn'],
    ]);
  });
});

const PLAN = { relations: [20_001, 20_003], outputColumns: 1, safeColumns: [] } as unknown as StatementPlan;

/** What one sees under a policy that hides what these say: `type.name`, or a tag. */
function masks(hidden: Readonly<Record<string, MaskKind>>, of = bound({ 'public.people.profile': MEMBERS })) {
  const reveal = ({ attrs }: PolicyObject) => {
    const found = [...((attrs['tags'] as string[] | undefined) ?? []), attrs['name'] as string].find(
      (one) => hidden[one] !== undefined,
    );
    return found === undefined
      ? ({ show: true } as const)
      : ({ show: false, mask: hidden[found]!, rules: [], lookups: { count: 9, ms: 1, text: '' } } as const);
  };
  const guard = { reveal, policyVersion: () => '1' } as never;
  const key = new PseudonymKey(createSecretKey(Buffer.alloc(32, 1)));
  const giver = { mayEver: () => false, pseudonyms: (domain: string) => key.of([], domain) };
  const session = new SessionMasks(guard, new DetectedValues(guard, resource, new DetectorSet([]), []), {
    giver,
  });
  session.refresh(of);
  return session;
}

/** How a column of people, or of the view, is shown where the server says that it is of a type. */
function action(session: SessionMasks, typeOid = JSONB, format: 0 | 1 = 0, tableOid = 20_001) {
  const column = {
    name: Buffer.from('c'),
    tableOid,
    attributeNumber: PROFILE,
    typeOid,
    typeLength: -1,
    typeModifier: -1,
    format,
  };
  return session.rowPlan([column], PLAN).actions[0]!;
}

const kinds = (session: SessionMasks) =>
  session
    .membersOf({ relation: 20_001, attribute: PROFILE })
    ?.map(({ path, kind }) => [path.text, kindOf(kind)]);

it('an answer that comes again is shown by the policy of now', () => {
  let [version, show] = ['1', true];
  const reveal = () => (show ? { show } : { show, mask: 'redact', rules: [] });
  const guard = { reveal, policyVersion: () => version } as never;
  const session = new SessionMasks(guard, new DetectedValues(guard, resource, new DetectorSet([]), []));
  const of = bound({ 'public.people.profile': ['pii.email'] });
  session.refresh(of);
  const column = { name: 'c', tableOid: 20_001, attributeNumber: PROFILE, typeOid: JSONB };
  const columns = [{ ...column, typeLength: -1, typeModifier: -1, format: 0 as const }];
  const described = RowDescription.encode({ columns } as never).subarray(5);
  const shown = () => session.described(described, PLAN).actions[0]?.kind;
  expect([shown(), shown()]).toEqual(['show', 'show']);
  [version, show] = ['2', false];
  session.refresh(of);
  expect([shown(), shown()]).toEqual(['mask', 'mask']);
});

describe('masks of members', () => {
  it('are those that policy hides, each as it says', () => {
    expect(kinds(masks({ 'pii.email': 'partial' }))).toEqual([['$.email', 'partial']]);
    expect(kinds(masks({ 'pii.email': 'partial', 'pii.ssn': 'null' }))).toEqual([
      ['$.email', 'partial'],
      ['$..ssn', 'null'],
    ]);
    expect(kinds(masks({ 'profile$.email': 'redact' }))).toEqual([['$.email', 'redact']]);
    expect(kinds(masks({ 'pii.email': 'pseudonym' }))).toEqual([['$.email', 'pseudonym']]);
  });

  it('are none where policy shows all of them: nothing of the column is masked', () => {
    const session = masks({});
    expect(session.isMasked(20_001, PROFILE)).toBe(false);
    expect(action(session)).toEqual({ kind: 'show' });
  });

  it('make the column one that is masked, wherever anything but to show it is asked', () => {
    const session = masks({ 'pii.email': 'partial' });
    expect(session.isMasked(20_001, PROFILE)).toBe(true);
    expect(session.isMasked(20_001, 3)).toBe(false);
    expect(session.planning.mayLookUp).toBeUndefined();
    expect(session.maskOf({ relation: 20_001, attribute: PROFILE })).toBe('redact');
    expect(masks({ 'pii.ssn': 'null' }).maskOf({ relation: 20_001, attribute: PROFILE })).toBe('null');
  });

  it.each<[string, number, 0 | 1, string]>([
    ['json', JSON_TYPE, 0, 'json'],
    ['json in binary', JSON_TYPE, 1, 'json'],
    ['jsonb', JSONB, 0, 'json'],
    ['jsonb in binary', JSONB, 1, 'jsonb-binary'],
  ])('are applied to %s', (_what, type, format, shape) => {
    expect(action(masks({ 'pii.email': 'partial' }), type, format)).toMatchObject({
      kind: 'mask',
      mask: 'redact',
      shape,
      document: { rest: { kind: 'show' } },
    });
  });

  it.each([
    ['a text', TEXT],
    ['an array', JSONB_ARRAY],
    ['a type of nobody knows what', 99_999],
  ])('hide %s whole', (_what, type) => {
    const told = action(masks({ 'pii.email': 'partial' }), type);
    expect(told).toMatchObject({ kind: 'mask', mask: 'redact' });
    expect(told).not.toHaveProperty('document');
  });

  it('hide it whole where the server does not say which column it is', () => {
    expect(action(masks({ 'pii.email': 'partial' }), JSONB, 0, 0)).not.toHaveProperty('document');
  });

  it.each<[string, readonly Derived[], boolean]>([
    ['hands it on', [at(20_003, PROFILE, PROFILE, true)], true],
    ['computes with it', [at(20_003, PROFILE, PROFILE)], false],
  ])('hold in a view that %s', (_what, derived, byMembers) => {
    const session = masks(
      { 'pii.email': 'partial' },
      bound({ 'public.people.profile': MEMBERS }, catalog(derived)),
    );
    expect(session.isMasked(20_003, PROFILE)).toBe(true);
    expect('document' in action(session, JSONB, 0, 20_003)).toBe(byMembers);
  });

  it('are told by their names', () => {
    const session = masks({ 'pii.ssn': 'redact' });
    expect(session.maskedIn([20_001]).map(({ id }) => id)).toEqual(['pg/public.people.profile$..ssn']);
  });
});
