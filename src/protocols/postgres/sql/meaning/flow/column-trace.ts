import type { Expr, Query, RangeEntry, SortGroup, TargetEntry, Var } from '../../analysis/tree.ts';
import { expressionsOf, partsOf } from '../../analysis/walk.ts';

/** Columns whose data something has: `relation.attribute`, as `columnKey` writes it. */
export type Sources = ReadonlySet<string>;

const CLEAR: Sources = new Set();
/** What it is made of grows until nothing comes to it: of recursive queries. */
const MAX_ROUNDS = 50;
/** Expressions that are looked at, for one statement: some ten milliseconds. */
const MAX_LOOKS = 500_000;

/** It is too much to follow, or of what is not known. */
export class TooMuch extends Error {}

/** A query, and those around it. */
export interface Frame {
  readonly query: Query;
  readonly parent: Frame | undefined;
  /** Of each column that it gives, as far as is known. */
  outputs: readonly Sources[];
  /** In which round that was found out. */
  round: number;
  /** It was asked for while it was found out: by a query that reads itself. */
  early: boolean;
}

/**
 * Follows columns of relations through an analysed statement: to what it gives, and to what it does with them on the way.
 *
 * @throws {TooMuch} By any of its methods.
 */
export class ColumnTrace {
  /** Columns that do more than to be carried. */
  readonly looked = new Set<string>();
  /** Comparisons of columns that may be looked up, each with what it compares. */
  readonly lookups = new Map<Expr, Sources>();
  readonly #mayLookUp: MayLookUp | undefined;
  readonly #counted: (relation: number) => ReadonlySet<number> | undefined;
  readonly #through: boolean;
  readonly #frames = new Map<Query, Frame>();
  readonly #visited = new Set<Frame>();
  #round = 0;
  #again = false;
  #left = MAX_LOOKS;

  /**
   * @param counted Numbers of the columns of a relation that are followed; undefined: the relation is not known.
   * @param options.through Whether what is computed has the data of what it is computed from; default not.
   * @param options.mayLookUp Default: nothing may be.
   */
  constructor(
    counted: (relation: number) => ReadonlySet<number> | undefined,
    { through = false, mayLookUp }: { readonly through?: boolean; readonly mayLookUp?: MayLookUp } = {},
  ) {
    this.#counted = counted;
    this.#through = through;
    this.#mayLookUp = mayLookUp;
  }

  /** Looks at all of a statement, and again as long as a recursive query has come to more than it was taken for. */
  settle(query: Query): Frame {
    const top = this.frame(query, undefined);
    do {
      if (++this.#round > MAX_ROUNDS) throw new TooMuch();
      this.#again = false;
      this.#visited.clear();
      this.visit(top);
      this.outputs(top);
    } while (this.#again);
    return top;
  }

  frame(query: Query, parent: Frame | undefined): Frame {
    const known = this.#frames.get(query);
    if (known !== undefined) return known;
    const outputs = shownOf(query).map(() => CLEAR);
    const made: Frame = { query, parent, outputs, round: 0, early: false };
    this.#frames.set(query, made);
    return made;
  }

  /** What each column that a query gives has the data of. */
  outputs(frame: Frame): readonly Sources[] {
    if (frame.round === this.#round) {
      frame.early = true;
      return frame.outputs;
    }
    frame.round = this.#round;
    frame.early = false;
    const before = frame.outputs;
    const found = this.#compute(frame, shownOf(frame.query));
    const wasEarly = frame.early;
    frame.outputs = found;
    if (wasEarly && found.some((one, index) => one.size !== before[index]?.size)) this.#again = true;
    return found;
  }

  #compute(frame: Frame, shown: readonly TargetEntry[]): readonly Sources[] {
    const arms = armsOf(frame.query);
    if (arms.length === 0) return shown.map(({ expr }) => this.#carried(frame, expr));
    const columns = arms.map((entry) => this.outputs(this.#within(frame, frame.query.entries[entry - 1])));
    return shown.map((_, index) => union(columns.map((of) => of[index] ?? CLEAR)));
  }

  #within(frame: Frame, entry: RangeEntry | undefined): Frame {
    if (entry?.kind !== 'subquery') throw new TooMuch();
    return this.frame(entry.query, frame);
  }

  /** Of what hands a value on as it is; nothing of what computes one: that is looked at. */
  #carried(frame: Frame, expr: Expr): Sources {
    this.#spend(1);
    if (expr.kind === 'Var') return this.#column(frame, expr);
    if (expr.kind === 'RelabelType' || expr.kind === 'CollateExpr') return this.#carried(frame, expr.arg);
    if (expr.kind === 'SubLink' && expr.link === 'expr')
      return this.outputs(this.frame(expr.query, frame))[0] ?? CLEAR;
    return this.#through ? this.#all(frame, [expr]) : CLEAR;
  }

  #column(frame: Frame, { entry: number, attribute, levelsUp }: Var): Sources {
    const around = outward(frame, levelsUp);
    const entry = around.query.entries[number - 1];
    if (entry === undefined) throw new TooMuch();
    if (isExcluded(around.query, number)) return CLEAR;
    switch (entry.kind) {
      case 'relation':
        return this.#ofRelation(entry.relation, attribute);
      case 'subquery':
        return this.#ofOutputs(this.outputs(this.frame(entry.query, around)), attribute);
      case 'cte':
        return this.#ofOutputs(this.outputs(this.#cte(around, entry)), attribute);
      case 'join':
        return this.#ofJoin(around, entry.aliasVars, attribute);
      case 'values':
        return this.#all(around, attribute === 0 ? entry.rows.flat() : column(entry.rows, attribute));
      default:
        // Arguments of functions are looked at.
        return CLEAR;
    }
  }

  #ofRelation(relation: number, attribute: number): Sources {
    const counted = this.#counted(relation);
    if (counted === undefined) throw new TooMuch();
    if (counted.size === 0 || attribute < 0) return CLEAR;
    const numbers = attribute === 0 ? [...counted] : counted.has(attribute) ? [attribute] : [];
    return new Set(numbers.map((one) => `${relation}.${one}`));
  }

