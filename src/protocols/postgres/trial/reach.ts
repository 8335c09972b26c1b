import { type Catalog, type CatalogFunction, closure, type Relation } from '../catalog/model/model.ts';
import { isHarmlessBuiltin } from '../catalog/system/functions.ts';
import { isSystemSchema } from '../catalog/system/objects.ts';
import { EffectWalk } from '../sql/meaning/effects.ts';
import type { ResolvedFunction } from '../sql/meaning/functions.ts';
import { type Words, wordsOf } from './words.ts';

/** What a function is, as `pg_proc` has it. */
export interface FunctionBody {
  readonly language: string;
  /** Neither procedure nor aggregate. */
  readonly plain: boolean;
  readonly source: string;
  /** Parts of it stand elsewhere: a body in the standard's form, defaults of arguments. */
  readonly hasMore: boolean;
}

/** What is to be looked up at the target next, by OID. */
export interface Unread {
  readonly functions: readonly number[];
  /** Their expressions: policies, checks, indexes, conditions of triggers, generated columns, queries of views. */
  readonly relations: readonly number[];
  /** Their defaults as well. */
  readonly inserted: readonly number[];
}

/** What a rollback does not undo, what locks others out, and whose text is made as it runs. */
const FORBIDDEN: ReadonlySet<string> = new Set(
  `execute copy call commit rollback prepare create alter drop truncate grant revoke vacuum cluster reindex refresh lock
  listen unlisten import security reset discard load checkpoint reassign`.split(/\s+/),
);
/** A rollback undoes them, or they end with the transaction. */
const UNDONE: ReadonlySet<string> = new Set(
  `pg_notify currval lastval setseed pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_xact_lock
  pg_try_advisory_xact_lock_shared tsvector_update_trigger tsvector_update_trigger_column
  suppress_redundant_updates_trigger`.split(/\s+/),
);
const LANGUAGES: ReadonlySet<string> = new Set(['sql', 'plpgsql']);
const MAX_FUNCTIONS = 200;
const MAX_RELATIONS = 500;

/**
 * Everything that a statement may run, as far as names tell: its own words, what hangs on the tables that it names, the
 * functions of both, and the words of their bodies, until nothing new is found.
 *
 * A name is taken for everything that it may mean, in any schema: what is found is more than what runs. Whatever is not
 * known to be undone by a rollback is told as `trouble`. Pure.
 */
