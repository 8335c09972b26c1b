import { once } from '../../../core/later.ts';
import type { FieldPath } from '../../../masking/json/field-path.ts';
import type { PolicyObject } from '../../../policy/model.ts';
import { type ConfiguredTags, Entities } from '../entities.ts';
import { WireTypes } from '../shown/values/wire-types.ts';
import { resolveOid } from '../sql/meaning/functions.ts';
import {
  type ColumnAt,
  columnKey,
  isInRules,
  ruleColumns,
  type ShownAt,
  shownIn,
  spread,
  unknownSources,
} from '../sql/meaning/lineage.ts';
import { allTags, configuredMarks, type Marks, madeOf, memberMarks, unite, wholeMarks } from './marks.ts';
import type { Catalog, Relation } from './model/model.ts';
import { isSensitive, sensitiveColumns } from './model/sensitive.ts';
import { FIRST_USER_OID } from './system/objects.ts';

/** A column that carries classified data, as policy is asked about it. */
export interface Classified extends ColumnAt {
  /** Sorted; those of its members too. */
  readonly tags: readonly string[];
  readonly object: PolicyObject;
  /** It is classified by these members of its documents alone, and policy is asked about each; absent: as a whole. */
  readonly members?: readonly ClassifiedMember[];
}

interface ClassifiedMember {
  readonly path: FieldPath;
  /** Sorted. */
  readonly tags: readonly string[];
  readonly object: PolicyObject;
}

/** The configured classification, bound to the objects of one catalog. Immutable. */
export interface Classification {
  /** Every column that is classified, shows what is, or was made of it. */
  readonly columns: readonly Classified[];
  /** Columns that may show anything, because code that the gateway does not read made them. */
  readonly unknown: readonly ColumnAt[];
  ofRelation(relation: number): readonly Classified[];
  /** Tags of all columns of a relation, sorted. */
  tagsOf(relation: number): readonly string[];
  /** Columns in which a column's data can be seen directly besides in itself. */
  shownIn(column: ColumnAt): readonly ShownAt[];
  /** Functions of which nobody knows what they write, as policy is asked about them. */
  readonly code: readonly PolicyObject[];
  /** Columns of the system's own that tell what views and rules are made of. */
  readonly rules: readonly ColumnAt[];
  /** Whether a view or a rule may be made of a relation. */
  isInRules(relation: number): boolean;
  /** Whether a column of the system's own shows other people's data by its nature. */
  isSensitive(column: ColumnAt): boolean;
  /** A relation's name, without its schema. */
  nameOf(relation: number): string | undefined;
  /** The catalog's types, by how their values are made. */
  readonly types: WireTypes;
  /** Whether a relation's columns can be judged at all: rows of an unknown one are masked whole. */
  knows(relation: number): boolean;
}

/**
 * Finds the columns that hold classified data: those configured, and all in which the catalog says that theirs can be
 * seen (`shownIn`). It is the only place where that is settled; rows, COPY, writes, predicates and catalogs ask it.
 *
 * Fails closed: a configured column that its table does not have (it was renamed) classifies the whole table.
 *
 * @param tags `schema.table.column` → its tags, or its members'. A table that does not exist classifies nothing.
 * @param kept What stays classified, whatever it is called in this catalog and whether or not it is there.
 * @returns Each (relation, attribute) once; twice where it was kept under another name. Pure. Never throws.
 */
