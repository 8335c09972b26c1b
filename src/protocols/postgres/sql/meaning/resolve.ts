import { once } from '../../../../core/later.ts';
import type { PolicyValue } from '../../../../policy/model.ts';
import { lackedNames } from '../../catalog/model/lacked-names.ts';
import type { Catalog, Relation } from '../../catalog/model/model.ts';
import { HINTS } from '../../hints.ts';
import type { PostgresRefusal } from '../../refusals.ts';
import type { AnalysisCatalog } from '../analysis/catalog.ts';
import type { StatementFacts } from '../facts/facts.ts';
import type { NewerSyntax } from '../facts/newer-syntax.ts';
import { analysisOf, type LazyAnalysis } from './analysed.ts';
import { analysedFlow } from './flow/analysed-flow.ts';
import { carriedFlow } from './flow/carried.ts';
import type { MayLookUp, UsesFields } from './flow/column-trace.ts';
import { type Flow, maskedFlow } from './flow/masked-flow.ts';
import { maskedReads } from './flow/masked-reads.ts';
import { outputColumns } from './flow/output-columns.ts';
import { schemaEffect } from './flow/schema-effect.ts';
import { seenBeside } from './flow/seen-beside.ts';
import type { SearchPath } from './name-scope.ts';
import { plainRefusal } from './plain/plain-only.ts';
import { isNotRun, type PlanInput, rowsChanged, type StatementPlan, unreadPlan } from './plan.ts';
import { Resolution } from './resolution.ts';
import { callOf } from './results/calls.ts';
import type { FunctionReads } from './results/function-reads.ts';
import { isTransactionSetting } from './settings.ts';
import { mayHaveParameters } from './type-effects.ts';

export type { StatementPlan } from './plan.ts';

/**
 * Resolves one statement against the catalog: every (action, object) pair it would perform, what its answer may show,
 * and whether masked data stays where it can be masked.
 *
 * Same facts, catalog, names and answers of `isMasked`, same plan. A refusal never removes pairs: they are for the audit.
 *
 * @returns A plan with at least one pair, or with a refusal.
 */
export function planStatement(facts: StatementFacts, catalog: Catalog, input: PlanInput): StatementPlan {
  if (facts.unsupported !== undefined)
    return { ...unreadPlan(facts), refusal: notUnderstood(facts.unsupported) };
  const major = Math.floor(catalog.serverVersion / 10_000);
  if (facts.newer !== undefined && facts.newer.since > major)
    return { ...unreadPlan(facts), refusal: tooNew(facts.newer, major) };
  const { path } = input.names;
  const discards = input.names.mayLose(facts);
  const lacks: string[] = [];
  const analysis = analysisOf(facts, catalog, input.names, input.parameterTypes ?? [], (name) =>
    lacks.push(name),
  );
  let asked = false;
  const analysed = () => {
    asked = true;
    return analysis();
  };
  const resolution = new Resolution(facts, catalog, input, analysed);
  resolution.run();
  const { resolved, steering } = resolution;
  const explaining = resolution.hasRowSecurity ? [{ action: 'sql.admin', object: input.resource }] : [];
  if (facts.explain !== undefined)
    for (const pair of explaining) resolution.pairs.add(pair.action, pair.object);
  const nameEffects = steering.effects;
  const flow = flowOf(facts, resolution, analysed, input);
  const { plainOnly: plain, names: scope } = input;
  const computed = plain && plainRefusal({ facts, catalog, names: scope, analysed, plain });
  const { taint, written, touched } = resolution;
  const seen = written.refusal ?? seenBeside(facts, touched, catalog, input);
  const refusal = resolution.refusal ?? taint.refusal ?? seen ?? flow.refusal ?? computed;
  const nameChanges = { ...nameEffects, changes: input.names.pass(facts, nameEffects) };
  const effect = schemaEffect(facts, touched, nameChanges, catalog);
  const computes = input.computesMasks === true && refusal !== undefined && refusal === flow.refusal;
  const reads = computes && isPlain(facts) ? maskedReads(facts, touched) : undefined;
  return {
    tag: facts.tag,
    kind: facts.kind,
    pairs: resolution.pairs.list(),
    context: context(facts, resolution),
    changesNothing: isNotRun(facts),
    ...rowsChanged(facts),
    ...(refusal === undefined ? {} : { refusal }),
    ...(reads === undefined ? {} : { maskedReads: reads }),
    touchesMasked: resolution.touchesMasked,
    ...(facts.explain === undefined ? {} : { explainsMasked: resolution.touchesMasked }),
    ...shownPlan(facts, resolution, flow),
    ...(flow.lookups === undefined ? {} : { lookups: flow.lookups }),
    ...(flow.stepped === true ? { stepped: true } : {}),
    ...(flow.analysed === true ? { analysed: true } : {}),
    ...(explaining.length === 0 ? {} : { explaining }),
    ...(input.explains === true ? explainedFor(facts, touched, analysed, lacks, catalog) : {}),
    relations: touched.flatMap(({ relation }) => (relation === undefined ? [] : [relation.oid])),
    reshapesMasked: reshapesMasked(facts, resolution),
    ...(resolution.clear.length > 0 ? { clears: { catalog, path } } : {}),
    ...(asked && mayHaveParameters(facts) ? { typed: true } : {}),
    ...names(facts),
    ...copyPlan(facts, resolution),
    ...settingPlan(facts, resolution),
    names: nameChanges,
    ...(effect === undefined ? {} : { schemaEffect: effect }),
    ...(facts.derived.some((one) => one.kind === 'function') ? { expandsTypes: true } : {}),
    resolved,
    ddl: changesCatalog(facts) || steering.altersSchema || discards,
    // What code changes besides has any name.
    ...(facts.changes === undefined || steering.altersSchema ? {} : { changes: facts.changes }),
  };
}