  /** Columns that SEARCH and CYCLE add are made of any. */
  #ofOutputs(outputs: readonly Sources[], attribute: number): Sources {
    return attribute === 0 ? union(outputs) : (outputs[attribute - 1] ?? union(outputs));
  }

  #cte(around: Frame, { cte, levelsUp }: { readonly cte: string; readonly levelsUp: number }): Frame {
    const owner = outward(around, levelsUp);
    const found = owner.query.ctes.find(({ name }) => name === cte);
    if (found === undefined) throw new TooMuch();
    return this.frame(found.query, owner);
  }

  #ofJoin(around: Frame, aliasVars: readonly Expr[], attribute: number): Sources {
    return this.#all(around, attribute === 0 ? aliasVars : aliasVars.slice(attribute - 1, attribute));
  }

  /** Of all that expressions have in them, however deep. */
  #all(frame: Frame, exprs: readonly (Expr | undefined)[]): Sources {
    return union(
      exprs.map((expr) => {
        if (expr === undefined) return CLEAR;
        this.#spend(1);
        if (expr.kind === 'Var') return this.#column(frame, expr);
        if (this.#isLookup(frame, expr)) return CLEAR;
        const within = this.#all(frame, partsOf(expr));
        if (expr.kind !== 'SubLink' || expr.link === 'exists') return within;
        return union([within, ...this.outputs(this.frame(expr.query, frame))]);
      }),
    );
  }

  /** It says whether a column equals a value that the client has sent, and no more. */
  #isLookup(frame: Frame, expr: Expr): boolean {
    const { equals, column } = this.#mayLookUp ?? {};
    if (expr.kind !== 'OpExpr' || equals?.(expr.operator) !== true || expr.args.length !== 2) return false;
    const [one, other] = expr.args.map(bare) as [Expr, Expr];
    const found =
      one.kind === 'Var' && isSent(other) ? one : other.kind === 'Var' && isSent(one) ? other : undefined;
    if (found === undefined || found.attribute <= 0) return false;
    const sources = this.#column(frame, found);
    if (sources.size === 0 || [...sources].some((key) => column?.(key) !== true)) return false;
    this.lookups.set(expr, sources);
    return true;
  }

  /** Looks at everything that a query does, and the queries within it. */
  visit(frame: Frame): void {
    if (this.#visited.has(frame)) return;
    this.#visited.add(frame);
    const { query } = frame;
    const shown = new Set(shownOf(query).map(({ expr }) => expr));
    // What only finds whether there is such a row already tells no more than the violation of its uniqueness would.
    const inferred = query.onConflict?.action === 'nothing' ? query.onConflict.inferred : [];
    for (const expr of expressionsOf(query)) {
      if (expr === undefined || inferred.includes(expr)) continue;
      if (shown.has(expr)) this.#show(frame, expr);
      else this.#look(frame, expr);
    }
    this.#compare(frame);
    for (const entry of query.entries)
      if (entry.kind === 'subquery') this.visit(this.frame(entry.query, frame));
    for (const cte of query.ctes) this.visit(this.frame(cte.query, frame));
  }

  /** What is carried to the result does nothing on its way. */
  #show(frame: Frame, expr: Expr): void {
    // A whole row is told column by column by nobody.
    if (expr.kind === 'Var') return expr.attribute === 0 ? this.#look(frame, expr) : undefined;
    if (expr.kind === 'RelabelType' || expr.kind === 'CollateExpr') this.#show(frame, expr.arg);
    else if (expr.kind === 'SubLink' && expr.link === 'expr') this.visit(this.frame(expr.query, frame));
    else this.#look(frame, expr);
  }

  #look(frame: Frame, expr: Expr): void {
    this.#note(this.#all(frame, [expr]));
    this.#visitLinks(frame, expr);
  }

  #visitLinks(frame: Frame, expr: Expr): void {
    if (expr.kind === 'SubLink') this.visit(this.frame(expr.query, frame));
    for (const part of partsOf(expr)) if (part !== undefined) this.#visitLinks(frame, part);
  }

  /** Sorting, grouping and telling rows apart compares what is carried. */
  #compare(frame: Frame): void {
    const { sort, group, distinct, windows, set } = frame.query;
    const compared = [sort, group, distinct, ...windows.flatMap((one) => [one.partition, one.order])].flat();
    const refs = new Set(compared.map(({ ref }: SortGroup) => ref));
    // The list of a UNION names its first arm alone.
    const outputs = set === undefined ? undefined : this.outputs(frame);
    for (const [index, { ref, expr }] of frame.query.targets.entries())
      if (refs.has(ref)) this.#note(outputs?.[index] ?? this.#carried(frame, expr));
    if (set?.kind === 'SetOperationStmt' && mergesRows(set)) this.#note(union(this.outputs(frame)));
  }

  #note(sources: Sources): void {
    for (const one of sources) this.looked.add(one);
  }

  /** @throws {TooMuch} */
  #spend(looks: number): void {
    this.#left -= looks;
    if (this.#left < 0) throw new TooMuch();
  }
}

