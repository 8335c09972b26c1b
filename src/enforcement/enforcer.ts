import type { Explanation } from '../api/explanation.ts';
import type { ApprovalDesk } from '../approval/desk.ts';
import type { Approval } from '../approval/model.ts';
import type { AuditLog, EventFields } from '../audit/event.ts';
import type { Clock } from '../core/clock.ts';
import { HoopError, toHoopError } from '../core/errors.ts';
import { IdSeries } from '../core/ids/make.ts';
import { after, type Later } from '../core/later.ts';
import type { NextStep } from '../core/next-step.ts';
import type { CredentialCheck, Principal } from '../identity/principal.ts';
import type { AnswerLimits, Decision, Pair, PolicyEngine, RowBound } from '../policy/model.ts';
import { shownIds } from '../policy/objects.ts';
import type { Vocabulary } from '../policy/vocabulary/index.ts';
import { type Held, HeldOperations, type Settled } from './approvals.ts';
import { REFUSED, recordedQuestion } from './asked.ts';
import { attenuated } from './attenuated.ts';
import { denialOf, errorDenial, refusalDenial } from './denial.ts';
import { explainedRefusal, explanationOf } from './explain.ts';
import { type Judgement, judge } from './judge.ts';
import { insteadOf } from './nearby.ts';
import type { Denial, Enforcer, Operation, Refusal, SessionRef, Verdict } from './operation.ts';
import { type GeneralRule, generalStep } from './refusals.ts';
import { whenPermitted } from './when.ts';

export interface EnforcerParts {
  /** The policies in force now; asked once per operation, so that one operation is judged by one version. */
  readonly engine: () => PolicyEngine;
  /** The words of all policies that may ever be in force. */
  readonly vocabulary: Vocabulary;
  readonly audit: AuditLog;
  readonly credentials: CredentialCheck;
  readonly clock: Clock;
  /** What follows a refusal by a rule of a protocol's own list; absent: its code says it. */
  readonly stepOf?: (protocol: string, rule: string) => NextStep | undefined;
  /** Where people are asked; absent: what needs an approval is refused. */
  readonly desk?: ApprovalDesk;
}

/**
 * Makes the one engine that every adapter asks. See `Enforcer` for what its answers mean.
 *
 * @returns An enforcer that remembers immutable questions, and with which approvals a session was opened. Never throws.
 * @see docs/policy.md
 */
