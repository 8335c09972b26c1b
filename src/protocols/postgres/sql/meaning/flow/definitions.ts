import type { Catalog } from '../../../catalog/model/model.ts';
import { writesOutRules } from '../../../catalog/system/functions.ts';
import type { Expr, Query, Var } from '../../analysis/tree.ts';
import { expressionsOf, partsOf } from '../../analysis/walk.ts';
import { columnNamed, DEFINITION_COLUMNS } from '../lineage.ts';
import { type Frame, mergesRows, QueryTrace, shownOf, TooMuch } from './query-trace.ts';

/** Where definitions of views and rules come to, of a query's columns from 0. */
interface Definitions {
  /** They hold them as they are, or nothing of them. */
  readonly carried: readonly number[];
  /** They hold what was made of them. */
  readonly computed: readonly number[];
  /** Something else is decided by them: which rows there are, in which order, how often. */
  readonly decides: boolean;
}

/** What something has of definitions: in this order, the more. */
const [NONE, CARRIED, COMPUTED] = [0, 1, 2] as const;
type Kind = typeof NONE | typeof CARRIED | typeof COMPUTED;

const BOUNDS = { rounds: 10, looks: 100_000 };
/** What stands at the end of a definition, and nothing that could begin one. */
const ENDS = /^[;\s]*$/;
const TRIMS: ReadonlySet<string> = new Set(['rtrim', 'btrim']);

/**
 * Follows definitions of views and rules through a query: what the server's functions and views write out of them.
 *
 * @returns Undefined where it is too much to follow. Pure.
 */
export function definitionsIn(query: Query, catalog: Catalog): Definitions | undefined {
  try {
    return new DefinitionTrace(catalog).find(query);
  } catch (error) {
    if (error instanceof TooMuch) return undefined;
    throw error;
  }
}

class DefinitionTrace extends QueryTrace<Kind> {
  readonly #catalog: Catalog;
  /** By relation. */
  readonly #columns: ReadonlyMap<number, number>;
  #decides = false;

  constructor(catalog: Catalog) {
    super(NONE, BOUNDS);
    this.#catalog = catalog;
    const columns = DEFINITION_COLUMNS.flatMap(([schema, name, column]) =>
      columnNamed(catalog.lookupRelation(schema, name), column),
    );
    this.#columns = new Map(columns.map(({ relation, attribute }) => [relation, attribute]));
  }

  find(query: Query): Definitions {
    const top = this.settle(query, (all) => {
      for (const frame of this.frames(all)) this.#lookAt(frame);
    });
    const outputs = this.outputs(top);
    const of = (kind: Kind) => outputs.flatMap((one, index) => (one === kind ? [index] : []));
    return { carried: of(CARRIED), computed: of(COMPUTED), decides: this.#decides };
  }

  protected override merged(_: Frame<Kind>, arms: readonly Kind[]): Kind {
    return most(arms);
  }

  protected override differs(one: Kind, other: Kind | undefined): boolean {
    return one !== other;
  }

  protected override given(frame: Frame<Kind>, expr: Expr): Kind {
    this.spend();
    switch (expr.kind) {
      case 'Var':
        return this.#column(frame, expr);
      case 'RelabelType':
      case 'CollateExpr':
      case 'CoerceToDomain':
        return this.given(frame, expr.arg);
      case 'CoalesceExpr':
        return most(expr.args.map((one) => this.given(frame, one)));
      case 'CaseExpr':
        return this.#case(frame, expr);
      case 'FuncExpr':
        return this.#call(frame, expr);
      case 'SubLink':
        return this.#link(frame, expr);
      default:
        return this.#made(frame, partsOf(expr));
    }
  }

  /** Of anything that computes. */
  #made(frame: Frame<Kind>, parts: readonly (Expr | undefined)[]): Kind {
    return parts.some((one) => one !== undefined && this.given(frame, one) !== NONE) ? COMPUTED : NONE;
  }