/** What may be asked of columns that are followed: whether one equals what the client sends. */
export interface MayLookUp {
  /** Whether an operator, by its OID, says that two values are equal. */
  equals(operator: number): boolean;
  /** @param key As of `Sources`. */
  column(key: string): boolean;
}

/** Without what makes nothing else of a value. */
function bare(expr: Expr): Expr {
  return expr.kind === 'RelabelType' || expr.kind === 'CollateExpr' ? bare(expr.arg) : expr;
}

function isSent(expr: Expr): boolean {
  return expr.kind === 'Const' || (expr.kind === 'Param' && expr.source === 'external');
}

/** What a statement gives; of one that writes, what it returns. */
export function shownOf({ command, targets, returning }: Query): readonly TargetEntry[] {
  return (command === 'select' ? targets : returning).filter(({ junk }) => !junk);
}

function outward(frame: Frame, levels: number): Frame {
  let found = frame;
  for (let left = levels; left > 0; left--) {
    if (found.parent === undefined) throw new TooMuch();
    found = found.parent;
  }
  return found;
}

/** In ON CONFLICT, the row that was to be inserted: the caller's own values. */
function isExcluded({ onConflict }: Query, entry: number): boolean {
  return onConflict?.excluded === entry;
}

/** Entries of the queries that a set operation is made of. */
function armsOf({ set }: Query): number[] {
  const arms = (one: NonNullable<Query['set']>): number[] =>
    one.kind === 'RangeTblRef' ? [one.entry] : [...arms(one.left), ...arms(one.right)];
  return set === undefined ? [] : arms(set);
}

/** All but UNION ALL do. */
function mergesRows(set: NonNullable<Query['set']>): boolean {
  if (set.kind === 'RangeTblRef') return false;
  return set.operation !== 'union' || !set.all || mergesRows(set.left) || mergesRows(set.right);
}

function column(rows: readonly (readonly Expr[])[], attribute: number): (Expr | undefined)[] {
  return rows.map((row) => row[attribute - 1]);
}

function union(all: readonly Sources[]): Sources {
  const filled = all.filter(({ size }) => size > 0);
  if (filled.length < 2) return filled[0] ?? CLEAR;
  return new Set(filled.flatMap((one) => [...one]));
}
