import type { Catalog } from '../../catalog/model/model.ts';
import { PG_TEMP } from '../../catalog/system/objects.ts';
import { setsSettings } from '../../catalog/system/steering.ts';
import type { SettingFact, StatementFacts } from '../facts/facts.ts';
import type { ResolvedFunction } from './functions.ts';
import type { NameEffects, NameScope } from './name-scope.ts';

/** Settings that the search path is, or depends on. */
const SETTINGS: ReadonlySet<string> = new Set(['search_path', 'role', 'session_authorization', 'all']);
/** What the path names exists or may be used from here on, or does not any more. */
const OF_SCHEMAS: ReadonlySet<string> = new Set(['schema', 'role', 'default-privileges']);
/** Code that runs at once, and that the gateway does not read. */
const RUNS: ReadonlySet<string> = new Set(['DO', 'CREATE EXTENSION', 'ALTER EXTENSION']);

/** Finds out whether a statement may change where the session looks names up. */
export class Steering {
  readonly #catalog: Catalog;
  readonly #names: NameScope;
  #steers = false;
  #follows = true;
  #reshapes = false;
  #altersSchema = false;
  #path: readonly string[] | undefined;

  constructor(catalog: Catalog, names: NameScope) {
    this.#catalog = catalog;
    this.#names = names;
  }

  get effects(): NameEffects {
    const path = this.#follows && this.#path !== undefined ? { path: this.#path } : {};
    return { steers: this.#steers, follows: this.#follows, reshapes: this.#reshapes, ...path };
  }

  /** A function is called whose text says that it makes, takes or renames things. */
  get altersSchema(): boolean {
    return this.#altersSchema;
  }

  /** The path is set to nobody knows what. */
  unknown(): void {
    this.#steers = true;
    this.#follows = false;
  }

  /** Code runs of which nobody knows what it does: it may also give names to other relations. */
  code(): void {
    this.unknown();
    this.#reshapes = true;
  }

  call({ schema, name, class: kind }: ResolvedFunction): void {
    if (kind === 'unsafe') this.code();
    if (setsSettings({ schema, name })) this.unknown();
    if (kind !== 'user') return;
    const known = this.#catalog.userFunctions([schema, name]);
    this.#altersSchema ||= known.some((one) => one.reshapes);
    if (known.length === 0 || known.some((one) => one.steers || one.reshapes)) this.code();
    // It may call any other by means that its text does not show: triggers, views, operators.
    else if (this.#catalog.steering && known.some((one) => !one.trusted)) this.code();
  }

  setting({ verb, name, schemas }: SettingFact): void {
    if (verb === 'show' || !SETTINGS.has(name)) return;
    if (name !== 'search_path' || verb !== 'set' || schemas === undefined) return this.unknown();
    this.#steers = true;
    this.#path = schemas;
  }

  /** What the statement is, beside what it calls and sets. */
  statement(facts: StatementFacts): void {
    const { objects, discards, opaque, relations } = facts;
    if (objects.some(({ kind, action }) => OF_SCHEMAS.has(kind) && action !== 'comment')) this.unknown();
    if (discards === 'all' || discards === 'temp') this.unknown();
    if (opaque !== undefined && RUNS.has(opaque)) this.code();
    if (this.#names.path.temp !== undefined) return;
    // The first temporary object brings its schema along.
    const made = relations.some((use) => use.role === 'create' && this.#names.creation(use) === PG_TEMP);
    if (made || objects.some(({ name }) => name.at(-2) === PG_TEMP)) this.#steers = true;
  }
}