export function bindClassification(
  catalog: Catalog,
  tags: ReadonlyMap<string, ConfiguredTags>,
  resource: PolicyObject,
  kept: readonly Classified[] = [],
): Classification {
  const edges = new Map<string, ShownAt[]>();
  const next = (column: ColumnAt) => {
    const key = columnKey(column);
    const known = edges.get(key) ?? shownIn(catalog, column);
    edges.set(key, known);
    return known;
  };
  const seeds = [...tags].flatMap(([name, more]) => configured(catalog, name, configuredMarks(more)));
  const before = kept.map((column) => [column, marksOf(column)] as const);
  const marked = (column: ColumnAt, marks: Marks) =>
    next(column).map((one) => [one, one.asIs ? marks : madeOf(marks)] as const);
  const found = [...spread([...seeds, ...before], unite, marked).values()];
  const unknown = once(() => {
    const sources = unknownSources(catalog).map((column) => [column, true] as const);
    const anything = (column: ColumnAt) => next(column).map((one) => [one, true] as const);
    return [...spread(sources, () => true, anything).values()].map(([column]) => column);
  });
  const entities = new Entities(resource);
  const byRelation = new Map<number, Classified[]>();
  for (const [oid, tagged] of Map.groupBy(found, ([column]) => column.relation)) {
    const relation = catalog.relations.get(oid);
    if (relation === undefined) continue;
    const table = entities.table(relation, sorted(tagged.flatMap(([, own]) => [...allTags(own)])));
    const columns = tagged.flatMap(([column, own]) => {
      const name = nameOf(relation, column.attribute);
      return name === undefined ? [] : [classified(column, own, table, name, entities)];
    });
    if (columns.length > 0) byRelation.set(oid, columns);
  }
  const types = once(() => new WireTypes(catalog.valueTypes));
  const code = once(() => unreadFunctions(catalog, entities));
  const rules = once(() => ruleColumns(catalog));
  return {
    get rules() {
      return rules();
    },
    isInRules: (relation) => isInRules(catalog, relation),
    isSensitive: (column) => isSensitiveColumn(catalog, column),
    nameOf: (relation) => catalog.relations.get(relation)?.name,
    get code() {
      return code();
    },
    get types() {
      return types();
    },
    get unknown() {
      return unknown();
    },
    columns: [...byRelation.values()].flat().concat(
      kept.filter(({ relation, attribute, object }) => {
        const now = byRelation.get(relation)?.find((one) => one.attribute === attribute);
        return now?.object.id !== object.id;
      }),
    ),
    ofRelation: (relation) => byRelation.get(relation) ?? [],
    tagsOf: (relation) => tagsOf(byRelation.get(relation) ?? []),
    shownIn: (column) => edges.get(columnKey(column)) ?? [],
    knows: (relation) => relation < FIRST_USER_OID || catalog.relations.has(relation),
  };
}

function isSensitiveColumn(catalog: Catalog, { relation, attribute }: ColumnAt): boolean {
  const known = relation < FIRST_USER_OID ? catalog.relations.get(relation) : undefined;
  if (known === undefined || !isSensitive(known)) return false;
  return sensitiveColumns(known)?.has(attribute) ?? true;
}

/** Each name once, by overloads. */
function unreadFunctions(catalog: Catalog, entities: Entities): PolicyObject[] {
  const found = new Map<string, PolicyObject>();
  for (const { oid, schema, name, trusted } of catalog.functions.values()) {
    if (trusted || resolveOid(oid, catalog)?.class !== 'user') continue;
    const object = entities.function(schema, name, 'user');
    found.set(object.id, object);
  }
  return [...found.values()];
}

function classified(
  { relation, attribute }: ColumnAt,
  marks: Marks,
  table: PolicyObject,
  name: string,
  entities: Entities,
): Classified {
  const tags = sorted(allTags(marks));
  const column = { relation, attribute, tags, object: entities.column(table, name, tags) };
  if (marks.tags.size > 0) return column;
  const members = [...marks.members.values()].map(({ path, tags: own }) => ({
    path,
    tags: sorted(own),
    object: entities.member(table, name, path.text, sorted(own)),
  }));
  return { ...column, members };
}

function marksOf({ tags, members }: Classified): Marks {
  return members === undefined ? wholeMarks(tags) : memberMarks(members);
}

/** The column of that name; or all of its table's, as wholes. */
function configured(catalog: Catalog, name: string, marks: Marks): (readonly [ColumnAt, Marks])[] {
  const [schema = '', table = '', column = ''] = name.split('.');
  const relation = catalog.lookupRelation(schema, table);
  if (relation === undefined) return [];
  const named = relation.columns.get(column);
  const at = (attribute: number) => ({ relation: relation.oid, attribute });
  if (named !== undefined) return [[at(named.attnum), marks]];
  return [...relation.columns.values()].map(({ attnum }) => [at(attnum), madeOf(marks)] as const);
}

function nameOf(relation: Relation, attribute: number): string | undefined {
  return [...relation.columns.values()].find(({ attnum }) => attnum === attribute)?.name;
}

function tagsOf(columns: readonly Classified[]): string[] {
  return sorted(columns.flatMap(({ tags }) => tags));
}

function sorted(tags: Iterable<string>): string[] {
  return [...new Set(tags)].sort();
}
