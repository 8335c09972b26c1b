/**
 * The analysed tree: what PostgreSQL's parse analysis makes of a statement, as far as it says which relation, column,
 * function, operator, cast and type each piece is. Names of nodes are PostgreSQL's own (primnodes.h, parsenodes.h);
 * what only matters to the planner or for messages is left out.
 *
 * Numbers of range table entries, columns, levels and parameters are those that the server gives, so that two trees of
 * one statement can be compared node by node.
 */

/** What every expression has. */
interface Typed {
  readonly type: number;
  /** `atttypmod` of what it gives; -1: none. */
  readonly modifier: number;
}

export interface Var extends Typed {
  readonly kind: 'Var';
  /** Range table entry, from 1. */
  readonly entry: number;
  /** From 1; 0: the whole row; below 0: a column of the system. */
  readonly attribute: number;
  /** Queries outward. */
  readonly levelsUp: number;
}
export interface Const extends Typed {
  readonly kind: 'Const';
  /** Text as written, of a literal that has not been read as a value of its type; null: NULL; undefined: not kept. */
  readonly value: string | null | undefined;
}
export interface Param extends Typed {
  readonly kind: 'Param';
  /** `ParamKind`: a parameter, a column of the sublink around it, a column of `UPDATE … SET (…) = (SELECT …)`. */
  readonly source: 'external' | 'sublink' | 'multiexpr';
  /** `$1` is 1. Of a sublink its column. */
  readonly number: number;
  /** Which of several, of `multiexpr`. */
  readonly multi?: number;
}
export interface Aggref extends Typed {
  readonly kind: 'Aggref';
  readonly function: number;
  readonly direct: readonly Expr[];
  readonly args: readonly TargetEntry[];
  readonly order: readonly SortGroup[];
  readonly distinct: readonly SortGroup[];
  readonly filter: Expr | undefined;
  readonly levelsUp: number;
}
export interface GroupingFunc extends Typed {
  readonly kind: 'GroupingFunc';
  readonly args: readonly Expr[];
  readonly levelsUp: number;
}
export interface WindowFunc extends Typed {
  readonly kind: 'WindowFunc';
  readonly function: number;
  readonly args: readonly Expr[];
  readonly filter: Expr | undefined;
  /** Of `windows`, from 1. */
  readonly window: number;
}
/** `MERGE_ACTION()` */
interface MergeSupportFunc extends Typed {
  readonly kind: 'MergeSupportFunc';
}
export interface SubscriptingRef extends Typed {
  readonly kind: 'SubscriptingRef';
  readonly container: number;
  readonly upper: readonly (Expr | undefined)[];
  readonly lower: readonly (Expr | undefined)[];
  readonly base: Expr | undefined;
  readonly assigned: Expr | undefined;
}
export interface FuncExpr extends Typed {
  readonly kind: 'FuncExpr';
  readonly function: number;
  readonly returnsSet: boolean;
  readonly args: readonly Expr[];
  /** `CoercionForm`: written as a call, as a cast, or not written at all. */
  readonly form: CoercionForm;
}
interface NamedArg extends Typed {
  readonly kind: 'NamedArgExpr';
  readonly arg: Expr;
  /** From 0. */
  readonly position: number;
}
export type CoercionForm = 'call' | 'cast' | 'implicit' | 'syntax';
export interface OpExpr extends Typed {
  readonly kind: 'OpExpr' | 'DistinctExpr' | 'NullIfExpr';
  readonly operator: number;
  readonly function: number;
  readonly returnsSet: boolean;
  readonly args: readonly Expr[];
}
export interface ScalarArrayOpExpr extends Typed {
  readonly kind: 'ScalarArrayOpExpr';
  readonly operator: number;
  readonly function: number;
  readonly any: boolean;
  readonly args: readonly [Expr, Expr];
}
export interface BoolExpr extends Typed {
  readonly kind: 'BoolExpr';
  readonly word: 'and' | 'or' | 'not';
  readonly args: readonly Expr[];
}
export interface SubLink extends Typed {
  readonly kind: 'SubLink';
  readonly link: 'exists' | 'all' | 'any' | 'rowcompare' | 'expr' | 'multiexpr' | 'array';
  readonly test: Expr | undefined;
  readonly query: Query;
}
interface FieldSelect extends Typed {
  readonly kind: 'FieldSelect';
  readonly arg: Expr;
  readonly field: number;
}
interface FieldStore extends Typed {
  readonly kind: 'FieldStore';
  readonly arg: Expr | undefined;
  readonly fields: readonly number[];
  readonly values: readonly Expr[];
}
/** A cast that calls nothing by itself: `RelabelType`, `CoerceViaIO`, `ConvertRowtypeExpr`, `CoerceToDomain`. */
export interface Relabel extends Typed {
  readonly kind: 'RelabelType' | 'CoerceViaIO' | 'ConvertRowtypeExpr' | 'CoerceToDomain';
  readonly arg: Expr;
  readonly form: CoercionForm;
}
interface ArrayCoerce extends Typed {
  readonly kind: 'ArrayCoerceExpr';
  readonly arg: Expr;
  /** Of an element, over a `CaseTestExpr`. */
  readonly element: Expr;
  readonly form: CoercionForm;
}
interface Collate extends Typed {
  readonly kind: 'CollateExpr';
  readonly arg: Expr;
}
export interface Case extends Typed {
  readonly kind: 'CaseExpr';
  readonly arg: Expr | undefined;
  readonly whens: readonly { readonly condition: Expr; readonly result: Expr }[];
  readonly otherwise: Expr | undefined;
}
/** A stand-in for a value given elsewhere. */
interface Placeholder extends Typed {
  readonly kind: 'CaseTestExpr' | 'CoerceToDomainValue' | 'SetToDefault';
}
export interface ArrayExpr extends Typed {
  readonly kind: 'ArrayExpr';
  readonly element: number;
  readonly items: readonly Expr[];
}
export interface Row extends Typed {
  readonly kind: 'RowExpr';
  readonly args: readonly Expr[];
  /** Of its fields; none of a row of a type that has a name. */
  readonly names: readonly string[];
}
export interface RowCompare extends Typed {
  readonly kind: 'RowCompareExpr';
  readonly operators: readonly number[];
  readonly left: readonly Expr[];
  readonly right: readonly Expr[];
}
/** COALESCE, GREATEST, LEAST. */
export interface Choice extends Typed {
  readonly kind: 'CoalesceExpr' | 'MinMaxExpr';
  readonly args: readonly Expr[];
}
/** CURRENT_DATE and its like. */
export interface SqlValue extends Typed {
  readonly kind: 'SQLValueFunction';
  /** `SQLValueFunctionOp`, from `SVFOP_CURRENT_DATE`, 0. */
  readonly word: number;
}
export interface Xml extends Typed {
  readonly kind: 'XmlExpr';
  readonly args: readonly Expr[];
  readonly named: readonly Expr[];
}
interface Test extends Typed {
  readonly kind: 'NullTest' | 'BooleanTest';
  readonly arg: Expr;
}
interface CurrentOf extends Typed {
  readonly kind: 'CurrentOfExpr';
}
interface NextValue extends Typed {
  readonly kind: 'NextValueExpr';
}
/** SQL/JSON (16 and newer): constructors, predicates, query functions, and what they are made of. */
export interface Json extends Typed {
  readonly kind: 'JsonConstructorExpr' | 'JsonIsPredicate' | 'JsonExpr' | 'JsonValueExpr';
  readonly args: readonly (Expr | undefined)[];
}