export class Reach {
  readonly #catalog: Catalog;
  readonly #walk: EffectWalk;
  readonly #builtins: ReadonlyMap<string, boolean>;
  readonly #named = new Set<string>();
  readonly #relations = new Set<number>();
  readonly #inserted = new Set<number>();
  readonly #functions = new Set<number>();
  #unread = { functions: [] as number[], relations: [] as number[], inserted: [] as number[] };
  /** Why it is not certain that a rollback undoes everything; undefined: it does, as far as was read. */
  trouble: string | undefined;
  /** Code catches errors: what it undid by itself is counted as well. */
  catches = false;
  /** Code of the database's own runs, or one of PostgreSQL's triggers: it may copy values from anywhere to anywhere. */
  runsCode = false;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
    this.#builtins = builtinsOf(catalog);
    this.#walk = new EffectWalk(catalog, {
      relation: (relation, action) => this.#relation(relation, action === 'insert'),
      columns: () => undefined,
      function: (use) => this.#resolved(use),
      rule: ({ name }) => this.#troubled(`a rule rewrites what is done to "${name}"`),
    });
    for (const cast of catalog.casts) this.#oid(cast.function);
  }

  /** What was found since the last call. */
  unread(): Unread {
    const unread = this.#unread;
    this.#unread = { functions: [], relations: [], inserted: [] };
    return unread;
  }

  body(oid: number, body: FunctionBody | undefined): void {
    const name = `"${this.#catalog.functions.get(oid)?.name ?? oid}"`;
    if (body === undefined || !LANGUAGES.has(body.language) || !body.plain || body.hasMore)
      return this.#troubled(`what ${name} does is not known`);
    this.text(body.source, name);
  }

  /** @param where What it is the text of, for people. */
  text(text: string, where: string): void {
    const words = wordsOf(text);
    if (words === undefined) return this.#troubled(`${where} cannot be read with certainty`);
    for (const name of words.names) {
      if (FORBIDDEN.has(name)) return this.#troubled(`${where} says ${name.toUpperCase()}`);
      this.#name(name, words, where);
    }
    if ([...words.pairs].some(isBlock)) this.#troubled(`${where} says DO`);
    if (this.#catalog.eventTriggers.length > 0 && makesTables(words))
      this.#troubled(`${where} may make a table, for which a trigger runs`);
    if (words.pairs.has('exception when')) this.catches = true;
    for (const operator of words.operators)
      for (const one of this.#catalog.operators.get(operator) ?? []) this.#oid(one.function);
  }

  #name(name: string, words: Words, where: string): void {
    if (this.#builtins.get(name) === false) return this.#troubled(`${where} names ${name}`);
    for (const one of this.#catalog.userFunctions([name])) this.#function(one);
    for (const oid of this.#catalog.types.named([name]))
      for (const used of this.#catalog.types.functions(oid)) this.#oid(used);
    for (const schema of this.#catalog.schemasOf(name)) {
      const relation = this.#catalog.lookupRelation(schema, name);
      if (relation === undefined || isSystemSchema(schema)) continue;
      const inserts = ['into', 'only', schema].some((before) => words.pairs.has(`${before} ${name}`));
      this.#touch(relation, (inserts && words.names.has('into')) || words.names.has('default'));
    }
  }

  /** Whatever may be done to its rows. */
  #touch(relation: Relation, inserts: boolean): void {
    const key = `${relation.oid} ${inserts}`;
    if (this.#named.has(key)) return;
    this.#named.add(key);
    this.#relation(relation, inserts);
    this.#walk.read(relation, true);
    for (const action of inserts
      ? (['insert', 'update', 'delete'] as const)
      : (['update', 'delete'] as const))
      this.#walk.write(relation, action, { columns: undefined, counted: false });
  }

  #relation(relation: Relation, inserts: boolean): void {
    if (isSystemSchema(relation.schema)) return;
    if (inserts && !this.#inserted.has(relation.oid)) {
      this.#inserted.add(relation.oid);
      this.#unread.inserted.push(relation.oid);
    }
    for (const oid of [relation.oid, ...closure(relation.oid, this.#catalog.children)]) {
      if (this.#relations.has(oid)) continue;
      if (this.#relations.size >= MAX_RELATIONS) return this.#troubled('too many tables may be changed');
      this.#relations.add(oid);
      this.#unread.relations.push(oid);
      if ((this.#catalog.triggers.get(oid) ?? []).length > 0) this.runsCode = true;
      const one = this.#catalog.relations.get(oid);
      if (one?.kind === 'foreign') this.#troubled(`"${one.name}" is a table of another server`);
    }
  }

  #resolved({ schema, name, class: kind, trusted }: ResolvedFunction): void {
    if (trusted === true || kind === 'pure' || kind === 'catalog') return;
    if (schema === 'pg_catalog') {
      if (this.#builtins.get(name) !== true) this.#troubled(`"${name}" runs`);
      return;
    }
    const all = this.#catalog.userFunctions([schema, name]);
    if (all.length === 0) this.#troubled(`what "${name}" does is not known`);
    for (const one of all) this.#function(one);
  }

  #oid(oid: number): void {
    const known = this.#catalog.functions.get(oid);
    if (known !== undefined) this.#function(known);
    else if (oid !== 0) this.#troubled(`what function ${oid} does is not known`);
  }

  #function(one: CatalogFunction): void {
    if (one.trusted || one.schema === 'information_schema' || this.#functions.has(one.oid)) return;
    if (one.schema === 'pg_catalog') {
      if (this.#builtins.get(one.name) === false) this.#troubled(`"${one.name}" runs`);
      return;
    }
    if (this.#functions.size >= MAX_FUNCTIONS) return this.#troubled('too many functions may run');
    this.#functions.add(one.oid);
    this.runsCode = true;
    this.#unread.functions.push(one.oid);
  }

  #troubled(why: string): void {
    this.trouble ??= why;
  }
}

/** DO, but for what an upsert does. */
function isBlock(pair: string): boolean {
  return pair.startsWith('do ') && pair !== 'do update' && pair !== 'do nothing';
}

/** SELECT INTO, or something that looks like it. */
function makesTables({ pairs }: Words): boolean {
  return [...pairs].some((pair) => pair.endsWith(' into') && !/^(?:insert|merge) /.test(pair));
}

/** By name: whether all that is called so leaves nothing behind that a rollback does not undo. */
function builtinsOf(catalog: Catalog): ReadonlyMap<string, boolean> {
  const names = new Map<string, boolean>();
  for (const one of catalog.functions.values()) {
    if (one.schema !== 'pg_catalog') continue;
    const harmless = UNDONE.has(one.name) || (isHarmlessBuiltin(one) && one.name !== 'nextval');
    names.set(one.name, (names.get(one.name) ?? true) && harmless);
  }
  return names;
}
