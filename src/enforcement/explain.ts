import type { ExplainedColumn, ExplainedPair, Explanation } from '../api/explanation.ts';
import type { Principal } from '../identity/principal.ts';
import type { AnswerLimits, RuleRef } from '../policy/model.ts';
import { denialOf } from './denial.ts';
import { type Judgement, judge, type Rules } from './judge.ts';
import type { Denial, Operation } from './operation.ts';

/** Pairs that are told one by one, their rules, and names of what is masked. */
const MAX_TOLD = 64;
/** Of one pair. */
const MAX_RULES = 8;
/** Of one column, and of all of them: characters. */
const MAX_FROM = 16;
const MAX_COLUMNS_CHARS = 16 * 1024;
const MAX_ID_CHARS = 256;

/**
 * Says what policy would make of an operation, pair by pair. Pure but for the engine's memory.
 *
 * @param judgement What it says of all of them together.
 * @returns At most 64 pairs, 8 rules of each, 64 names and 16 KiB of columns; longer ids are cut. Never throws.
 */
export function explanationOf(
  rules: Rules,
  principal: Principal,
  { pairs, context, approvable }: Operation,
  judgement: Judgement,
): Explanation {
  const { decision } = judgement;
  const by = new Map<string, RuleRef>();
  const each = pairs.slice(0, MAX_TOLD).map((pair): ExplainedPair => {
    const { decision: alone } = judge(rules, principal, [pair], context);
    const first = alone.rules.slice(0, MAX_RULES);
    for (const rule of first) by.set(rule.id, rule);
    const object = short(pair.object.shownId ?? pair.object.id);
    return { action: pair.action, object, effect: alone.effect, rules: first.map(({ id }) => id) };
  });
  const columns = firstOf((approvable?.columns ?? []).slice(0, MAX_TOLD).map(shortColumn));
  const masked = (approvable?.masked ?? []).slice(0, MAX_TOLD).map(short);
  // Who is denied it is not told what is there: it would be a way to find out.
  const lacks = decision.effect === 'deny' ? [] : (approvable?.lacks ?? []).slice(0, MAX_TOLD).map(short);
  const spent = decision.effect === 'allow' ? approvable?.spent : undefined;
  return {
    schemaVersion: 1,
    effect: decision.effect,
    ...(decision.effect === 'hold' ? { approvals: decision.approvals } : {}),
    ...(decision.effect === 'allow' && decision.rows !== undefined ? { rows: decision.rows.max } : {}),
    ...(decision.effect === 'allow' && decision.limits !== undefined
      ? { limits: limitsTold(decision.limits) }
      : {}),
    ...(decision.effect === 'allow' ? {} : { told: toldBy(denialOf(judgement)) }),
    pairs: each,
    rules: [...by.values()].slice(0, MAX_TOLD),
    ...(pairs.length > each.length ? { more: pairs.length - each.length } : {}),
    ...(masked.length === 0 ? {} : { masked }),
    ...(columns.length === 0 ? {} : { columns }),
    ...(lacks.length === 0 ? {} : { lacks }),
    ...(spent === undefined ? {} : { spent }),
    policyVersion: rules.engine.version,
  };
}

/** Of what is refused before policy is asked. Pure. */
export function explainedRefusal(denial: Denial, policyVersion: string): Explanation {
  return { schemaVersion: 1, effect: 'deny', told: toldBy(denial), pairs: [], rules: [], policyVersion };
}

function limitsTold({ rows, bytes, time }: AnswerLimits): NonNullable<Explanation['limits']> {
  return {
    ...(rows === undefined ? {} : { rows: rows.max }),
    ...(bytes === undefined ? {} : { bytes: bytes.max }),
    ...(time === undefined ? {} : { timeMs: time.max }),
  };
}

function toldBy({ message, rule, reason, hint, next, leaveOut }: Denial): NonNullable<Explanation['told']> {
  return { message, rule, reason, hint, next, ...(leaveOut === undefined ? {} : { leaveOut }) };
}

function shortColumn({ name, from, ...more }: ExplainedColumn): ExplainedColumn {
  return { name: short(name), from: from.slice(0, MAX_FROM).map(short), ...more };
}

/** As many as there is room for. */
function firstOf(columns: readonly ExplainedColumn[]): readonly ExplainedColumn[] {
  let left = MAX_COLUMNS_CHARS;
  return columns.filter((one) => {
    left -= JSON.stringify(one).length;
    return left >= 0;
  });
}

function short(id: string): string {
  return id.length <= MAX_ID_CHARS ? id : `${id.slice(0, MAX_ID_CHARS - 1)}…`;
}
