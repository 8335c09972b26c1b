import { type Ast, bodyOf, isAst, list, strings, text, unwrap } from '../ast.ts';
import { aliasOf, positionOf } from '../extract-expression.ts';
import type { FromShape, Looks, QueryShape, Ref, TargetShape } from './shape.ts';

/** Nodes and nested values of one statement; larger ones have no shape. */
const MAX_VALUES = 100_000;
const MAX_DEPTH = 1_500;

/**
 * The shape of a SELECT, if it is made of parts that are known here.
 *
 * @param body Of the `SelectStmt`.
 * @returns Undefined: not known, too large, or nested too deep. Pure.
 */
export function queryShape(body: Ast): QueryShape | undefined {
  try {
    return new ShapeReader().query(body);
  } catch (error) {
    if (error instanceof NoShape) return undefined;
    throw error;
  }
}

class NoShape extends Error {}

class ShapeReader {
  #values = 0;
  #depth = 0;

  query(body: Ast): QueryShape {
    const withClause = isAst(body['withClause']) ? body['withClause'] : {};
    if (body['intoClause'] !== undefined) throw new NoShape();
    const isSet = body['op'] !== 'SETOP_NONE';
    const merges = isSet
      ? !(body['op'] === 'SETOP_UNION' && body['all'] === true)
      : body['distinctClause'] !== undefined;
    const sorts = ['sortClause', 'groupClause', 'distinctClause'].map((name) => body[name]);
    return {
      recursive: withClause['recursive'] === true,
      ctes: list(withClause['ctes']).map((entry) => this.#cte(entry)),
      ...(isSet ? { arms: [this.#arm(body['larg']), this.#arm(body['rarg'])] as const } : {}),
      merges,
      from: list(body['fromClause']).map((entry) => this.#from(entry)),
      targets: this.#targets(body),
      where: this.#looks(
        ['whereClause', 'havingClause', 'windowClause', 'limitOffset', 'limitCount'].map(
          (name) => body[name],
        ),
      ),
      sorts: this.#looks(sorts),
      positions: sorts.flatMap(positionsIn),
    };
  }

  #arm(value: unknown): QueryShape {
    if (!isAst(value)) throw new NoShape();
    return this.#within(() => this.query(value));
  }

  #nested(value: unknown): QueryShape {
    const body = bodyOf(value, 'SelectStmt');
    if (body === undefined) throw new NoShape();
    return this.#within(() => this.query(body));
  }

  #cte(entry: unknown): QueryShape['ctes'][number] {
    const body = bodyOf(entry, 'CommonTableExpr') ?? {};
    if (body['search_clause'] !== undefined || body['cycle_clause'] !== undefined) throw new NoShape();
    return {
      name: text(body['ctename']),
      renames: strings(body['aliascolnames']),
      query: this.#nested(body['ctequery']),
    };
  }

  #targets(body: Ast): TargetShape[] {
    const rows = list(body['valuesLists']).map((row) => list(bodyOf(row, 'List')?.['items']));
    if (rows.length > 0) {
      const width = rows[0]?.length ?? 0;
      return Array.from({ length: width }, (_, index) => ({
        name: `column${index + 1}`,
        looks: this.#looks(rows.map((row) => row[index])),
      }));
    }
    return list(body['targetList']).map((entry) => this.#target(entry));
  }

  #target(entry: unknown): TargetShape {
    const body = bodyOf(entry, 'ResTarget');
    if (body === undefined || body['indirection'] !== undefined) throw new NoShape();
    const name = text(body['name']);
    const reference = bodyOf(body['val'], 'ColumnRef');
    const ref = reference === undefined ? undefined : refOf(reference);
    const own = name !== '' ? name : ref === undefined || ref.star ? undefined : ref.path.at(-1);
    return {
      ...(own === undefined ? {} : { name: own }),
      ...(ref === undefined ? {} : { ref }),
      looks: this.#looks(body['val']),
    };
  }

