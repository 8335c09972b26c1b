import { createHash } from 'node:crypto';
import type { ApprovalItem } from '../../api/approvals.ts';
import type { Approval } from '../../approval/model.ts';
import type { Original } from '../../audit/event.ts';

/** What differs with who looks. */
interface View {
  /** Names that they may say yes under. */
  readonly mine: readonly string[];
  /** Why these are none while it is pending, in words that end a sentence. */
  readonly notMine?: string | undefined;
  readonly mayDeny?: true | undefined;
  /** They may decide it while it is undecided, and so read exactly what was asked. */
  readonly exact: boolean;
  /** Where people decide it with a browser. */
  readonly page: string | undefined;
  /** What they see, broken into lines. */
  readonly formatted?: string | undefined;
}

/** A request for approval as the API says it. Pure. */
export function approvalItem(
  approval: Approval,
  { mine, notMine, mayDeny, exact, page, formatted }: View,
): ApprovalItem {
  const { id, state, at, expiresAt, windowMs, session, resource, protocol, actor, rules } = approval;
  const { text, actions, objects, masked, policyVersion, binding, original } = approval;
  return {
    schemaVersion: 1,
    id,
    status: state,
    ...optional({ page }),
    next_action: nextAction(approval),
    at: time(at),
    expiresAt: time(expiresAt),
    ...optional({ window: windowMs === undefined ? undefined : Math.floor(windowMs / 1000) }),
    needs: needsOf(approval),
    mine,
    ...optional({ notMine, mayDeny }),
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
    ...optional({ masked, notTried: approval.notTried }),
    policyVersion,
    binding,
    votes: approval.votes.map(({ by, names, at: votedAt }) => ({ by, names, at: time(votedAt) })),
    ...optional({ endedBy: approval.endedBy, endReason: approval.endReason, usedBy: approval.usedBy }),
    ...(exact ? exactly(original) : {}),
    ...optional({ formatted }),
  };
}

function exactly(original: Original | undefined): Pick<ApprovalItem, 'original' | 'sha256'> {
  if (original === undefined) return {};
  const texts = Object.entries(original).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const sha256 = texts.map(([name, text]) => [name, createHash('sha256').update(text).digest('hex')]);
  return { original, sha256: Object.fromEntries(sha256) };
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
