import type { Catalog, CatalogFunction, Relation } from '../../catalog/model/model.ts';
import { PG_TEMP } from '../../catalog/system/objects.ts';
import { type Name, type RelationUse, type StatementFacts, TRANSACTION_ENDS } from '../facts/facts.ts';
import type { NameChange } from './held-names.ts';
import { NameChanges } from './name-changes.ts';

/** Where one session looks names up that have no schema, as its server says. */
export interface SearchPath {
  /** In order, with those that are searched unasked; only schemas that exist and that the role may use. */
  readonly schemas: readonly string[];
  /** Where things are made that are given no schema. */
  readonly creation: string;
  /** The session's own schema of temporary objects, once it has one. */
  readonly temp?: string;
  /** The list says where `pg_temp` is searched: not before all others, once it is there. */
  readonly listsTemp?: true;
  /** As whom it runs now. */
  readonly user: string;
}

const SYSTEM = 'pg_catalog';
const ANY_TEMP = /^pg_(toast_)?temp_\d+$/;

/** What an unqualified or qualified name stands for. */
export interface NamedRelation {
  /** Undefined: the catalog does not know it. */
  readonly relation?: Relation;
  /** Where it is, or would be. */
  readonly schema: string;
  /** Set where it may stand for several: which ones. */
  readonly either?: readonly string[];
}

/** What a statement does to the names of those behind it. */
export interface NameEffects {
  /** It may change where names are looked up: the server must be asked. */
  readonly steers: boolean;
  /** Its text tells how: by the path that it sets, or by the first temporary object. */
  readonly follows: boolean;
  /** Code runs that may give names to other relations. */
  readonly reshapes: boolean;
  /** The schemas to which it sets `search_path`, if it does. */
  readonly path?: readonly string[];
}

/** Whether a path decides anything of it. */
export function namesAnything(facts: StatementFacts): boolean {
  const { relations, functions, operators, types, columns, objects, settings, discards = '' } = facts;
  return (
    [relations, functions, operators, types, columns, objects, discards].some((uses) => uses.length > 0) ||
    settings.some(({ name }) => name === 'search_path')
  );
}

/**
 * Resolves names as the server does at one place of one string: relations by the first schema that has them, functions
 * by all of the path but the temporary one. It goes on from statement to statement, as the server does.
 */
export class NameScope {
  readonly #catalog: Catalog;
  readonly #changes = new NameChanges();
  readonly #took: NameChanges | undefined;
  #path: SearchPath;
  /** Something ran before that may have set another path. */
  #certain = true;
  /** The path was set in a transaction that may end within the string. */
  #moved: boolean;
  #reshaped = false;
  #columnsHold: boolean;

  /**
   * @param path Of the session, before the string.
   * @param before What became of names in a transaction of the session's that is still open.
   * @param moved The path was set in a transaction that is still open.
   * @param took What became of names before that, and the catalog may not show yet. Only read.
   * @param columnsHold Relations that the catalog knows have the columns that it says.
   */
  constructor(
    catalog: Catalog,
    path: SearchPath,
    before: readonly NameChange[] = [],
    moved = false,
    took?: NameChanges,
    columnsHold = true,
  ) {
    this.#catalog = catalog;
    this.#path = path;
    this.#moved = moved;
    this.#took = took;
    this.#columnsHold = columnsHold;
    for (const one of before) this.#changes.add(one, this.schema(one.schema));
  }

  /** Code ran earlier in the string that may have given any name to another relation. */
  get reshaped(): boolean {
    return this.#reshaped;
  }

  /** No statement before may have given a relation other columns: names in a query could be found elsewhere then. */
  get columnsHold(): boolean {
    return this.#columnsHold;
  }

  get path(): SearchPath {
    return this.#path;
  }

  /** Where names are looked up, if all that they may stand for is in the catalog; undefined where that is not certain. */
  get settled(): SearchPath | undefined {
    const changed = this.#changes.size + (this.#took?.size ?? 0) > 0;
    const isCertain = this.#certain && this.#columnsHold && !changed && !this.#reshaped;
    return isCertain ? this.#path : undefined;
  }

