import type { Catalog, CatalogFunction, Relation } from '../../catalog/model/model.ts';
import { builtinClass, type FunctionClass } from '../../catalog/system/functions.ts';
import type { FunctionUse, StatementFacts } from '../facts/facts.ts';
import type { NameScope } from './name-scope.ts';

export interface ResolvedFunction {
  readonly schema: string;
  readonly name: string;
  readonly class: FunctionClass;
  /** Every overload is of an extension or of the server's own code, and computes from its arguments alone. */
  readonly trusted?: boolean;
  /** Some overload is compiled code of which nobody knows what it does. */
  readonly opaque?: boolean;
}

/** It is made by users, and may have taken what it gives from anywhere. */
export function isUntrusted(one: ResolvedFunction): boolean {
  return one.class === 'user' && one.trusted !== true;
}

/** Which functions a name may reach, at one place. */
type FunctionNames = Pick<NameScope, 'userFunctions' | 'isBuiltin'>;

/**
 * What a call by this name may reach. PostgreSQL chooses among overloads by argument types, which are not known here, so
 * a name that is both built in and a user's counts as both.
 */
export function resolveFunction(use: FunctionUse, names: FunctionNames): readonly ResolvedFunction[] {
  const name = use.name.at(-1) ?? '';
  const schema = use.name.at(-2);
  if (schema === 'pg_catalog') return [builtin(name)];
  if (schema === 'information_schema') {
    return [{ schema, name, class: name.startsWith('_pg_') ? 'catalog' : 'unsafe' }];
  }
  const users = names.userFunctions(use.name);
  if (schema !== undefined) return users.length > 0 ? distinct(users) : [{ schema, name, class: 'user' }];
  const known = names.isBuiltin(name) || builtinClass(name) !== 'unsafe';
  if (use.notation === 'field') return fieldNotation(name, users, names);
  if (!known) return users.length > 0 ? distinct(users) : [{ schema: 'pg_catalog', name, class: 'unsafe' }];
  // An extension's overloads of a built-in name for its own types, compiled and without side effects, are as harmless.
  return [builtin(name), ...distinct(users.filter((one) => !one.trusted))];
}

/** `(x).f` is a call only if there is such a function; a built-in that is not pure must not come in this way either. */
function fieldNotation(
  name: string,
  users: readonly CatalogFunction[],
  names: FunctionNames,
): ResolvedFunction[] {
  return [...(names.isBuiltin(name) ? [builtin(name)] : []), ...distinct(users)];
}

function builtin(name: string): ResolvedFunction {
  return { schema: 'pg_catalog', name, class: builtinClass(name) };
}

function distinct(functions: readonly CatalogFunction[]): ResolvedFunction[] {
  const names = Map.groupBy(functions, ({ schema, name }) => `${schema}.${name}`);
  return [...names.values()].flatMap(([one, ...more]): ResolvedFunction[] => {
    if (one === undefined) return [];
    const trusted = [one, ...more].every((overload) => overload.trusted);
    const opaque = [one, ...more].some((overload) => !overload.trusted && overload.language === 'c');
    const { schema, name } = one;
    return [{ schema, name, class: schema === 'information_schema' ? 'catalog' : 'user', trusted, opaque }];
  });
}

/** A function known by OID, as rules, triggers and views name them. */
export function resolveOid(oid: number, catalog: Catalog): ResolvedFunction | undefined {
  const known = catalog.functions.get(oid);
  if (known === undefined) return undefined;
  const { schema, name, volatility } = known;
  if (schema === 'pg_catalog') {
    const made = builtin(name);
    return made.class === 'unsafe' && volatility === 'immutable' ? { ...made, class: 'pure' } : made;
  }
  return { schema, name, class: 'user' };
}

/** Whether `alias.column` certainly is a column of what is called so, and no call. */
export function isColumnOf(
  alias: string,
  column: string,
  facts: StatementFacts,
  touched: readonly { readonly relation: Relation | undefined }[],
): boolean {
  const uses = facts.relations.flatMap((use, index) => (use.alias === alias ? [index] : []));
  const derived = facts.derived.filter((one) => one.alias === alias);
  const known = uses.every((index) => touched[index]?.relation?.columns.has(column) === true);
  const given = derived.every(({ columns }) => columns?.includes(column) === true);
  return uses.length + derived.length > 0 && known && given;
}
