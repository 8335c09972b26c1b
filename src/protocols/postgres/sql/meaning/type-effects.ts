import type { Cast, Catalog, CatalogFunction, Operator, Relation } from '../../catalog/model/model.ts';
import { FIRST_USER_OID } from '../../catalog/system/objects.ts';
import type { ColumnUse, RelationRole, StatementFacts } from '../facts/facts.ts';

/** What is asked of one statement. */
export interface TypeQuestion {
  readonly facts: StatementFacts;
  readonly catalog: Catalog;
  /** One entry per entry of `facts.relations`; undefined for what the catalog does not know. */
  readonly relations: readonly (Relation | undefined)[];
  readonly writes: ReadonlySet<RelationRole>;
  /** Types of parameters, as a Parse message gives them. */
  readonly parameterTypes: readonly number[];
}

/** Whether a statement may have parameters, which may be of any type. */
export function mayHaveParameters({ tree, kind }: StatementFacts): boolean {
  return tree === undefined ? kind === 'query' || kind === 'dml' : tree.has('ParamRef');
}

/**
 * Functions that take what stands beside them for the same type (`anyelement`, `anycompatible`), or fill a row of a
 * given type: a literal may become a value of a column's domain.
 */
const POLYMORPHIC: ReadonlySet<string> = new Set(
  `array_append array_cat array_fill array_position array_positions array_prepend array_remove array_replace
  json_populate_record json_populate_recordset jsonb_populate_record jsonb_populate_record_valid
  jsonb_populate_recordset lag lead width_bucket`.split(/\s+/),
);
/** OIDs of pseudo-types that stand for any type. */
const ANY: ReadonlySet<number> = new Set([
  2276, 2277, 2283, 2776, 3500, 3831, 4537, 4538, 5077, 5078, 5079, 5080,
]);
const JSON_OID = 114;
/** int2, int4, int8, float8, numeric, bool: what constants and comparisons are. */
const OF_CONSTANTS: ReadonlySet<number> = new Set([20, 21, 23, 701, 1700, 16]);
/** They give a boolean, and take operands as they are. */
const COMPARISONS: ReadonlySet<string> = new Set(['=', '<>', '<', '>', '<=', '>=']);

/**
 * The functions of users that a statement runs because of types: checks of domains wherever they are within, input and
 * output, casts, operators. What cannot come about is left out, by the types of the columns, names, functions and
 * parameters that are there; where it is not certain, it is taken to come about. Pure.
 *
 * @returns By OID, for what; in words for people.
 */
export function typeEffects(question: TypeQuestion): ReadonlyMap<number, string> {
  return new TypeEffects(question).run();
}

class TypeEffects {
  readonly #question: TypeQuestion;
  readonly #catalog: Catalog;
  readonly #runs = new Map<number, string>();
  /** Types that a value somewhere in the statement may be of; PostgreSQL's own only as far as columns are. */
  readonly #present = new Set<number>();
  /** Types that the text or a parameter makes values of. */
  readonly #named = new Set<number>();
  readonly #called: readonly CatalogFunction[];
  readonly #names: ReadonlySet<string>;

  constructor(question: TypeQuestion) {
    const { facts, catalog } = question;
    this.#question = question;
    this.#catalog = catalog;
    this.#called = facts.functions.flatMap((use) => catalog.userFunctions(use.name));
    this.#names = new Set(facts.functions.map(({ name }) => name.at(-1) ?? ''));
  }

  run(): ReadonlyMap<number, string> {
    this.#made();
    this.#columns();
    for (const fn of this.#called) {
      for (const oid of fn.takes) this.#make(oid);
      for (const oid of fn.gives) this.#present.add(oid);
    }
    const operators = this.#operators();
    // What an operator or a cast gives may be what another takes.
    for (let before = -1; before !== this.#present.size + this.#runs.size; ) {
      before = this.#present.size + this.#runs.size;
      for (const one of operators) this.#operator(one);
      for (const one of this.#catalog.casts) this.#cast(one, operators);
    }
    return this.#runs;
  }

  /** A value of the type is made. */
  #make(oid: number): void {
    this.#named.add(oid);
    this.#present.add(oid);
    for (const one of this.#catalog.types.within(oid)) this.#present.add(one);
    this.#runTypes(oid, this.#catalog.types.functions(oid));
  }

  #runTypes(oid: number, functions: readonly number[]): void {
    for (const fn of functions) this.#runs.set(fn, `type ${this.#catalog.types.nameOf(oid)}`);
  }