export type Expr =
  | Var
  | Const
  | Param
  | Aggref
  | GroupingFunc
  | WindowFunc
  | MergeSupportFunc
  | SubscriptingRef
  | FuncExpr
  | NamedArg
  | OpExpr
  | ScalarArrayOpExpr
  | BoolExpr
  | SubLink
  | FieldSelect
  | FieldStore
  | Relabel
  | ArrayCoerce
  | Collate
  | Case
  | Placeholder
  | ArrayExpr
  | Row
  | RowCompare
  | Choice
  | SqlValue
  | Xml
  | Test
  | CurrentOf
  | NextValue
  | Json;

export interface TargetEntry {
  readonly expr: Expr;
  /** From 1; of INSERT and UPDATE the column's number in its table. */
  readonly number: number;
  readonly name: string | undefined;
  readonly junk: boolean;
  /** What `SortGroup.ref` names; 0: nothing. */
  readonly ref: number;
}

export interface SortGroup {
  readonly ref: number;
  readonly equals: number;
  /** 0 where it is only grouped by hashing. */
  readonly sorts: number;
}

export interface RangeColumn extends Typed {
  readonly name: string;
}

interface Entry {
  readonly alias: string;
  /** What it gives, as names find it; of a relation by attribute number, `undefined` where one was dropped. */
  readonly columns: readonly (RangeColumn | undefined)[];
  readonly lateral: boolean;
}
export type RangeEntry = Entry &
  (
    | { readonly kind: 'relation'; readonly relation: number; readonly sample?: Sample }
    | { readonly kind: 'subquery'; readonly query: Query }
    | { readonly kind: 'join'; readonly merged: number; readonly aliasVars: readonly Expr[] }
    | { readonly kind: 'function'; readonly functions: readonly Expr[]; readonly ordinality: boolean }
    | { readonly kind: 'tablefunc'; readonly exprs: readonly (Expr | undefined)[] }
    | { readonly kind: 'values'; readonly rows: readonly (readonly Expr[])[] }
    | {
        readonly kind: 'cte';
        readonly cte: string;
        readonly levelsUp: number;
        readonly selfReference: boolean;
      }
    | { readonly kind: 'namedtuplestore' | 'result' }
  );

