import { type Catalog, closure, type Relation } from '../../../catalog/model/model.ts';
import { FIRST_USER_OID, isSystemSchema } from '../../../catalog/system/objects.ts';
import { HINTS } from '../../../hints.ts';
import type { PostgresRefusal } from '../../../refusals.ts';
import type { RelationRole, StatementFacts } from '../../facts/facts.ts';
import type { IsMasked } from '../lineage.ts';
import { WRITING } from '../roles.ts';
import type { TouchedRelation } from './masked-flow.ts';

/** Roles in which it tells something that there are rows. */
const LOOKS: ReadonlySet<RelationRole> = new Set<RelationRole>([
  'read',
  'update',
  'delete',
  'merge',
  'copy-out',
]);

/**
 * What tells of a masked column though no expression names it: in which partition a row is, where the column decides that; the
 * order that CLUSTER gives to rows; whether what is stored fits a type that is altered; what the system's catalogs are made to say.
 *
 * @param touched In the order of the statement's relations.
 * @param masksColumns Default: they are.
 * @returns Undefined: nothing. Pure.
 */
export function seenBeside(
  facts: StatementFacts,
  touched: readonly TouchedRelation[],
  catalog: Catalog,
  { isMasked, masksColumns = true }: { readonly isMasked: IsMasked; readonly masksColumns?: boolean },
): PostgresRefusal | undefined {
  const { tag, explain, relations } = facts;
  if (masksColumns && writesCatalog(facts, touched)) return OWN_CATALOG;
  const altered = alteredTypes(facts, touched, catalog);
  if (altered.size > 0 && isOfMasked(altered, catalog, isMasked)) return ALTERED_TYPE;
  // Without a table it is about all that were put in order once.
  if (tag === 'CLUSTER' && (touched.length === 0 ? masksColumns : touched.some(hasMasked))) return ORDERED;
  const namesPart = facts.columns.some(({ path }) => path.at(-1) === 'tableoid');
  for (const [index, { relation, masked }] of touched.entries()) {
    if (relation === undefined || masked.size === 0) continue;
    const decides = (oid: number) => decidingColumn(catalog.relations.get(oid), isMasked);
    const looks = LOOKS.has(relations[index]?.role ?? 'read');
    const [above] = looks ? closure(relation.oid, catalog.parents).flatMap((oid) => decides(oid) ?? []) : [];
    if (above !== undefined) return refusal(`which rows are in ${relation.name}`, above, HINTS.wholeTable);
    if (!namesPart && explain === undefined) continue;
    const family = [relation.oid, ...closure(relation.oid, catalog.children)];
    const [own] = family.flatMap((oid) => decides(oid) ?? []);
    if (own === undefined) continue;
    return namesPart
      ? refusal('in which partition a row is', own, HINTS.leaveOut, ['tableoid'])
      : refusal('how many rows come from a partition', own, HINTS.unexplained);
  }
  return undefined;
}

/** What the server knows of tables and columns is changed past its commands, and what these are called may be, too. */
function writesCatalog({ relations }: StatementFacts, touched: readonly TouchedRelation[]): boolean {
  return touched.some(({ relation }, index) => {
    const role = relations[index]?.role ?? 'read';
    return relation !== undefined && isSystemSchema(relation.schema) && WRITING.has(role);
  });
}

/** Domains and composite types that the statement alters: the server looks at all that is stored of one. */
function alteredTypes(
  { objects, relations }: StatementFacts,
  touched: readonly TouchedRelation[],
  { types, valueTypes }: Catalog,
): ReadonlySet<number> {
  const named = objects.flatMap(({ action, kind, name }) =>
    action === 'alter' && TYPES.has(kind) ? types.named(name) : [],
  );
  const rows = touched.flatMap(({ relation }, index) =>
    relation?.kind === 'composite' && relations[index]?.role === 'alter' ? [relation.oid] : [],
  );
  const ofRows =
    rows.length === 0 ? [] : [...valueTypes.keys()].filter((oid) => rows.includes(types.rowOf(oid) ?? 0));
  return new Set([...named.filter((oid) => valueTypes.get(oid)?.kind !== ENUM), ...ofRows]);
}

const TYPES: ReadonlySet<string> = new Set(['type', 'domain']);
const ENUM = 'e';

function isOfMasked(
  altered: ReadonlySet<number>,
  { relations, types }: Catalog,
  isMasked: IsMasked,
): boolean {
  return [...relations.values()].some(({ oid, columns }) =>
    [...columns.values()].some(
      ({ attnum, typeOid }) =>
        typeOid >= FIRST_USER_OID &&
        isMasked(oid, attnum) &&
        types.within(typeOid).some((one) => altered.has(one)),
    ),
  );
}

function hasMasked({ masked }: TouchedRelation): boolean {
  return masked.size > 0;
}

/** A masked column by which a relation's rows are put into partitions. */
function decidingColumn(relation: Relation | undefined, isMasked: IsMasked): string | undefined {
  if (relation?.partitionKey === undefined) return undefined;
  const { oid, schema, name, columns, partitionKey } = relation;
  const isKey = (attnum: number) => partitionKey.includes(attnum) || partitionKey.includes(0);
  const column = [...columns.values()].find(({ attnum }) => isKey(attnum) && isMasked(oid, attnum));
  return column && `${schema}.${name}.${column.name}`;
}

function refusal(what: string, column: string, hint: string, leaveOut?: readonly string[]): PostgresRefusal {
  return {
    code: 'ERR_DENIED',
    rule: 'masked-column-flow',
    reason: `column ${column} is masked for you, and ${what} would tell of it`,
    hint,
    ...(leaveOut === undefined ? {} : { leaveOut }),
  };
}

const OWN_CATALOG: PostgresRefusal = {
  code: 'ERR_DENIED',
  rule: 'masked-code',
  reason: "a change of the server's own catalogs could show what is masked for you",
  hint: HINTS.askUnmasked,
};
const ALTERED_TYPE: PostgresRefusal = {
  code: 'ERR_DENIED',
  rule: 'masked-table-ddl',
  reason: 'columns that are masked for you are of this type, and the server would look whether they fit',
  hint: HINTS.askOwnerOfColumns,
};
const ORDERED: PostgresRefusal = {
  code: 'ERR_DENIED',
  rule: 'masked-table-ddl',
  reason: 'rows would be put in an order that may tell of columns that are masked for you',
  hint: HINTS.askOwnerOfColumns,
};
