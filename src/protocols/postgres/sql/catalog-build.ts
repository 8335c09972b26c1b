import { derivedOf, typePartsOf } from './catalog-derived.ts';
import type { CatalogChanges, CatalogTables } from './catalog-mirror.ts';
import type { Catalog, CatalogFunction, Relation } from './catalog-model.ts';
import {
  castsOf,
  domainsOf,
  extensionFunctions,
  foreignKeysOf,
  functionOf,
  functionsOf,
  inheritance,
  isExtensionFunction,
  multimap,
  operatorsOf,
  policyDependencies,
  rulesOf,
  triggersOf,
  valueTypesOf,
  viewsOf,
  writeDependencies,
} from './catalog-parts.ts';
import { RelationBuilder } from './catalog-relations.ts';
import { TABLE_NAMES, type TableName } from './catalog-tables.ts';
import type { Name } from './facts.ts';

type Functions = ReadonlyMap<number, CatalogFunction>;
type Relations = ReadonlyMap<number, Relation>;

/** Of the gateway's own connection. */
export type CatalogOwner = Pick<Catalog, 'serverVersion' | 'searchPath'>;

/** What the parts are made of. */
const RELATIONS = ['pg_class', 'pg_attribute', 'pg_namespace'] as const;
const FUNCTIONS = ['pg_proc', 'pg_namespace', 'pg_language', 'pg_depend'] as const;
const TYPES = ['pg_type', 'pg_attribute', 'pg_class'] as const;
const DERIVED = ['pg_rewrite', 'pg_depend', 'pg_attrdef', 'pg_constraint', 'pg_type', ...RELATIONS] as const;
const FAMILIES = ['pg_inherits', 'pg_class'] as const;
const WRITES = ['pg_depend', 'pg_attrdef', 'pg_constraint', 'pg_index', 'pg_operator', ...RELATIONS] as const;
const POLICIES = ['pg_depend', 'pg_policy', 'pg_operator'] as const;
const DOMAINS = ['pg_constraint', 'pg_type', 'pg_operator', ...FUNCTIONS] as const;

/**
 * Makes catalogs of one target's tables, one after the other. What has not changed is taken over from the last one;
 * a catalog that was given out never changes.
 */
export class CatalogBuilder {
  readonly #relations = new RelationBuilder();
  #last: Catalog | undefined;

  /**
   * @param tables As they are now; read at once, not kept.
   * @param changes Since the last call; everything at the first.
   * @returns The last catalog itself if nothing has changed.
   * @throws {MirrorGap} The tables do not say all that is needed. The builder is not usable any more.
   */
  build(tables: CatalogTables, changes: CatalogChanges, owner: CatalogOwner): Catalog {
    const last = this.#last;
    const changed = (...names: readonly TableName[]) =>
      names.some((name) => changes[name].gone.length + changes[name].come.length > 0);
    if (last !== undefined && !changed(...TABLE_NAMES) && sameOwner(last, owner)) return last;
    const relations = this.#relations.build(tables, changes);
    const functions = this.#functions(tables, changes);
    const keep = <K extends keyof Catalog>(name: K, from: readonly TableName[], make: () => Catalog[K]) =>
      last === undefined || changed(...from) ? make() : last[name];
    const types = keep('types', TYPES, () => typePartsOf(tables));
    const families = (from: 0 | 1, to: 0 | 1) => () =>
      multimap(inheritance(tables).map((pair) => [pair[from], pair[to]] as const));
    this.#last = {
      ...owner,
      relations,
      functions,
      parents: keep('parents', FAMILIES, families(0, 1)),
      children: keep('children', FAMILIES, families(1, 0)),
      views: keep('views', ['pg_rewrite', ...RELATIONS], () => viewsOf(tables, relations)),
      derived: keep('derived', DERIVED, () => derivedOf(tables, relations, types)),
      types,
      rules: keep('rules', ['pg_rewrite'], () => rulesOf(tables)),
      writeDependencies: keep('writeDependencies', WRITES, () => writeDependencies(tables, relations)),
      policyDependencies: keep('policyDependencies', POLICIES, () => policyDependencies(tables)),
      triggers: keep('triggers', ['pg_trigger'], () => triggersOf(tables)),
      foreignKeys: keep('foreignKeys', ['pg_constraint'], () => foreignKeysOf(tables)),
      operators: keep('operators', ['pg_operator', ...FUNCTIONS], () => operatorsOf(tables, functions)),
      casts: keep('casts', ['pg_cast', 'pg_type', ...FUNCTIONS], () => castsOf(tables, functions)),
      domains: keep('domains', DOMAINS, () => domainsOf(tables, functions)),
      valueTypes: keep('valueTypes', ['pg_type'], () => valueTypesOf(tables)),
      ...relationLookup(relations, owner.searchPath),
      ...(last?.functions === functions ? pick(last) : functionLookups(functions)),
    };
    return this.#last;
  }

  #functions(tables: CatalogTables, changes: CatalogChanges): Functions {
    const last = this.#last?.functions;
    const { pg_proc: procs, pg_namespace: namespaces, pg_language: languages, pg_depend: depends } = changes;
    const others = [namespaces, languages].some(({ gone, come }) => gone.length + come.length > 0);
    const extensions = [...depends.gone, ...depends.come].some(isExtensionFunction);
    if (last === undefined || others || extensions) return functionsOf(tables);
    if (procs.gone.length + procs.come.length === 0) return last;
    const functions = new Map(last);
    const trusted = extensionFunctions(tables);
    for (const { oid } of procs.gone) functions.delete(oid);
    for (const row of procs.come) {
      const made = functionOf(row, tables, trusted);
      if (made !== undefined) functions.set(row.oid, made);
    }
    return functions;
  }
}

function sameOwner(catalog: Catalog, { serverVersion, searchPath }: CatalogOwner): boolean {
  return catalog.serverVersion === serverVersion && catalog.searchPath.join('\0') === searchPath.join('\0');
}

type FunctionLookups = Pick<Catalog, 'userFunctions' | 'isBuiltin'>;

function pick({ userFunctions, isBuiltin }: Catalog): FunctionLookups {
  return { userFunctions, isBuiltin };
}

/** PostgreSQL looks into pg_catalog first, then along the search path. */
function relationLookup(
  relations: Relations,
  searchPath: readonly string[],
): Pick<Catalog, 'lookupRelation'> {
  const key = (schema: string, name: string) => `${schema}\0${name}`;
  const byName = new Map([...relations.values()].map((one) => [key(one.schema, one.name), one]));
  return {
    lookupRelation(schema, name) {
      const schemas = schema === undefined ? ['pg_catalog', ...searchPath] : [schema];
      for (const each of schemas) {
        const found = byName.get(key(each, name));
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

function functionLookups(functions: Functions): FunctionLookups {
  const all = [...functions.values()];
  const user = multimap(
    all.filter((one) => one.schema !== 'pg_catalog').map((one) => [one.name, one] as const),
  );
  const builtin = new Set(all.filter((one) => one.schema === 'pg_catalog').map((one) => one.name));
  return {
    userFunctions(name: Name) {
      const candidates = user.get(name.at(-1) ?? '') ?? [];
      const schema = name.at(-2);
      return schema === undefined ? candidates : candidates.filter((one) => one.schema === schema);
    },
    isBuiltin: (name) => builtin.has(name),
  };
}
