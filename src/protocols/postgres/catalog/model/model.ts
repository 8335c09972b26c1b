import type { AnalysisCatalog } from '../../sql/analysis/catalog.ts';
import type { Name } from '../../sql/facts/facts.ts';
import type { AnalysisPath } from '../analysis/view.ts';
import type { CatalogOwner } from '../mirror/records.ts';
import type { StoredBody } from '../stored-trees/function-body.ts';
import type { ViewColumns } from '../stored-trees/view-columns.ts';
import type { Volatility } from '../system/functions.ts';

export type RelationKind =
  | 'table'
  | 'partitioned'
  | 'view'
  | 'matview'
  | 'foreign'
  | 'sequence'
  | 'composite'
  | 'index'
  | 'other';

export interface Column {
  readonly attnum: number;
  readonly name: string;
  readonly typeOid: number;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  readonly generated: boolean;
  /** Rows older than the column show a value that stands in pg_attribute. */
  readonly hasMissing: boolean;
}

export interface Relation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: RelationKind;
  /** By name; live columns only. System columns (`ctid`, …) are not listed. */
  readonly columns: ReadonlyMap<string, Column>;
  readonly rowSecurity: boolean;
  /** Numbers of the columns by which its rows are put into partitions; 0: any. */
  readonly partitionKey?: readonly number[];
}

/** What a user's function in SQL is made of. */
export interface FunctionCode {
  /** Read each time by the path of that time; null where there is a tree. */
  readonly text: string | null;
  /** Read when it was made; undefined: there is none. Gives undefined where it does more than to query, or is not understood. */
  readonly tree: (() => StoredBody | undefined) | undefined;
  /** Whose rights it has: its owner's OID, or 0 for the caller's. */
  readonly definer: number;
  /** What it sets while it runs: `name=value`. */
  readonly settings: readonly string[];
}

/** What carries out an aggregate: OIDs. */
export interface AggregateParts {
  readonly functions: readonly number[];
  /** Types of users that it is of. */
  readonly types: readonly number[];
}

export interface CatalogFunction {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly volatility: Volatility;
  readonly language: string;
  /** It computes from its arguments, or from chance, and is part of an extension or of the server: see `functionOf`. */
  readonly trusted: boolean;
  /** Types of what it takes and of what it gives; only known of those that are not PostgreSQL's own. */
  readonly takes: readonly number[];
  readonly gives: readonly number[];
  /** Its code may set `search_path` or make temporary objects, as far as its text tells. */
  readonly steers: boolean;
  /** Its code makes, takes or renames things, as far as its text tells. */
  readonly reshapes: boolean;
  /** Of a user's function in SQL, what it is made of, where that is known. */
  readonly code: FunctionCode | undefined;
  /** Of a user's aggregate, what carries it out, where that is known. */
  readonly parts: AggregateParts | undefined;
  /** Defaults of its arguments may call what users made, or what does more than compute. */
  readonly defaultsCall: boolean;
}

export interface Trigger {
  readonly relation: number;
  /** The trigger's own, and those that its condition calls. */
  readonly functions: readonly number[];
  readonly onInsert: boolean;
  readonly onUpdate: boolean;
  readonly onDelete: boolean;
  readonly onTruncate: boolean;
}

/** A foreign key: what deleting from or updating `referenced` does to `referencing`. */
export interface ForeignKey {
  readonly referenced: number;
  readonly referencing: number;
  /** Attribute numbers of the referenced columns: `onUpdate` happens only if one of them is written. */
  readonly keys: readonly number[];
  /** Attribute numbers of the referencing columns, in the order of `keys`: what an action writes. */
  readonly columns: readonly number[];
  readonly onDelete: 'delete' | 'update' | undefined;
  readonly onUpdate: 'update' | undefined;
}

export interface Operator {
  readonly name: string;
  readonly schema: string;
  readonly function: number;
  /** Types of its operands; 0 for one that it has not. */
  readonly operands: readonly number[];
  readonly result: number;
  /** Functions of the operators that the planner may take instead, turned round or denied. */
  readonly instead: readonly number[];
}

export interface Cast {
  readonly source: number;
  readonly target: number;
  /** Of the target type. */
  readonly name: string;
  readonly schema: string;
  readonly function: number;
  /** `i` implicit, `a` on assignment, `e` explicit. */
  readonly context: string;
}

/** Data of a column that can also be seen, or was copied, elsewhere. */
export interface Derived {
  /** Attribute number; undefined: of every column. */
  readonly from: number | undefined;
  readonly relation: number;
  /** Undefined: in all its columns. */
  readonly attribute: number | undefined;
  /** Each value there is that of a column as it is; absent: it may be made of it in any way. */
  readonly asIs?: true;
}

/** How values of a type are made. */
export interface CatalogType {
  readonly name: string;
  /** As in `TypeRow`. */
  readonly kind: string;
  /** Of an array its element, of a domain its base, of a range its subtype, of a multirange its range; else 0. */
  readonly of: number;
  readonly delimiter: string;
}

/** What a rule, default, check, index or row policy uses: relations and functions by OID. */
export interface Dependencies {
  readonly relations: readonly number[];
  readonly functions: readonly number[];
}

