import type { Catalog } from '../../../catalog/model/model.ts';
import { writesOutRules } from '../../../catalog/system/functions.ts';
import { OID } from '../../analysis/oids.ts';
import { ELSEWHERE, type StatementFacts } from '../../facts/facts.ts';
import type { LazyAnalysis } from '../analysed.ts';
import type { ResolvedFunction } from '../functions.ts';
import { DEFINITION_COLUMNS, type IsMasked, masksRules, tellsOfRules } from '../lineage.ts';
import { definitionsIn } from './definitions.ts';
import { isByItself } from './harmless-columns.ts';
import { shownOf } from './query-trace.ts';
import type { Taint } from './taint.ts';

const DEFINITION_VIEWS: ReadonlySet<string> = new Set(DEFINITION_COLUMNS.map(([, name]) => name));
const WHAT = 'the definition of a view or rule';

/** Columns of a query's result, from 0, of which its analysis says that they are not shown as they come. */
export class Outputs {
  /** They are hidden whole. */
  readonly withheld = new Set<number>();
  /** Of each definition in them constants are left out, where it speaks of what is masked. */
  readonly definitions = new Set<number>();
  readonly #analysed: LazyAnalysis;
  readonly #catalog: Catalog;
  readonly #isMasked: IsMasked;
  readonly #taint: Taint;
  /** Definitions of views and rules were followed through the statement. */
  #isTraced = false;

  constructor(analysed: LazyAnalysis, catalog: Catalog, isMasked: IsMasked, taint: Taint) {
    this.#analysed = analysed;
    this.#catalog = catalog;
    this.#isMasked = isMasked;
    this.#taint = taint;
  }

  get isTraced(): boolean {
    return this.#isTraced;
  }

  /** How many there are of all; undefined: each of them is shown as it comes, as far as is known here. */
  get columns(): number | undefined {
    if (this.withheld.size + this.definitions.size === 0) return undefined;
    const found = this.#analysed();
    return found && shownOf(found.query).length;
  }

  /** Follows definitions of views and rules, where they may hold constants taken from what is masked. */
  trace(facts: StatementFacts): void {
    const { functions, relations } = facts;
    const isAsked =
      functions.some(({ name }) => writesOutRules(name.at(-1) ?? '')) ||
      relations.some(({ name }) => DEFINITION_VIEWS.has(name));
    if (!isAsked || !isByItself(facts) || !masksRules(this.#catalog, this.#isMasked)) return;
    const found = this.#analysed();
    const traced = found && definitionsIn(found.query, this.#catalog);
    if (traced === undefined) return;
    this.#isTraced = true;
    for (const index of traced.carried) this.definitions.add(index);
    for (const index of traced.computed) this.withheld.add(index);
    if (traced.decides) this.#taint.unknownSource(WHAT, [ELSEWHERE]);
  }

  /** A function is called. @param items As `FunctionUse.items`; undefined: by what nobody reads. */
  calls(one: ResolvedFunction, items: readonly number[] | undefined): void {
    if (items !== undefined && this.#isTraced) return;
    if (tellsOfRules(one, this.#catalog, this.#isMasked))
      this.#taint.unknownSource(items === undefined ? WHAT : `function ${one.name}`, items ?? [ELSEWHERE]);
  }
}

/** Types that the server compares to find a rule: its OID, or the name of it. */
const KEYS: readonly number[] = [OID.oid, OID.name];

/**
 * A function as it is run: those that write out rules look for them by a query of their own, in which `=` is whatever the search path
 * makes of it.
 */
export function asRun(one: ResolvedFunction, catalog: Catalog): ResolvedFunction {
  if (one.schema !== 'pg_catalog' || !writesOutRules(one.name)) return one;
  const equals = catalog.operators.get('=') ?? [];
  const isTheirs = equals.some(({ operands }) => operands.every((type) => KEYS.includes(type)));
  return isTheirs ? { ...one, class: 'unsafe' } : one;
}
