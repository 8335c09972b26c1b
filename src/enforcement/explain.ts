import type { ExplainedColumn, ExplainedPair, Explanation } from '../api/explanation.ts';
import type { Principal } from '../identity/principal.ts';
import type { AnswerLimits, PolicyObject, RuleRef } from '../policy/model.ts';
import { denialOf } from './denial.ts';
import { type Judgement, judge, type Rules } from './judge.ts';
import type { Denial, MaskedData, Operation } from './operation.ts';

/** Pairs that are told one by one, their rules, and names of what is masked. */
const MAX_TOLD = 64;
/** Of one pair. */
const MAX_RULES = 8;
/** Of the rules that hide what is masked: characters. */
const MAX_MASKED_BY_CHARS = 8 * 1024;
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
    return {
      action: pair.action,
      object,
      effect: alone.effect,
      ...(pair.through === undefined ? {} : { through: short(pair.through) }),
      rules: first.map(({ id }) => id),
    };
  });
  const columns = firstOf((approvable?.columns ?? []).slice(0, MAX_TOLD).map(shortColumn));
  const masked = (approvable?.masked ?? []).slice(0, MAX_TOLD);
  const maskedBy = maskedByOf(rules, principal, masked, by);
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
    ...(masked.length === 0 ? {} : { masked: masked.map(({ name }) => short(name)) }),
    ...(maskedBy === undefined ? {} : { maskedBy }),
    ...(columns.length === 0 ? {} : { columns }),
    ...(lacks.length === 0 ? {} : { lacks }),
    ...(spent === undefined ? {} : { spent }),
    policyVersion: rules.engine.version,
  };
}

/**
 * Which rules hide what is masked.
 *
 * @param by Given the rules.
 * @returns Undefined: none of it is hidden by itself, or it is more than there is room for.
 */
function maskedByOf(
  rules: Rules,
  principal: Principal,
  masked: readonly MaskedData[],
  by: Map<string, RuleRef>,
): Explanation['maskedBy'] {
  const each = masked.flatMap(({ name, objects }) => {
    const hiding = hidingOf(rules, principal, objects);
    return hiding === undefined ? [] : [{ name: short(name), hiding }];
  });
  const told = Object.fromEntries(each.map(({ name, hiding }) => [name, hiding.map(({ id }) => id)]));
  if (each.length === 0 || JSON.stringify(told).length > MAX_MASKED_BY_CHARS) return undefined;
  for (const rule of each.flatMap(({ hiding }) => hiding)) by.set(rule.id, rule);
  return told;
}

/** Rules that hide some of these; none: no rule shows them. Undefined: all are shown. */
function hidingOf(
  { engine }: Rules,
  principal: Principal,
  objects: readonly PolicyObject[],
): readonly RuleRef[] | undefined {
  const hidden = objects.map((one) => engine.reveal(principal, one)).filter((answer) => !answer.show);
  if (hidden.length === 0) return undefined;
  const rules = new Map(hidden.flatMap((answer) => answer.rules.map((rule) => [rule.id, rule] as const)));
  return [...rules.values()].slice(0, MAX_RULES);
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
