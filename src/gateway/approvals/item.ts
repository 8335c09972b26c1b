import type { ApprovalItem } from '../../api/approvals.ts';
import type { Approval } from '../../approval/model.ts';

/** What differs with who looks. */
interface View {
  /** Names that they may say yes under. */
  readonly mine: readonly string[];
  /** They may decide it, and so read exactly what was asked. */
  readonly exact: boolean;
}

/** A request for approval as the API says it. Pure. */
export function approvalItem(approval: Approval, { mine, exact }: View): ApprovalItem {
  const { id, state, at, expiresAt, windowMs, session, resource, protocol, actor, rules } = approval;
  const { text, actions, objects, policyVersion, binding, original } = approval;
  return {
    schemaVersion: 1,
    id,
    status: state,
    next_action: nextAction(approval),
    at: time(at),
    expiresAt: time(expiresAt),
    ...optional({ window: windowMs === undefined ? undefined : Math.floor(windowMs / 1000) }),
    needs: needsOf(approval),
    mine,
    session,
    resource,
    protocol,
    actor: actor.name,
    ...optional({ person: actor.person }),
    issuer: actor.issuer,
    instance: actor.instance,
    attested: actor.attested,
    declared: actor.declared,
    ...optional({ reason: approval.reason }),
    rules,
    text,
    actions,
    objects,
    policyVersion,
    binding,
    votes: approval.votes.map(({ by, names, at: votedAt }) => ({ by, names, at: time(votedAt) })),
    ...optional({ endedBy: approval.endedBy, endReason: approval.endReason, usedBy: approval.usedBy }),
    ...optional({ original: exact && state === 'pending' ? original : undefined }),
  };
}

function needsOf({ needs, votes }: Approval): ApprovalItem['needs'] {
  return needs.map(({ name, count }) => ({
    name,
    count,
    given: votes.filter((vote) => vote.names.includes(name)).length,
  }));
}

function nextAction({ state, usedBy }: Approval): ApprovalItem['next_action'] {
  if (state === 'pending' || state === 'denied') return 'none';
  return state === 'approved' && usedBy === undefined ? 'retry' : 'request';
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

/** Only what is there. */
function optional<T extends Record<string, unknown>>(
  values: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const known = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
