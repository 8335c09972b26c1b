import type { CedarValueJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import { systemClock } from '../core/clock.ts';
import { once } from '../core/later.ts';
import type { Principal } from '../identity/principal.ts';
import { type CedarAnswer, CedarPolicies } from './cedar.ts';
import { type Asked, askedOf, cedarValues, objectEntities, principalKey } from './entities.ts';
import type { LoadedPolicy, PolicySet } from './load.ts';
import { strongest } from './masks.ts';
import { AnswerMemory } from './memory.ts';
import {
  type AnswerLimits,
  type ApprovalsNeeded,
  type Decision,
  fewest,
  type Lacking,
  narrowest,
  type PolicyEngine,
  type PolicyObject,
  type PolicyRequest,
  type PolicyValue,
  type Reach,
  type Reveal,
  type RowBound,
  type RuleRef,
  together,
} from './model.ts';
import { type Moment, momentsAfter, turnsOf } from './moments.ts';
import { possibleKey, possiblePolicies } from './possible.ts';
import { isAbout, looksAtTime, Outlines } from './sight.ts';
import type { Vocabulary } from './vocabulary/index.ts';
import { WallClock } from './wall-clock.ts';

/** Decisions and reveals remembered per engine. */
const CAPACITY = 8192;

/**
 * The decision point over one set of policies.
 *
 * Fails closed everywhere: a policy that errors, a request that does not fit the schema and a failure of Cedar itself
 * are denials (`redact` for a reveal). Answers are remembered by everything that Cedar is told, of object and context by what
 * the rules about the verb look at; requests that carry approvals are always asked.
 */
export class CedarEngine implements PolicyEngine {
  readonly version: string;
  readonly #vocabulary: Vocabulary;
  readonly #cedar: CedarPolicies;
  readonly #time: WallClock;
  readonly #timed: boolean;
  readonly #policies: ReadonlyMap<string, LoadedPolicy>;
  readonly #decisions = new AnswerMemory<Decision>(CAPACITY);
  readonly #reveals = new AnswerMemory<Reveal>(CAPACITY);
  readonly #outlines = new Map<string, Outlines>();
  readonly #possible: Readonly<Record<Reach, () => CedarPolicies>>;
  readonly #possibles = new AnswerMemory<{ readonly may: boolean }>(CAPACITY);
  readonly #written = new Map<string, readonly LoadedPolicy[]>();
  readonly #asked = new WeakMap<Principal, { readonly asked: Asked; readonly key: string }>();

  /** @param set From `loadPolicies`. @param time For rules that ask for it; default UTC. */
  constructor(set: PolicySet, time = new WallClock('UTC', systemClock)) {
    this.version = set.version;
    this.#time = time;
    this.#timed = set.policies.some(({ sight }) => looksAtTime(sight));
    this.#vocabulary = set.vocabulary;
    this.#cedar = new CedarPolicies(
      Object.fromEntries(set.policies.map(({ id, text }) => [id, text])),
      set.vocabulary,
    );
    const possible = (reach: Reach) => new CedarPolicies(possiblePolicies(set, reach), set.vocabulary);
    this.#possible = { object: once(() => possible('object')), resource: once(() => possible('resource')) };
    this.#policies = new Map(set.policies.map((policy) => [policy.id, policy]));
  }

  phase(): string {
    if (!this.#timed) return '';
    const { date, hour, minute } = this.#time.now();
    return `@${date}T${hour}:${minute}`;
  }

  decide(asked: PolicyRequest): Decision {
    const request = this.#timed ? this.#atItsTime(asked) : asked;
    if (hasApprovals(request.context)) return this.#decide(request);
    const memory = this.#decisions;
    const who = memory.numberOf(this.#principal(request.principal).key);
    const { action, object, context } = request;
    const outlines = this.#outlinesOf(action);
    const what = `${memory.numberOf(outlines.object(object))} ${memory.numberOf(outlines.context(context))}`;
    const key = `${who} ${action} ${what} ${this.#vocabulary.changesRows(action, object)}`;
    const known = memory.get(key);
    if (known !== undefined) return known;
    const decision = this.#decide(request);
    // What Cedar says of an error may name the object.
    if (decision.effect !== 'deny' || decision.errors.length === 0) memory.set(key, decision);
    return decision;
  }

  reveal(principal: Principal, object: PolicyObject): Reveal {
    const memory = this.#reveals;
    const what = this.#outlinesOf('reveal').object(object);
    const key = `${memory.numberOf(this.#principal(principal).key)} ${memory.numberOf(what)}`;
    const known = memory.get(key);
    if (known !== undefined) return known;
    const reveal = this.#reveal(principal, object);
    memory.set(key, reveal);
    return reveal;
  }

  written(action: string, resource: string): readonly string[] {
    const known = this.#written.get(action) ?? this.#permitsOf(action);
    // Verbs of the vocabulary are few.
    if (this.#vocabulary.verbsOf(action) !== undefined) this.#written.set(action, known);
    const below = `${resource}/`;
    const names = known.flatMap(({ named, texts }) => [
      ...named.flatMap(({ id }) => (id.startsWith(below) ? [id.slice(below.length)] : [])),
      ...texts,
    ]);
    return [...new Set(names)];
  }

  *moments(action: string, denying: readonly RuleRef[]): Generator<Moment> {
    if (!this.#timed) return;
    const isTimed = (rule: LoadedPolicy | undefined) => rule !== undefined && looksAtTime(rule.sight);
    const rules = denying.map(({ id }) => this.#policies.get(id));
    const standing = rules.filter((rule) => !isTimed(rule) && rule?.approval === undefined);
    if (standing.length > 0 || !(denying.length === 0 ? this.#permitsOf(action) : rules).some(isTimed))
      return;
    const timed = [...this.#policies.values()].filter(isTimed);
    const turns = turnsOf(timed.filter(({ sight }) => isAbout(action, sight, this.#vocabulary)));
    yield* momentsAfter(this.#time.nowMs(), turns, this.#time);
  }

  #permitsOf(action: string): readonly LoadedPolicy[] {
    const permits = [...this.#policies.values()].filter(({ effect }) => effect === 'permit');
    return permits.filter(({ sight }) => isAbout(action, sight, this.#vocabulary));
  }

  mayEver(principal: Principal, action: string, object: PolicyObject, reach: Reach): boolean {
    const memory = this.#possibles;
    const who = memory.numberOf(this.#principal(principal).key);
    const key = `${who} ${memory.numberOf(possibleKey(action, object, reach))}`;
    const known = memory.get(key);
    if (known !== undefined) return known.may;
    const answers = this.#ask({ principal, action, object, context: {} }, [], this.#possible[reach]);
    const may = answers.every(({ allowed, errors }) => allowed || errors.length > 0);
    memory.set(key, { may });
    return may;
  }

  /** With the time, where a rule may look at it: then it is part of what an answer is remembered by. */
  #atItsTime(request: PolicyRequest): PolicyRequest {
    if (request.context['time'] !== undefined) return request;
    return { ...request, context: { ...request.context, time: this.#time.now() } };
  }

  #outlinesOf(verb: string): Outlines {
    const known = this.#outlines.get(verb);
    if (known !== undefined) return known;
    const sights = [...this.#policies.values()].map(({ sight }) => sight);
    const outlines = new Outlines(verb, sights, this.#vocabulary);
    // Verbs of the vocabulary are few; others are denied.
    if (this.#vocabulary.verbsOf(verb) !== undefined) this.#outlines.set(verb, outlines);
    return outlines;
  }

  #decide(request: PolicyRequest): Decision {
    const answers = this.#ask(request, []);
    const errors = answers.flatMap((answer) => answer.errors);
    const denied = answers.filter((answer) => !answer.allowed);
    const rules = (from: readonly CedarAnswer[]) => this.#rules(from.flatMap(({ reasons }) => reasons));
    if (errors.length > 0) return { effect: 'deny', rules: rules(denied), errors };
    if (denied.length === 0)
      return {
        effect: 'allow',
        rules: rules(answers),
        ...this.#rows(request, answers),
        ...this.#limits(request, answers),
      };
    const needed = this.#approvalsFor(denied);
    if (needed === undefined || this.#vocabulary.contextOf(request.action) === undefined)
      return { effect: 'deny', rules: rules(denied), errors, ...this.#lacking(request, answers) };
    const again = this.#ask(request, needed.approvals);
    if (again.every((answer) => answer.allowed && answer.errors.length === 0)) {
      return { effect: 'hold', rules: rules(denied), ...needed };
    }
    // What the approvals cannot lift is the true reason: nothing at all, if no rule permits it.
    const left = again.filter((answer) => !answer.allowed);
    const failed = again.flatMap((answer) => answer.errors);
    return { effect: 'deny', rules: rules(left), errors: failed, ...this.#lacking(request, again) };
  }

  /** Answers are in the order of the principals that must be permitted. */
  #lacking({ principal }: PolicyRequest, answers: readonly CedarAnswer[]): { lacks?: Lacking } {
    const { principals } = this.#principal(principal).asked;
    const [denied, ...more] = principals.filter((_, index) => answers[index]?.allowed === false);
    const isForbidden = answers.some(({ allowed, reasons }) => !allowed && reasons.length > 0);
    if (denied === undefined || more.length > 0 || principals.length < 2 || isForbidden) return {};
    return { lacks: denied.type === 'Person' ? 'person' : 'agent' };
  }

  #reveal(principal: Principal, object: PolicyObject): Reveal {
    const asked = this.#ask({ principal, action: 'reveal', object, context: {} }, []);
    const answers = asked.map((answer) => this.#byName(answer, object));
    const denied = answers.filter((answer) => !answer.allowed);
    if (denied.length === 0 && answers.every(({ errors }) => errors.length === 0)) return { show: true };
    const policies = denied.flatMap(({ reasons }) => reasons.map((id) => this.#policies.get(id)));
    const unexplained =
      answers.some(({ errors }) => errors.length > 0) || denied.some(({ reasons }) => reasons.length === 0);
    const masks = policies.map((policy) => policy?.mask ?? 'redact');
    const lookups = unexplained ? undefined : fewest(policies.map((policy) => policy?.lookups));
    return {
      show: false,
      mask: strongest(unexplained ? [...masks, 'redact'] : masks),
      rules: this.#rules(denied.flatMap(({ reasons }) => reasons)),
      ...(lookups === undefined ? {} : { lookups }),
    };
  }

  /** A permit of anything says nothing of some types: without one that names it, it is denied by no rule. */
  #byName(answer: CedarAnswer, { type }: PolicyObject): CedarAnswer {
    if (!answer.allowed || !this.#vocabulary.isByName('reveal', type)) return answer;
    const names = answer.reasons.some((id) => this.#policies.get(id)?.type === type);
    return names ? answer : { ...answer, allowed: false, reasons: [] };
  }

  /** The smallest bound of all permits that took part: one without a bound does not lift another's. */
  #rows({ action, object }: PolicyRequest, answers: readonly CedarAnswer[]): { rows?: RowBound } {
    if (!this.#vocabulary.changesRows(action, object)) return {};
    let least: LoadedPolicy | undefined;
    for (const policy of answers.flatMap(({ reasons }) => reasons.map((id) => this.#policies.get(id)))) {
      if (policy?.rows !== undefined && policy.rows < (least?.rows ?? Infinity)) least = policy;
    }
    return least?.rows === undefined ? {} : { rows: { max: least.rows, rule: ruleOf(least) } };
  }

  /** The smallest limits of all permits that took part, as of bounds on rows. */
  #limits({ action }: PolicyRequest, answers: readonly CedarAnswer[]): { limits?: AnswerLimits } {
    if (!this.#vocabulary.isLimited(action)) return {};
    const policies = answers.flatMap(({ reasons }) => reasons.flatMap((id) => this.#policies.get(id) ?? []));
    const ofRows = this.#vocabulary.limitsRows(action);
    const limits = narrowest(policies.map((policy) => limitsOf(policy, ofRows)));
    return limits === undefined ? {} : { limits };
  }

  /** One answer per principal that must be allowed. */
  #ask(
    request: PolicyRequest,
    approvals: readonly string[],
    cedar: () => CedarPolicies = () => this.#cedar,
  ): readonly CedarAnswer[] {
    try {
      const policies = cedar();
      const { asked } = this.#principal(request.principal);
      const context = this.#context(request, approvals, asked.delegated);
      const entities = [...asked.entities, ...objectEntities(request.object)];
      const resource: TypeAndId = { type: request.object.type, id: request.object.id };
      return asked.principals.map((principal) =>
        policies.ask({ principal, action: request.action, resource, context, entities }),
      );
    } catch (error) {
      return [
        { allowed: false, reasons: [], errors: [error instanceof Error ? error.message : String(error)] },
      ];
    }
  }

  /** What the schema wants of the action's context; facts of the request's own that it does not know fail in Cedar. */
  #context(
    { action, context }: PolicyRequest,
    approvals: readonly string[],
    delegated: boolean,
  ): Readonly<Record<string, CedarValueJson>> {
    const kind = this.#vocabulary.contextOf(action);
    if (kind === undefined) return {};
    const given = context['approvals'];
    const before = Array.isArray(given) ? (given as readonly PolicyValue[]) : [];
    const all = [...new Set([...before, ...approvals])];
    // A statement that does nothing to anything asks to connect, and the facts of statements mean nothing there.
    const facts = kind.facts === '' ? {} : { ...kind.worstCase, ...context };
    const time = context['time'] ?? this.#time.now();
    return cedarValues({ ...facts, approvals: all, delegated, time });
  }

  /** Approvals that would lift every reason of every denial; undefined if some reason cannot be lifted, or is missing. */
  #approvalsFor(denied: readonly CedarAnswer[]): ApprovalsNeeded | undefined {
    const needs: ApprovalsNeeded[] = [];
    for (const { reasons } of denied) {
      if (reasons.length === 0) return undefined;
      for (const id of reasons) {
        const { approval, quorum, windowMs } = this.#policies.get(id) ?? {};
        if (approval === undefined) return undefined;
        const more = quorum === undefined ? {} : { quorum: { [approval]: quorum } };
        needs.push({ approvals: [approval], ...more, ...(windowMs === undefined ? {} : { windowMs }) });
      }
    }
    return together(needs);
  }

  /** Rules that no approval lifts come first: they are what stands in the way. */
  #rules(ids: readonly string[]): readonly RuleRef[] {
    const policies = [...new Set(ids)].sort().map((id) => this.#policies.get(id));
    const sorted = policies.toSorted(
      (a, b) => Number(a?.approval !== undefined) - Number(b?.approval !== undefined),
    );
    return sorted.flatMap((policy) => (policy === undefined ? [] : [ruleOf(policy)]));
  }

  #principal(principal: Principal): { readonly asked: Asked; readonly key: string } {
    const known = this.#asked.get(principal);
    if (known !== undefined) return known;
    const described = { asked: askedOf(principal), key: principalKey(principal) };
    this.#asked.set(principal, described);
    return described;
  }
}

function ruleOf({ id, reason, hint }: LoadedPolicy): RuleRef {
  return { id, ...(reason === undefined ? {} : { reason }), ...(hint === undefined ? {} : { hint }) };
}

function limitsOf(policy: LoadedPolicy, ofRows: boolean): AnswerLimits | undefined {
  if (policy.limit === undefined) return undefined;
  const rule = ruleOf(policy);
  const kinds = Object.entries(policy.limit).filter(([kind]) => ofRows || kind !== 'rows');
  return Object.fromEntries(kinds.map(([kind, max]) => [kind, { max, rule }]));
}

function hasApprovals(context: Readonly<Record<string, PolicyValue>>): boolean {
  const approvals = context['approvals'];
  return Array.isArray(approvals) && approvals.length > 0;
}
