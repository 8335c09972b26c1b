import { FIRST_USER_OID } from '../../../catalog/system/objects.ts';
import type { Expr, FuncExpr, Query, SortGroup, Var } from '../../analysis/tree.ts';
import { expressionsOf, partsOf } from '../../analysis/walk.ts';
import { type MemberStep, stepsInto } from './member-steps.ts';
import { type Frame, mergesRows, QueryTrace, shownOf, TooMuch } from './query-trace.ts';

/** Columns whose data something has: `relation.attribute`, as `columnKey` writes it. */
export type Sources = ReadonlySet<string>;

const CLEAR: Sources = new Set();
const BOUNDS = { rounds: 50, looks: 500_000 };

/**
 * Follows columns of relations through an analysed statement: to what it gives, and to what it does with them on the way.
 *
 * @throws {TooMuch} By any of its methods.
 */
export class ColumnTrace extends QueryTrace<Sources> {
  /** Columns that do more than to be carried. */
  readonly looked = new Set<string>();
  /** Comparisons of columns that may be looked up, each with what it compares. */
  readonly lookups = new Map<Expr, Sources>();
  /** What stands in documents of columns that are followed was read where none of that is. */
  stepped = false;
  /** The statement itself says by which collation something is compared. */
  collates = false;
  readonly #mayLookUp: MayLookUp | undefined;
  readonly #maySee: MaySee | undefined;
  readonly #usesFields: UsesFields | undefined;
  readonly #counted: (relation: number) => ReadonlySet<number> | undefined;
  readonly #through: boolean;

  /**
   * @param counted Numbers of the columns of a relation that are followed; undefined: the relation is not known.
   * @param options.through Whether what is computed has the data of what it is computed from; default not.
   * @param options.mayLookUp Default: nothing may be.
   * @param options.maySee Default: all of a document is followed.
   * @param options.usesFields Default: a function uses all of a row.
   */
  constructor(
    counted: (relation: number) => ReadonlySet<number> | undefined,
    {
      through = false,
      mayLookUp,
      maySee,
      usesFields,
    }: {
      readonly through?: boolean;
      readonly mayLookUp?: MayLookUp;
      readonly maySee?: MaySee;
      readonly usesFields?: UsesFields;
    } = {},
  ) {
    super(CLEAR, BOUNDS);
    this.#counted = counted;
    this.#through = through;
    this.#mayLookUp = mayLookUp;
    this.#maySee = maySee;
    this.#usesFields = usesFields;
  }

  /** Looks at all of a statement. */
  follow(query: Query): Frame<Sources> {
    return this.settle(query, (top) => {
      for (const frame of this.frames(top)) this.#lookAt(frame);
      this.outputs(top);
    });
  }

  protected override merged(_: Frame<Sources>, arms: readonly Sources[]): Sources {
    return union(arms);
  }

  protected override differs(one: Sources, other: Sources | undefined): boolean {
    return one.size !== other?.size;
  }

  /** Of what hands a value on as it is; nothing of what computes one: that is looked at. */
  protected override given(frame: Frame<Sources>, expr: Expr): Sources {
    this.spend();
    if (expr.kind === 'Var') return this.#column(frame, expr);
    const field = expr.kind === 'FieldSelect' ? this.#field(frame, expr.arg, expr.field) : undefined;
    if (field !== undefined) return field;
    if (expr.kind === 'CollateExpr') this.collates = true;
    if (expr.kind === 'RelabelType' || expr.kind === 'CollateExpr') return this.given(frame, expr.arg);
    if (expr.kind === 'SubLink' && expr.link === 'expr')
      return this.outputs(this.frame(expr.query, frame))[0] ?? CLEAR;
    return this.#through ? this.#all(frame, [expr]) : CLEAR;
  }

