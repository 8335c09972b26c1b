/**
 * What a SQL text says: small, plain values that cross a thread cheaply, beside the tree it was said in, which few read.
 *
 * Facts know nothing of the target's catalog or of policy. `resolve.ts` turns them into pairs and refusals.
 */

import type { NewerSyntax } from './newer-syntax.ts';
import type { RawTree } from './raw-tree.ts';
import type { NamedChanges } from './schema-changes.ts';
import type { QueryShape } from './shape/shape.ts';

/** A name as written after case folding and unquoting: `['pg_catalog', 'lower']`, outermost part first. */
export type Name = readonly string[];

/** What is done to a relation where it is named. */
export type RelationRole =
  | 'read'
  | 'insert'
  | 'update'
  | 'delete'
  | 'merge'
  | 'truncate'
  | 'lock'
  | 'copy-in'
  | 'copy-out'
  | 'create'
  /** It is there, and what is created inherits from it, is a part of it or refers to it. */
  | 'create-from'
  | 'alter'
  | 'drop'
  | 'grant'
  | 'comment'
  | 'maintain';

/** Not in an output item of the statement, and directly in the FROM of its outermost query. */
export const ELSEWHERE = -1;
export const IN_FROM = -2;

export interface RelationUse {
  readonly schema?: string;
  readonly name: string;
  readonly role: RelationRole;
  /** The name by which the rest of the statement speaks of it: its alias, else its own. */
  readonly alias: string;
  /** It is made as a temporary one. */
  readonly temporary?: true;
  /** False after `ONLY`: children are not read. */
  readonly inherits: boolean;
  /** `customers AS c(a, b)`: columns are renamed. */
  readonly renamesColumns: boolean;
  /** A write that the statement's own answer counts: not one of a CTE, nor inside anything else. */
  readonly counted?: boolean;
  /** A foreign key refers to it, by these of its columns; none: by its primary key. */
  readonly keys?: readonly string[];
  /** Column names written or listed: INSERT's and COPY's lists, UPDATE's targets, ALTER's subject. */
  readonly columns?: readonly string[];
}

/** Where the text names a relation that is read. */
export interface ReadPlace {
  /** Index into `relations`. */
  readonly relation: number;
  /** Of the name, octets of UTF-8 from the beginning of the whole text; 0: that is not known. */
  readonly at: number;
  /** An alias is written behind it. */
  readonly aliased: boolean;
}

/** Of one statement; who needs all of them has none where there are as many. */
export const MAX_READ_PLACES = 64;

/** Anything else in FROM that has a name: it has no columns of its own, so masked data is in it only if named inside. */
export interface DerivedAlias {
  readonly alias: string;
  /** A join's alias stands for the joined relations themselves, RETURNING's `old` and `new` for the target. */
  readonly kind: 'query' | 'function' | 'join' | 'target' | 'cte';
  /** A join's alias with a column list: the joined relations' columns get other names. */
  readonly renamesColumns: boolean;
  /** Names that its columns have for certain; it may have others. */
  readonly columns?: readonly string[];
  /** Of joins and targets: indexes into `relations` of what it stands for; −1: something else. */
  readonly over?: readonly number[];
}

export interface FunctionUse {
  readonly name: Name;
  /**
   * `call`: f(x). `field`: (x).f, which PostgreSQL reads as f(x) if there is no such field. `syntax`: grammar that
   * stands for a function, and on an older server is one (`JSON_VALUE(…)`). `sample`: TABLESAMPLE method.
   */
  readonly notation: 'call' | 'field' | 'syntax' | 'sample' | 'procedure';
  /** Where it stands: indexes of the statement's output items, or `IN_FROM`, `ELSEWHERE`. */
  readonly items: readonly number[];
  /**
   * Arguments if all are string, number, boolean or NULL constants, or parameters (undefined); only kept for `set_config`.
   */
  readonly constants?: readonly (string | null | undefined)[];
}

