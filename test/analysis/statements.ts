import { parseSync, scanSync } from 'libpg-query';
import { type Ast, isAst } from '../../src/protocols/postgres/sql/facts/ast.ts';
import { readsOtherwise } from '../../src/protocols/postgres/sql/parse/keywords.ts';
import { readAs } from '../../src/protocols/postgres/sql/parse/reading.ts';

/** Statements whose analysis is compared: those that the server prints as queries. */
const COMPARED: ReadonlySet<string> = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
]);
/** Statements that hold one which is analysed as if it stood alone; of some majors only the outer one is printed. */
const HOLDERS: ReadonlySet<string> = new Set([
  'ExplainStmt',
  'CreateTableAsStmt',
  'ViewStmt',
  'DeclareCursorStmt',
  'PrepareStmt',
  'CopyStmt',
]);
const BEGINS_QUERY: ReadonlySet<string> = new Set([
  ...['select', 'with', 'values', 'table'],
  ...['insert', 'update', 'delete', 'merge'],
]);
/** What may stand behind a query. */
const BEHIND = /\sWITH\s+((CASCADED\s+|LOCAL\s+)?CHECK\s+OPTION|(NO\s+)?DATA)\s*$/i;
/** Queries are not looked for in longer ones. */
const MAX_CHARS = 20_000;

export interface Comparable {
  readonly sql: string;
  /** As the parser gives it. */
  readonly statement: Ast;
}

/**
 * What of a text is compared: the only statement in it, or the one in that.
 *
 * @returns `undefined` where there is none: the text is several statements, another kind of statement, or none.
 */
export function comparable(sql: string, major: number): Comparable | undefined {
  const statement = onlyStatement(sql, major);
  if (statement === undefined) return undefined;
  if (has(COMPARED, statement)) return makesTable(statement) ? undefined : { sql, statement };
  return has(HOLDERS, statement) && sql.length < MAX_CHARS ? held(sql.replace(BEHIND, ''), major) : undefined;
}

/** The text of a query at the end of another statement, perhaps in brackets. */
function held(sql: string, major: number): Comparable | undefined {
  const octets = Buffer.from(sql);
  for (const { start, text } of scanned(sql)) {
    if (!BEGINS_QUERY.has(text.toLowerCase())) continue;
    for (const end of [octets.length, ...closesBehind(sql, start)]) {
      const inner = octets.toString('utf8', start, end);
      const statement = onlyStatement(inner, major);
      if (statement !== undefined && has(COMPARED, statement) && !makesTable(statement))
        return { sql: inner, statement };
    }
  }
  return undefined;
}

/** Where the bracket is closed that a query stands in: of COPY it goes on behind it. */
function closesBehind(sql: string, start: number): number[] {
  let depth = 0;
  for (const token of scanned(sql)) {
    if (token.start < start) continue;
    if (token.text === '(') depth++;
    if (token.text === ')' && depth-- === 0) return [token.start];
  }
  return [];
}

function scanned(sql: string): { readonly start: number; readonly text: string }[] {
  try {
    return scanSync(sql).tokens;
  } catch {
    return [];
  }
}

function onlyStatement(sql: string, major: number): Ast | undefined {
  try {
    const read = readsOtherwise(sql, major) ? readAs(sql, major).text : sql;
    const { stmts = [] } = parseSync(read) as { stmts?: { stmt: Ast }[] };
    return stmts.length === 1 ? stmts[0]?.stmt : undefined;
  } catch {
    return undefined;
  }
}

function has(types: ReadonlySet<string>, statement: Ast): boolean {
  return Object.keys(statement).every((type) => types.has(type));
}

/** `SELECT … INTO` is a utility statement to the server. */
function makesTable(statement: Ast): boolean {
  const select = statement['SelectStmt'];
  if (!isAst(select)) return false;
  if (select['intoClause'] !== undefined) return true;
  return isAst(select['larg']) && makesTable({ SelectStmt: select['larg'] });
}
