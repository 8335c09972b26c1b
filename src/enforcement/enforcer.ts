import type { AuditLog, EventFields } from '../audit/event.ts';
import type { Clock } from '../core/clock.ts';
import { IdSeries } from '../core/ids.ts';
import { after, type Later } from '../core/later.ts';
import type { CredentialCheck, Principal } from '../identity/principal.ts';
import type { Pair, PolicyEngine } from '../policy/model.ts';
import type { Vocabulary } from '../policy/vocabulary/index.ts';
import { attenuated } from './attenuated.ts';
import { denialOf, refusalDenial } from './denial.ts';
import { type Judgement, judge } from './judge.ts';
import type { Enforcer, Operation, SessionRef, Verdict } from './operation.ts';

export interface EnforcerParts {
  /** The policies in force now; asked once per operation, so that one operation is judged by one version. */
  readonly engine: () => PolicyEngine;
  /** The words of all policies that may ever be in force. */
  readonly vocabulary: Vocabulary;
  readonly audit: AuditLog;
  readonly credentials: CredentialCheck;
  readonly clock: Clock;
}

/**
 * Makes the one engine that every adapter asks. See `Enforcer` for what its answers mean.
 *
 * @returns An enforcer without state of its own beyond what it remembers of immutable questions. Never throws.
 * @see docs/policy.md
 */
export function createEnforcer({ engine, vocabulary, audit, credentials, clock }: EnforcerParts): Enforcer {
  const ids = new IdSeries('op');
  const questions = new QuestionMemory(vocabulary);
  const closings = new WeakMap<SessionRef, EventFields>();

  function decide(operation: Operation): Later<Verdict> {
    const { session, refusal, original } = operation;
    credentials.assertLive(session.principal);
    const policy = engine();
    const id = ids.next(clock.now());
    const { text } = operation;
    const recorded = (fields: EventFields, verdict: Verdict) => {
      const type = 'operation.decided';
      const event =
        original === undefined
          ? ({ type, operation: id, text, common: fields } as const)
          : ({ type, operation: id, text, common: fields, original } as const);
      return after(audit.append(event), () => verdict);
    };
    if (refusal !== undefined) {
      const reason = `${refusal.rule}: ${refusal.reason}`;
      const fields = {
        ...asked(operation),
        policyVersion: policy.version,
        decision: 'deny',
        reason,
      } as const;
      return recorded(fields, { effect: 'deny', operation: id, denial: refusalDenial(refusal) });
    }
    const { fields, judgement } = questions.answer(policy, credentials.current(session.principal), operation);
    const { decision } = judgement;
    if (decision.effect === 'allow') {
      const rows = decision.rows === undefined ? {} : { rows: decision.rows };
      return recorded(fields, { effect: 'allow', operation: id, policyVersion: policy.version, ...rows });
    }
    const [by] = decision.rules;
    const denied = { effect: 'deny', operation: id, denial: denialOf(judgement) } as const;
    return recorded(fields, by === undefined ? denied : { ...denied, by });
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
    policyVersion: () => engine().version,
  };
}

interface Answer {
  readonly engine: PolicyEngine;
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
    if (known !== undefined && known.engine === engine && known.principal === principal) {
      if (known.session === operation.session && known.context === operation.context) return known;
    }
    const rules = { engine, vocabulary: this.#vocabulary };
    const judgement = judge(rules, principal, operation.pairs, operation.context);
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
      principal,
      session,
      context,
      judgement,
      fields: { ...asked(operation), ...decided },
    };
    // What was approved is approved once, and is not remembered.
    if (context['approvals'] === undefined) this.#answers.set(pairs, answer);
    return answer;
  }
}

/** What is on record of a question, whatever the answer. */
function asked({ session, pairs }: Operation): EventFields {
  return {
    actor: session.actor,
    session: session.id,
    resource: session.resource.id,
    protocol: session.protocol,
    actions: [...new Set(pairs.map(({ action }) => action))],
    objects: [...new Set(pairs.map(({ object }) => object.id))],
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
