import { type Ast, isAst, list, unwrap } from './ast.ts';

/** Kinds of statements that are a query, or may hold one. */
const QUERIES: ReadonlySet<string> = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'ExplainStmt',
  'CopyStmt',
  'CreateTableAsStmt',
  'DeclareCursorStmt',
  'PrepareStmt',
]);

/** Where in the text something stands. What a statement means does not depend on it. */
const PLACES: ReadonlySet<string> = new Set([
  'location',
  'name_location',
  'stmt_location',
  'stmt_len',
  'list_start',
  'list_end',
  'rexpr_list_start',
  'rexpr_list_end',
]);

/** Of one statement, and of all of one text: characters of JSON. What is larger is not kept. */
const MAX_TREE_CHARS = 64 * 1024;
const MAX_TREES_CHARS = 1024 * 1024;
/** What a pair of keys and braces takes at least. */
const CHARS_PER_KEY = 4;

/** A statement as the grammar reads it, as JSON until somebody asks: most are never asked for. */
export class RawTree {
  readonly #json: string;
  #read: WeakRef<Ast> | undefined;

  constructor(json: string) {
    this.#json = json;
  }

  /** UTF-16 units that it holds. */
  get size(): number {
    return this.#json.length;
  }

  /** Whether a node of that kind is anywhere in it. */
  has(kind: string): boolean {
    // Quotes within strings are escaped.
    return this.#json.includes(`"${kind}":`);
  }

  /** `{ SelectStmt: … }`, without places in the text. Read-only; read again only where nobody holds it any more. */
  read(): Ast {
    const known = this.#read?.deref();
    if (known !== undefined) return known;
    const tree = JSON.parse(this.#json) as Ast;
    this.#read = new WeakRef(tree);
    return tree;
  }
}

/**
 * The trees of a text's statements, as JSON for `RawTree`.
 *
 * @param tree What libpg-query's `parse` returns.
 * @returns One entry per statement, in order; null for one that holds no query, or whose tree is too large.
 */
export function rawTrees(tree: unknown): (string | null)[] {
  let left = MAX_TREES_CHARS;
  return list(isAst(tree) ? tree['stmts'] : undefined).map((raw) => {
    const statement = isAst(raw) ? raw['stmt'] : undefined;
    const json = QUERIES.has(unwrap(statement)?.type ?? '') ? shallow(() => written(statement, left)) : null;
    left -= json?.length ?? 0;
    return json;
  });
}

/** What is nested deeper than the stack is not kept. */
function shallow(write: () => string | null): string | null {
  try {
    return write();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function written(statement: unknown, left: number): string | null {
  const most = Math.min(MAX_TREE_CHARS, left);
  let least = 0;
  const json = JSON.stringify(statement, (key, value: unknown) => {
    least += typeof value === 'string' ? value.length + CHARS_PER_KEY : CHARS_PER_KEY;
    // What is over is not written to its end.
    return least > most || PLACES.has(key) ? undefined : value;
  });
  return least > most || json.length > most ? null : json;
}
