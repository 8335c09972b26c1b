import { type Ast, isAst, list, number, text, unwrap } from './ast.ts';
import { cascades, keepsNames, namedChanges } from './extract-changes.ts';
import { DDL_HANDLERS } from './extract-ddl.ts';
import { EXPRESSION_HANDLERS } from './extract-expression.ts';
import { FROM_HANDLERS } from './extract-from.ts';
import { SELECT_HANDLERS } from './extract-select.ts';
import { note, UTILITY_HANDLERS } from './extract-utility.ts';
import { WRITE_HANDLERS } from './extract-write.ts';
import { ELSEWHERE, type StatementFacts } from './facts.ts';
import type { NewerSyntax } from './newer-syntax.ts';
import { type Handler, type Place, Walk } from './walk.ts';

const HANDLERS: ReadonlyMap<string, Handler> = new Map(
  Object.entries({
    ...EXPRESSION_HANDLERS,
    ...DDL_HANDLERS,
    ...UTILITY_HANDLERS,
    ...FROM_HANDLERS,
    ...SELECT_HANDLERS,
    ...WRITE_HANDLERS,
  }),
);

const QUERY_TAGS: Readonly<Record<string, readonly [string, 'query' | 'dml']>> = {
  SelectStmt: ['SELECT', 'query'],
  InsertStmt: ['INSERT', 'dml'],
  UpdateStmt: ['UPDATE', 'dml'],
  DeleteStmt: ['DELETE', 'dml'],
  MergeStmt: ['MERGE', 'dml'],
};

/**
 * Reads the facts of every statement out of a raw parse tree.
 *
 * Pure. A node, field or value that the grammar table does not know makes its statement `unsupported`.
 *
 * @param tree What libpg-query's `parse` returns for `sql`.
 * @param sql The text, for the length of the last statement.
 * @param newer What the tree does not show, and only a later major reads so.
 * @returns One entry per statement, in order; empty for a text without one.
 * @throws {FactsLimitError} Nested more than 6,000 nodes deep, or more than 5,000 distinct names of one kind.
 */
export function extractFacts(tree: unknown, sql: string, newer?: NewerSyntax): StatementFacts[] {
  const total = Buffer.byteLength(sql);
  const statements = list(isAst(tree) ? tree['stmts'] : undefined);
  return statements.map((raw) => statement(isAst(raw) ? raw : {}, total, newer));
}

function statement(raw: Ast, total: number, newer: NewerSyntax | undefined): StatementFacts {
  const walk = new Walk(HANDLERS);
  walk.facts.newerSyntax(newer);
  const place: Place = {
    role: 'alter',
    ctes: undefined,
    item: ELSEWHERE,
    level: [],
    top: true,
    source: false,
    exists: false,
  };
  const node = unwrap(raw['stmt']);
  const offset = number(raw['stmt_location']);
  const length = number(raw['stmt_len']) || total - offset;
  if (node === undefined || !HANDLERS.has(node.type)) {
    walk.facts.refuse(`a statement of unknown kind${node === undefined ? '' : ` (${text(node.type)})`}`);
  } else {
    const tag = QUERY_TAGS[node.type];
    if (tag !== undefined) note(walk, tag[0], tag[1]);
    walk.typed(node.type, node.body, place);
    const changes = namedChanges(node.type, node.body);
    if (changes !== undefined) walk.facts.single.changes = changes;
    if (keepsNames(node.type, node.body)) walk.facts.single.keepsNames = true;
    if (cascades(node.type, node.body)) walk.facts.cascade = true;
    if (walk.facts.tag === '') walk.facts.refuse(`a statement of unknown kind (${node.type})`);
  }
  return walk.facts.build(offset, length);
}
