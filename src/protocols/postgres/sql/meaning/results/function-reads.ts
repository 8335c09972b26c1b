import type {
  AggregateParts,
  Catalog,
  CatalogFunction,
  FunctionCode,
  Relation,
} from '../../../catalog/model/model.ts';
import { isSensitive } from '../../../catalog/model/sensitive.ts';
import { builtinClass, isDefinition, writesOutRules } from '../../../catalog/system/functions.ts';
import { PG_TEMP, ROWS } from '../../../catalog/system/objects.ts';
import { analyse, Uncertain } from '../../analysis/analyse.ts';
import type { AnalysisCatalog, AnalysisFunction } from '../../analysis/catalog.ts';
import { OID } from '../../analysis/oids.ts';
import type { Query } from '../../analysis/tree.ts';
import type { StatementFacts } from '../../facts/facts.ts';
import { EffectWalk } from '../effects.ts';
import { ColumnTrace } from '../flow/column-trace.ts';
import { TooMuch } from '../flow/query-trace.ts';
import { type ResolvedFunction, resolveOid } from '../functions.ts';
import type { SearchPath } from '../name-scope.ts';
import { schemasOf } from '../search-path.ts';
import { isSafeSetting } from '../settings.ts';
import { exactEffects } from '../types/exact-effects.ts';
import { contentOf, type FunctionCall } from './calls.ts';
import type { FunctionBodies } from './function-bodies.ts';
import { allUsedFields, type UsedFields, usedFields } from './row-parameters.ts';

/** Columns that were touched, as `columnKey` writes them, and `ROWS` of the relations. */
type Touched = ReadonlySet<string>;

/** What the body of a function does. */
interface Reads {
  readonly touched: Touched;
  /** Which fields of rows that are its arguments are touched. */
  readonly parameters: UsedFields;
}

type AnalysisPath = Parameters<Catalog['analysis']>[0];
type StoredBody = ReturnType<NonNullable<FunctionCode['tree']>>;

/** Where a body is read. */
interface Around {
  /** Undefined: it is not known where names are looked up. */
  readonly path: AnalysisPath | undefined;
  /** With whose rights: a role's OID, 0 for the session's own. */
  readonly role: number;
}

const NOTHING: Touched = new Set();
/** Bodies that are analysed for one statement, each in some 20 ms at most; and calls one within the other. */
const MAX_BODIES = 32;
const MAX_DEPTH = 16;

/** It is not certain what a function does. */
class Opaque extends Error {}
/** It would take too long for one statement, and says nothing of the function. */
class Spent extends Error {}

/**
 * Finds out which columns functions in SQL touch, from what they are made of: text by the path that they are read by, trees as the
 * server keeps them, and the functions that these call.
 *
 * Certain it is only of what queries and nothing else, by functions that are such themselves, PostgreSQL's own that compute or look at
 * the catalog, and those of extensions that are trusted; and of aggregates that are carried out by such. Everything else may give anything: other languages, writes, dynamic SQL,
 * operators, casts and checks of users, functions that call themselves. Of one catalog.
 */
export class FunctionReads {
  readonly #catalog: Catalog;
  readonly #bodies: FunctionBodies;
  readonly #known = new Map<string, Reads | undefined>();
  readonly #active = new Set<string>();
  #left = 0;

  constructor(catalog: Catalog, bodies: FunctionBodies) {
    this.#catalog = catalog;
    this.#bodies = bodies;
  }

  /** A statement begins: it may have so many bodies analysed. */
  begin(): void {
    this.#left = MAX_BODIES;
  }

