import type { Ast } from '../facts/ast.ts';
import type { AnalysisCatalog } from './catalog.ts';
import type { CteInScope, Scope } from './scope/scope.ts';
import type { Expr, Query } from './tree.ts';
import type { Casts } from './typing/casts.ts';
import type { Operators } from './typing/operators.ts';
import type { Parameters } from './typing/parameters.ts';
import type { Types } from './typing/types.ts';

/** How a query within another is analysed. */
export interface SubqueryOptions {
  readonly resolvesUnknowns?: boolean;
  readonly ofCte?: CteInScope;
}

/** What is called, and how, beside its arguments. */
export interface Call {
  readonly name: readonly string[];
  readonly args: readonly Expr[];
  /** Of a call in so many words its `FuncCall`; undefined: `row.name`. */
  readonly body?: Ast;
}

/** What the parts of one analysis share: each of them needs the others. */
export interface Analysis {
  readonly catalog: AnalysisCatalog;
  readonly types: Types;
  readonly parameters: Parameters;
  readonly casts: Casts;
  readonly operators: Operators;
  /** What became of the subqueries of expressions, by the body of their `SubLink`. */
  readonly sublinks: WeakMap<Ast, Query>;
  /** `transformExpr`, of a node as the parser gives it. */
  expression(scope: Scope, node: unknown): Expr;
  /** `ParseFuncOrColumn`: a call, or a field of a row; undefined: there is nothing of that name. */
  call(scope: Scope, call: Call): Expr | undefined;
  /** `parse_sub_analyze`: a statement that stands within another. */
  subquery(parent: Scope, node: unknown, options?: SubqueryOptions): Query;
}
