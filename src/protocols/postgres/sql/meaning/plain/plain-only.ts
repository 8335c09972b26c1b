import type { Catalog } from '../../../catalog/model/model.ts';
import { HINTS } from '../../../hints.ts';
import type { PostgresRefusal } from '../../../refusals.ts';
import type { Expr, Query, SortGroup, TargetEntry } from '../../analysis/tree.ts';
import { expressionsOf, partsOf } from '../../analysis/walk.ts';
import type { StatementFacts } from '../../facts/facts.ts';
import type { LazyAnalysis } from '../analysed.ts';
import { type Frame, mergesRows, TooMuch } from '../flow/query-trace.ts';
import { isUntrusted, resolveFunction } from '../functions.ts';
import type { NameScope } from '../name-scope.ts';
import { PlainCalls } from './calls.ts';
import { type Around, argumentsOf, PlainTrace } from './plain-trace.ts';
import { StoredColumns } from './stored-columns.ts';
import { isMore, type PlainOnly, type Value } from './value.ts';

export interface PlainQuestion {
  readonly facts: StatementFacts;
  readonly catalog: Catalog;
  readonly names: NameScope;
  readonly analysed: LazyAnalysis;
  readonly plain: PlainOnly;
}

/**
 * Whether a statement shows of free text no more than columns as they stand, and what the listed functions give.
 *
 * Nothing that is computed from free text may come to the result, be stored, decide on an order, on groups or on how many rows there
 * are. A condition may look into it, of one row at a time: not beside a column of another thing in FROM, so that it tells one bit of a
 * row for each time that it is written. Values as a whole may be compared with what is written and with columns.
 *
 * @returns Why it is refused. Pure.
 */
export function plainRefusal(question: PlainQuestion): PostgresRefusal | undefined {
  const { facts, analysed } = question;
  if (defines(facts)) return DEFINES;
  const unlisted = facts.call || !holdsQuery(facts) ? unlistedByName(question) : undefined;
  if (unlisted !== undefined) return notListed(unlisted);
  if (!holdsQuery(facts)) return copied(question);
  const found = analysed();
  if (found === undefined) return UNREAD;
  try {
    const { catalog, plain } = question;
    const calls = new PlainCalls(catalog, found.catalog, plain);
    const trace = new PlainTrace(calls, new StoredColumns(catalog, plain), found.catalog);
    const sets = facts.functions.some(({ name }) => name.at(-1) === 'set_config');
    return new Look(trace, sets).at(found.query);
  } catch (error) {
    if (error instanceof TooMuch) return UNREAD;
    throw error;
  }
}

const DEFINES: PostgresRefusal = {
  code: 'ERR_DENIED',
  rule: 'text-definition',
  reason: 'what is defined could compute with free text, of which you are shown plain columns alone',
  hint: HINTS.askForWork,
};

const UNREAD: PostgresRefusal = {
  code: 'ERR_DENIED',
  rule: 'unsupported',
  reason: 'the gateway does not understand with certainty what this statement makes of free text',
  hint: HINTS.simpler,
};

function notListed(name: string): PostgresRefusal {
  return {
    code: 'ERR_DENIED',
    rule: 'unlisted-function',
    reason: `function ${name} could compute with free text, of which you are shown plain columns alone`,
    hint: HINTS.listedFunction,
  };
}

function defines({ kind, materializes, opaque, relations, objects }: StatementFacts): boolean {
  const makes = (what: string) => what === 'create' || what === 'alter';
  const isMade = relations.some(({ role }) => makes(role)) || objects.some(({ action }) => makes(action));
  return materializes || opaque !== undefined || (kind === 'ddl' && isMade);
}

function holdsQuery({ kind, explain, declares, prepares, copy }: StatementFacts): boolean {
  const isHeld = [explain, declares, prepares].some((one) => one !== undefined);
  return kind === 'query' || kind === 'dml' || isHeld || (copy !== undefined && copy.relation === undefined);
}

/** Of what is no query: arguments of EXECUTE and CALL. */
function unlistedByName({ facts, names, plain }: PlainQuestion): string | undefined {
  const called = facts.functions.flatMap((use) => resolveFunction(use, names));
  const found = called.find((one) => isUntrusted(one) && !plain.functions.has(`${one.schema}.${one.name}`));
  return found && `${found.schema}.${found.name}`;
}