  #case(frame: Frame<Kind>, { arg, whens, otherwise }: Extract<Expr, { kind: 'CaseExpr' }>): Kind {
    if (this.#made(frame, [arg, ...whens.map(({ condition }) => condition)]) !== NONE) return COMPUTED;
    const results = [...whens.map(({ result }) => result), ...(otherwise === undefined ? [] : [otherwise])];
    return most(results.map((one) => this.given(frame, one)));
  }

  #call(frame: Frame<Kind>, { function: oid, args }: Extract<Expr, { kind: 'FuncExpr' }>): Kind {
    const { schema, name = '' } = this.#catalog.functions.get(oid) ?? {};
    const made = this.#made(frame, args);
    if (made === NONE) return schema === 'pg_catalog' && writesOutRules(name) ? CARRIED : NONE;
    const [text, cut] = args;
    const isEnd = cut?.kind === 'Const' && typeof cut.value === 'string' && ENDS.test(cut.value);
    const trims = schema === 'pg_catalog' && TRIMS.has(name) && args.length === 2 && isEnd;
    return trims && text !== undefined ? this.given(frame, text) : COMPUTED;
  }

  #link(frame: Frame<Kind>, { link, test, query }: Extract<Expr, { kind: 'SubLink' }>): Kind {
    const given = link === 'exists' ? NONE : most(this.outputs(this.frame(query, frame)));
    if (link === 'expr') return given;
    return this.#made(frame, [test]) === NONE && given === NONE ? NONE : COMPUTED;
  }

  #column(frame: Frame<Kind>, column: Var): Kind {
    const [entry, around] = this.standsIn(frame, column);
    const { attribute } = column;
    switch (entry.kind) {
      case 'relation': {
        const own = this.#columns.get(entry.relation);
        if (own === undefined || attribute < 0) return NONE;
        return attribute === own ? CARRIED : attribute === 0 ? COMPUTED : NONE;
      }
      case 'subquery':
        return ofOutputs(this.outputs(this.frame(entry.query, around)), attribute);
      case 'cte':
        return ofOutputs(this.outputs(this.cte(around, entry)), attribute);
      case 'join': {
        const one = entry.aliasVars[attribute - 1];
        return one === undefined ? this.#made(around, entry.aliasVars) : this.given(around, one);
      }
      case 'values':
        return this.#made(around, entry.rows.flat());
      case 'function':
        return this.#made(around, entry.functions);
      case 'tablefunc':
        return this.#made(around, entry.exprs);
      default:
        throw new TooMuch();
    }
  }

  /** Looks at what a query does besides to show. */
  #lookAt(frame: Frame<Kind>): void {
    const { query } = frame;
    if (query.command !== 'select') throw new TooMuch();
    const shown = new Set(shownOf(query).map(({ expr }) => expr));
    for (const expr of expressionsOf(query))
      if (expr !== undefined && !shown.has(expr) && this.given(frame, expr) !== NONE) this.#decides = true;
    this.#compare(frame);
  }

  #compare(frame: Frame<Kind>): void {
    const { set, targets } = frame.query;
    const compared = targets.some(({ ref, expr }) => ref !== 0 && this.given(frame, expr) !== NONE);
    const outputs = this.outputs(frame);
    const merged =
      set?.kind === 'SetOperationStmt' && (mergesRows(set) || targets.some(({ ref }) => ref !== 0));
    if (compared || (merged && most(outputs) !== NONE)) this.#decides = true;
  }
}

function most(kinds: readonly Kind[]): Kind {
  return kinds.reduce<Kind>((one, other) => (other > one ? other : one), NONE);
}

/** A whole row, and columns that SEARCH and CYCLE add, are made of any. */
function ofOutputs(outputs: readonly Kind[], attribute: number): Kind {
  const one = attribute === 0 ? undefined : outputs[attribute - 1];
  return one ?? (most(outputs) === NONE ? NONE : COMPUTED);
}