  #column(frame: Frame<Sources>, column: Var): Sources {
    const [entry, around] = this.standsIn(frame, column);
    const { attribute } = column;
    if (isExcluded(around.query, column.entry)) return CLEAR;
    switch (entry.kind) {
      case 'relation':
        return this.#ofRelation(entry.relation, attribute);
      case 'subquery':
        return this.#ofOutputs(this.outputs(this.frame(entry.query, around)), attribute);
      case 'cte':
        return this.#ofOutputs(this.outputs(this.cte(around, entry)), attribute);
      case 'join':
        return this.#ofJoin(around, entry.aliasVars, attribute);
      case 'values':
        return this.#all(around, attribute === 0 ? entry.rows.flat() : cellsOf(entry.rows, attribute));
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

  /**
   * Of a field of what hands a row on as it is.
   *
   * @returns Undefined: the row is made, or changed, and that is looked at.
   */
  #field(frame: Frame<Sources>, row: Expr, field: number): Sources | undefined {
    this.spend();
    if (row.kind !== 'Var') return undefined;
    const [entry, around] = this.standsIn(frame, row);
    if (row.attribute === 0) return this.#column(frame, { ...row, attribute: field });
    if (entry.kind === 'join') return this.#fieldOf(around, entry.aliasVars[row.attribute - 1], field);
    const from =
      entry.kind === 'subquery'
        ? this.frame(entry.query, around)
        : entry.kind === 'cte'
          ? this.cte(around, entry)
          : undefined;
    const given = from?.query.set === undefined ? from && shownOf(from.query)[row.attribute - 1] : undefined;
    const within = from && given && this.#field(from, given.expr, field);
    return within ?? this.#column(frame, row);
  }

  /** Of what it is given; of a row, where the function is known to use some fields alone, of these. */
  #call(frame: Frame<Sources>, call: FuncExpr): Sources {
    const { args } = call;
    return union(
      args.map((arg, index) => {
        const fields = arg.kind === 'Var' ? this.#usesFields?.(call, index) : undefined;
        const each = [...(fields ?? [])].map((field) => this.#field(frame, arg, field));
        const known = each.filter((one) => one !== undefined);
        return fields === undefined || known.length < each.length ? this.#all(frame, [arg]) : union(known);
      }),
    );
  }

  #fieldOf(around: Frame<Sources>, row: Expr | undefined, field: number): Sources | undefined {
    return row && (this.#field(around, row, field) ?? this.#all(around, [row]));
  }

  /** Columns that SEARCH and CYCLE add are made of any. */
  #ofOutputs(outputs: readonly Sources[], attribute: number): Sources {
    return attribute === 0 ? union(outputs) : (outputs[attribute - 1] ?? union(outputs));
  }

  #ofJoin(around: Frame<Sources>, aliasVars: readonly Expr[], attribute: number): Sources {
    return this.#all(around, attribute === 0 ? aliasVars : aliasVars.slice(attribute - 1, attribute));
  }

  /** Of all that expressions have in them, however deep. */
  #all(frame: Frame<Sources>, exprs: readonly (Expr | undefined)[]): Sources {
    return union(
      exprs.map((expr) => {
        if (expr === undefined) return CLEAR;
        this.spend();
        if (expr.kind === 'Var') return this.#column(frame, expr);
        const field = expr.kind === 'FieldSelect' ? this.#field(frame, expr.arg, expr.field) : undefined;
        if (field !== undefined) return field;
        if (expr.kind === 'FuncExpr') return this.#call(frame, expr);
        if (expr.kind === 'CollateExpr') this.collates = true;
        if (this.#isLookup(frame, expr) || this.#isBeside(frame, expr)) return CLEAR;
        const within = this.#all(frame, partsOf(expr));
        if (expr.kind !== 'SubLink' || expr.link === 'exists') return within;
        return union([within, ...this.outputs(this.frame(expr.query, frame))]);
      }),
    );
  }

  /** It reads documents where nothing stands in them that is followed. */
  #isBeside(frame: Frame<Sources>, expr: Expr): boolean {
    const { operator, clear } = this.#maySee ?? {};
    const found = operator && stepsInto(expr, operator);
    if (found === undefined) return false;
    const sources = this.#column(frame, found.column);
    if (![...sources].every((key) => clear?.(key, found.steps))) return false;
    this.stepped ||= sources.size > 0;
    return true;
  }

  /** It says whether a column equals a value that the client has sent, and no more. */
  #isLookup(frame: Frame<Sources>, expr: Expr): boolean {
    const { equals, column } = this.#mayLookUp ?? {};
    if (expr.kind !== 'OpExpr' || equals?.(expr.operator) !== true || expr.args.length !== 2) return false;
    const [one, other] = expr.args.map(relabelled) as [Expr, Expr];
    const found = comparedColumn(one, other) ?? comparedColumn(other, one);
    if (found === undefined || found.attribute <= 0) return false;
    const sources = this.#column(frame, found);
    if (sources.size === 0 || [...sources].some((key) => column?.(key) !== true)) return false;
    this.lookups.set(expr, sources);
    return true;
  }

  /** Looks at everything that a query does. */
  #lookAt(frame: Frame<Sources>): void {
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
  }

  /** What is carried to the result does nothing on its way. */
  #show(frame: Frame<Sources>, expr: Expr): void {
    // A whole row is told column by column by nobody; within a statement it is handed on, and its fields are followed.
    if (expr.kind === 'Var')
      return expr.attribute === 0 && frame.parent === undefined ? this.#look(frame, expr) : undefined;
    if (expr.kind === 'FieldSelect' && this.#field(frame, expr.arg, expr.field) !== undefined) return;
    if (expr.kind === 'CollateExpr') this.collates = true;
    if (expr.kind === 'RelabelType' || expr.kind === 'CollateExpr') this.#show(frame, expr.arg);
    else if (expr.kind !== 'SubLink' || expr.link !== 'expr') this.#look(frame, expr);
  }

  #look(frame: Frame<Sources>, expr: Expr): void {
    this.#note(this.#all(frame, [expr]));
  }

  /** Sorting, grouping and telling rows apart compares what is carried. */
  #compare(frame: Frame<Sources>): void {
    const { sort, group, distinct, windows, set } = frame.query;
    const compared = [sort, group, distinct, ...windows.flatMap((one) => [one.partition, one.order])].flat();
    const refs = new Set(compared.map(({ ref }: SortGroup) => ref));
    // The list of a UNION names its first arm alone.
    const outputs = set === undefined ? undefined : this.outputs(frame);
    for (const [index, { ref, expr }] of frame.query.targets.entries())
      if (refs.has(ref)) this.#note(outputs?.[index] ?? this.given(frame, expr));
    if (set?.kind === 'SetOperationStmt' && mergesRows(set)) this.#note(union(this.outputs(frame)));
  }

  #note(sources: Sources): void {
    for (const one of sources) this.looked.add(one);
  }
}

