import type { Expr, Query, RangeEntry, TargetEntry, Var } from '../../analysis/tree.ts';
import { expressionsOf, partsOf, queriesOf } from '../../analysis/walk.ts';

/** It is too much to follow, or of what is not known. */
export class TooMuch extends Error {}

/** A query, and those around it. */
export interface Frame<T> {
  /** Its number among the queries of the statement. */
  readonly id: number;
  readonly query: Query;
  readonly parent: Frame<T> | undefined;
  /** Of each column that it gives, as far as is known. */
  outputs: readonly T[];
  /** In which round that was found out. */
  round: number;
  /** It was asked for while it was found out: by a query that reads itself. */
  early: boolean;
}

/** How much is done for one statement: some ten milliseconds. */
interface Bounds {
  /** Until nothing more comes to what recursive queries are made of. */
  readonly rounds: number;
  /** Expressions that are looked at. */
  readonly looks: number;
}

/**
 * Finds out something of each column that the queries of an analysed statement give. What that is, and what expressions make of it, is
 * said by who extends it.
 *
 * A query that reads itself is taken for what was found of it before, and all is found anew until that does not change any more.
 *
 * @throws {TooMuch} By any of its methods.
 */
export abstract class QueryTrace<T> {
  readonly #unknown: T;
  readonly #rounds: number;
  readonly #frames = new Map<Query, Frame<T>>();
  #round = 0;
  #again = false;
  #left: number;

  /** @param unknown Of a column of which nothing has been found yet. */
  constructor(unknown: T, { rounds, looks }: Bounds) {
    this.#unknown = unknown;
    this.#rounds = rounds;
    this.#left = looks;
  }

  /** Of an expression that a query gives. */
  protected abstract given(frame: Frame<T>, expr: Expr): T;
  /** Of a column of a set operation: `arms` has what each of them gives there. */
  protected abstract merged(frame: Frame<T>, arms: readonly T[], index: number): T;
  protected abstract differs(one: T, other: T | undefined): boolean;

  /** @param look Looks at all of a statement: once, and again as long as a recursive query is more than it was taken for. */
  settle(query: Query, look: (top: Frame<T>) => void): Frame<T> {
    const top = this.frame(query, undefined);
    do {
      if (++this.#round > this.#rounds) throw new TooMuch();
      this.#again = false;
      look(top);
    } while (this.#again);
    return top;
  }

  frame(query: Query, parent: Frame<T> | undefined): Frame<T> {
    const known = this.#frames.get(query);
    if (known !== undefined) return known;
    const outputs = shownOf(query).map(() => this.#unknown);
    const made: Frame<T> = { id: this.#frames.size, query, parent, outputs, round: 0, early: false };
    this.#frames.set(query, made);
    return made;
  }

  /** A query and all within it: of each first itself, then those in its expressions, in FROM and in WITH. */
  frames(top: Frame<T>): readonly Frame<T>[] {
    const found = new Set<Frame<T>>();
    const add = (frame: Frame<T>): void => {
      if (found.has(frame)) return;
      found.add(frame);
      const { query } = frame;
      const within: Query[] = [];
      addLinked(expressionsOf(query), within);
      for (const one of [...within, ...queriesOf(query)]) add(this.frame(one, frame));
    };
    add(top);
    return [...found];
  }

  /** Of each column that a query gives. */
  outputs(frame: Frame<T>): readonly T[] {
    if (frame.round === this.#round) {
      frame.early = true;
      return frame.outputs;
    }
    frame.round = this.#round;
    frame.early = false;
    const before = frame.outputs;
    const found = this.#find(frame);
    frame.outputs = found;
    if (frame.early && found.some((one, index) => this.differs(one, before[index]))) this.#again = true;
    return found;
  }

  #find(frame: Frame<T>): readonly T[] {
    const shown = shownOf(frame.query);
    const arms = armsOf(frame.query.set);
    if (arms.length === 0) return shown.map(({ expr }) => this.given(frame, expr));
    const columns = arms.map((number) => {
      const entry = frame.query.entries[number - 1];
      if (entry?.kind !== 'subquery') throw new TooMuch();
      return this.outputs(this.frame(entry.query, frame));
    });
    if (columns.some(({ length }) => length < shown.length)) throw new TooMuch();
    const there = (index: number) => columns.map((of) => of[index] as T);
    return shown.map((_, index) => this.merged(frame, there(index), index));
  }

  /** What a column stands in: a thing in FROM, and the query that this belongs to. */
  protected standsIn(frame: Frame<T>, { entry, levelsUp }: Var): readonly [RangeEntry, Frame<T>] {
    const around = outward(frame, levelsUp);
    const found = around.query.entries[entry - 1];
    if (found === undefined) throw new TooMuch();
    return [found, around];
  }

  /** What a name in the FROM of a query stands for. */
  cte(around: Frame<T>, { cte, levelsUp }: Extract<RangeEntry, { readonly kind: 'cte' }>): Frame<T> {
    const owner = outward(around, levelsUp);
    const found = owner.query.ctes.find(({ name }) => name === cte);
    if (found === undefined) throw new TooMuch();
    return this.frame(found.query, owner);
  }

  /** For each expression that is looked at. */
  protected spend(): void {
    if (--this.#left < 0) throw new TooMuch();
  }
}

/** Adds queries of sublinks, at any depth of expressions. */
function addLinked(exprs: readonly (Expr | undefined)[], found: Query[]): void {
  for (const expr of exprs) {
    if (expr === undefined) continue;
    if (expr.kind === 'SubLink') found.push(expr.query);
    addLinked(partsOf(expr), found);
  }
}

/** What a statement gives; of one that writes, what it returns. */
export function shownOf({ command, targets, returning }: Query): readonly TargetEntry[] {
  return (command === 'select' ? targets : returning).filter(({ junk }) => !junk);
}

/** Whether a set operation compares rows: all but UNION ALL do. */
export function mergesRows(set: NonNullable<Query['set']>): boolean {
  if (set.kind === 'RangeTblRef') return false;
  return set.operation !== 'union' || !set.all || mergesRows(set.left) || mergesRows(set.right);
}

/** Entries of the queries that a set operation is made of. */
function armsOf(set: Query['set']): number[] {
  if (set === undefined) return [];
  return set.kind === 'RangeTblRef' ? [set.entry] : [...armsOf(set.left), ...armsOf(set.right)];
}

function outward<T>(frame: Frame<T>, levels: number): Frame<T> {
  let found = frame;
  for (let left = levels; left > 0; left--) {
    if (found.parent === undefined) throw new TooMuch();
    found = found.parent;
  }
  return found;
}
