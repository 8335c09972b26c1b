import { loadModule, parseSync } from 'libpg-query';
import { beforeAll, expect, test } from 'vitest';
import { ownOperators } from '../../../src/protocols/postgres/catalog/mirror/operators.ts';
import { transactionQuery } from '../../../src/protocols/postgres/catalog/mirror/queries.ts';

type Node = Readonly<Record<string, unknown>>;

/** What the grammar calls by a name of its own: these are the server's, whatever the path. */
const BUILT_IN = ['AEXPR_OP', 'AEXPR_OP_ANY', 'AEXPR_OP_ALL'];

beforeAll(loadModule);

const names = (list: unknown) =>
  (list as readonly { readonly String: { readonly sval: string } }[]).map((one) => one.String.sval);

/** What of a tree would be looked up by the path of who asks. */
function lookedUp(tree: unknown): string[] {
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree as Node).flatMap(([kind, value]) => {
    const node = (value ?? {}) as Node;
    const own = byPath(kind, node);
    return [...(own === undefined ? [] : [own]), ...lookedUp(value)];
  });
}

function byPath(kind: string, node: Node): string | undefined {
  const isOwn = (list: unknown) => names(list)[0] === 'pg_catalog' && names(list).length === 2;
  if (kind === 'A_Expr' && !(isOwn(node['name']) && BUILT_IN.includes(String(node['kind']))))
    return `operator ${names(node['name'])}`;
  if (kind === 'FuncCall' && !isOwn(node['funcname'])) return `function ${names(node['funcname'])}`;
  if (kind === 'typeName' && !isOwn(node['names'])) return `type ${names(node['names'])}`;
  if (kind === 'RangeVar' && node['schemaname'] !== 'pg_catalog') return `relation ${node['relname']}`;
  if (kind === 'JoinExpr' && (node['usingClause'] !== undefined || node['isNatural'] === true))
    return 'USING';
  if (kind === 'CaseExpr' && node['arg'] !== undefined) return 'CASE with a value';
  if (kind === 'SubLink' && node['testexpr'] !== undefined) return 'IN (SELECT)';
  return undefined;
}

const parsed = (sql: string) => parseSync(sql) as unknown;

test("nothing that is asked on a session's own connection depends on its path", () => {
  const sql = transactionQuery(`we"i'rd\\`, { since: 700n, settled: () => 3 });
  expect(lookedUp(parsed(sql))).toEqual([]);
  expect(sql.match(/OPERATOR\(pg_catalog/g)?.length).toBeGreaterThan(100);
});

test.each([
  'SELECT 1 = 2',
  'SELECT f(1)',
  'SELECT x::int4',
  'SELECT FROM t',
  'SELECT FROM pg_catalog.a JOIN pg_catalog.b USING (c)',
  'SELECT CASE a WHEN 1 THEN 2 END',
  'SELECT a IN (SELECT 1)',
  'SELECT a IN (1, 2)',
  'SELECT a IS DISTINCT FROM b',
])('what does is found: %s', (sql) => {
  expect(lookedUp(parsed(sql))).toHaveLength(1);
});

test('operators bind as they did', () => {
  const plain = "SELECT a.b <> 'x = y' AND NOT c = ANY ('{a}') OR d ->> 'e' = f";
  const own = ownOperators(plain);
  expect(own).toBe(
    "SELECT a.b OPERATOR(pg_catalog.<>) 'x = y' AND NOT c OPERATOR(pg_catalog.=) ANY ('{a}') OR d OPERATOR(pg_catalog.->>) 'e' OPERATOR(pg_catalog.=) f",
  );
  expect(ownOperators(own)).toBe(own);
});