/** What the server evaluates of a row when it is written: whether that fails, or what comes of it, tells of all that it looks at. */
export interface Together {
  /** Numbers of the relation's columns; 0: any. */
  readonly columns: readonly number[];
  /** They are compared with those of other rows, by more than whether they are equal. */
  readonly excludes: boolean;
}

/** What is known of relations by their OID, made for one when it is first asked for. */
export interface ByRelation<T> extends Iterable<readonly [number, T]> {
  get(oid: number): T | undefined;
}

/**
 * The types that are not PostgreSQL's own: what they are made of, and which functions a value of theirs runs.
 * Immutable.
 *
 * Functions that only compute are left out: trusted ones, and most of pg_catalog.
 */
export interface TypeGraph {
  /** Types that a name may mean, in any schema if it names none. */
  named(name: Name): readonly number[];
  /** Whether it is one of PostgreSQL's own, or is known. */
  knows(oid: number): boolean;
  /** The type and everything that it is made of, without PostgreSQL's own. */
  within(oid: number): readonly number[];
  /** As people write it. */
  nameOf(oid: number): string;
  /** The relation of which it is the row, if it is one. */
  rowOf(oid: number): number | undefined;
  /** What making a value of it runs: from text or octets, by a cast, as a parameter, when it is stored. */
  functions(oid: number): readonly number[];
  /** What showing stored values of it runs. */
  shownFunctions(oid: number): readonly number[];
  /**
   * What a statement that evaluates stored values of it runs: they are not checked again. Literals beside an array or a
   * range take its type, so what is inside these is checked.
   */
  readFunctions(oid: number): readonly number[];
}

/**
 * One database's catalog at one moment, as far as enforcement needs it. Built by `CatalogBuilder`; immutable.
 *
 * How names without a schema resolve is a session's own: see `NameScope`.
 */
export interface Catalog extends CatalogOwner {
  /** Some function, besides those of extensions, may change where the session looks names up. */
  readonly steering: boolean;
  readonly relations: ReadonlyMap<number, Relation>;
  readonly functions: ReadonlyMap<number, CatalogFunction>;
  /** Direct parents and children, by inheritance and partitioning. */
  readonly parents: ReadonlyMap<number, readonly number[]>;
  readonly children: ReadonlyMap<number, readonly number[]>;
  /** Views and materialized views: what their query names. */
  readonly views: ReadonlyMap<number, Dependencies>;
  /** What the columns of views and materialized views are made of; one that is not there: nobody knows. */
  readonly viewColumns: ReadonlyMap<number, ViewColumns>;
  /** By relation, where its data can be seen besides in itself and its family: views, generated columns, keys, … */
  readonly derived: ReadonlyMap<number, readonly Derived[]>;
  readonly types: TypeGraph;
  /** Relations with a rewrite rule other than a view's own. */
  readonly rules: ReadonlySet<number>;
  /** What the server runs by itself when a relation is written: defaults, checks, generated columns, indexes, domains. */
  readonly writeDependencies: ByRelation<Dependencies>;
  /** What of a relation's row is looked at together when it is written: checks, generated columns, indexes, row policies, triggers. */
  readonly together: ByRelation<readonly Together[]>;
  /** What maintenance of a relation runs besides: expressions of its statistics. */
  readonly statistics: ByRelation<Dependencies>;
  /** What row security policies use when a relation is read or written. */
  readonly policyDependencies: ByRelation<Dependencies>;
  readonly triggers: ByRelation<readonly Trigger[]>;
  readonly foreignKeys: ByRelation<readonly ForeignKey[]>;
  /** User operators by name, and user casts; those carried out by a `trusted` function are left out. */
  readonly operators: ReadonlyMap<string, readonly Operator[]>;
  readonly casts: readonly Cast[];
  /** Functions of event triggers on DDL. */
  readonly eventTriggers: readonly number[];
  /** Whether triggers run at login: what they set is no default that a session goes back to. */
  readonly loginTriggers: boolean;
  /** How the values of each type are made, by OID. */
  readonly valueTypes: ReadonlyMap<number, CatalogType>;
  lookupRelation(schema: string, name: string): Relation | undefined;
  /** Every schema with a relation of that name, other sessions' temporary ones included. */
  schemasOf(name: string): readonly string[];
  /** A schema's name by its OID. */
  schemaName(oid: number): string | undefined;
  /**
   * Whether there is such a schema, and the role may use it.
   *
   * @param definer Of the role with this OID; default 0, the gateway's own.
   */
  mayUse(schema: string, definer?: number): boolean;
  /** All functions outside pg_catalog that a call of this name may reach. */
  userFunctions(name: Name): readonly CatalogFunction[];
  /** Whether pg_catalog has a function of that name. */
  isBuiltin(name: string): boolean;
  /** What parse analysis asks, in a session with such a path. */
  analysis(path: AnalysisPath): AnalysisCatalog;
}

/** Follows a relation of OIDs to its end; the start is not part of the answer. Cycles are harmless. */
export function closure(start: number, next: ReadonlyMap<number, readonly number[]>): number[] {
  const found = new Set<number>();
  const queue = [...(next.get(start) ?? [])];
  for (let oid = queue.pop(); oid !== undefined; oid = queue.pop()) {
    if (oid === start || found.has(oid)) continue;
    found.add(oid);
    queue.push(...(next.get(oid) ?? []));
  }
  return [...found];
}
