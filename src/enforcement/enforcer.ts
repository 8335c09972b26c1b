import type { AuditLog, EventInput } from '../audit/event.ts';
import type { Clock } from '../core/clock.ts';
import { newId } from '../core/ids.ts';
import type { CredentialCheck } from '../identity/principal.ts';
import type { Pair, PolicyEngine } from '../policy/model.ts';
import { attenuated } from './attenuated.ts';
import { denialOf, refusalDenial } from './denial.ts';
import { type Judgement, judge } from './judge.ts';
import type { Enforcer, Operation, Outcome, SessionRef, Verdict } from './operation.ts';

export interface EnforcerParts {
  /** The policies in force now; asked once per operation, so that one operation is judged by one version. */
  readonly engine: () => PolicyEngine;
  readonly audit: AuditLog;
  readonly credentials: CredentialCheck;
  readonly clock: Clock;
}

/**
 * Makes the one engine that every adapter asks. See `Enforcer` for what its answers mean.
 *
 * @returns An enforcer without state of its own beyond what it remembers of immutable pairs. Never throws.
 * @see docs/policy.md
 */
export function createEnforcer({ engine, audit, credentials, clock }: EnforcerParts): Enforcer {
  const summarise = summaries();

  async function decide(operation: Operation): Promise<Verdict> {
    const { session, pairs, context, refusal } = operation;
    credentials.assertLive(session.principal);
    const policy = engine();
    const id = newId('op', clock.now());
    const event = {
      ...eventOf(session, 'operation.decided', id),
      ...summarise(pairs),
      ...textOf(operation),
      policyVersion: policy.version,
    };
    if (refusal !== undefined) {
      await audit.append({ ...event, decision: 'deny', reason: `${refusal.rule}: ${refusal.reason}` });
      return { effect: 'deny', operation: id, denial: refusalDenial(refusal) };
    }
    const judgement = judge(policy, credentials.current(session.principal), pairs, context);
    const { decision } = judgement;
    await audit.append({
      ...event,
      decision: decision.effect,
      rules: decision.rules,
      ...reasonOf(judgement),
    });
    if (decision.effect === 'allow') return { effect: 'allow', operation: id, policyVersion: policy.version };
    return { effect: 'deny', operation: id, denial: denialOf(judgement) };
  }

  return {
    decide,
    close(session, operation, outcome) {
      closeQuietly(audit, session, operation, outcome);
    },
    evaluate: (principal, pairs, context) =>
      judge(engine(), credentials.current(principal), pairs, context).decision,
    reveal(session, object) {
      try {
        const principal = credentials.current(session.principal);
        const rule = attenuated(principal, { action: 'reveal', object });
        if (rule !== undefined) return { show: false, mask: 'redact', rules: [rule] };
        return engine().reveal(principal, object);
      } catch {
        return { show: false, mask: 'redact', rules: [] };
      }
    },
    policyVersion: () => engine().version,
  };
}

/** The outcome's event is best effort: without it the operation reads `unknown`, which is the truth. */
function closeQuietly(audit: AuditLog, session: SessionRef, operation: string, outcome: Outcome): void {
  const event: EventInput = { ...eventOf(session, 'operation.closed', operation), ...outcome };
  try {
    audit.append(event).catch(() => undefined);
  } catch {
    // A closed log may throw at once.
  }
}

function eventOf(
  { actor, id, resource, protocol }: SessionRef,
  type: EventInput['type'],
  operation: string,
): EventInput {
  return { type, actor, session: id, resource: resource.id, protocol, operation };
}

function textOf({ text, original }: Operation): Pick<EventInput, 'text' | 'original'> {
  return original === undefined ? { text } : { text, original };
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

/** What the pairs name, each once; remembered, because adapters ask again with the same array. */
function summaries(): (pairs: readonly Pair[]) => Pick<EventInput, 'actions' | 'objects'> {
  const known = new WeakMap<readonly Pair[], Pick<EventInput, 'actions' | 'objects'>>();
  return (pairs) => {
    const before = known.get(pairs);
    if (before !== undefined) return before;
    const summary = {
      actions: [...new Set(pairs.map(({ action }) => action))],
      objects: [...new Set(pairs.map(({ object }) => object.id))],
    };
    known.set(pairs, summary);
    return summary;
  };
}
