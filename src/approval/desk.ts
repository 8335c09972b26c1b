import { type Clock, LONGEST_TIMER_MS } from '../core/clock.ts';
import { HoopError } from '../core/errors.ts';
import { newId } from '../core/ids/make.ts';
import type { Principal } from '../identity/principal.ts';
import { type Approval, type Asked, askedOnAuthorityOf, isSamePerson, missing } from './model.ts';
import { ApprovalRecord, type Change, isOpen, type RecordParts } from './record.ts';
import { UnheardDenials } from './unheard.ts';

/** What is configured; asked for at each use. */
export interface ApprovalTerms {
  /** How long an operation itself waits, ms. Clients of agents give up at about a minute. */
  readonly waitMs: number;
  /** From the question on: neither it nor its yes holds longer, ms. */
  readonly lifeMs: number;
  /** How long ago the person who says yes may have signed in, ms. */
  readonly signedInMs: number;
  /** Where people decide with a browser; undefined: nowhere. */
  readonly page?: (id: string) => string | undefined;
}

export interface DeskParts extends RecordParts {
  readonly store: RecordParts['store'] & { load(): readonly string[] };
  readonly clock: Clock;
  readonly terms: () => ApprovalTerms;
  /** Whether a session may still ask. */
  readonly sessionLives: (session: string) => boolean;
  /** Told of every change, after it is kept; must not throw. */
  readonly changed?: (approval: Approval) => void;
}

/** Requests at once of one instance that nobody has decided yet. */
const PENDING_PER_INSTANCE = 600;
const PENDING = 10_000;
const SETTLED_SHOWN = 10_000;
/** How long a caller's word stands for what it asked, ms. */
const KEY_MS = 24 * 3_600_000;

/**
 * Keeps what people are asked and what they said. Each change is on record in the audit, and kept, before it counts.
 *
 * A yes covers one use of exactly what was asked, until one moment that was fixed when it was asked.
 */
export class ApprovalDesk {
  readonly #parts: DeskParts;
  readonly #record: ApprovalRecord;
  readonly #all = new Map<string, Approval>();
  /** By binding: those that are pending, or approved and not used. */
  readonly #open = new Map<string, Set<string>>();
  /** By `under.key`: the newest. */
  readonly #keyed = new Map<string, string>();
  readonly #unheard = new UnheardDenials((id) => this.find(id));
  readonly #waiters = new Map<string, Set<() => void>>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** One change of a request at a time. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #closed = false;

  /** @throws {HoopError} `ERR_CONFIG` what was kept cannot be read. */
  constructor(parts: DeskParts) {
    this.#parts = parts;
    this.#record = new ApprovalRecord(parts);
    for (const document of parts.store.load()) this.#take(this.#record.read(document));
  }

  get terms(): ApprovalTerms {
    return this.#parts.terms();
  }

  /** Newest first. */
  list(): readonly Approval[] {
    return [...this.#all.values()].reverse().map((one) => this.#asOfNow(one));
  }

  find(id: string): Approval | undefined {
    const known = this.#all.get(id);
    return known === undefined ? undefined : this.#asOfNow(known);
  }

  /**
   * Takes the yes to exactly this, if there is one: it is used up when the promise resolves, whatever comes then.
   *
   * @param operation The one that it is used for.
   * @throws {HoopError} `ERR_AUDIT_UNAVAILABLE` it cannot be kept that it was used: then it must not be.
   */
  async use(asked: Asked, operation: string): Promise<Approval | undefined> {
    for (const id of [...(this.#open.get(asked.binding) ?? [])]) {
      const known = this.find(id);
      if (known?.windowMs !== undefined && known.state === 'approved') {
        await this.#record.tell({
          next: known,
          type: 'approval.used',
          fields: { operation, session: asked.session },
        });
        return known;
      }
      const used = await this.#change(id, (approval) => this.#used(approval, asked.session, operation));
      if (used?.usedBy === operation) return used;
    }
    return undefined;
  }

  #used(approval: Approval, session: string, operation: string): Change | undefined {
    if (approval.state !== 'approved' || approval.usedBy !== undefined) return undefined;
    if (!this.#mayTake(approval, session)) return undefined;
    const bound = approval.session === session ? {} : { boundTo: session };
    return {
      next: { ...approval, ...bound, usedBy: operation },
      type: 'approval.used',
      fields: { operation },
    };
  }

  /** A question belongs to the session that asked it, until that is over, or never meant to use it. */
  #mayTake({ session: owner, ahead }: Approval, session: string): boolean {
    return owner === session || ahead === true || !this.#parts.sessionLives(owner);
  }

