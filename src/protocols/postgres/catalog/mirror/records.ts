/**
 * What is kept of each row of PostgreSQL's catalog: see `CATALOG_TABLES` for where it comes from.
 *
 * @see https://www.postgresql.org/docs/current/catalogs.html
 */

import type { ViewColumns } from '../stored-trees/view-columns.ts';

/** The gateway's own connection, by which it looks. */
export interface CatalogOwner {
  /** `server_version_num`: 150004, 180000, … */
  readonly serverVersion: number;
  /** As whom the gateway looks, and as whom its sessions begin. */
  readonly role: string;
  /** OIDs of the schemas that the role may not use. */
  readonly unusable: readonly number[];
  /** The same of the roles with whose rights functions in SQL run. */
  readonly definers: readonly (readonly [role: number, unusable: readonly number[]])[];
}

/** What holds an expression. */
export interface CallingRow {
  /**
   * OIDs of PostgreSQL's own functions that it calls, which leave no row in `pg_depend`; null for none. Those that carry out
   * operators are left out: they only compute.
   */
  readonly calls: readonly number[] | null;
}

/** Something that the server evaluates for each row of a relation that is written. */
interface TogetherRow {
  /** Numbers of the relation's columns that it evaluates together; 0 for a row as a whole; null for none. */
  readonly together: readonly number[] | null;
}

interface ComparingRow extends TogetherRow {
  /** It compares these with other rows, by more than whether they are equal. */
  readonly excludes: boolean;
}

interface NamedRow {
  readonly oid: number;
  readonly name: string;
}

export interface ClassRow {
  readonly oid: number;
  readonly namespace: number;
  readonly name: string;
  readonly kind: string;
  readonly rowSecurity: boolean;
  /** The type of its rows. */
  readonly rowType: number;
  /** How many columns it has had, dropped ones too. */
  readonly width: number;
  /** Numbers of the columns by which its rows are put into partitions, 0 for all; null: it has none. */
  readonly partitionKey: readonly number[] | null;
}

export interface AttributeRow {
  readonly relation: number;
  readonly attnum: number;
  readonly name: string;
  readonly typeOid: number;
  /** `atttypmod` */
  readonly modifier: number;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  readonly generated: boolean;
  /** Rows older than the column show a value that stands in pg_attribute. */
  readonly hasMissing: boolean;
}

interface InheritsRow {
  readonly child: number;
  readonly parent: number;
}

/** Its calls: as defaults of arguments, and of an aggregate. Null for PostgreSQL's own. Lists are text: few are ever looked at. */
export interface ProcRow extends CallingRow {
  readonly oid: number;
  readonly namespace: number;
  readonly name: string;
  readonly volatility: string;
  readonly language: number;
  /** `prokind` */
  readonly kind: string;
  /** OIDs of types, apart by spaces: what it is called with, and that with what it gives where some is given in columns. */
  readonly takes: string;
  readonly all: string | null;
  /** `proargmodes`, a letter each, and `proargnames`, a list as JSON has it; null: all are `i`, none has a name. */
  readonly modes: string | null;
  readonly names: string | null;
  readonly variadic: number;
  /** How many arguments have defaults. */
  readonly defaults: number;
  readonly returns: number;
  readonly returnsSet: boolean;
  /** Of an aggregate `aggkind`, and behind it the number of its direct arguments. */
  readonly aggregate: string | null;
  /** Its text holds a word that may change where names are looked up, or it has no text. */
  readonly steers: boolean;
  /** Its text holds a word that makes, takes or renames things. */
  readonly reshapes: boolean;
  /** Of a user's function in SQL, what it is made of; null for any other, and where that is too long. */
  readonly code: SqlCode | null;
  /** Of a user's function in the language `internal`, how its code is called; of PostgreSQL's own empty where that is its name; else null. */
  readonly source: string | null;
}

/** A function in SQL: a list, as JSON has it. */
type SqlCode = readonly [
  /** As text, read each time by the path of that time; null where there is a tree. */
  text: string | null,
  /** `prosqlbody`, read when it was made. */
  tree: string | null,
  /** Whose rights it has: its owner's OID, or 0 for the caller's. */
  definer: number,
  /** `proconfig`: `name=value`. */
  settings: readonly string[] | null,
];

export interface RewriteRow {
  readonly oid: number;
  readonly relation: number;
  /** The rule that makes a view one. */
  readonly isReturn: boolean;
  readonly enabled: boolean;
  /** What it names by OID, PostgreSQL's own functions too but for operators'; null for a system view, where it does not matter. */
  readonly relations: readonly number[] | null;
  readonly functions: readonly number[] | null;
  /** A whole row stands in it somewhere: of that, `pg_depend` says nothing. */
  readonly wholeRows: boolean | null;
  /** Of a view: what each of its columns is made of; null if that is not known. */
  readonly made: ViewColumns | null;
}