/** Where masked columns go: by what the server makes of the statement, by its shape, or else by names. */
function flowOf(
  facts: StatementFacts,
  { touched, taint, touchesMasked, clear }: Resolution,
  analysed: LazyAnalysis,
  { mayLookUp, clearInto, names, results }: Pick<PlanInput, 'mayLookUp' | 'clearInto' | 'names' | 'results'>,
): Flow {
  if (taint.isEmpty && touchesMasked && (isPlain(facts) || isTold(facts))) {
    const found = analysed();
    const lookUp = mayLookUp && isAskedNow(facts) ? lookUps(found, mayLookUp) : undefined;
    const see = found && clearInto && { operator: operatorsOn(found.catalog), clear: clearInto };
    const clearNames = new Set(clear.map(([{ name }]) => name));
    const useFields: UsesFields | undefined =
      found && results && fieldsBy(results, names.path, (oid) => clearNames.has(nameOf(found, oid)));
    const flow = found && analysedFlow(found.query, touched, { lookUp, see, useFields });
    if (flow !== undefined && (isPlain(facts) || staysWithin(facts, flow))) return flow;
  }
  const isCarried = taint.isEmpty && names.columnsHold;
  return (isCarried ? carriedFlow(facts, touched) : undefined) ?? maskedFlow(facts, touched, taint);
}

/** @param isClear Of a function's OID: the statement is asked about again when such a one may have changed. */
function fieldsBy(results: FunctionReads, path: SearchPath, isClear: (fn: number) => boolean): UsesFields {
  return (expr, index) => {
    const isInOrder = expr.args.every(({ kind }) => kind !== 'NamedArgExpr');
    const call = isInOrder && isClear(expr.function) ? callOf(expr) : undefined;
    return call && results.fieldsOf(call, index, path);
  };
}

function nameOf({ catalog }: NonNullable<ReturnType<LazyAnalysis>>, fn: number): string {
  return catalog.function(fn)?.name ?? '';
}

/** It is run once for each time that it is sent. */
function isAskedNow(facts: StatementFacts): boolean {
  return isPlain(facts) && facts.prepares === undefined && facts.declares === undefined;
}

/** OIDs of the schema, the type, and the kind of index. */
const [PG_CATALOG, JSONB, BTREE] = [11, 3802, 403] as const;
/** The strategy of btree by which values are equal. */
const EQUAL = 3;