/** COPY of a relation: its columns as they stand. */
function copied({ facts, catalog, names, plain }: PlainQuestion): PostgresRefusal | undefined {
  const { direction, relation: index, columns } = facts.copy ?? {};
  const use = direction === 'out' && index !== undefined ? facts.relations[index] : undefined;
  const relation = use && names.relation(use.schema, use.name).relation;
  if (relation === undefined) return undefined;
  const stored = new StoredColumns(catalog, plain);
  const all = [...relation.columns.values()].filter(({ name }) => columns?.includes(name) !== false);
  const values = all.map(({ attnum }) => stored.of(relation.oid, attnum));
  const one = values.find(({ kind }) => isMore(kind, 'whole'));
  return one && refusal(one, 'is not shown');
}

function refusal({ column = 'a column', by = 'what is done with it' }: Value, what: string): PostgresRefusal {
  return {
    code: 'ERR_DENIED',
    rule: 'computed-text',
    reason: `what ${by} makes of column ${column} ${what}: of free text you are shown plain columns alone`,
    hint: HINTS.plainColumn,
    leaveOut: [column],
  };
}

/** The first reason counts. */
class Refused extends Error {
  readonly refusal: PostgresRefusal;
  constructor(why: PostgresRefusal) {
    super(why.reason);
    this.refusal = why;
  }
}

/** Looks at all places of a statement where a value shows something. */
class Look {
  readonly #trace: PlainTrace;
  readonly #sets: boolean;

  /** @param sets It changes settings while it runs, by which functions that only look differ from row to row. */
  constructor(trace: PlainTrace, sets: boolean) {
    this.#trace = trace;
    this.#sets = sets;
  }

  at(query: Query): PostgresRefusal | undefined {
    try {
      // What is refused of less would be of more.
      this.#trace.settle(query, (top) => {
        for (const value of this.#trace.outputs(top)) this.#demandPlain(value, 'is not shown');
        for (const frame of this.#trace.frames(top)) this.#lookAt(frame);
      });
      return undefined;
    } catch (error) {
      if (error instanceof Refused) return error.refusal;
      throw error;
    }
  }