  #from(entry: unknown): FromShape {
    const node = unwrap(entry);
    if (node === undefined) throw new NoShape();
    return this.#within(() => this.#source(node.type, node.body));
  }

  #source(type: string, body: Ast): FromShape {
    const given = aliasOf(body);
    const alias = text(given['aliasname']);
    const renames = strings(given['colnames']);
    switch (type) {
      case 'RangeVar': {
        const [name, schema] = [text(body['relname']), text(body['schemaname'])];
        const own = schema === '' ? { name } : { schema, name };
        return { kind: 'relation', ...own, alias: alias || name, renames, looks: NOTHING };
      }
      case 'RangeTableSample': {
        const sampled = this.#from(body['relation']);
        if (sampled.kind !== 'relation') throw new NoShape();
        return { ...sampled, looks: this.#looks([body['args'], body['repeatable']]) };
      }
      case 'RangeSubselect': {
        const lateral = body['lateral'] === true;
        return { kind: 'query', alias, renames, lateral, query: this.#nested(body['subquery']) };
      }
      case 'RangeFunction':
      case 'RangeTableFunc':
      case 'JsonTable':
        return { kind: 'function', aliases: [alias, ...calledIn(body)], looks: this.#looks(body) };
      case 'JoinExpr':
        return this.#join(body, alias, renames);
      default:
        throw new NoShape();
    }
  }

  #join(body: Ast, alias: string, renames: readonly string[]): FromShape {
    const using = isAst(body['join_using_alias']) ? text(body['join_using_alias']['aliasname']) : '';
    return {
      kind: 'join',
      left: this.#from(body['larg']),
      right: this.#from(body['rarg']),
      using: strings(body['usingClause']),
      natural: body['isNatural'] === true,
      on: this.#looks(body['quals']),
      ...(alias === '' ? {} : { alias }),
      renames,
      ...(using === '' ? {} : { usingAlias: using }),
    };
  }

  #looks(value: unknown): Looks {
    const looks = { refs: [] as Ref[], queries: [] as QueryShape[] };
    this.#look(value, looks);
    return looks;
  }

  /** Whatever the node: a column or a query is found wherever it stands in it. */
  #look(value: unknown, into: { refs: Ref[]; queries: QueryShape[] }): void {
    if (typeof value !== 'object' || value === null) return;
    this.#within(() => {
      if (Array.isArray(value)) for (const entry of value) this.#look(entry, into);
      else
        for (const [name, field] of Object.entries(value)) {
          if (name === 'ColumnRef' && isAst(field)) into.refs.push(refOf(field));
          else if (name === 'SubLink' && isAst(field) && field['subLinkType'] === 'EXISTS_SUBLINK')
            into.queries.push(withoutStars(this.#nested(field['subselect'])));
          else if (name === 'SelectStmt' && isAst(field)) into.queries.push(this.query(field));
          else this.#look(field, into);
        }
    });
  }

  #within<T>(read: () => T): T {
    if (++this.#values > MAX_VALUES || ++this.#depth > MAX_DEPTH) throw new NoShape();
    const value = read();
    this.#depth--;
    return value;
  }
}

const NOTHING: Looks = { refs: [], queries: [] };

/** In EXISTS they are never evaluated. */
function withoutStars(query: QueryShape): QueryShape {
  return { ...query, targets: query.targets.filter(({ ref }) => ref?.star !== true) };
}

function refOf(body: Ast): Ref {
  const fields = list(body['fields']);
  const path = strings(fields);
  const star = bodyOf(fields.at(-1), 'A_Star') !== undefined;
  if (path.length + (star ? 1 : 0) !== fields.length) throw new NoShape();
  return { path, star };
}

/** Names by which a function in FROM may be spoken of. */
function calledIn(body: Ast): string[] {
  return list(body['functions']).flatMap((entry) => {
    const call = bodyOf(list(bodyOf(entry, 'List')?.['items'])[0], 'FuncCall');
    return strings(call?.['funcname']).slice(-1);
  });
}

/** Also within grouping sets. */
function positionsIn(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(positionsIn);
  const position = positionOf(value);
  if (position !== undefined) return [position];
  const node = unwrap(value);
  if (node?.type === 'SortBy') return positionsIn(node.body['node']);
  if (node?.type === 'GroupingSet') return positionsIn(node.body['content']);
  if (node?.type === 'RowExpr') return positionsIn(node.body['args']);
  if (node?.type === 'List') return positionsIn(node.body['items']);
  return [];
}