/** A column (or whole row, or star) named in an expression. */
export interface ColumnUse {
  /** `['c', 'email']`; for a star the qualifier only, `[]` for a bare `*`. */
  readonly path: Name;
  readonly star: boolean;
  /**
   * `output`: alone as an item of the statement's own result. `exists`: a star directly in EXISTS, whose list is never
   * evaluated. `excluded`: `SET c = excluded.c`, the caller's own value. `value`: everywhere else.
   */
  readonly place: 'output' | 'exists' | 'excluded' | 'value';
  /** For a bare star: indexes into `relations` of what it spans; −1: something that is no relation. */
  readonly over?: readonly number[];
  /** As `FunctionUse.items`. */
  readonly item: number;
}

/** One item of the statement's own result. */
export interface OutputItem {
  readonly kind: 'column' | 'star' | 'expression';
  readonly path?: Name;
  readonly over?: readonly number[];
  readonly alias?: string;
}

/** The statement's own result list, if it is a plain one (no set operation, not VALUES). */
export interface Output {
  readonly items: readonly OutputItem[];
  readonly distinct: boolean;
  /** Positions (from 1) and bare names in ORDER BY, GROUP BY and DISTINCT ON: both may mean an output item. */
  readonly positions: readonly number[];
  readonly sortNames: readonly string[];
}

/** What UPDATE and DELETE, or MERGE by its ON, say of which rows. */
export interface WhereFact {
  readonly role: 'update' | 'delete';
  readonly hasWhere: boolean;
  /** True for a condition that holds for every row: `true`, `1=1`, `x = x`, `x IS NOT DISTINCT FROM x`. Best effort. */
  readonly tautology: boolean;
}

export interface SettingFact {
  readonly verb: 'set' | 'reset' | 'show';
  /** Lower case; `all` for RESET ALL, SHOW ALL, DISCARD ALL. */
  readonly name: string;
  /** One constant, as text; undefined for DEFAULT, for lists and for RESET. */
  readonly value?: string;
  /** The schemas of a `search_path`, as `SET` lists them. */
  readonly schemas?: readonly string[];
  readonly local: boolean;
}

/** How the rows of a COPY are written; characters are of one octet. */
export interface CopyOptions {
  readonly format: 'text' | 'csv' | 'binary';
  readonly delimiter: string;
  readonly null: string;
  readonly quote: string;
  readonly escape: string;
  /** The first line is names. */
  readonly header: boolean;
}

export interface CopyFact {
  readonly direction: 'in' | 'out';
  readonly target: 'client' | 'file' | 'program';
  /** Index into `relations`; undefined for COPY (query). */
  readonly relation?: number;
  readonly columns?: readonly string[];
  /** Undefined if one of them is not understood. */
  readonly options: CopyOptions | undefined;
}

/** An object that is no relation, named by DDL. */
export interface ObjectFact {
  readonly action: DdlAction;
  /** PostgreSQL's word in lower case: `schema`, `function`, `type`, `role`, `extension`, … */
  readonly kind: string;
  readonly name: Name;
}

export type DdlAction =
  | 'create'
  | 'alter'
  | 'drop'
  | 'grant'
  | 'comment'
  | 'admin'
  | 'replicate'
  | 'maintain';

export type TransactionKind =
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'savepoint'
  | 'release'
  | 'rollback-to'
  | 'prepare'
  | 'commit-prepared'
  | 'rollback-prepared';

/** Behind these a transaction, or a part of one, is over: settings and roles that held within it may be others again. */
export const TRANSACTION_ENDS: ReadonlySet<TransactionKind | undefined> = new Set([
  'commit',
  'rollback',
  'rollback-to',
  'prepare',
  'commit-prepared',
  'rollback-prepared',
]);

export type StatementKind =
  | 'query'
  | 'dml'
  | 'ddl'
  | 'transaction'
  | 'set'
  | 'copy'
  | 'cursor'
  | 'prepared'
  | 'utility';