export function createEnforcer(parts: EnforcerParts): Enforcer {
  const { engine, vocabulary, audit, credentials, clock, desk, stepOf } = parts;
  const ids = new IdSeries('op');
  const questions = new QuestionMemory(vocabulary);
  const closings = new WeakMap<SessionRef, EventFields>();
  const held = desk === undefined ? undefined : new HeldOperations(desk, clock);
  /** What sessions were opened with. */
  const opened = new WeakMap<SessionRef, readonly string[]>();

  function recorded({ text, original }: Operation, fields: EventFields, verdict: Verdict): Later<Verdict> {
    const { operation } = verdict;
    const type = 'operation.decided';
    const event =
      original === undefined
        ? ({ type, operation, text, common: fields } as const)
        : ({ type, operation, text, common: fields, original } as const);
    return after(audit.append(event), () => verdict);
  }

  function decide(operation: Operation): Later<Verdict> {
    const { session, refusal } = operation;
    credentials.assertLive(session.principal);
    const policy = engine();
    const id = ids.next(clock.now());
    const opens = operation.approvable?.opens === true;
    const ahead = opens ? undefined : session.ahead;
    if (refusal !== undefined) {
      const step = stepOf?.(session.protocol, refusal.rule) ?? generalStep(refusal.rule);
      const denial = refusalDenial(refusal, step);
      if (ahead !== 'explains') return refused(operation, id, denial, refusal);
      const explanation = explainedRefusal(denial, policy.version);
      return explained(operation, id, { ...denial, explanation });
    }
    const principal = credentials.current(session.principal);
    const { fields, judgement } = questions.answer(policy, principal, operation);
    const { decision } = judgement;
    if (ahead === 'explains') {
      const explanation = explanationOf({ engine: policy, vocabulary }, principal, operation, judgement);
      const denial =
        decision.effect === 'allow'
          ? refusalDenial(EXPLAINS_ONLY, generalStep(EXPLAINS_ONLY.rule))
          : denialOf(judgement);
      return explained(operation, id, { ...denial, explanation });
    }
    if (decision.effect === 'allow') {
      if (ahead !== undefined) return askedOnly(operation, id);
      return recorded(operation, fields, allowed(id, policy, decision));
    }
    const within = decision.effect === 'hold' ? asOpened(operation, opened.get(session)) : undefined;
    if (within !== undefined) return decide(within);
    if (decision.effect === 'hold' && operation.approvable !== undefined && held !== undefined) {
      const { approvable } = operation;
      if (approvable.prepares === true && ahead !== undefined) return askedOnly(operation, id);
      if (approvable.prepares === true) {
        const question = recordedQuestion(vocabulary, operation, true);
        return recorded(
          operation,
          { ...fields, decision: 'allow', asked: question },
          allowed(id, policy, {}),
        );
      }
      const one = {
        operation: { ...operation, approvable },
        id,
        principal,
        judgement,
        policyVersion: policy.version,
      };
      return settle(ahead === undefined ? held.settle(one) : held.askAhead(one), one, fields);
    }
    return recorded(operation, fields, denied(id, denialOf(judgement), decision));
  }

  function refused(
    operation: Operation,
    id: string,
    denial: Denial,
    { rule, reason }: Pick<Refusal, 'rule' | 'reason'>,
  ) {
    const why = { policyVersion: engine().version, decision: 'deny', reason: `${rule}: ${reason}` } as const;
    return recorded(
      operation,
      { ...subjectOf(operation), asked: REFUSED, ...why },
      { effect: 'deny', operation: id, denial },
    );
  }

  function explained(
    operation: Operation,
    id: string,
    denial: Denial & { readonly explanation: Explanation },
  ) {
    const { effect, told } = denial.explanation;
    return onlyTold(operation, id, denial, {
      would: effect,
      ...(told === undefined ? {} : { rule: told.rule }),
    });
  }

  function askedOnly(operation: Operation, id: string) {
    const { rule } = ASKS_ONLY;
    return onlyTold(operation, id, refusalDenial(ASKS_ONLY, generalStep(rule)), { would: 'allow', rule });
  }

  /** It is denied to its client, since nothing runs there, and on record as what it is: nobody was refused anything. */
  function onlyTold(operation: Operation, id: string, denial: Denial, facts: Explained) {
    const why = { policyVersion: engine().version, decision: 'explained', facts } as const;
    return recorded(
      operation,
      { ...subjectOf(operation), asked: REFUSED, ...why },
      { effect: 'deny', operation: id, denial, told: true },
    );
  }

  async function settle(settling: Promise<Settled>, one: Held, fields: EventFields): Promise<Verdict> {
    const { operation, id, judgement } = one;
    const settled = await settling.catch((error: unknown) => cannotSettle(error));
    if (settled instanceof HoopError) {
      const denial = errorDenial(settled);
      return refused(operation, id, denial, denial);
    }
    credentials.assertLive(operation.session.principal);
    if (settled.effect === 'granted') return granted(one, settled.approval, fields);
    if (settled.effect === 'again') {
      const again = await settled.anew();
      return decide({ ...again, session: operation.session });
    }
    const facts = settled.approval === undefined ? {} : { facts: { approval: settled.approval.id } };
    const { approval, message } = settled.denial;
    const why = approval === undefined && settled.approval !== undefined ? { reason: message } : {};
    const verdict = denied(id, settled.denial, judgement.decision);
    return recorded(operation, { ...fields, ...why, ...facts }, verdict);
  }

  /** The yes is used up. What it allows is for the policy to say that it was given under. */
  async function granted(one: Held, approval: Approval, fields: EventFields): Promise<Verdict> {
    const { operation, id, policyVersion, principal } = one;
    const policy = engine();
    // Policy was replaced, or the credential renewed, in between: it is another question.
    if (policy.version !== policyVersion || credentials.current(principal) !== principal)
      return decide(operation);
    const { pairs } = operation;
    const context = { ...operation.context, approvals: approval.needs.map(({ name }) => name) };
    const judgement = judge({ engine: policy, vocabulary }, principal, pairs, context);
    const { decision } = judgement;
    const facts = { approval: approval.id };
    const { reason: _, ...rest } = fields;
    const decided = { decision: decision.effect, rules: decision.rules, ...reasonOf(judgement) };
    const now = { ...rest, ...decided, asked: recordedQuestion(vocabulary, { pairs, context }), facts };
    const { approvals } = context;
    const until = approval.windowMs === undefined ? { approvals } : { until: approval.expiresAt, approvals };
    if (decision.effect === 'allow' && operation.approvable.opens === true)
      opened.set(operation.session, context.approvals);
    if (decision.effect === 'allow')
      return recorded(operation, now, { ...allowed(id, policy, decision), ...until });
    return recorded(operation, now, denied(id, denialOf(judgement), decision));
  }

  return {
    decide,
    close(session, operation, outcome) {
      const common = closings.get(session) ?? { session: session.id };
      closings.set(session, common);
      audit.appendSoon({ type: 'operation.closed', operation, common, ...outcome });
    },
    evaluate: (principal, pairs, context) =>
      judge({ engine: engine(), vocabulary }, credentials.current(principal), pairs, context).decision,
    reveal(session, object) {
      try {
        const principal = credentials.current(session.principal);
        const rule = attenuated(principal, { action: 'reveal', object }, vocabulary);
        if (rule !== undefined) return { show: false, mask: 'redact', rules: [rule] };
        return engine().reveal(principal, object);
      } catch {
        return { show: false, mask: 'redact', rules: [] };
      }
    },
    mayEver(principal, action, object, reach) {
      try {
        return engine().mayEver(credentials.current(principal), action, object, reach);
      } catch {
        return true;
      }
    },
    policyVersion: () => engine().version + engine().phase(),
  };
}