/** Names of PostgreSQL's own operators on jsonb. */
function operatorsOn(catalog: AnalysisCatalog): (oid: number) => string | undefined {
  return (oid) => {
    const operator = catalog.operator(oid);
    return operator?.namespace === PG_CATALOG && operator.left === JSONB ? operator.name : undefined;
  };
}

function lookUps(
  analysed: ReturnType<LazyAnalysis>,
  column: NonNullable<PlanInput['mayLookUp']>,
): MayLookUp | undefined {
  if (analysed === undefined) return undefined;
  const { catalog } = analysed;
  const equal = once(() => {
    const families = new Set(catalog.operatorClasses(BTREE).map(({ family }) => family));
    const members = [...families].flatMap((one) => catalog.familyOperators(one));
    return new Set(members.flatMap(({ operator, strategy }) => (strategy === EQUAL ? [operator] : [])));
  });
  // Of boxes, circles and paths `=` compares sizes: what is equal is what no order tells apart.
  const equals = (oid: number) => {
    const operator = catalog.operator(oid);
    return operator?.name === '=' && operator.namespace === PG_CATALOG && equal().has(oid);
  };
  return { equals, column };
}

/** COPY of a query to the client, or EXPLAIN: what stands in it is not shown as rows with columns. */
function isTold({ explain, copy, materializes, upsertColumns }: StatementFacts): boolean {
  const isCopied = copy?.direction === 'out' && copy.relation === undefined && copy.target === 'client';
  const isKnown = !upsertColumns.some((name) => name === '*' || name === '');
  return (isCopied || (explain !== undefined && copy === undefined)) && !materializes && isKnown;
}

/** Nothing masked comes to what is told of it: in COPY no column, in EXPLAIN what the plan shows. */
function staysWithin({ explain }: StatementFacts, { safe, columns = 0, refusal }: Flow): boolean {
  const isShown = explain === undefined || explain.analyze || explain.verbose;
  return refusal === undefined && (!isShown || safe.length === columns);
}

/** A query or a change by itself, of which nothing else is asked. A constraint by its name is not followed to columns. */
function isPlain({ kind, explain, copy, materializes, upsertColumns }: StatementFacts): boolean {
  const plain = explain === undefined && copy === undefined && !materializes;
  return (
    plain &&
    (kind === 'query' || kind === 'dml') &&
    !upsertColumns.some((name) => name === '*' || name === '')
  );
}

/** @param lacks What the analysis found missing, once it was made. */
function explainedFor(
  facts: StatementFacts,
  touched: readonly { readonly relation: Relation | undefined }[],
  analysed: LazyAnalysis,
  lacks: readonly string[],
  catalog: Catalog,
): Pick<StatementPlan, 'lineage' | 'lacks'> {
  const found = analysed();
  const isAnswer = facts.output !== undefined && isPlain(facts);
  const lineage =
    found && isAnswer ? outputColumns(found.query, (oid) => catalog.relations.get(oid)) : undefined;
  const lacked = [...new Set([...lackedNames(facts.relations, touched), ...lacks])];
  return { lacks: lacked, ...(lineage === undefined ? {} : { lineage }) };
}

function notUnderstood(what: string): PostgresRefusal {
  return {
    code: 'ERR_DENIED',
    rule: 'unsupported',
    reason: `the gateway does not understand this statement with certainty: ${what}`,
    hint: HINTS.simpler,
  };
}

function tooNew({ what, since }: NewerSyntax, major: number): PostgresRefusal {
  return {
    code: 'ERR_DENIED',
    rule: 'newer-syntax',
    reason: `${what} came with PostgreSQL ${since}, and this server is a PostgreSQL ${major}`,
    hint: `write it as PostgreSQL ${major} has it`,
  };
}

/** Facts that rules ask about. Statements without a condition to speak of count as having one. */
function context(
  facts: StatementFacts,
  { functionNames, written }: Resolution,
): Readonly<Record<string, PolicyValue>> {
  return {
    hasWhere: facts.where.every((one) => one.hasWhere),
    tautology: facts.where.some((one) => one.tautology),
    functions: functionNames,
    ...written.facts,
  };
}

