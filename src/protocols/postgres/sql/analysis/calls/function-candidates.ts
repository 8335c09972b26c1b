import type { AnalysisCatalog, AnalysisFunction } from '../catalog.ts';
import { explicitNamespace, pathPosition, type QualifiedName } from '../scope/names.ts';
import type { Candidate } from '../typing/candidates.ts';

/** A function as one call could mean it. */
export interface FunctionCandidate extends Candidate {
  /** Undefined: two that a call cannot tell apart. */
  readonly fn: AnalysisFunction | undefined;
  /** For each argument of the call, as it stands there, which parameter it is; undefined: in order. */
  readonly positions?: readonly number[];
  /** How many arguments are gathered in its last parameter; 0: it is given as it is. */
  readonly gathered: number;
  /** How many parameters are left to their defaults. */
  readonly defaulted: number;
}

export interface CallShape {
  readonly name: QualifiedName;
  readonly args: number;
  /** Of the last arguments. */
  readonly argNames: readonly string[];
  /** VARIADIC is not written before the last argument. */
  readonly gathers: boolean;
}

interface Placed {
  readonly position: number;
  readonly candidate: FunctionCandidate;
}

/**
 * All functions that a call may mean, by name and number of arguments.
 *
 * @see PostgreSQL, src/backend/catalog/namespace.c, `FuncnameGetCandidates`
 */
export function functionCandidates(catalog: AnalysisCatalog, call: CallShape): FunctionCandidate[] {
  const namespace = explicitNamespace(catalog, call.name);
  const found: Placed[] = [];
  for (const fn of catalog.functionsNamed(call.name.at(-1) as string)) {
    const position =
      namespace === undefined ? pathPosition(catalog, fn.namespace) : fn.namespace === namespace ? 0 : -1;
    const candidate = position < 0 ? undefined : candidateOf(fn, call);
    if (candidate !== undefined) place(found, { position, candidate }, call);
  }
  return found.map(({ candidate }) => candidate);
}

/** Of two that take the same the one that comes first in the path, then the one that gathers nothing. */
function place(found: Placed[], more: Placed, call: CallShape): void {
  const given = call.args;
  const index = found.findIndex(({ candidate }) => takesSame(candidate, more.candidate, given));
  const before = found[index];
  if (before === undefined) return void found.push(more);
  const isGathering = (one: Placed) => (one.candidate.gathered > 0 ? 1 : 0);
  const preference = more.position - before.position || isGathering(more) - isGathering(before);
  if (preference < 0) found[index] = more;
  if (preference === 0) found[index] = { ...before, candidate: { ...before.candidate, fn: undefined } };
}

function takesSame(one: FunctionCandidate, other: FunctionCandidate, given: number): boolean {
  const width = one.takes.length - one.defaulted;
  if (width !== other.takes.length - other.defaulted) return false;
  return one.takes.every(
    (type, index) => index >= Math.max(width, given) || index >= width || type === other.takes[index],
  );
}

function candidateOf(fn: AnalysisFunction, call: CallShape): FunctionCandidate | undefined {
  return call.argNames.length > 0 ? byName(fn, call) : byPosition(fn, call);
}

function byPosition(fn: AnalysisFunction, { args, gathers }: CallShape): FunctionCandidate | undefined {
  const own = fn.takes.length;
  const isVariadic = own <= args && gathers && fn.variadic !== 0;
  const defaulted = own > args ? own - args : 0;
  if (defaulted > fn.defaults || (own !== args && !isVariadic && defaulted === 0)) return undefined;
  const gathered = isVariadic ? args - own + 1 : 0;
  const takes = isVariadic
    ? [...fn.takes.slice(0, -1), ...Array.from({ length: gathered }, () => fn.variadic)]
    : fn.takes;
  return { oid: fn.oid, fn, takes, gathered, defaulted };
}

/** `MatchNamedCall` */
function byName(fn: AnalysisFunction, { args, argNames, gathers }: CallShape): FunctionCandidate | undefined {
  const own = fn.takes.length;
  if ((fn.variadic !== 0 && gathers) || fn.names.length === 0) return undefined;
  const defaulted = own - args;
  if (defaulted < 0 || defaulted > fn.defaults) return undefined;
  const inputs = [...fn.all.keys()].filter(
    (index) => fn.modes === '' || 'ibv'.includes(fn.modes[index] as string),
  );
  const names = inputs.map((index) => fn.names[index]);
  const positions = Array.from({ length: args - argNames.length }, (_, index) => index);
  for (const name of argNames) {
    const at = names.indexOf(name);
    if (at < 0 || positions.includes(at)) return undefined;
    positions.push(at);
  }
  const firstDefault = own - fn.defaults;
  for (let at = 0; at < own; at++) {
    if (positions.includes(at)) continue;
    if (at < firstDefault) return undefined;
    positions.push(at);
  }
  const takes = positions.map((at) => fn.takes[at] as number);
  return { oid: fn.oid, fn, takes, positions, gathered: 0, defaulted };
}