/** (class, object) stands for a row of one catalog: see `CATALOG_OIDS`. */
export interface DependRow {
  readonly class: number;
  readonly object: number;
  /** A column's number, or 0. */
  readonly part: number;
  readonly usedClass: number;
  readonly usedObject: number;
  readonly usedPart: number;
  readonly type: string;
}

interface DefaultRow extends CallingRow, TogetherRow {
  readonly oid: number;
  readonly relation: number;
  readonly attnum: number;
}

interface OwnedRow extends CallingRow {
  readonly oid: number;
  readonly relation: number;
}

/** Columns in its expressions, and what it excludes by. */
interface IndexRow extends OwnedRow, ComparingRow {}

/** Columns of a check, or of a foreign key that compares spans of time. */
export interface ConstraintRow extends CallingRow, ComparingRow {
  readonly oid: number;
  readonly type: string;
  /** 0 for a domain's constraint, and `domain` 0 for a table's. */
  readonly relation: number;
  readonly domain: number;
  readonly referenced: number;
  readonly onDelete: string;
  readonly onUpdate: string;
  /** Columns that are referenced; those that refer to them, or are a primary key that is checked at once. */
  readonly keys: readonly number[];
  readonly columns: readonly number[];
}

/** Columns of its condition. */
export interface TriggerRow extends CallingRow, TogetherRow {
  readonly oid: number;
  readonly relation: number;
  readonly function: number;
  readonly type: number;
}

export interface OperatorRow {
  readonly oid: number;
  readonly namespace: number;
  readonly name: string;
  readonly function: number;
  /** Types of its operands, 0 for one that it has not, and of its result. */
  readonly left: number;
  readonly right: number;
  readonly result: number;
  /** Operators that the planner may take instead; 0: none. */
  readonly commutator: number;
  readonly negator: number;
}

export interface CastRow {
  readonly source: number;
  readonly target: number;
  readonly function: number;
  readonly context: string;
  readonly method: string;
}

export interface TypeRow extends CallingRow {
  readonly oid: number;
  readonly namespace: number;
  readonly name: string;
  /** 0, or the relation of which it is the row, the type of an array's elements, of a domain, of a range's bounds. */
  readonly relation: number;
  readonly element: number;
  readonly base: number;
  readonly bound: number;
  /** Of a multirange: the range; and the other way. */
  readonly range: number;
  readonly multirange: number;
  /** The array of it. */
  readonly array: number;
  /** Of a domain: `typtypmod`. */
  readonly baseModifier: number;
  readonly category: string;
  readonly preferred: boolean;
  readonly collatable: boolean;
  /** Functions that subscript its values, and read its modifiers; 0: it has none. */
  readonly subscript: number;
  readonly modifierInput: number;
  /** `typtype`, but `a` for an array. */
  readonly kind: string;
  /** Between the elements of an array in text. */
  readonly delimiter: string;
}

/** A support function of an operator class: of users, and of btree those that say what is in a range. */
export interface SupportRow {
  readonly oid: number;
  /** Of the second kind the family, else 0. */
  readonly inRangeOf: number;
  /** `amproclefttype`, `amprocrighttype`. */
  readonly type: number;
  readonly right: number;
  readonly function: number;
}

/** Of access methods that compare: btree and hash. */
export interface OperatorClassRow extends NamedRow {
  readonly method: number;
  readonly namespace: number;
  readonly family: number;
  readonly type: number;
  readonly isDefault: boolean;
}

/** An operator that such a method searches by. */
export interface FamilyOperatorRow {
  readonly family: number;
  readonly operator: number;
  readonly left: number;
  readonly right: number;
  readonly strategy: number;
}

interface EventTriggerRow {
  readonly event: string;
  readonly function: number;
}

export interface CatalogRows {
  readonly pg_namespace: NamedRow;
  readonly pg_class: ClassRow;
  readonly pg_attribute: AttributeRow;
  readonly pg_inherits: InheritsRow;
  readonly pg_proc: ProcRow;
  readonly pg_language: NamedRow;
  readonly pg_rewrite: RewriteRow;
  readonly pg_depend: DependRow;
  readonly pg_attrdef: DefaultRow;
  readonly pg_constraint: ConstraintRow;
  readonly pg_index: IndexRow;
  readonly pg_policy: OwnedRow;
  readonly pg_trigger: TriggerRow;
  readonly pg_operator: OperatorRow;
  readonly pg_cast: CastRow;
  readonly pg_type: TypeRow;
  readonly pg_statistic_ext: OwnedRow;
  readonly pg_amproc: SupportRow;
  readonly pg_event_trigger: EventTriggerRow;
  readonly pg_opclass: OperatorClassRow;
  readonly pg_amop: FamilyOperatorRow;
}

export type TableName = keyof CatalogRows;
