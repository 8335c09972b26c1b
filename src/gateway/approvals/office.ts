import type { ApprovalItem, ApprovalStatus, ApprovalTrial } from '../../api/approvals.ts';
import type { ApprovalDesk } from '../../approval/desk.ts';
import { type Approval, askedOnAuthorityOf, isSamePerson, missing } from '../../approval/model.ts';
import type { AuditLog } from '../../audit/event.ts';
import type { Clock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import { spanText } from '../../core/span.ts';
import type { Principal } from '../../identity/principal.ts';
import { approvalObject } from '../../policy/objects.ts';
import type { Vocabulary } from '../../policy/vocabulary/index.ts';
import type { Adapter, Viewer } from '../../protocols/adapter.ts';
import { actorOf } from '../actor.ts';
import { type Ask, demandPerson } from '../plane.ts';
import { approvalItem } from './item.ts';
import type { ApprovalTrials } from './trials.ts';

export interface OfficeParts {
  readonly desk: ApprovalDesk;
  readonly ask: Ask;
  readonly audit: AuditLog;
  readonly vocabulary: Vocabulary;
  readonly clock: Clock;
  readonly trials: Pick<ApprovalTrials, 'run'>;
  /** What a person may see of a target. */
  readonly viewer: (principal: Principal) => Viewer;
  /** What the adapter of a resource makes of a text for people. */
  readonly formatted: (resource: string, asked: Shown) => Promise<string | undefined>;
}

/** What somebody is shown of a request. */
type Shown = Parameters<NonNullable<Adapter['formatted']>>[0];

const MAX_LISTED = 1000;

/** Who may see, decide and take back what people are asked: the same for whatever they do it with. */
export class ApprovalOffice {
  readonly #parts: OfficeParts;

  constructor(parts: OfficeParts) {
    this.#parts = parts;
  }

  /** Those that the principal asked for, or may decide; newest first. */
  list(principal: Principal, status?: ApprovalStatus): readonly ApprovalItem[] {
    const may = this.#memory(principal);
    const items: ApprovalItem[] = [];
    for (const approval of this.#parts.desk.list()) {
      if (items.length === MAX_LISTED) break;
      if (status !== undefined && approval.state !== status) continue;
      if (!isOwn(approval, principal) && !mayDecide(approval, principal, may)) continue;
      items.push(this.#item(approval, { ...yesOf(approval, principal, may), exact: false }));
    }
    return items;
  }

  /** Whether it would stand in the principal's list. */
  sees(approval: Approval, principal: Principal): boolean {
    return isOwn(approval, principal) || mayDecide(approval, principal, this.#memory(principal));
  }

  /**
   * One request, with exactly what was asked for those who may decide it while it is undecided. That they looked is on
   * record first.
   *
   * @throws {HoopError} `ERR_NO_ACCESS` there is none, or none for this principal: the answer does not say which;
   *   `ERR_AUDIT_UNAVAILABLE`.
   */
  async show(principal: Principal, id: string): Promise<ApprovalItem> {
    const approval = this.find(principal, id);
    const may = this.#memory(principal);
    const decides = mayDecide(approval, principal, may);
    if (decides) await this.#looked(principal, approval);
    const exact = decides && approval.state === 'pending';
    const { resource, text, original } = approval;
    const shown = exact && original !== undefined ? { original, text } : { text };
    const formatted = await this.#parts.formatted(resource, shown);
    return this.#item(approval, { ...yesOf(approval, principal, may), exact, formatted });
  }

  /** @throws {HoopError} `ERR_NO_ACCESS` as `show`. */
  find(principal: Principal, id: string): Approval {
    const approval = this.#parts.desk.find(id);
    if (approval !== undefined && this.sees(approval, principal)) return approval;
    throw new HoopError('ERR_NO_ACCESS', 'there is no such request for approval, or no access to it', {
      hint: 'see: hoopctl approval list',
    });
  }

  /**
   * Says yes under every name that is missing and that the person may give.
   *
   * @param binding Of what the person has seen.
   * @throws {HoopError} `ERR_NO_ACCESS`; `ERR_DENIED` not a person, not this one, or with a login that gave up rights;
   *   `ERR_VERIFY` something else was seen; `ERR_LOGIN_STALE`; `ERR_USAGE` it is settled; `ERR_AUDIT_UNAVAILABLE`.
   */
  async approve(principal: Principal, id: string, binding: string): Promise<ApprovalItem> {
    const approval = this.#demandMayDecide(principal, id, binding);
    const may = this.#memory(principal);
    // None is missing where it is settled: then the desk says what became of it.
    const names = missing(approval).filter((name) => may(approval, name));
    if (names.length === 0 && approval.state === 'pending')
      throw new HoopError('ERR_DENIED', 'what you may approve of this is approved already');
    const approved = await this.#parts.desk.approve(id, principal, names);
    return this.#item(approved, { ...yesOf(approved, principal, may), exact: false });
  }

  /** Says no, for good. @throws {HoopError} as `approve`. */
  async deny(
    principal: Principal,
    id: string,
    binding: string,
    reason: string | undefined,
  ): Promise<ApprovalItem> {
    this.#demandMayDecide(principal, id, binding);
    const denied = await this.#parts.desk.deny(id, principal, reason);
    return this.#item(denied, { mine: [], exact: false });
  }

  /**
   * Does and undoes what is asked, counts, and shows what of it they may see. The same may who may decide it, and nobody else.
   *
   * @param binding Of what the person has seen.
   * @param signal Aborted when they do not wait for it any more.
   * @throws {HoopError} as `approve`, and as `ApprovalTrials.run`.
   */
  async tryOut(
    principal: Principal,
    id: string,
    binding: string,
    signal: AbortSignal,
  ): Promise<ApprovalTrial> {
    const approval = this.#demandMayDecide(principal, id, binding);
    if (approval.state !== 'pending')
      throw new HoopError('ERR_USAGE', `this request is ${stateText(approval)}: there is nothing to try`);
    const { trials, vocabulary, viewer } = this.#parts;
    return trials.run(actorOf(principal, vocabulary), approval, viewer(principal), signal);
  }

  /** Takes back what was asked. @throws {HoopError} `ERR_NO_ACCESS`; `ERR_DENIED` others asked; `ERR_USAGE` too late. */
  async cancel(principal: Principal, id: string): Promise<ApprovalItem> {
    const approval = this.find(principal, id);
    if (!isOwn(approval, principal))
      throw new HoopError('ERR_DENIED', 'only the one who asked takes a request back', {
        hint: 'you may say no: hoopctl approval deny',
      });
    const reason = `taken back by ${principal.name}`;
    await this.#parts.desk.cancel(id, reason);
    const now = this.find(principal, id);
    if (now.state !== 'cancelled' || now.endReason !== reason)
      throw new HoopError('ERR_USAGE', `too late: the request is ${stateText(now)}`);
    return this.#item(now, { mine: [], exact: false });
  }

  /** Whether the principal signed in lately enough to decide anything. */
  isFresh({ signedInAt }: Principal): boolean {
    const { clock, desk } = this.#parts;
    return clock.now() - signedInAt <= desk.terms.signedInMs;
  }

  #demandMayDecide(principal: Principal, id: string, binding: string): Approval {
    demandPerson(principal);
    const approval = this.find(principal, id);
    if (principal.attenuation !== undefined)
      throw new HoopError('ERR_DENIED', 'a login that gave up rights decides nothing', {
        hint: 'do it without --only and --read-only',
      });
    if (askedOnAuthorityOf(approval, principal))
      throw new HoopError('ERR_DENIED', 'nobody decides what was asked on their own authority', {
        hint: `somebody else must decide this; take it back with: hoopctl approval cancel ${id}`,
      });
    if (!mayDecide(approval, principal, this.#memory(principal)))
      throw new HoopError('ERR_DENIED', 'no policy permits you to decide this');
    if (approval.binding !== binding)
      throw new HoopError('ERR_VERIFY', 'this is not the request that you were shown', {
        hint: `look at it again: hoopctl approval show ${id}`,
      });
    this.#demandFresh(principal);
    return approval;
  }

  /** Whoever found a machine unlocked has not signed in. */
  #demandFresh(principal: Principal): void {
    if (this.isFresh(principal)) return;
    throw new HoopError(
      'ERR_LOGIN_STALE',
      `to decide this you must have signed in within the last ${spanText(this.#parts.desk.terms.signedInMs)}`,
      { hint: 'run: hoopctl login, and decide again; nothing else needs it' },
    );
  }

  async #looked(principal: Principal, { id, session, resource, protocol }: Approval): Promise<void> {
    const { audit, vocabulary } = this.#parts;
    const actor = actorOf(principal, vocabulary);
    await audit.append({
      type: 'approval.viewed',
      actor,
      session,
      resource,
      protocol,
      facts: { approval: id },
    });
  }

  #item(approval: Approval, view: Omit<Parameters<typeof approvalItem>[1], 'page'>): ApprovalItem {
    return approvalItem(approval, { ...view, page: this.#parts.desk.terms.page?.(approval.id) });
  }

  /** Policy is asked once for each name at each resource, however long the list is. */
  #memory(principal: Principal): May {
    const { ask } = this.#parts;
    const known = new Map<string, boolean>();
    return ({ resource, protocol }, name) => {
      const object = approvalObject(name, resource, protocol);
      const answer = known.get(object.id) ?? ask(principal, 'approval.grant', object).effect === 'allow';
      known.set(object.id, answer);
      return answer;
    };
  }
}

type May = (approval: Approval, name: string) => boolean;

/** A person's: what was asked on their authority. An agent's: what this agent asked for the same subject. */
function isOwn(approval: Approval, principal: Principal): boolean {
  const { actor } = approval;
  if (principal.attenuation !== undefined) return actor.instance === principal.instance;
  if (!isSamePerson(actor, principal)) return false;
  return principal.kind === 'person' || (actor.kind === 'agent' && actor.name === principal.name);
}

/** Whether the person's word counts for it, whatever has become of it. */
function mayDecide(approval: Approval, principal: Principal, may: May): boolean {
  if (principal.kind !== 'person' || principal.attenuation !== undefined) return false;
  if (askedOnAuthorityOf(approval, principal)) return false;
  return approval.needs.some(({ name }) => may(approval, name));
}

/** Names that the person can say yes under now, or why there are none while it is pending; and whether they may say no. */
function yesOf(
  approval: Approval,
  principal: Principal,
  may: May,
): { readonly mine: readonly string[]; readonly notMine?: string; readonly mayDeny?: true } {
  if (approval.state !== 'pending') return { mine: [] };
  const none = (notMine: string) => ({ mine: [], notMine });
  if (principal.kind !== 'person') return none('agents decide nothing');
  if (principal.attenuation !== undefined) return none('a login that gave up rights decides nothing');
  if (askedOnAuthorityOf(approval, principal)) return none('it was asked on your own authority');
  if (!mayDecide(approval, principal, may)) return none('no policy permits you to decide it');
  // A no counts from whoever may decide it, whatever they have said before.
  const mayDeny = true;
  if (approval.votes.some((vote) => isSamePerson(vote, principal)))
    return { ...none('you have said yes to it'), mayDeny };
  const mine = missing(approval).filter((name) => may(approval, name));
  return mine.length > 0
    ? { mine, mayDeny }
    : { ...none('what you may approve of it is approved already'), mayDeny };
}

function stateText({ state, usedBy }: Approval): string {
  return usedBy === undefined ? state : 'approved and used';
}