  /** A yes to exactly this that is there and not used: it is left so. */
  standing({ binding, session }: Asked): Approval | undefined {
    return this.#openLike(binding, (one) => one.state === 'approved' && this.#mayTake(one, session));
  }

  #openLike(binding: string, is: (approval: Approval) => boolean): Approval | undefined {
    for (const id of this.#open.get(binding) ?? []) {
      const known = this.find(id);
      if (known !== undefined && is(known)) return known;
    }
    return undefined;
  }

  /**
   * What was asked under the caller's own word for it, whatever has become of it; undefined: nothing, or it is long ago.
   *
   * @throws {HoopError} `ERR_KEY_REUSED` that was something else.
   */
  under({ under }: Asked): Approval | undefined {
    const known = under === undefined ? undefined : this.find(this.#keyed.get(under.key) ?? '');
    if (known === undefined || this.#parts.clock.now() - known.at >= KEY_MS) return undefined;
    if (known.under?.body === under?.body) return known;
    throw new HoopError('ERR_KEY_REUSED', undefined, {
      hint: 'send what was sent under it before, or take another key',
    });
  }

  /**
   * Asks people. The very same question of the same session, or asked ahead, is not asked twice, nor is one under its key.
   *
   * @throws {HoopError} `ERR_LIMIT` too many wait; `ERR_KEY_REUSED`; `ERR_AUDIT_UNAVAILABLE`.
   */
  async request(asked: Asked): Promise<Approval> {
    const known = this.under(asked) ?? this.#noTo(asked) ?? this.#pendingLike(asked);
    if (known !== undefined) return this.#asked(known);
    this.#demandRoom(asked.actor.instance);
    const { clock, terms } = this.#parts;
    const at = clock.now();
    const expiresAt = Math.min(at + terms().lifeMs, asked.deadline);
    const approval: Approval = { ...asked, id: newId('apr', at), state: 'pending', at, expiresAt, votes: [] };
    // At once among those that are known: the same question in the next breath finds it.
    this.#take(approval);
    await this.#inTurn(approval.id, () =>
      this.#record.keep({ next: approval, type: 'approval.requested' }).catch((error: unknown) => {
        this.#forget(approval);
        throw error;
      }),
    );
    this.#parts.changed?.(approval);
    return approval;
  }

  /** Asked by another in the same breath: it counts for both once it is on record. */
  async #asked({ id }: Approval): Promise<Approval> {
    await this.#turns.get(id);
    const approval = this.find(id);
    if (approval === undefined) throw new HoopError('ERR_AUDIT_UNAVAILABLE');
    return approval;
  }

  #pendingLike({ binding, session }: Asked): Approval | undefined {
    return this.#openLike(binding, (one) => one.state === 'pending' && this.#mayTake(one, session));
  }

  #noTo({ binding, session }: Asked): Approval | undefined {
    return this.#unheard.take(binding, this.#parts.clock.now(), (one) => this.#mayTake(one, session));
  }

  #demandRoom(instance: string): void {
    let [pending, own] = [0, 0];
    for (const id of [...this.#open.values()].flatMap((ids) => [...ids])) {
      const approval = this.#all.get(id);
      if (approval?.state !== 'pending') continue;
      pending++;
      if (approval.actor.instance === instance) own++;
    }
    if (pending < PENDING && own < PENDING_PER_INSTANCE) return;
    throw new HoopError('ERR_LIMIT', 'too many requests for approval wait to be decided', {
      hint: 'wait until some are decided, or cancel them: hoopctl approval list',
    });
  }

  /**
   * Waits until a request has left `pending`, or the signal is aborted, or the time is over.
   *
   * @returns It as it is then; still pending if the time was over first.
   */
  async settled(id: string, untilMs: number, signal?: AbortSignal): Promise<Approval> {
    const { clock } = this.#parts;
    const over = Promise.withResolvers<void>();
    const wake = () => over.resolve();
    const waiting = this.#waiters.get(id) ?? new Set();
    this.#waiters.set(id, waiting.add(wake));
    signal?.addEventListener('abort', wake, { once: true });
    const timer = setTimeout(wake, Math.min(LONGEST_TIMER_MS, Math.max(0, untilMs - clock.now())));
    try {
      if (this.find(id)?.state === 'pending' && signal?.aborted !== true) await over.promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      waiting.delete(wake);
      if (waiting.size === 0) this.#waiters.delete(id);
    }
    const approval = this.find(id);
    if (approval === undefined)
      throw new HoopError('ERR_INTERNAL', undefined, { detail: 'a request is gone' });
    return approval;
  }

  /**
   * Says yes under some of its names. Whether the person may is the caller's to ask.
   *
   * @throws {HoopError} `ERR_NO_ACCESS` there is none; `ERR_DENIED` they asked themselves, or said yes before;
   *   `ERR_USAGE` it is settled; `ERR_AUDIT_UNAVAILABLE`.
   */
  approve(id: string, by: Principal, names: readonly string[]): Promise<Approval> {
    return this.#demand(id, (approval) => {
      demandPending(approval);
      demandAnother(approval, by);
      const { issuer, subject, name } = by;
      const vote = { names, issuer, subject, by: name, at: this.#parts.clock.now() };
      const next = { ...approval, votes: [...approval.votes, vote] };
      const state = missing(next).length === 0 ? 'approved' : 'pending';
      const until = state === 'approved' ? { expiresAt: endOf(approval, vote.at) } : {};
      return {
        next: { ...next, state, ...until },
        type: 'approval.granted',
        by,
        facts: { names: names.join(', '), state },
      };
    });
  }

  /** Says no. @throws As `approve`, but one who asked may say no to themselves. */
  deny(id: string, by: Principal, reason: string | undefined): Promise<Approval> {
    return this.#demand(id, (approval) => {
      demandPending(approval);
      const why = reason === undefined ? {} : { endReason: reason };
      const next = { ...approval, state: 'denied', endedBy: by.name, ...why } as const;
      return { next, type: 'approval.denied', by, ...(reason === undefined ? {} : { fields: { reason } }) };
    });
  }

  /** One who waited for it does not any more: without another it is for nobody. Never rejects where it is settled. */
  async withdraw(id: string, reason: string): Promise<void> {
    if (!this.#waiters.has(id)) await this.cancel(id, reason);
  }

  /** Nobody waits for it any more; nothing happens where it is settled. Never rejects for that. */
  async cancel(id: string, reason: string): Promise<void> {
    await this.#change(id, (approval) => {
      const unused = approval.state === 'approved' && approval.usedBy === undefined;
      if (approval.state !== 'pending' && !unused) return undefined;
      const next = { ...approval, state: 'cancelled', endReason: reason } as const;
      return { next, type: 'approval.cancelled', fields: { reason } };
    });
  }

  /** Stops waiting. What is pending stays so, for the next start. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const waiting of [...this.#waiters.values()]) for (const wake of [...waiting]) wake();
  }

  async #demand(id: string, change: (approval: Approval) => Change): Promise<Approval> {
    const changed = await this.#change(id, change);
    if (changed === undefined) throw new HoopError('ERR_NO_ACCESS', 'there is no such request for approval');
    return changed;
  }

  #change(id: string, change: (approval: Approval) => Change | undefined): Promise<Approval | undefined> {
    return this.#inTurn(id, async () => {
      const approval = this.find(id);
      const changed = approval === undefined ? undefined : change(approval);
      if (changed === undefined) return approval;
      await this.#record.keep(changed);
      if (changed.next.state === 'denied' && !this.#waiters.has(id)) this.#unheard.keep(changed.next);
      this.#take(changed.next);
      this.#parts.changed?.(changed.next);
      return changed.next;
    });
  }

  /** One after the other: two who decide at once find what the first has made of it. */
  async #inTurn<T>(id: string, act: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(id) ?? Promise.resolve()).then(act);
    const settled = turn.catch(() => undefined);
    this.#turns.set(id, settled);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(id) === settled) this.#turns.delete(id);
    }
  }

  #take(approval: Approval): void {
    const { id, binding } = approval;
    this.#all.set(id, approval);
    if (approval.under !== undefined) this.#keyed.set(approval.under.key, id);
    const open = this.#open.get(binding) ?? new Set();
    if (isOpen(approval)) this.#open.set(binding, open.add(id));
    else if (open.delete(id) && open.size === 0) this.#open.delete(binding);
    this.#setTimer(approval);
    this.#trim();
    if (approval.state !== 'pending') for (const wake of [...(this.#waiters.get(id) ?? [])]) wake();
  }

  #forget(approval: Approval): void {
    const { id, binding } = approval;
    this.#remove(approval);
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    const open = this.#open.get(binding);
    if (open?.delete(id) === true && open.size === 0) this.#open.delete(binding);
  }

  #setTimer(approval: Approval): void {
    const { id, expiresAt } = approval;
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    if (!isOpen(approval) || this.#closed) return;
    const expire = () => void this.#expire(id).catch(() => undefined);
    const ms = Math.min(LONGEST_TIMER_MS, Math.max(0, expiresAt - this.#parts.clock.now()));
    this.#timers.set(id, setTimeout(expire, ms).unref());
  }

  /** Its time is over whether that could be stored or not: see `#asOfNow`. */
  async #expire(id: string): Promise<void> {
    const stored = this.#all.get(id);
    if (stored === undefined || !isOpen(stored)) return;
    if (this.#asOfNow(stored).state !== 'expired') return this.#setTimer(stored);
    await this.#change(id, (approval) =>
      approval.state === 'expired' && isOpen(this.#all.get(id) ?? approval)
        ? { next: approval, type: 'approval.expired' }
        : undefined,
    );
  }

  #asOfNow(approval: Approval): Approval {
    if (!isOpen(approval) || this.#parts.clock.now() < approval.expiresAt) return approval;
    return { ...approval, state: 'expired' };
  }

  #trim(): void {
    if (this.#all.size <= SETTLED_SHOWN + PENDING) return;
    for (const approval of this.#all.values()) {
      if (this.#all.size <= SETTLED_SHOWN) return;
      if (!isOpen(approval)) this.#remove(approval);
    }
  }

  #remove({ id, under }: Approval): void {
    this.#all.delete(id);
    if (under !== undefined && this.#keyed.get(under.key) === id) this.#keyed.delete(under.key);
  }
}

/** One use: as was fixed when it was asked. What is opened: from the yes on, never longer than the login that asked. */
function endOf({ expiresAt, windowMs, deadline }: Approval, now: number): number {
  return windowMs === undefined ? expiresAt : Math.min(now + windowMs, deadline);
}

function demandPending({ id, state, endedBy }: Approval): void {
  if (state === 'pending') return;
  throw new HoopError(
    'ERR_USAGE',
    `this request is ${state}${endedBy === undefined ? '' : ` by ${endedBy}`}`,
    {
      hint: `see: hoopctl approval show ${id}`,
    },
  );
}

/** Not the one who asked, by themselves or behind another agent, and nobody twice. */
function demandAnother(approval: Approval, by: Principal): void {
  if (askedOnAuthorityOf(approval, by))
    throw new HoopError('ERR_DENIED', 'nobody approves what was asked on their own authority', {
      hint: 'somebody else must decide this',
    });
  if (approval.votes.some((vote) => isSamePerson(vote, by)))
    throw new HoopError('ERR_DENIED', 'you have said yes to this before: it waits for others');
}