  /**
   * Columns that a call touches, whatever it does with them, beside its arguments.
   *
   * @param session Where the statement itself looks names up.
   * @returns Undefined: it may be any.
   */
  of(call: FunctionCall, session: SearchPath): Touched | undefined {
    return ifCertain(() => this.#call(call, { path: session, role: 0 }, session));
  }

  /**
   * Fields that a call touches of a row that it is given.
   *
   * @param index Which of its arguments, from 0.
   * @param session As for `of`.
   * @returns Undefined: it may be any. Else what the call gives is made of these, and of what `of` tells.
   */
  fieldsOf(call: FunctionCall, index: number, session: SearchPath): ReadonlySet<number> | undefined {
    const fn = this.#catalog.functions.get(call.fn);
    if (fn === undefined || call.kind !== 'function' || this.#alike(fn).length > 0) return undefined;
    const found = ifCertain(() => this.#certain(fn, call, { path: session, role: 0 }, session));
    const fields = found && (found.parameters.get(index + 1) ?? new Set());
    return fields === 'all' ? undefined : fields;
  }

  #call(call: FunctionCall, around: Around, session: SearchPath): Touched {
    const fn = this.#catalog.functions.get(call.fn);
    if (fn === undefined) throw new Opaque();
    if (fn.trusted) return NOTHING;
    if (fn.schema === 'pg_catalog') return this.#builtin(fn, call);
    const alike = this.#alike(fn).map((other) => this.#ofUsers(other, asDeclared(other), around, session));
    return union([this.#ofUsers(fn, call, around, session), ...alike]);
  }

  #ofUsers(fn: CatalogFunction, call: FunctionCall, around: Around, session: SearchPath): Touched {
    if (fn.parts !== undefined) return this.#aggregate(fn.parts, around, session);
    if (call.kind !== 'function') throw new Opaque();
    return this.#certain(fn, call, around, session).touched;
  }

  /** Each of what carries it out is called with what the others give. */
  #aggregate({ functions, types }: AggregateParts, around: Around, session: SearchPath): Touched {
    if (types.some((one) => this.#areUntrusted(this.#catalog.types.functions(one)))) throw new Opaque();
    return union(
      functions.map((oid) => {
        const part = this.#catalog.functions.get(oid);
        if (part === undefined) throw new Opaque();
        return this.#call(asDeclared(part), around, session);
      }),
    );
  }

  /**
   * Those of its name in other schemas: one that is renamed or dropped by a session beside this one may make one of them what the
   * name stands for before the catalog tells.
   */
  #alike({ schema, name }: CatalogFunction): readonly CatalogFunction[] {
    return this.#catalog.userFunctions([name]).filter((other) => other.schema !== schema && !other.trusted);
  }

  #certain(fn: CatalogFunction, call: FunctionCall, around: Around, session: SearchPath): Reads {
    if (fn.code === undefined) throw new Opaque();
    const own = this.#around(fn, around, session);
    const { path } = own;
    const key = [
      call.fn,
      own.role,
      call.type,
      call.args.join(),
      path?.temp,
      ...(path?.schemas ?? ['?']),
    ].join('\0');
    if (!this.#known.has(key)) this.#known.set(key, this.#found(fn, call, own, session, key));
    const known = this.#known.get(key);
    if (known === undefined) throw new Opaque();
    return known;
  }

  #found(
    fn: CatalogFunction,
    call: FunctionCall,
    own: Around,
    session: SearchPath,
    key: string,
  ): Reads | undefined {
    // One that calls itself may go on for ever, and so might we.
    if (this.#active.has(key) || this.#active.size >= MAX_DEPTH) return undefined;
    if (--this.#left < 0) throw new Spent();
    this.#active.add(key);
    try {
      return this.#body(fn, call, own, session);
    } catch (error) {
      if (error instanceof Opaque || error instanceof Uncertain || error instanceof TooMuch) return undefined;
      throw error;
    } finally {
      this.#active.delete(key);
    }
  }

  #builtin({ oid, name }: CatalogFunction, { kind }: FunctionCall): Touched {
    // Operators of PostgreSQL's own only compute.
    if (kind === 'operator' || isHarmless(resolveOid(oid, this.#catalog))) return NOTHING;
    if (kind !== 'other' || builtinClass(name) !== 'unsafe') throw new Opaque();
    return NOTHING;
  }

  /** What its clauses SET and SECURITY DEFINER make of where it is called. */
  #around({ code }: CatalogFunction, around: Around, session: SearchPath): Around {
    const { definer = 0, settings = [] } = code ?? {};
    const role = definer === 0 ? around.role : definer;
    // The schemas that another role may not use are left out of a path that was set before.
    let path = role === around.role ? around.path : undefined;
    for (const setting of settings) {
      const at = setting.indexOf('=');
      const [name, value] = [setting.slice(0, at), setting.slice(at + 1)];
      if (name === 'search_path') path = this.#path(schemasOf(value), role, session);
      else if (!isSafeSetting({ verb: 'set', name, value, local: true }, { searchPaths: [] }))
        throw new Opaque();
    }
    return { path, role };
  }

  /** What the server makes of a list of schemas that a function sets for itself. */
  #path(names: readonly string[] | undefined, role: number, session: SearchPath): AnalysisPath | undefined {
    const isSure = role !== 0 || session.user === this.#catalog.role;
    if (names === undefined || names.includes('$user') || !isSure) return undefined;
    const { temp } = session;
    const written = names.map((name) => (name === PG_TEMP && temp !== undefined ? temp : name));
    const listed = [...new Set(written)].filter((name) => name === temp || this.#catalog.mayUse(name, role));
    const unasked = [temp, 'pg_catalog'].filter((name) => name !== undefined && !listed.includes(name));
    return { schemas: [...(unasked as string[]), ...listed], ...(temp === undefined ? {} : { temp }) };
  }

  #body(fn: CatalogFunction, call: FunctionCall, own: Around, session: SearchPath): Reads {
    const { text, tree } = fn.code ?? {};
    const lookups = this.#catalog.analysis(own.path ?? session);
    const known = lookups.function(fn.oid);
    if (known === undefined) throw new Opaque();
    this.#edges(fn, known, call, lookups);
    if (tree !== undefined) return this.#ofTree(tree(), own, session);
    const statements = typeof text === 'string' ? this.#bodies.of(text) : undefined;
    if (statements === undefined || own.path === undefined) throw new Opaque();
    const [types, names] = [parameterTypes(known, call.args), parameterNames(known)];
    const queries = statements.map((facts) => analyse(this.#treeOf(facts), lookups, types, names));
    const touched = union(queries.map((query) => this.#query(query, lookups, own, session)));
    return { touched, parameters: allUsedFields(queries.map(usedFields)) };
  }

  /** What stands between it and who calls it: defaults of arguments, and the types of what it gives. */
  #edges(
    fn: CatalogFunction,
    known: AnalysisFunction,
    { args, type }: FunctionCall,
    lookups: AnalysisCatalog,
  ): void {
    const left = known.takes.some((_, index) => (args[index] ?? 0) === 0);
    if (left && fn.defaultsCall) throw new Opaque();
    const outs = known.all.filter((_, index) => 'obt'.includes(known.modes.charAt(index) || 'i'));
    const gives = [type, known.returns, ...outs];
    const columns = gives.flatMap((one) => lookups.relation(lookups.type(one)?.relation ?? 0)?.columns ?? []);
    const types = new Set([...gives, ...columns.map((column) => column.type)]);
    const { casts, types: graph } = this.#catalog;
    const checks = [...types].some((one) => this.#areUntrusted(graph.functions(one)));
    if (checks || casts.some(({ target, context }) => context !== 'e' && types.has(target)))
      throw new Opaque();
  }

  #areUntrusted(functions: readonly number[]): boolean {
    return functions.some((oid) => this.#catalog.functions.get(oid)?.trusted !== true);
  }

  #treeOf({ kind, tag, tree, unsupported, newer, explain, copy, materializes }: StatementFacts) {
    const major = Math.floor(this.#catalog.serverVersion / 10_000);
    const isKnown = unsupported === undefined && (newer === undefined || newer.since <= major);
    const isPlain = kind === 'query' && tag === 'SELECT' && explain === undefined && copy === undefined;
    if (tree === undefined || !isKnown || !isPlain || materializes) throw new Opaque();
    return tree.read();
  }

  #query(query: Query, lookups: AnalysisCatalog, own: Around, session: SearchPath): Touched {
    const { queries, calls } = contentOf(query);
    if (queries.some(({ command }) => command !== 'select')) throw new Opaque();
    const within = calls.map((call) => this.#call(call, own, session));
    const named = new Set(calls.flatMap(({ fn }) => lookups.function(fn)?.name ?? []));
    const byTypes = [...exactEffects(query, this.#catalog, lookups, named).keys()];
    if (this.#areUntrusted(byTypes)) throw new Opaque();
    const relations = queries.flatMap(({ entries }) =>
      entries.flatMap((entry) => (entry.kind === 'relation' ? [entry.relation] : [])),
    );
    const trace = new ColumnTrace((oid) => this.#columnsOf(oid), { through: true });
    const outputs = trace.outputs(trace.follow(query));
    return union([...within, ...relations.map((oid) => this.#relation(oid)), ...outputs, trace.looked]);
  }

  #columnsOf(oid: number): ReadonlySet<number> | undefined {
    const columns = this.#catalog.relations.get(oid)?.columns.values();
    return columns && new Set([...columns].map(({ attnum }) => attnum));
  }

  /** Its rows are read: what the server runs for that must be harmless, too. */
  #relation(oid: number): Touched {
    const relation = this.#catalog.relations.get(oid);
    if (relation === undefined) throw new Opaque();
    const rows = new Set<string>();
    const effects = new EffectWalk(this.#catalog, {
      relation: (one) => rows.add(this.#rowsOf(one)),
      columns: () => undefined,
      function: (use) => {
        if (!isHarmless(use)) throw new Opaque();
      },
      rule: () => {
        throw new Opaque();
      },
    });
    effects.read(relation, true);
    return rows;
  }

  #rowsOf(relation: Relation): string {
    if (isSensitive(relation)) throw new Opaque();
    return `${relation.oid}.${ROWS}`;
  }

  #ofTree(body: StoredBody, own: Around, session: SearchPath): Reads {
    if (body === undefined || body.operators.length > 0) throw new Opaque();
    if (body.types.some((oid) => this.#areUntrusted(this.#catalog.types.functions(oid)))) throw new Opaque();
    const others = body.others.map((fn): FunctionCall => ({ fn, args: [], type: 0, kind: 'aggregate' }));
    const called = body.calls.map(([fn, args]): FunctionCall => {
      const { takes = [], returns = 0 } = this.#catalog.analysis(session).function(fn) ?? {};
      return { fn, args: takes.slice(0, args), type: returns, kind: 'function' };
    });
    const columns = body.sources.flatMap(([relation, attribute]) =>
      attribute === 0
        ? [...(this.#columnsOf(relation) ?? [])].map((one) => `${relation}.${one}`)
        : [`${relation}.${attribute}`],
    );
    const touched = union([
      ...[...others, ...called].map((call) => this.#call(call, own, session)),
      ...body.relations.map((oid) => this.#relation(oid)),
      new Set(columns),
    ]);
    const parameters = allUsedFields(
      body.parameters.map(([number, field]) => new Map([[number, field === 0 ? 'all' : new Set([field])]])),
    );
    return { touched, parameters };
  }
}

function ifCertain<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof Opaque || error instanceof Spent) return undefined;
    throw error;
  }
}

/** It computes, or looks into the catalog for what holds no data. */
function isHarmless(use: ResolvedFunction | undefined): boolean {
  const tells = use !== undefined && (isDefinition(use.name) || writesOutRules(use.name));
  return use !== undefined && (use.class === 'pure' || use.class === 'catalog') && !tells;
}

const ANY_TYPE: ReadonlySet<number> = new Set([
  OID.any,
  OID.anyarray,
  OID.anyelement,
  OID.anynonarray,
  OID.anyenum,
  OID.anyrange,
  OID.anymultirange,
  OID.anycompatiblemultirange,
  OID.anycompatible,
  OID.anycompatiblearray,
  OID.anycompatiblenonarray,
  OID.anycompatiblerange,
]);
const NO_TYPE: ReadonlySet<number> = new Set([0, OID.unknown]);

/** As the body sees them: of a parameter of any type that of the call. */
function parameterTypes({ takes }: AnalysisFunction, given: readonly number[]): number[] {
  return takes.map((declared, index) => {
    if (!ANY_TYPE.has(declared)) return declared;
    const type = given[index] ?? 0;
    if (NO_TYPE.has(type) || ANY_TYPE.has(type)) throw new Opaque();
    return type;
  });
}

/** A call with arguments of the types that it takes. */
function asDeclared({ oid, takes, gives: [type = 0] }: CatalogFunction): FunctionCall {
  return { fn: oid, args: takes, type, kind: 'function' };
}

/** Of those that it is called with. */
function parameterNames({ name, names, modes }: AnalysisFunction) {
  const parameters = names.filter((_, index) => modes === '' || 'ibv'.includes(modes.charAt(index)));
  return { function: name, parameters };
}

function union(all: readonly Touched[]): Touched {
  return new Set(all.flatMap((one) => [...one]));
}