  #made(): void {
    const { facts, parameterTypes } = this.#question;
    for (const oid of parameterTypes) if (oid >= FIRST_USER_OID) this.#make(oid);
    for (const name of facts.types) for (const oid of this.#catalog.types.named(name)) this.#make(oid);
    // `app.dom('5')`, `(x).dom` and `t.dom` may be casts.
    for (const { name } of facts.functions)
      for (const oid of this.#catalog.types.named(name)) this.#make(oid);
    for (const { path } of facts.columns) {
      if (path.length > 1) for (const oid of this.#catalog.types.named(path.slice(-1))) this.#make(oid);
    }
  }

  #columns(): void {
    const { facts, relations, writes } = this.#question;
    const used = usedColumns(facts);
    const generic =
      [...this.#names].some((name) => POLYMORPHIC.has(name)) ||
      facts.operators.some((name) => name.at(-1) === '#=') ||
      this.#called.some(({ takes }) => takes.some((oid) => ANY.has(oid)));
    for (const [index, use] of facts.relations.entries()) {
      for (const { name, typeOid } of relations[index]?.columns.values() ?? []) {
        const written = writes.has(use.role) && (use.columns?.includes(name) ?? true);
        const evaluated = used === 'all' || used.has(name);
        this.#column(typeOid, { evaluated: evaluated || written, made: evaluated && generic });
      }
    }
  }

  /** What writing runs for the types of a relation's columns is part of the relation's own effects. */
  #column(oid: number, { evaluated, made }: { evaluated: boolean; made: boolean }): void {
    const { types } = this.#catalog;
    const runs = made
      ? types.functions(oid)
      : evaluated
        ? types.readFunctions(oid)
        : types.shownFunctions(oid);
    this.#runTypes(oid, runs);
    if (!evaluated) return;
    this.#present.add(oid);
    for (const one of types.within(oid)) this.#present.add(one);
  }

  #operators(): readonly Operator[] {
    return this.#question.facts.operators.flatMap((name) => {
      const found = this.#catalog.operators.get(name.at(-1) ?? '') ?? [];
      const schema = name.at(-2);
      return schema === undefined ? found : found.filter((one) => one.schema === schema);
    });
  }

  #operator({ name, schema, operands, result, function: fn, instead }: Operator): void {
    if (!operands.every((oid) => this.#mayBe(oid))) return;
    for (const one of [fn, ...instead]) this.#runs.set(one, `operator ${schema}.${name}`);
    this.#present.add(result);
    for (const one of this.#catalog.types.within(result)) this.#present.add(one);
  }

  /** Whether a value of the type may stand somewhere, by itself or by an implicit cast. */
  #mayBe(oid: number): boolean {
    if (oid < FIRST_USER_OID || this.#present.has(oid)) return true;
    return this.#catalog.casts.some(
      ({ target, source, context }) => target === oid && context === 'i' && this.#isSource(source),
    );
  }

  #cast(cast: Cast, operators: readonly Operator[]): void {
    if (!this.#isSource(cast.source) || !this.#isAsked(cast, operators)) return;
    const source = this.#catalog.types.nameOf(cast.source);
    this.#runs.set(cast.function, `the cast of ${source} to ${cast.schema}.${cast.name}`);
    this.#present.add(cast.target);
  }

  /** Whether a value of that type may be there to be cast. */
  #isSource(oid: number): boolean {
    if (this.#present.has(oid) || OF_CONSTANTS.has(oid)) return true;
    if (oid >= FIRST_USER_OID) return false;
    const { facts } = this.#question;
    return (
      mayHaveParameters(facts) ||
      facts.functions.length > 0 ||
      facts.types.length > 0 ||
      facts.operators.some((name) => !COMPARISONS.has(name.at(-1) ?? ''))
    );
  }

  /** Whether the statement may want the target of a cast: it names it, or the server looks for it by itself. */
  #isAsked({ name, target, context }: Cast, operators: readonly Operator[]): boolean {
    const { facts, writes } = this.#question;
    const named =
      this.#named.has(target) || this.#names.has(name) || facts.types.some((type) => type.at(-1) === name);
    if (named) return true;
    // Functions and constructors of JSON look for a cast to it.
    if (target === JSON_OID && [...this.#names].some((one) => one.includes('json'))) return true;
    if (context === 'e') return false;
    if (context === 'a')
      return facts.relations.some(({ role }) => writes.has(role)) && this.#present.has(target);
    return (
      target < FIRST_USER_OID ||
      this.#present.has(target) ||
      operators.some(({ operands }) => operands.includes(target))
    );
  }
}

/** Names of columns that more is done with than showing them; `all` where a name may stand for a whole row. */
function usedColumns(facts: StatementFacts): ReadonlySet<string> | 'all' {
  const rows = new Set([...facts.relations, ...facts.derived].map(({ alias }) => alias));
  const { output } = facts;
  const compared =
    output !== undefined && (output.distinct || output.positions.length + output.sortNames.length > 0);
  const used = new Set(facts.using);
  if (facts.natural) return 'all';
  for (const use of facts.columns) {
    if (use.place === 'exists' || (use.place === 'output' && !compared)) continue;
    if (use.star || isRow(use, rows)) return 'all';
    used.add(use.path.at(-1) ?? '');
  }
  return used;
}

function isRow({ path }: ColumnUse, rows: ReadonlySet<string>): boolean {
  return rows.has(path.at(-1) ?? '');
}