/** Which fields of a row that stands as an argument of a call are all that it uses; undefined: it may use any. */
export type UsesFields = (call: FuncExpr, argument: number) => ReadonlySet<number> | undefined;

/** What of documents in columns that are followed may be read. */
export interface MaySee {
  /** The name of one of PostgreSQL's own operators on jsonb, by its OID. */
  operator(oid: number): string | undefined;
  /** Whether nothing that is followed is met by these steps, nor stands behind them. @param key As of `Sources`. */
  clear(key: string, steps: readonly MemberStep[]): boolean;
}

/** What may be asked of columns that are followed: whether one equals what the client sends. */
export interface MayLookUp {
  /** Whether an operator, by its OID, says that two values are equal. */
  equals(operator: number): boolean;
  /** @param key As of `Sources`. */
  column(key: string): boolean;
}

/** Without what makes nothing else of a value, nor says how it is compared. */
function relabelled(expr: Expr): Expr {
  return expr.kind === 'RelabelType' ? relabelled(expr.arg) : expr;
}

/** A column that is compared with what the client sends, of PostgreSQL's own types or its own: another might bring its collation. */
function comparedColumn(column: Expr, sent: Expr): Var | undefined {
  const isSent = sent.kind === 'Const' || (sent.kind === 'Param' && sent.source === 'external');
  if (column.kind !== 'Var' || !isSent) return undefined;
  return sent.type < FIRST_USER_OID || sent.type === column.type ? column : undefined;
}

/** In ON CONFLICT, the row that was to be inserted: the caller's own values. */
function isExcluded({ onConflict }: Query, entry: number): boolean {
  return onConflict?.excluded === entry;
}

function cellsOf(rows: readonly (readonly Expr[])[], attribute: number): (Expr | undefined)[] {
  return rows.map((row) => row[attribute - 1]);
}

function union(all: readonly Sources[]): Sources {
  const filled = all.filter(({ size }) => size > 0);
  if (filled.length < 2) return filled[0] ?? CLEAR;
  return new Set(filled.flatMap((one) => [...one]));
}
