import { type Ast, list, unwrap } from '../facts/ast.ts';
import type { Analysis, Call, SubqueryOptions } from './analysis.ts';
import { call } from './calls/calls.ts';
import type { AnalysisCatalog } from './catalog.ts';
import { expression } from './expressions/expressions.ts';
import { isWholeRow } from './make.ts';
import { mergeStatement } from './queries/merge.ts';
import { selectStatement } from './queries/select.ts';
import { deleteStatement, insertStatement, updateStatement } from './queries/writes.ts';
import { Scope, varsOf } from './scope/scope.ts';
import type { Expr, Query } from './tree.ts';
import { Casts } from './typing/casts.ts';
import { Operators } from './typing/operators.ts';
import { type ParameterNames, Parameters } from './typing/parameters.ts';
import { namedType } from './typing/type-names.ts';
import { Types } from './typing/types.ts';
import { Uncertain } from './uncertain.ts';

export { Uncertain } from './uncertain.ts';

/** Queries within queries, and expressions within expressions: deeper ones are not analysed. */
const MAX_DEPTH = 500;

/**
 * What PostgreSQL's parse analysis makes of a statement that it accepts.
 *
 * Nothing is checked that the server checks by itself: of a statement that it refuses the answer says nothing.
 *
 * @param statement As the parser gives it, `{ SelectStmt: … }`.
 * @param parameters Types that a Parse message gives its parameters, 0 for those that it leaves open.
 * @param names Of the function in SQL whose text it is part of.
 * @returns The query; of a utility statement that holds one (EXPLAIN, COPY, CREATE TABLE AS, DECLARE, PREPARE) that.
 * @throws {Uncertain} Pure.
 * @see https://www.postgresql.org/docs/current/typeconv.html and PostgreSQL, src/backend/parser/analyze.c
 */
export function analyse(
  statement: unknown,
  catalog: AnalysisCatalog,
  parameters: readonly number[] = [],
  names?: ParameterNames,
): Query {
  const given = unwrap(statement);
  if (given?.type === 'PrepareStmt') {
    const types = new Types(catalog);
    const named = list(given.body['argtypes']).map((one) => namedType(types, unwrap(one)?.body ?? {}).type);
    return analyse(given.body['query'], catalog, named);
  }
  if (given !== undefined && HOLDS_QUERY.has(given.type))
    return analyse(given.body['query'], catalog, parameters);
  try {
    return new Run(catalog, new Parameters(parameters, names)).statement(new Scope(), statement);
  } catch (error) {
    // The stack is used up.
    if (error instanceof RangeError) throw new Uncertain('nesting that is too deep');
    throw error;
  }
}

const HOLDS_QUERY: ReadonlySet<string> = new Set([
  'ExplainStmt',
  'CopyStmt',
  'CreateTableAsStmt',
  'DeclareCursorStmt',
]);

type Read = (analysis: Analysis, scope: Scope, body: Ast) => Query;

const STATEMENTS: Readonly<Record<string, Read>> = {
  SelectStmt: selectStatement,
  InsertStmt: insertStatement,
  UpdateStmt: updateStatement,
  DeleteStmt: deleteStatement,
  MergeStmt: mergeStatement,
};

class Run implements Analysis {
  readonly catalog: AnalysisCatalog;
  readonly types: Types;
  readonly parameters: Parameters;
  readonly casts: Casts;
  readonly operators: Operators;
  readonly sublinks = new WeakMap<Ast, Query>();
  /** The query whose expression is read: where a whole row that is cast finds its columns. */
  #scope: Scope | undefined;
  #depth = 0;

  constructor(catalog: AnalysisCatalog, parameters: Parameters) {
    this.catalog = catalog;
    this.types = new Types(catalog);
    this.parameters = parameters;
    this.casts = new Casts(this.types, this.parameters, (row) => this.#fieldsOfRow(row));
    this.operators = new Operators(this.types, this.casts);
  }

  statement(scope: Scope, node: unknown): Query {
    const given = unwrap(node);
    const read = given === undefined ? undefined : STATEMENTS[given.type];
    if (given === undefined || read === undefined)
      throw new Uncertain(`a statement of kind ${given?.type ?? 'none'}`);
    return this.#within(scope, () => read(this, scope, given.body));
  }

  subquery(parent: Scope, node: unknown, { resolvesUnknowns = true, ofCte }: SubqueryOptions = {}): Query {
    const scope = new Scope(parent, ofCte);
    scope.resolvesUnknowns = resolvesUnknowns;
    return this.statement(scope, node);
  }

  expression(scope: Scope, node: unknown): Expr {
    scope.spend(1);
    return this.#within(scope, () => expression(this, scope, node));
  }

  call(scope: Scope, one: Call): Expr | undefined {
    return call(this, scope, one);
  }

  #within<T>(scope: Scope, read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new Uncertain('nesting that is too deep');
    const before = this.#scope;
    this.#scope = scope;
    const made = read();
    this.#scope = before;
    this.#depth--;
    return made;
  }

  #fieldsOfRow(row: Expr): Expr[] {
    if (this.#scope === undefined || !isWholeRow(row)) throw new Uncertain('a row that is cast');
    return varsOf(this.#scope.itemOf(row.entry, row.levelsUp), row.levelsUp).map(({ expr }) => expr);
  }
}
