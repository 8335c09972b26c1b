import { once } from '../../../../core/later.ts';
import { SharedMap } from '../../../../core/shared-map.ts';
import type { Name } from '../../sql/facts/facts.ts';
import { RowDecoder } from '../analysis/decode.ts';
import { AnalysisLookups, analysisViews } from '../analysis/view.ts';
import type { CatalogChanges, CatalogTables } from '../mirror/mirror.ts';
import type { CatalogOwner, TableName } from '../mirror/records.ts';
import { TABLE_NAMES } from '../mirror/tables.ts';
import { derivedOf } from './derived.ts';
import {
  anySteers,
  EXPRESSIONS,
  extensionFunctions,
  functionOf,
  functionsOf,
  isExtensionFunction,
} from './functions.ts';
import type { Catalog, CatalogFunction, Relation } from './model.ts';
import {
  assertViewsRead,
  castsOf,
  eventTriggersOf,
  foreignKeysOf,
  hasLoginTriggers,
  inheritance,
  multimap,
  operatorsOf,
  policyDependencies,
  rulesOf,
  statisticsOf,
  triggersOf,
  valueTypesOf,
  viewColumnsOf,
  viewsOf,
  writeDependencies,
} from './parts.ts';
import { nameKey, RelationBuilder, type Relations } from './relations.ts';
import { togetherOf } from './together.ts';
import { typesOf } from './types.ts';

type Functions = SharedMap<number, CatalogFunction>;

/** What the parts are made of. */
const RELATIONS = ['pg_class', 'pg_attribute', 'pg_namespace'] as const;
const FUNCTIONS = ['pg_proc', 'pg_namespace', 'pg_language', 'pg_depend'] as const;
const TYPES = [
  ...(['pg_type', 'pg_amproc', 'pg_amop', 'pg_constraint', 'pg_operator'] as const),
  ...FUNCTIONS,
  ...RELATIONS,
] as const;
const DERIVED = ['pg_rewrite', 'pg_attrdef', ...TYPES] as const;
const FAMILIES = ['pg_inherits', 'pg_class'] as const;
const TOGETHER = [
  ...(['pg_attrdef', 'pg_constraint', 'pg_index', 'pg_trigger', 'pg_policy', 'pg_depend'] as const),
  ...RELATIONS,
] as const;
const WRITES = ['pg_attrdef', 'pg_index', ...TYPES] as const;

/** Parts of a catalog that are made when they are first asked for: many schema changes are followed by none who asks. */
type PartName =
  | 'parents'
  | 'children'
  | 'views'
  | 'viewColumns'
  | 'derived'
  | 'types'
  | 'rules'
  | 'writeDependencies'
  | 'together'
  | 'statistics'
  | 'policyDependencies'
  | 'triggers'
  | 'foreignKeys'
  | 'operators'
  | 'casts'
  | 'eventTriggers'
  | 'loginTriggers'
  | 'valueTypes'
  | 'userFunctions'
  | 'isBuiltin'
  | 'steering'
  | 'schemasOf'
  | 'schemaName'
  | 'mayUse'
  | 'analysis';
type Parts = { readonly [K in PartName]: () => Catalog[K] };

/**
 * Makes catalogs of one target's tables, one after the other. What has not changed is taken over from the last one;
 * a catalog that was given out never changes.
 */
export class CatalogBuilder {
  #relations = new RelationBuilder();
  #last: Catalog | undefined;
  #parts: Parts | undefined;
  #functions: Functions | undefined;
  #decoder = new RowDecoder();

  /** @returns Another one that takes over from the same catalog, and goes on by itself. */
  fork(): CatalogBuilder {
    const fork = new CatalogBuilder();
    fork.#relations = this.#relations.fork();
    fork.#last = this.#last;
    fork.#parts = this.#parts;
    fork.#functions = this.#functions;
    fork.#decoder = this.#decoder;
    return fork;
  }