/** What its result may show: `outputs` of the resolution count by the same columns as the analysis does. */
function shownPlan(
  facts: StatementFacts,
  resolution: Resolution,
  flow: Flow,
): Pick<StatementPlan, 'safeColumns' | 'outputColumns' | 'withheld' | 'definitions'> {
  const { withheld, definitions, columns } = resolution.outputs;
  const safe = safeColumns(facts, resolution, flow.safe);
  if (columns === undefined)
    return { safeColumns: safe, ...(flow.columns === undefined ? {} : { outputColumns: flow.columns }) };
  const all = Array.from({ length: columns }, (_, index) => index);
  const isHeld = (index: number) => withheld.has(index) || definitions.has(index);
  return {
    safeColumns: (safe === 'all' ? all : safe).filter((index) => !isHeld(index)),
    outputColumns: columns,
    withheld: [...withheld],
    definitions: [...definitions].filter((index) => !withheld.has(index)),
  };
}

function safeColumns(
  facts: StatementFacts,
  resolution: Resolution,
  safe: readonly number[],
): 'all' | readonly number[] {
  const { hidden } = resolution.taint;
  if (facts.explain !== undefined || facts.kind === 'set') return 'all';
  if (hidden === 'all') return [];
  return !resolution.touchesMasked && hidden.size === 0 ? 'all' : safe;
}

/** What only reads a masked table to make another of it changes nothing there: where its columns go is judged as such. */
function reshapesMasked(facts: StatementFacts, resolution: Resolution): boolean {
  if (!facts.materializes) return changesCatalog(facts) && resolution.touchesMasked;
  return resolution.touched.some(
    ({ masked }, index) => masked.size > 0 && facts.relations[index]?.role !== 'read',
  );
}

type Names = Pick<
  StatementPlan,
  | 'transaction'
  | 'prepares'
  | 'executes'
  | 'deallocates'
  | 'declares'
  | 'holdable'
  | 'fetches'
  | 'closes'
  | 'discardsAll'
>;

function names(facts: StatementFacts): Names {
  const { transaction, prepares, executes, deallocates, declares, holdable, fetches, closes } = facts;
  const all: Record<string, unknown> = {
    transaction,
    prepares,
    executes,
    deallocates,
    declares,
    holdable,
    fetches,
    closes,
    discardsAll: facts.discards === 'all' ? true : undefined,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function copyPlan(facts: StatementFacts, resolution: Resolution): Pick<StatementPlan, 'copy'> {
  if (facts.copy === undefined) return {};
  const { direction, relation: index, columns, options } = facts.copy;
  const relation = index === undefined ? undefined : resolution.touched[index]?.relation;
  const types = relation === undefined ? undefined : copiedTypes(relation, columns);
  return {
    copy: {
      direction,
      options,
      ...(types === undefined ? {} : { types }),
    },
  };
}

/** Without a list: all columns but the generated ones. Undefined if one is not known. */
function copiedTypes(relation: Relation, columns: readonly string[] | undefined): number[] | undefined {
  const all = [...relation.columns.values()];
  if (columns === undefined) return all.filter((one) => !one.generated).map((one) => one.typeOid);
  const types = columns.map((name) => relation.columns.get(name)?.typeOid);
  return types.every((oid) => oid !== undefined) ? types : undefined;
}

function settingPlan(facts: StatementFacts, resolution: Resolution): Pick<StatementPlan, 'setting'> {
  const change = facts.settings.find((one) => one.verb !== 'show' && !isTransactionSetting(one.name));
  if (change === undefined || facts.kind !== 'set') return {};
  const { name, value } = change;
  return { setting: { name, ...(value === undefined ? {} : { value }), safe: !resolution.unsafeSetting } };
}

/** Whether names may mean something else afterwards. A function or code block may hold DDL. */
function changesCatalog(facts: StatementFacts): boolean {
  const maintains = facts.objects.every((one) => one.action === 'maintain');
  const changes =
    facts.kind === 'ddl' && !(maintains && facts.relations.every((use) => use.role === 'maintain'));
  return (
    changes ||
    facts.transaction === 'commit-prepared' ||
    facts.materializes ||
    facts.call ||
    facts.opaque !== undefined
  );
}