  #lookAt(frame: Frame<Value>): void {
    this.#trace.outputs(frame);
    const { query } = frame;
    this.#written(frame);
    this.#bounds(frame);
    this.#compared(frame);
    this.#cycles(frame);
    for (const expr of conditionsOf(query)) this.#condition({ frame, ungrouped: true }, expr);
    if (query.having !== undefined) this.#condition({ frame }, query.having);
    for (const expr of expressionsOf(query)) if (expr !== undefined) this.#within(frame, expr);
  }

  #written(frame: Frame<Value>): void {
    const { command, targets, onConflict, merge } = frame.query;
    const stored =
      command === 'select'
        ? []
        : [...targets, ...(onConflict?.set ?? []), ...merge.flatMap((one) => one.targets)];
    for (const { expr, junk } of stored)
      if (!junk) this.#demandPlain(this.#trace.value({ frame }, expr), 'is not stored');
  }

  /** How many rows there are is told to everybody. */
  #bounds(frame: Frame<Value>): void {
    const { query } = frame;
    const numbers = [query.limit, query.offset, ...query.windows.flatMap(({ start, end }) => [start, end])];
    for (const entry of query.entries) {
      if (entry.kind === 'relation') numbers.push(...(entry.sample?.args ?? []), entry.sample?.repeatable);
      if (entry.kind === 'tablefunc') numbers.push(...entry.exprs);
      if (entry.kind !== 'function') continue;
      for (const expr of entry.functions)
        this.#demandPlain(this.#trace.value({ frame }, expr), 'makes no rows');
    }
    for (const expr of numbers) {
      const value = expr && this.#trace.value({ frame }, expr);
      if (value !== undefined && value.kind !== 'clear')
        throw new Refused(refusal({ ...value, by: value.by ?? 'a bound or a table' }, 'makes no rows'));
    }
  }

  #compared(frame: Frame<Value>): void {
    const { query } = frame;
    const { sort, group, distinct, windows, set, targets } = query;
    const outputs = set === undefined ? undefined : this.#trace.outputs(frame);
    const of = (refs: readonly SortGroup[]) =>
      valuesOf(targets, refs, (expr, index) => outputs?.[index] ?? this.#trace.value({ frame }, expr));
    const told = [group, distinct, ...windows.map(({ partition }) => partition)].flatMap(of);
    for (const value of told) demandGrouped(value);
    for (const value of [sort, ...windows.map(({ order }) => order)].flatMap(of)) demandSorted(value);
    if (set !== undefined && mergesRows(set)) for (const value of outputs ?? []) this.#demandMerged(value);
  }

  /** A recursion that looks for cycles ends by what is the same. It is told by the columns that this adds. */
  #cycles(frame: Frame<Value>): void {
    for (const entry of frame.query.entries) {
      if (entry.kind !== 'cte') continue;
      const outputs = this.#trace.outputs(this.#trace.cte(frame, entry));
      if (entry.columns.length > outputs.length) for (const value of outputs) this.#demandMerged(value);
    }
  }

  #demandMerged(value: Value): void {
    this.#demandPlain(value, 'is not compared with other rows');
    demandGrouped(value);
  }

  /** Parts of a condition are conditions. */
  #condition(around: Around, expr: Expr): void {
    if (expr.kind === 'BoolExpr') {
      for (const one of expr.args) this.#condition(around, one);
      return;
    }
    const value = this.#trace.value(around, expr);
    if (value.kind === 'computed' && (value.rows.size > 1 || this.#sets))
      throw new Refused(refusal(value, 'is not compared with other rows'));
  }

  /** Calls within an expression. */
  #within(frame: Frame<Value>, expr: Expr): void {
    if ('function' in expr) this.#called(frame, expr);
    if (expr.kind === 'Aggref' || expr.kind === 'WindowFunc') {
      const ungrouped = expr.kind === 'Aggref' && expr.levelsUp === 0;
      if (expr.filter !== undefined) this.#condition({ frame, ungrouped }, expr.filter);
    }
    for (const part of partsOf(expr)) if (part !== undefined) this.#within(frame, part);
  }

  #called(frame: Frame<Value>, expr: Extract<Expr, { readonly function: number }>): void {
    const { calls } = this.#trace;
    const unlisted = calls.unlisted(expr);
    if (unlisted !== undefined) throw new Refused(notListed(unlisted));
    const isCall = expr.kind === 'FuncExpr' || expr.kind === 'Aggref' || expr.kind === 'WindowFunc';
    if (!isCall) return;
    const value = (one: Expr) => this.#trace.value({ frame }, one);
    const misused = calls.misused(expr, argumentsOf(expr).map(value));
    if (misused !== undefined) throw new Refused(refusal(misused, 'is not handed to a function'));
    if (expr.kind !== 'Aggref') return;
    for (const one of valuesOf(expr.args, expr.order, value)) demandSorted(one);
    for (const one of valuesOf(expr.args, expr.distinct, value)) demandGrouped(one);
  }

  #demandPlain(value: Value, what: string): void {
    if (isMore(value.kind, 'whole')) throw new Refused(refusal(value, what));
  }
}

/** As it is, and not beside what was computed: with whatever is the same, it makes a group. */
function demandGrouped(value: Value): void {
  if (value.kind === 'computed') throw new Refused(refusal(value, 'makes no groups'));
  const by = 'a mix with what is computed';
  if (value.mixed) throw new Refused(refusal({ ...value, by }, 'is not compared with other rows'));
}

/** By columns as they are: beside what was written, an order tells where between it a value lies. */
function demandSorted(value: Value): void {
  const isPlain = value.kind === 'clear' || (value.kind !== 'computed' && value.origin === 'column');
  if (!isPlain) throw new Refused(refusal({ ...value, by: value.by ?? 'a choice' }, 'is not sorted by'));
}

function valuesOf(
  targets: readonly TargetEntry[],
  refs: readonly SortGroup[],
  value: (expr: Expr, index: number) => Value,
): Value[] {
  const wanted = new Set(refs.map(({ ref }) => ref));
  return targets.flatMap(({ ref, expr }, index) => (wanted.has(ref) ? [value(expr, index)] : []));
}

/** Conditions on rows. */
function conditionsOf({ where, from, mergeCondition, merge, onConflict }: Query): Expr[] {
  const quals = (node: Query['from'][number]): (Expr | undefined)[] =>
    node.kind === 'RangeTblRef' ? [] : [node.quals, ...quals(node.left), ...quals(node.right)];
  const all = [
    where,
    mergeCondition,
    ...merge.map(({ condition }) => condition),
    onConflict?.where,
    onConflict?.inferredWhere,
  ];
  return [...all, ...from.flatMap(quals)].filter((one) => one !== undefined);
}