  /**
   * @param tables As they are now, and for ever: the catalog keeps them.
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
    const functions = this.#functionsNow(tables, changes);
    const schemas = schemaLookups(tables, relations, owner);
    const lookups = once(() => new AnalysisLookups(tables, owner.serverVersion, this.#decoder));
    const analysis = once(() => analysisViews(lookups()));
    const made = this.#partsOf(tables, changed, relations.byOid, functions);
    this.#parts = { ...made, ...schemas, analysis };
    this.#functions = functions;
    this.#last = catalogOf(owner, relations, functions, this.#parts);
    if (changed('pg_rewrite', 'pg_class', 'pg_namespace')) assertViewsRead(tables, relations.byOid);
    return this.#last;
  }

  #partsOf(
    tables: CatalogTables,
    changed: (...names: readonly TableName[]) => boolean,
    relations: ReadonlyMap<number, Relation>,
    functions: Functions,
  ): Omit<Parts, keyof SchemaLookups | 'analysis'> {
    const last = this.#parts;
    const part = <K extends PartName>(name: K, from: readonly TableName[], make: () => Catalog[K]) =>
      last === undefined || changed(...from) ? once(make) : (last[name] as () => Catalog[K]);
    const types = part('types', TYPES, () => typesOf(tables, functions, relations));
    const families = (from: 0 | 1, to: 0 | 1) => () =>
      multimap(inheritance(tables).map((pair) => [pair[from], pair[to]] as const));
    const lookups = once(() => functionLookups(functions));
    const kept = last !== undefined && this.#functions === functions;
    return {
      parents: part('parents', FAMILIES, families(0, 1)),
      children: part('children', FAMILIES, families(1, 0)),
      views: part('views', ['pg_rewrite', ...TYPES], () => viewsOf(tables, relations, types())),
      viewColumns: part('viewColumns', ['pg_rewrite'], () => viewColumnsOf(tables)),
      derived: part('derived', DERIVED, () => derivedOf(tables, relations, types())),
      types,
      rules: part('rules', ['pg_rewrite'], () => rulesOf(tables)),
      writeDependencies: part('writeDependencies', WRITES, () =>
        writeDependencies(tables, relations, types()),
      ),
      together: part('together', TOGETHER, () => togetherOf(tables, relations)),
      statistics: part('statistics', ['pg_statistic_ext', ...TYPES], () =>
        statisticsOf(tables, relations, types()),
      ),
      policyDependencies: part('policyDependencies', ['pg_policy', ...TYPES], () =>
        policyDependencies(tables, relations, types()),
      ),
      triggers: part('triggers', ['pg_trigger', ...TYPES], () => triggersOf(tables, relations, types())),
      eventTriggers: part('eventTriggers', ['pg_event_trigger'], () => eventTriggersOf(tables)),
      loginTriggers: part('loginTriggers', ['pg_event_trigger'], () => hasLoginTriggers(tables)),
      foreignKeys: part('foreignKeys', ['pg_constraint', ...RELATIONS], () =>
        foreignKeysOf(tables, relations),
      ),
      operators: part('operators', ['pg_operator', ...FUNCTIONS], () => operatorsOf(tables, functions)),
      casts: part('casts', ['pg_cast', 'pg_type', ...FUNCTIONS], () => castsOf(tables, functions)),
      valueTypes: part('valueTypes', ['pg_type'], () => valueTypesOf(tables)),
      steering: part('steering', ['pg_rewrite', ...EXPRESSIONS, ...RELATIONS, ...FUNCTIONS], () =>
        anySteers(functions, tables, relations),
      ),
      userFunctions: kept ? last.userFunctions : () => lookups().userFunctions,
      isBuiltin: kept ? last.isBuiltin : () => lookups().isBuiltin,
    };
  }

  #functionsNow(tables: CatalogTables, changes: CatalogChanges): Functions {
    const last = this.#functions;
    const { pg_proc: procs, pg_namespace: namespaces, pg_language: languages, pg_depend: depends } = changes;
    const others = [namespaces, languages].some(({ gone, come }) => gone.length + come.length > 0);
    const extensions = [...depends.gone, ...depends.come].some(isExtensionFunction);
    if (last === undefined || others || extensions) return shared(functionsOf(tables));
    if (procs.gone.length + procs.come.length === 0) return last;
    const trusted = extensionFunctions(tables);
    return last.with((functions) => {
      for (const { oid } of procs.gone) functions.delete(oid);
      for (const row of procs.come) {
        const made = functionOf(row, tables, trusted);
        if (made !== undefined) functions.set(row.oid, made);
      }
    });
  }
}

function shared<V>(map: ReadonlyMap<number, V>): SharedMap<number, V> {
  return SharedMap.empty<number, V>().with((draft) => {
    for (const [key, value] of map) draft.set(key, value);
  });
}

function sameOwner(catalog: Catalog, { serverVersion, role, unusable, definers }: CatalogOwner): boolean {
  const sameRights =
    catalog.role === role &&
    catalog.unusable.join() === unusable.join() &&
    JSON.stringify(catalog.definers) === JSON.stringify(definers);
  return catalog.serverVersion === serverVersion && sameRights;
}

type SchemaLookups = Pick<Parts, 'schemasOf' | 'schemaName' | 'mayUse'>;

function schemaLookups(
  tables: CatalogTables,
  { byName }: Relations,
  { unusable, definers }: CatalogOwner,
): SchemaLookups {
  const all = once(() => [...tables.pg_namespace.values()]);
  const without = (oids: readonly number[]) => {
    const hidden = new Set(oids);
    return new Set(all().flatMap(({ oid, name }) => (hidden.has(oid) ? [] : [name])));
  };
  const usable = once(() => without(unusable));
  const byDefiner = once(() => new Map(definers.map(([role, hidden]) => [role, without(hidden)])));
  return {
    schemasOf: () => (name) =>
      all().flatMap(({ name: schema }) => (byName.has(nameKey({ schema, name })) ? [schema] : [])),
    schemaName: () => (oid) => tables.pg_namespace.get(`${oid}`)?.name,
    mayUse:
      () =>
      (schema, definer = 0) =>
        (definer === 0 ? usable() : byDefiner().get(definer))?.has(schema) === true,
  };
}

function catalogOf(owner: CatalogOwner, relations: Relations, functions: Functions, parts: Parts): Catalog {
  const catalog = {
    ...owner,
    relations: relations.byOid,
    functions,
    lookupRelation: (schema: string, name: string) => relations.byName.get(nameKey({ schema, name })),
  };
  const lazy = Object.entries<() => unknown>(parts).map(([name, get]) => [name, { get, enumerable: true }]);
  return Object.defineProperties(catalog, Object.fromEntries(lazy)) as unknown as Catalog;
}

type FunctionLookups = Pick<Catalog, 'userFunctions' | 'isBuiltin'>;

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
