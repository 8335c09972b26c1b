import { type Ast, bodyOf, isAst, list, strings, text } from './ast.ts';
import { aliasOf } from './extract-expression.ts';
import { IN_FROM, type RelationRole } from './facts.ts';
import { newerSyntax } from './newer-syntax.ts';
import { outputNames, renamed } from './output-names.ts';
import { cteNamed, type Handler, NO_RELATION, nested, type Place, type Walk } from './walk.ts';

/** What stands in FROM: relations, joins, subqueries, functions; and where a query's rows go. */
export const FROM_HANDLERS: Readonly<Record<string, Handler>> = {
  RangeVar: (walk, body, place) => rangeVar(walk, body, place),
  JoinExpr: (walk, body, place) => join(walk, body, place),
  RangeSubselect: (walk, body, place) => {
    if (body['alias'] === undefined) walk.facts.newerSyntax(newerSyntax('RangeSubselect without alias'));
    const alias = aliasOf(body);
    const columns = outputNames(body['subquery'], strings(alias['colnames']));
    walk.facts.derived(text(alias['aliasname']), 'query', { columns });
    place.level.push(NO_RELATION);
    walk.fields('RangeSubselect', body, place, { subquery: (value) => walk.visit(value, nested(place)) });
  },
  RangeFunction: (walk, body, place) => {
    const alias = text(aliasOf(body)['aliasname']);
    if (alias !== '') walk.facts.derived(alias, 'function');
    for (const name of functionNames(body)) walk.facts.derived(name, 'function');
    place.level.push(NO_RELATION);
    walk.fields('RangeFunction', body, place.source ? { ...place, item: IN_FROM } : place);
  },
  RangeTableFunc: (walk, body, place) => {
    walk.facts.derived(text(aliasOf(body)['aliasname']), 'function');
    place.level.push(NO_RELATION);
    walk.fields('RangeTableFunc', body, place);
  },
  RangeTableSample: (walk, body, place) => {
    walk.facts.function(strings(body['method']), 'sample', place.item);
    walk.fields('RangeTableSample', body, place);
  },
  IntoClause: (walk, body, place) => {
    walk.facts.materializes = true;
    walk.fields('IntoClause', body, { ...place, role: 'create', ctes: undefined });
  },
};

function rangeVar(walk: Walk, body: Ast, place: Place): void {
  const name = text(body['relname']);
  const given = aliasOf(body);
  const alias = text(given['aliasname']) || name;
  const bare = place.role === 'read' && text(body['schemaname']) === '';
  const cte = bare ? cteNamed(place.ctes, name) : undefined;
  if (cte !== undefined) {
    walk.facts.derived(alias, 'cte', { columns: renamed(cte.columns, strings(given['colnames'])) });
    place.level.push(NO_RELATION);
  } else {
    const index = relation(walk, body, place.role);
    const at = typeof body['location'] === 'number' ? body['location'] : 0;
    if (place.role === 'read')
      walk.facts.readAt({ relation: index, at, aliased: body['alias'] !== undefined });
    place.level.push(index);
  }
  walk.fields('RangeVar', body, place);
}

/** What is said of it besides, as in `RelationUse`. */
interface RelationSaid {
  readonly columns?: readonly string[] | undefined;
  readonly keys?: readonly string[];
  readonly counted?: boolean;
}

/** Notes a relation in a role; gives its index in the facts. */
export function relation(
  walk: Walk,
  body: Ast,
  role: RelationRole,
  { columns, keys, counted = false }: RelationSaid = {},
): number {
  const name = text(body['relname']);
  const schema = text(body['schemaname']);
  const alias = aliasOf(body);
  return walk.facts.relation({
    ...(schema === '' ? {} : { schema }),
    name,
    role,
    alias: text(alias['aliasname']) || name,
    ...(body['relpersistence'] === 't' ? { temporary: true } : {}),
    inherits: body['inh'] === true,
    renamesColumns: list(alias['colnames']).length > 0,
    ...(columns === undefined ? {} : { columns }),
    ...(keys === undefined ? {} : { keys }),
    ...(counted ? { counted } : {}),
  });
}

function join(walk: Walk, body: Ast, place: Place): void {
  if (body['isNatural'] === true) walk.facts.natural = true;
  for (const name of strings(body['usingClause'])) walk.facts.using(name);
  const merges = body['isNatural'] === true || body['usingClause'] !== undefined;
  if (merges) walk.facts.operator(['=']);
  const first = place.level.length;
  walk.fields('JoinExpr', body, place);
  const over = place.level.slice(first);
  if (merges) place.level.push(NO_RELATION);
  const alias = aliasOf(body);
  if (body['alias'] !== undefined) {
    const renamesColumns = list(alias['colnames']).length > 0;
    walk.facts.derived(text(alias['aliasname']), 'join', { renamesColumns, over });
  }
  const using = body['join_using_alias'];
  const columns = strings(body['usingClause']);
  if (isAst(using)) walk.facts.derived(text(using['aliasname']), 'join', { columns, over: [] });
}

function functionNames(body: Ast): string[] {
  return list(body['functions']).flatMap((entry) => {
    const call = bodyOf(list(bodyOf(entry, 'List')?.['items'])[0], 'FuncCall');
    return strings(call?.['funcname']).slice(-1);
  });
}
