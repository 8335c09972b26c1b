import type { Principal } from '../identity/principal.ts';
import {
  type AnswerLimits,
  type Decision,
  narrowest,
  type Pair,
  type PolicyEngine,
  type PolicyValue,
  type RowBound,
  type RuleRef,
  together,
} from '../policy/model.ts';
import type { Vocabulary } from '../policy/vocabulary/index.ts';
import { attenuated } from './attenuated.ts';
import type { GeneralRule } from './refusals.ts';

/** Pairs of one operation; more are not judged but denied. */
const MAX_PAIRS = 4096;
/** Denied pairs whose rules are told; the rest is not asked for. */
const MAX_DENIED = 16;

/** What a pair is judged by: the policies in force, and the words that they are written in. */
export interface Rules {
  readonly engine: PolicyEngine;
  readonly vocabulary: Vocabulary;
}

/** What policy says of all pairs together, and of which pair the answer speaks. */
export interface Judgement {
  readonly decision: Decision;
  /** The first pair that is denied or held; undefined for an allow, and where there was nothing to ask. */
  readonly pair?: Pair;
  /** Why, where no rule says it. */
  readonly cause?: Exclude<
    GeneralRule,
    'approval-required' | 'asks-only' | 'explains-only' | 'recording-unavailable'
  >;
  /** What is allowed in its place, where that is known. */
  readonly instead?: string | undefined;
  /** From when it is permitted, where it is the time that stands in the way. */
  readonly from?: string | undefined;
}

/**
 * Asks policy for every pair, and what the principal's instance gave up: any denial > any hold > allow.
 *
 * Pure but for the engine's memory. An engine that throws denies.
 *
 * @param pairs In the order of the statement; empty is denied.
 * @returns Rules of the first few denied pairs, or of all held ones, or of all allowed ones, each once. Never throws.
 * @see docs/policy.md
 */
export function judge(
  { engine, vocabulary }: Rules,
  principal: Principal,
  pairs: readonly Pair[],
  context: Readonly<Record<string, PolicyValue>>,
): Judgement {
  if (pairs.length === 0) return { decision: denial([], []), cause: 'nothing-to-decide' };
  if (pairs.length > MAX_PAIRS) return { decision: denial([], []), cause: 'too-many-pairs' };
  const allowed: RuleRef[] = [];
  const denied: Denied[] = [];
  let rows: RowBound | undefined;
  const limits: (AnswerLimits | undefined)[] = [];
  const held: { pair: Pair; decision: Extract<Decision, { effect: 'hold' }> }[] = [];
  for (const pair of pairs) {
    const decision = withinCredential(
      principal,
      pair,
      ask(engine, { principal, context, ...pair }),
      vocabulary,
    );
    if (decision.effect === 'deny') denied.push({ pair, decision });
    else if (boundWithoutCount(pair, decision))
      denied.push({ pair, decision: denial([decision.rows.rule], []), cause: 'rows-not-counted' });
    else if (decision.effect === 'hold') held.push({ pair, decision });
    else if (pairs.length === 1) return { decision };
    else {
      allowed.push(...decision.rules);
      rows = least(rows, decision.rows);
      limits.push(decision.limits);
    }
    if (denied.length >= MAX_DENIED) break;
  }
  if (denied.length > 0) return ofDenied(denied);
  if (held.length === 0) {
    const within = narrowest(limits);
    return {
      decision: {
        effect: 'allow',
        rules: distinct(allowed),
        ...(rows === undefined ? {} : { rows }),
        ...(within === undefined ? {} : { limits: within }),
      },
    };
  }
  const rules = distinct(held.flatMap(({ decision }) => decision.rules));
  const needed = together(held.map(({ decision }) => decision));
  return { decision: { effect: 'hold', rules, ...needed }, pair: held[0]!.pair };
}

interface Denied {
  readonly pair: Pair;
  readonly decision: Extract<Decision, { effect: 'deny' }>;
  readonly cause?: 'rows-not-counted';
}

/** A bound on rows holds only where they are counted: all others are not allowed under it. */
function boundWithoutCount(pair: Pair, decision: Decision): decision is AllowWithin {
  return decision.effect === 'allow' && decision.rows !== undefined && pair.counted !== true;
}

type AllowWithin = Extract<Decision, { effect: 'allow' }> & { readonly rows: RowBound };

function least(one: RowBound | undefined, other: RowBound | undefined): RowBound | undefined {
  return one === undefined || (other !== undefined && other.max < one.max) ? other : one;
}

/** A pair that a rule forbids is told before one that no rule permits: the rule's author says what to do. */
function ofDenied(denied: readonly Denied[]): Judgement {
  const rules = distinct(denied.flatMap(({ decision }) => decision.rules));
  const errors = denied.flatMap(({ decision }) => decision.errors);
  const first = denied.find(({ decision }) => decision.rules.length > 0) ?? denied[0]!;
  const { lacks } = first.decision;
  const decision = { ...denial(rules, errors), ...(lacks === undefined ? {} : { lacks }) };
  if (first.cause !== undefined) return { decision, pair: first.pair, cause: first.cause };
  if (rules.length > 0) return { decision, pair: first.pair };
  return { decision, pair: first.pair, cause: errors.length > 0 ? 'policy-error' : 'default-deny' };
}

/** Below policy: it takes away and never gives, and what policy denies anyway is told as policy says it. */
function withinCredential(
  principal: Principal,
  pair: Pair,
  decision: Decision,
  vocabulary: Vocabulary,
): Decision {
  if (decision.effect === 'deny') return decision;
  const rule = attenuated(principal, pair, vocabulary);
  return rule === undefined ? decision : denial([rule], []);
}

function ask(engine: PolicyEngine, request: Parameters<PolicyEngine['decide']>[0]): Decision {
  try {
    return engine.decide(request);
  } catch (error) {
    return denial([], [error instanceof Error ? error.message : String(error)]);
  }
}

function denial(rules: readonly RuleRef[], errors: readonly string[]): Extract<Decision, { effect: 'deny' }> {
  return { effect: 'deny', rules, errors };
}

function distinct(rules: readonly RuleRef[]): readonly RuleRef[] {
  if (rules.length < 2) return rules;
  return [...new Map(rules.map((rule) => [rule.id, rule])).values()];
}
