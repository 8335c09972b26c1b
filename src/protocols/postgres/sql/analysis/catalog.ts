import type { TextCache } from '../../../../core/text-cache.ts';

/**
 * What parse analysis asks of the catalog: types, functions, operators and casts as PostgreSQL's own resolution wants
 * them. OIDs are numbers; 0 stands for none, as in the catalog itself.
 *
 * @see https://www.postgresql.org/docs/current/typeconv.html
 */

/** `pg_type`. */
export interface AnalysisType {
  readonly oid: number;
  readonly namespace: number;
  readonly name: string;
  /** `typtype`: base, composite, domain, enum, multirange, pseudo, range. */
  readonly kind: 'b' | 'c' | 'd' | 'e' | 'm' | 'p' | 'r';
  /** `typcategory`, one letter. */
  readonly category: string;
  readonly preferred: boolean;
  /** `typsubscript`, the OID of the function; 0: cannot be subscripted. */
  readonly subscript: number;
  /** `typelem`, `typarray`, `typrelid`. */
  readonly element: number;
  readonly array: number;
  readonly relation: number;
  /** Of a domain its `typbasetype`, and `typtypmod`. */
  readonly base: number;
  readonly baseModifier: number;
  /** Of a range its subtype (`rngsubtype`), of a multirange its range; else 0. */
  readonly bound: number;
  /** Of a range its multirange (`rngmultitypid`, 0 before 14). */
  readonly multirange: number;
  /** `typmodin`, the OID of the function; 0: takes no modifiers. */
  readonly modifierInput: number;
  readonly collatable: boolean;
}

/** `pg_proc`, with what `pg_aggregate` adds. */
export interface AnalysisFunction {
  readonly oid: number;
  readonly namespace: number;
  readonly name: string;
  /** `prokind`: function, procedure, aggregate, window function. */
  readonly kind: 'f' | 'p' | 'a' | 'w';
  /** `proargtypes`: of what it is called with (of a procedure, its OUT arguments are not among them). */
  readonly takes: readonly number[];
  /** `proallargtypes`, or `takes` where that is NULL. */
  readonly all: readonly number[];
  /** `proargmodes`, a letter each (`i`, `o`, `b`, `v`, `t`), as long as `all`; empty: all are `i`. */
  readonly modes: string;
  /** `proargnames`, as long as `all`; empty: none has a name. */
  readonly names: readonly string[];
  /** `provariadic`: the type of an element; 0: not variadic. */
  readonly variadic: number;
  /** `pronargdefaults`. */
  readonly defaults: number;
  readonly returns: number;
  readonly returnsSet: boolean;
  /** `aggkind` (`n`, `o`, `h`) and `aggnumdirectargs` of an aggregate. */
  readonly aggregate?: { readonly kind: 'n' | 'o' | 'h'; readonly direct: number };
}

/** `pg_operator`. */
export interface AnalysisOperator {
  readonly oid: number;
  readonly namespace: number;
  readonly name: string;
  /** 0 of a prefix operator. */
  readonly left: number;
  readonly right: number;
  readonly result: number;
  readonly function: number;
}

/** `pg_cast`. */
export interface AnalysisCast {
  readonly source: number;
  readonly target: number;
  /** 0 where none is called. */
  readonly function: number;
  /** `castcontext`: implicit, on assignment, explicit. */
  readonly context: 'i' | 'a' | 'e';
  /** `castmethod`: by a function, by text in and out, binary. */
  readonly method: 'f' | 'i' | 'b';
}

export interface AnalysisColumn {
  readonly attnum: number;
  readonly name: string;
  readonly type: number;
  /** `atttypmod`; -1: none. */
  readonly modifier: number;
  readonly generated: boolean;
  readonly hasDefault: boolean;
}

/** `pg_class`. */
export interface AnalysisRelation {
  readonly oid: number;
  readonly namespace: number;
  readonly name: string;
  /** `relkind`. */
  readonly kind: string;
  /** `reltype`: the type of its rows. */
  readonly rowType: number;
  /** Live columns, by attnum; those of the system are not listed. */
  readonly columns: readonly AnalysisColumn[];
  /** How many columns it has had, dropped ones too (`relnatts`). */
  readonly width: number;
}

/** `pg_opclass`. */
export interface AnalysisOperatorClass {
  readonly oid: number;
  readonly namespace: number;
  readonly name: string;
  readonly family: number;
  /** `opcintype`. */
  readonly type: number;
  readonly isDefault: boolean;
}

/** One member of an operator family (`pg_amop`, for searching). */
export interface FamilyOperator {
  readonly operator: number;
  readonly left: number;
  readonly right: number;
  readonly strategy: number;
}

/** A support function of a btree family (`pg_amproc`) that says whether a value lies within an offset of another. */
export interface InRangeFunction {
  /** Of the values, and of the offset: `amproclefttype`, `amprocrighttype`. */
  readonly left: number;
  readonly right: number;
  readonly function: number;
}

/** How values of a type are sorted and told apart; 0 where they cannot be. */
export interface SortOperators {
  readonly lt: number;
  readonly eq: number;
  readonly gt: number;
}

/** What was found out of one catalog by one path and of nothing else, so that it holds for whoever analyses by these. */
interface Found {
  /** By type. */
  readonly sorting: Map<number, SortOperators>;
  /** By name and types of operands. */
  readonly operators: TextCache<AnalysisOperator>;
}

/**
 * One database's catalog at one moment, as one session sees it. Immutable. Lookups are by name without a schema: what
 * counts is decided by `path`.
 */
export interface AnalysisCatalog {
  /** Major version: 13 … 18. */
  readonly major: number;
  /** Schemas in which names are looked up, by OID, in order, implicit ones (`pg_temp`, `pg_catalog`) where they stand. */
  readonly path: readonly number[];
  readonly found: Found;
  /** OID of a schema by its name; `pg_temp` is the session's own. */
  namespace(name: string): number | undefined;
  /** OID of the session's schema of temporary objects, in which no function or operator is looked up. */
  readonly temporary: number | undefined;

  type(oid: number): AnalysisType | undefined;
  /** In any schema. */
  typesNamed(name: string): readonly AnalysisType[];
  function(oid: number): AnalysisFunction | undefined;
  functionsNamed(name: string): readonly AnalysisFunction[];
  operator(oid: number): AnalysisOperator | undefined;
  operatorsNamed(name: string): readonly AnalysisOperator[];
  cast(source: number, target: number): AnalysisCast | undefined;
  relation(oid: number): AnalysisRelation | undefined;
  relationsNamed(name: string): readonly AnalysisRelation[];
  /** Direct parents by inheritance or partitioning. */
  parentsOf(relation: number): readonly number[];
  /** Ranges over a type (of `rngsubtype`), and the like: by the OID of the subtype. */
  rangesOf(subtype: number): readonly number[];
  /** The operator classes of an access method (403 btree, 405 hash). */
  operatorClasses(method: 403 | 405): readonly AnalysisOperatorClass[];
  familyOperators(family: number): readonly FamilyOperator[];
  /** Of a family of btree (support function 3). */
  inRangeFunctions(family: number): readonly InRangeFunction[];
  /** Columns of a primary key (attnums), where it is not deferrable: what is grouped by them determines the others. */
  primaryKey(relation: number): readonly number[] | undefined;
}