  /** A schema by the name that is written: `pg_temp` is the session's own. */
  schema(name: string): string {
    return name === PG_TEMP ? (this.#path.temp ?? PG_TEMP) : name;
  }

  /** Where a statement makes what it gives no schema. */
  creation(use: Pick<RelationUse, 'schema' | 'temporary'>): string {
    if (use.schema !== undefined) return this.schema(use.schema);
    return use.temporary === true ? this.schema(PG_TEMP) : this.#path.creation;
  }

  relation(schema: string | undefined, name: string): NamedRelation {
    if (schema !== undefined) return this.#in(this.schema(schema), name) ?? { schema: this.schema(schema) };
    if (!this.#certain) return this.#anywhere(name);
    for (const [index, one] of this.#path.schemas.entries()) {
      const found = this.#in(one, name);
      if (found === undefined) continue;
      const none =
        found.either !== undefined && this.#hasNoOther(one, name, this.#path.schemas.slice(index + 1));
      return none ? { schema: found.schema } : found;
    }
    return { schema: this.#path.creation };
  }

  /** What may have been undone is still the only thing that its name can stand for, if anything. */
  #hasNoOther(schema: string, name: string, later: readonly string[]): boolean {
    const committed = this.#catalog.lookupRelation(schema, name);
    return committed === undefined && later.every((one) => this.#in(one, name) === undefined);
  }

  #in(schema: string, name: string): NamedRelation | undefined {
    const change = (this.#became(schema, name) ?? this.#became(schema))?.change;
    if (change === 'made') return { schema };
    if (change === 'unclear') return { schema, either: [`${schema}.${name}`, `another "${name}"`] };
    const relation = change === 'gone' ? undefined : this.#catalog.lookupRelation(schema, name);
    return relation === undefined ? undefined : { relation, schema };
  }

  /** The last word on a name; on all of a schema where none is given. */
  #became(schema: string, name?: string): NameChange | undefined {
    const known = this.#changes.of(schema, name) ?? this.#took?.of(schema, name);
    if (known !== undefined || schema !== this.#path.temp) return known;
    // What was made before the schema had a name of its own.
    return this.#took?.of(PG_TEMP, name);
  }

  #allChanges(): NameChange[] {
    return [...(this.#took?.values() ?? []), ...this.#changes.values()];
  }

  /** Whatever the path is: a name that only one schema has is that one's. */
  #anywhere(name: string): NamedRelation {
    const made = this.#allChanges().filter((one) => one.name === name || one.name === undefined);
    const schemas = [...this.#catalog.schemasOf(name), ...made.map((one) => this.schema(one.schema))];
    const own = [...new Set(schemas)].filter((one) => one === this.#path.temp || !ANY_TEMP.test(one));
    const found = own.flatMap((one) => this.#in(one, name) ?? []);
    const [first, second] = found;
    if (first === undefined) return { schema: this.#path.creation };
    return second === undefined ? first : { ...first, either: found.map((one) => `${one.schema}.${name}`) };
  }

  /** All functions outside of pg_catalog that a call of this name may reach; a temporary one only by its schema. */
  userFunctions(name: Name): readonly CatalogFunction[] {
    const schema = name.at(-2);
    if (schema !== undefined) return this.#catalog.userFunctions([this.schema(schema), name.at(-1) ?? '']);
    const all = this.#catalog.userFunctions(name);
    if (!this.#certain) return all;
    return all.filter((one) => one.schema !== this.#path.temp && this.#path.schemas.includes(one.schema));
  }

  isBuiltin(name: string): boolean {
    return this.#catalog.isBuiltin(name);
  }

  /** Goes on behind a statement. @returns What it does to relations. */
  pass(facts: StatementFacts, { steers, follows, reshapes, path }: NameEffects): NameChange[] {
    const changes = this.#changesOf(facts);
    for (const one of changes) this.#changes.add(one);
    if (changes.some(({ schema, change }) => schema === PG_TEMP && change === 'made')) this.#withTemp();
    if (path !== undefined) this.#set(path);
    // CASCADE, for one, takes along what has other names.
    const changesMore = facts.kind === 'ddl' && facts.changes === undefined;
    if ((steers && !follows) || changesMore) this.#certain = false;
    this.#reshaped ||= reshapes;
    if (facts.kind === 'ddl' && facts.keepsNames !== true) this.#columnsHold = false;
    if (steers) this.#moved = true;
    else if (this.#moved && TRANSACTION_ENDS.has(facts.transaction)) this.#certain = false;
    return changes;
  }

  /** Whether it may drop temporary objects of which a name before it could speak. */
  mayLose({ discards }: StatementFacts): boolean {
    return DISCARDS_TEMP.has(discards) && (this.#path.temp !== undefined || !this.#certain);
  }

  /** All names of the session's temporary schema are gone: those that came in this transaction one by one. */
  #temporaryGone(): NameChange[] {
    const schema = this.schema(PG_TEMP);
    const came = ({ schema: where, change }: NameChange) =>
      this.schema(where) === schema && change !== 'gone';
    const made = this.#allChanges().filter(came);
    return [...made, { schema }].map((one) => ({ ...one, change: 'gone' }));
  }

  #changesOf(facts: StatementFacts): NameChange[] {
    const changes: NameChange[] = this.mayLose(facts) ? this.#temporaryGone() : [];
    for (const use of facts.relations) {
      const { name } = use;
      if (use.role === 'create') changes.push({ schema: this.creation(use), name, change: 'made' });
      if (use.role !== 'drop' && (use.role !== 'alter' || facts.renames?.to === undefined)) continue;
      const { schema } = this.relation(use.schema, name);
      changes.push({ schema, name, change: 'gone' });
      const to = facts.renames?.to;
      if (to !== undefined)
        changes.push({ schema: to.schema ?? schema, name: to.name ?? name, change: 'made' });
    }
    return changes;
  }

  /** The first temporary object brings its schema along, which is searched first, unless the path lists it elsewhere. */
  #withTemp(): void {
    if (this.#path.temp !== undefined) return;
    this.#path = { ...this.#path, temp: PG_TEMP, schemas: [PG_TEMP, ...this.#path.schemas] };
    if (this.#path.listsTemp) this.#certain = false;
  }

  /** What the server makes of a list of schemas: those that exist and may be used, and the two that need not be named. */
  #set(names: readonly string[]): void {
    const { listsTemp: _, ...path } = this.#path;
    const { user, temp } = path;
    // Which schemas another role may use is not known.
    this.#certain &&= user === this.#catalog.role;
    const written = names.map((name) => (name === '$user' ? user : this.schema(name)));
    const listed = [...new Set(written)].filter((name) => name === temp || this.#catalog.mayUse(name));
    const unasked = [temp, SYSTEM].filter((name) => name !== undefined && !listed.includes(name)) as string[];
    this.#path = {
      ...path,
      schemas: [...unasked, ...listed],
      creation: listed[0] ?? '',
      ...(names.includes(PG_TEMP) ? { listsTemp: true } : {}),
    };
  }
}

const DISCARDS_TEMP: ReadonlySet<string | undefined> = new Set(['all', 'temp']);