export interface Sample {
  readonly function: number;
  readonly args: readonly Expr[];
  readonly repeatable: Expr | undefined;
}

export type JoinNode =
  | { readonly kind: 'RangeTblRef'; readonly entry: number }
  | {
      readonly kind: 'JoinExpr';
      readonly entry: number;
      readonly left: JoinNode;
      readonly right: JoinNode;
      readonly quals: Expr | undefined;
    };

export interface Cte {
  readonly name: string;
  readonly recursive: boolean;
  readonly query: Query;
  readonly columns: readonly RangeColumn[];
}

export interface Window {
  readonly partition: readonly SortGroup[];
  readonly order: readonly SortGroup[];
  readonly start: Expr | undefined;
  readonly end: Expr | undefined;
  /** Functions of `RANGE` with an offset; 0: none. */
  readonly startInRange: number;
  readonly endInRange: number;
}

export type SetOperation =
  | { readonly kind: 'RangeTblRef'; readonly entry: number }
  | {
      readonly kind: 'SetOperationStmt';
      readonly operation: 'union' | 'intersect' | 'except';
      readonly all: boolean;
      readonly left: SetOperation;
      readonly right: SetOperation;
      readonly columns: readonly Typed[];
      readonly groups: readonly SortGroup[];
    };

export interface OnConflict {
  readonly action: 'nothing' | 'update' | 'select';
  /** Range table entry of the row that was to be inserted; 0: it cannot be named. */
  readonly excluded: number;
  readonly inferred: readonly Expr[];
  readonly inferredWhere: Expr | undefined;
  readonly set: readonly TargetEntry[];
  readonly where: Expr | undefined;
}

export interface MergeAction {
  readonly command: 'insert' | 'update' | 'delete' | 'nothing';
  readonly condition: Expr | undefined;
  readonly targets: readonly TargetEntry[];
}

export interface Query {
  readonly command: 'select' | 'insert' | 'update' | 'delete' | 'merge';
  /** Range table entry that is changed; 0: none. */
  readonly target: number;
  readonly entries: readonly RangeEntry[];
  readonly ctes: readonly Cte[];
  readonly from: readonly JoinNode[];
  readonly where: Expr | undefined;
  readonly targets: readonly TargetEntry[];
  readonly returning: readonly TargetEntry[];
  readonly group: readonly SortGroup[];
  /** Grouping sets are there. */
  readonly groupingSets: boolean;
  readonly having: Expr | undefined;
  readonly windows: readonly Window[];
  readonly distinct: readonly SortGroup[];
  readonly sort: readonly SortGroup[];
  readonly offset: Expr | undefined;
  readonly limit: Expr | undefined;
  readonly set: SetOperation | undefined;
  readonly onConflict: OnConflict | undefined;
  readonly merge: readonly MergeAction[];
  /** Before 17 the server keeps it as `where`. */
  readonly mergeCondition: Expr | undefined;
}