/** What was told of it where nothing runs. */
type Explained = Readonly<Partial<Record<'would' | 'rule', string>>>;

/** Where nothing runs, what needs no approval is not run either. */
const ASKS_ONLY: Refusal<GeneralRule> = {
  code: 'ERR_DENIED',
  rule: 'asks-only',
  reason: 'nothing runs where approvals are asked for ahead, and this needs none',
  hint: 'send it in a session of its own',
};

/** So that nobody takes it for what was refused. */
const EXPLAINS_ONLY: Refusal<GeneralRule> = {
  code: 'ERR_DENIED',
  rule: 'explains-only',
  reason: 'nothing runs where policy is explained',
  hint: 'send it in a session of its own',
};

/** What asks for no more than the connection itself, in a session that was opened with these approvals, has them too. */
function asOpened(operation: Operation, approvals: readonly string[] | undefined): Operation | undefined {
  if (approvals === undefined || operation.context['approvals'] !== undefined) return undefined;
  // Another opening is told until when it is for.
  if (operation.approvable?.opens === true) return undefined;
  if (operation.pairs.some(({ action }) => action !== 'connect')) return undefined;
  return { ...operation, context: { ...operation.context, approvals } };
}

function allowed(
  id: string,
  policy: PolicyEngine,
  { rows, limits }: { readonly rows?: RowBound; readonly limits?: AnswerLimits },
): Verdict {
  return {
    effect: 'allow',
    operation: id,
    policyVersion: policy.version,
    ...(rows === undefined ? {} : { rows }),
    ...(limits === undefined ? {} : { limits }),
  };
}

function denied(id: string, denial: Denial, { rules: [by] }: Decision): Verdict {
  const verdict = { effect: 'deny', operation: id, denial } as const;
  return by === undefined ? verdict : { ...verdict, by };
}

/** What ends the session, or cannot be on record, is not a refusal of this one. */
function cannotSettle(error: unknown): HoopError {
  const known = toHoopError(error);
  if (ENDS.has(known.code)) throw known;
  return known;
}

const ENDS: ReadonlySet<string> = new Set(['ERR_REVOKED', 'ERR_LOGIN_EXPIRED', 'ERR_AUDIT_UNAVAILABLE']);

interface Answer {
  readonly engine: PolicyEngine;
  readonly phase: string;
  readonly principal: Principal;
  readonly session: SessionRef;
  readonly context: Operation['context'];
  readonly judgement: Judgement;
  readonly fields: EventFields;
}

/**
 * The last answer to each list of pairs. An adapter asks again with the same objects, which nobody changes; where any of
 * them is another one, or the policies or the principal are, everything is asked anew.
 */
class QuestionMemory {
  readonly #answers = new WeakMap<readonly Pair[], Answer>();
  readonly #vocabulary: Vocabulary;

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
  }

  answer(engine: PolicyEngine, principal: Principal, operation: Operation): Answer {
    const known = this.#answers.get(operation.pairs);
    const phase = engine.phase();
    if (known?.engine === engine && known.phase === phase && known.principal === principal) {
      if (known.session === operation.session && known.context === operation.context) return known;
    }
    const rules = { engine, vocabulary: this.#vocabulary };
    const judged = judge(rules, principal, operation.pairs, operation.context);
    const judgement = {
      ...judged,
      instead: insteadOf(rules, principal, operation, judged),
      from: whenPermitted(rules, principal, operation, judged),
    };
    const { decision } = judgement;
    const decided = {
      policyVersion: engine.version,
      decision: decision.effect,
      rules: decision.rules,
      ...reasonOf(judgement),
    };
    const { session, pairs, context } = operation;
    const answer = {
      engine,
      phase,
      principal,
      session,
      context,
      judgement,
      fields: { ...subjectOf(operation), asked: recordedQuestion(this.#vocabulary, operation), ...decided },
    };
    // What was approved is approved once, and is not remembered.
    if (context['approvals'] === undefined) this.#answers.set(pairs, answer);
    return answer;
  }
}

/** What is on record of an operation, whatever the answer. */
function subjectOf({ session, pairs }: Operation): EventFields {
  return {
    actor: session.actor,
    session: session.id,
    resource: session.resource.id,
    protocol: session.protocol,
    actions: [...new Set(pairs.map(({ action }) => action))],
    objects: shownIds(pairs),
  };
}

const MAX_REASON_CHARS = 300;

/** Why, for the record, where no rule says it: policy errors by name, for they are the operator's to mend. */
function reasonOf({ decision, cause }: Judgement): { readonly reason?: string } {
  if (decision.effect === 'hold') return { reason: `needs the approval of ${decision.approvals.join(', ')}` };
  if (decision.effect === 'deny' && decision.errors.length > 0) {
    return { reason: `policy-error: ${decision.errors.join('; ')}`.slice(0, MAX_REASON_CHARS) };
  }
  return cause === undefined ? {} : { reason: cause };
}