export interface StatementFacts {
  /** As in CommandComplete: `SELECT`, `INSERT`, `CREATE TABLE`, … */
  readonly tag: string;
  readonly kind: StatementKind;
  /** Octet offsets in the text: where the statement starts, and its length. */
  readonly offset: number;
  readonly length: number;
  /** Why it is not understood with certainty. If set, nothing else may be relied on: refuse. */
  readonly unsupported?: string;
  /** Non-empty for a statement that holds code the gateway does not read: DO, CREATE FUNCTION, CREATE TRIGGER, … */
  readonly opaque?: string;
  /** The newest piece of syntax in it that not all servers know. */
  readonly newer?: NewerSyntax;
  readonly relations: readonly RelationUse[];
  /** Where those that are read stand, once for each time; the first `MAX_READ_PLACES`. */
  readonly readPlaces: readonly ReadPlace[];
  readonly derived: readonly DerivedAlias[];
  readonly functions: readonly FunctionUse[];
  /** Operator names as written, `['=']` or `['evil', '=']`, and those that clauses imply (`=` for IN, GROUP BY …). */
  readonly operators: readonly Name[];
  /** Types cast to or named. */
  readonly types: readonly Name[];
  readonly columns: readonly ColumnUse[];
  readonly output?: Output;
  /** Of a SELECT that reads queries, as far as it is made of what is known. */
  readonly shape?: QueryShape;
  readonly where: readonly WhereFact[];
  /** Names in JOIN … USING, and whether any NATURAL JOIN is there. */
  readonly using: readonly string[];
  readonly natural: boolean;
  /** ON CONFLICT … DO UPDATE: the columns it infers from; `['*']` for a named constraint. */
  readonly upsertColumns: readonly string[];
  /** Creates a relation from a query: CREATE TABLE AS, SELECT INTO, CREATE VIEW, MATERIALIZED VIEW. */
  readonly materializes: boolean;
  readonly explain?: { readonly analyze: boolean; readonly verbose: boolean };
  readonly objects: readonly ObjectFact[];
  /** DROP, TRUNCATE or ALTER TABLE … CASCADE: dependent objects go too. */
  readonly cascade: boolean;
  /** A rename or move: of the column if it is one, else of the relation, to what. */
  readonly renames?: {
    readonly column?: string;
    readonly to?: { readonly schema?: string; readonly name?: string };
  };
  /** Objects that it changes in the catalog, if it says all of them by name. */
  readonly changes?: NamedChanges;
  /** It changes the schema, and leaves all relations, their columns and what these are called as they are. */
  readonly keepsNames?: boolean;
  readonly settings: readonly SettingFact[];
  readonly discards?: 'all' | 'plans' | 'sequences' | 'temp';
  readonly transaction?: TransactionKind;
  readonly prepares?: string;
  readonly executes?: string;
  /** Empty string: DEALLOCATE ALL. */
  readonly deallocates?: string;
  readonly declares?: string;
  readonly holdable?: boolean;
  readonly fetches?: string;
  /** Empty string: CLOSE ALL. */
  readonly closes?: string;
  readonly copy?: CopyFact;
  readonly channel?: { readonly verb: 'listen' | 'unlisten' | 'notify'; readonly name: string };
  readonly call: boolean;
  /** Of what is a query or holds one: how the grammar reads it, if that is not too large. */
  readonly tree?: RawTree;
}

/** A literal or comment in the text that may hold data. Octet offsets into the UTF-8 text, end exclusive. */
export interface LiteralSpan {
  readonly start: number;
  readonly end: number;
  readonly kind: 'string' | 'number' | 'comment';
}

export interface ParsedSql {
  /** Empty for a text without a statement (white space, comments, `;`). */
  readonly statements: readonly StatementFacts[];
  readonly literals: readonly LiteralSpan[];
}
