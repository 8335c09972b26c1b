import { askedUnder } from '../approval/asked-under.ts';
import { bindingOf } from '../approval/binding.ts';
import type { ApprovalDesk } from '../approval/desk.ts';
import type { Approval, Asked } from '../approval/model.ts';
import type { Clock } from '../core/clock.ts';
import type { Principal } from '../identity/principal.ts';
import type { ApprovalsNeeded } from '../policy/model.ts';
import { shownIds } from '../policy/objects.ts';
import { approvalDenial, denialOf } from './denial.ts';
import type { Judgement } from './judge.ts';
import type { Approvable, ApprovalWait, Denial, Hold, Operation } from './operation.ts';

/** How long what was opened may be used where no rule says it, ms. */
const WINDOW_MS = 3_600_000;

/** An operation that policy holds. */
export interface Held {
  readonly operation: Operation & { readonly approvable: Approvable };
  /** Its id (`op_…`). */
  readonly id: string;
  readonly principal: Principal;
  readonly judgement: Judgement;
  readonly policyVersion: string;
}

/** What became of it: it has a yes of its own, is to be asked anew, or is refused for now. */
export type Settled =
  | { readonly effect: 'granted'; readonly approval: Approval }
  | { readonly effect: 'again'; readonly anew: ApprovalWait['again'] }
  | { readonly effect: 'refused'; readonly approval?: Approval; readonly denial: Denial };

/** Where operations that policy holds find their yes, wait for it, or get a ticket. */
export class HeldOperations {
  readonly #desk: ApprovalDesk;
  readonly #clock: Clock;

  constructor(desk: ApprovalDesk, clock: Clock) {
    this.#desk = desk;
    this.#clock = clock;
  }

  /**
   * Uses the yes to exactly this operation if there is one; else asks for it, and waits if the operation can.
   *
   * @throws {HoopError} `ERR_LIMIT`, `ERR_AUDIT_UNAVAILABLE`, and what `approvable.exact` throws.
   */
  async settle(held: Held): Promise<Settled> {
    const asked = await askedOf(held);
    const used = await this.#desk.use(asked, held.id);
    if (used !== undefined) return { effect: 'granted', approval: used };
    const anew = await held.operation.approvable.anew?.();
    if (anew !== undefined) return { effect: 'again', anew: () => anew };
    if (held.operation.approvable.asks === false)
      return { effect: 'refused', denial: denialOf(held.judgement) };
    const approval = await this.#desk.request(asked);
    const { wait } = held.operation.approvable;
    // What was settled before is told at once.
    const waits = wait !== undefined && approval.state === 'pending';
    const waited = waits ? await this.#waited(approval, wait) : approval;
    if (waited.state === 'approved' && wait !== undefined && !wait.signal.aborted)
      return { effect: 'again', anew: () => wait.again() };
    return { effect: 'refused', approval: waited, denial: approvalDenial(held.judgement, waited) };
  }

  /**
   * Asks for it, ahead: it waits for nobody and uses nothing up.
   *
   * @throws As `settle`; `ERR_KEY_REUSED` the session's key is of another question.
   */
  async askAhead(held: Held): Promise<Settled> {
    const asked: Asked = { ...(await askedOf(held)), ahead: true };
    const standing = this.#desk.under(asked) ?? this.#desk.standing(asked);
    const anew = standing === undefined ? await held.operation.approvable.anew?.() : undefined;
    if (anew !== undefined) return { effect: 'again', anew: () => anew };
    const approval = standing ?? (await this.#desk.request(asked));
    return { effect: 'refused', approval, denial: approvalDenial(held.judgement, approval) };
  }

  async #waited(approval: Approval, wait: ApprovalWait): Promise<Approval> {
    const { id, expiresAt } = approval;
    const waitsUntil = Math.min(expiresAt, this.#clock.now() + this.#desk.terms.waitMs);
    if (this.#desk.terms.waitMs === 0) return approval;
    wait.told(holdOf(approval, waitsUntil, this.#desk.terms.page?.(id)));
    const settled = await this.#desk.settled(id, waitsUntil, wait.signal);
    if (!wait.signal.aborted) return settled;
    // A yes that comes now would be for something that nobody waits for.
    await this.#desk.withdraw(id, 'the client did not wait for it');
    return this.#desk.find(id) ?? settled;
  }
}

function holdOf({ id, needs, expiresAt }: Approval, waitsUntil: number, page: string | undefined): Hold {
  const there = page === undefined ? {} : { page };
  return { id, approvals: needs.map(({ name }) => name), waitsUntil, expiresAt, ...there };
}

async function askedOf({ operation, principal, judgement, policyVersion }: Held): Promise<Asked> {
  const { session, pairs, context, text, approvable } = operation;
  const { decision } = judgement;
  const {
    approvals,
    quorum = {},
    windowMs,
  }: ApprovalsNeeded = decision.effect === 'hold' ? decision : { approvals: [] };
  const { id: resource } = session.resource;
  const { protocol, actor } = session;
  const { masked = [] } = approvable;
  const exact = await approvable.exact();
  const original = approvable.original ?? operation.original;
  const opens = approvable.opens === true;
  // Where things run, the next of the same is another question: its yes is for one use.
  const idempotencyKey = opens || session.ahead === 'asks' ? session.idempotencyKey : undefined;
  const covered = {
    resource,
    protocol,
    principal,
    pairs,
    context,
    original,
    exact,
    policyVersion,
    approvals,
  };
  return {
    binding: bindingOf(covered),
    needs: approvals.map((name) => ({ name, count: quorum[name] ?? 1 })),
    ...(opens ? { windowMs: windowMs ?? WINDOW_MS } : {}),
    session: session.id,
    resource,
    protocol,
    actor,
    rules: decision.rules,
    ...(session.reason === undefined ? {} : { reason: session.reason }),
    text,
    ...(original === undefined ? {} : { original }),
    actions: [...new Set(pairs.map(({ action }) => action))],
    objects: shownIds(pairs),
    ...(masked.length === 0 ? {} : { masked: masked.map(({ name }) => name) }),
    policyVersion,
    ...tried(approvable),
    ...(idempotencyKey === undefined
      ? {}
      : { under: askedUnder(idempotencyKey, { principal, resource, protocol, opens, original }) }),
    deadline: principal.deadline,
  };
}

function tried({ trial, opens }: Approvable): Pick<Asked, 'trial' | 'notTried'> {
  if (trial === undefined) return { notTried: opens === true ? OPENS : NEVER_UNDONE };
  return 'how' in trial ? { trial: trial.how } : { notTried: trial.not };
}

const OPENS = 'it opens something, and changes nothing by itself';
const NEVER_UNDONE = 'what it does is not known to be undone again';
