import { setTimeout as sleep } from 'node:timers/promises';
import { ANYTHING, type SchemaEffect } from '../sql/meaning/flow/schema-effect.ts';
import type { SearchPath } from '../sql/meaning/name-scope.ts';
import type { StatementPlan } from '../sql/meaning/plan.ts';

/** How long one session waits for others before it is refused, ms. */
const PATIENCE_MS = 5_000;
/** Effects that are remembered; who began before the oldest of them is taken to have missed one. */
const REMEMBERED = 256;
/** Of one transaction. */
const MOST_CHANGES = 256;
/** What a session that is gone has sent last takes effect within this time or not at all, ms. */
const LAST_WORDS_MS = 500;
/** Most statements change nothing: for them nothing is made. */
const NONE: readonly SchemaEffect[] = [];

type Plan = Pick<StatementPlan, 'relations' | 'resolved' | 'clears' | 'expandsTypes' | 'schemaEffect'>;

/** A session, as others must know it. */
interface Session {
  /** From which columns are masked. */
  readonly masks: { readonly masksColumns: boolean };
  readonly path: { readonly last: SearchPath | undefined };
  /** What was sent to the server and is not answered. */
  readonly sent: () => readonly Plan[];
}

/**
 * The sessions of one resource from which something is masked, where one of them changes the schema.
 *
 * A statement is judged by the schema of a moment, and the server looks its names up at another: behind a lock, or behind what was
 * sent before it. Whoever may make and rename things could have a name stand for what is masked by then. So what one session
 * changes takes effect when no other has something under way that it might make mean something else; what is asked meanwhile
 * waits, and is judged anew.
 *
 * @see docs/decisions/0029-schema-turns.md
 */
export class SchemaTurns {
  readonly #sessions = new Set<SchemaTurn>();
  /** Of these, who has changed something that is not committed, or is to commit: nobody has to wait for any other. */
  readonly #changers = new Set<SchemaTurn>();
  #done: { readonly at: number; readonly effect: SchemaEffect }[] = [];
  #count = 0;
  #order = 0;
  #waiting: (() => void)[] = [];

  join(session: Session): SchemaTurn {
    const turn = new SchemaTurn(this, session);
    this.#sessions.add(turn);
    return turn;
  }

  leave(turn: SchemaTurn): void {
    this.#sessions.delete(turn);
    this.#changers.delete(turn);
    this.moved();
  }

  /** How often changes took effect so far. */
  get count(): number {
    return this.#count;
  }

  /** Later ones are larger. */
  nextOrder(): number {
    return ++this.#order;
  }

  *others(turn: SchemaTurn): Iterable<SchemaTurn> {
    for (const one of this.#sessions) if (one !== turn) yield one;
  }

  /** @param changes Whether others may have to wait for it from here on. */
  mark(turn: SchemaTurn, changes: boolean): void {
    // Who has left stays away, whatever it was about to do.
    if (changes && this.#sessions.has(turn)) this.#changers.add(turn);
    else this.#changers.delete(turn);
  }

  /** Looked at for each statement of everybody: with thousands of sessions open these are few. */
  get changers(): ReadonlySet<SchemaTurn> {
    return this.#changers;
  }

  tookEffect(effects: readonly SchemaEffect[]): void {
    if (effects.length === 0) return;
    const at = ++this.#count;
    this.#done = [...this.#done, ...effects.map((effect) => ({ at, effect }))].slice(-REMEMBERED);
    this.moved();
  }

  /** What took effect after so many times. */
  since(count: number): readonly SchemaEffect[] {
    if (count === this.#count) return NONE;
    const later = this.#done.filter(({ at }) => at > count).map(({ effect }) => effect);
    // Of the oldest that is remembered not all may be.
    const isForgotten = this.#done.length === REMEMBERED && (this.#done[0]?.at ?? 0) > count;
    return isForgotten ? [ANYTHING] : later;
  }

  /** Something may be otherwise for those who wait. */
  moved(): void {
    if (this.#waiting.length > 0) for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Waits until that is so. @returns Whether it is, in time. */
  async until(isSo: () => boolean): Promise<boolean> {
    const late = sleep(PATIENCE_MS, true, { ref: false });
    while (!isSo()) {
      const moved = new Promise<false>((resolve) => this.#waiting.push(() => resolve(false)));
      if (await Promise.race([moved, late])) return isSo();
    }
    return true;
  }
}

/** One session's part in that. */
export class SchemaTurn {
  readonly #turns: SchemaTurns;
  readonly #session: Session;
  /** As of which its next statement is read. */
  #since = 0;
  #judged: readonly Plan[] = [];
  /** What it has sent and is not committed. */
  #changed = NONE;
  /** How many of these a ROLLBACK undoes that was sent and is not answered. */
  #undone = 0;
  /** What the statement that is judged would change. */
  #changing = NONE;
  /** Its changes take effect now, or wait for that: who came first. */
  #takes: number | undefined;
  /** What was judged, or the end of a batch, has not gone yet. */
  #waits = false;

  constructor(turns: SchemaTurns, session: Session) {
    this.#turns = turns;
    this.#session = session;
  }

  /** A statement is read from here on. @returns Whether something took effect since the one before by which its path may be another. */
  begins(): boolean {
    const before = this.#since;
    this.#since = this.#turns.count;
    return before !== this.#since && this.#turns.since(before).some(({ anything }) => anything);
  }

  /** The end of a transaction or a batch would keep something that it has changed. */
  get keepsChanges(): boolean {
    return this.#changed.length > this.#undone;
  }

  /** A ROLLBACK is sent next: nothing of before is kept by what ends behind it in the same batch. */
  undoes(): void {
    this.#undone = this.#changed.length;
  }

  /** Whether what was read may mean something else by now, or in a moment. */
  isLate(plans: readonly Plan[]): boolean {
    return this.#isMeant(this.#turns.since(this.#since), plans) || this.#waitsFor(plans);
  }

  #waitsFor(plans: readonly Plan[]): boolean {
    for (const other of this.#turns.changers) {
      if (other === this) continue;
      const comesLater = (other.#takes ?? 0) > (this.#takes ?? Number.POSITIVE_INFINITY);
      if (!comesLater && this.#isMeant(other.#awaited, plans)) return true;
    }
    return false;
  }

  #isMeant(effects: readonly SchemaEffect[], plans: readonly Plan[]): boolean {
    if (effects.length === 0 || !this.#session.masks.masksColumns) return false;
    const path = this.#session.path.last;
    return effects.some((effect) => plans.some((plan) => meansMore(plan, path, effect)));
  }

  /** What statements of others wait for. Before it takes effect for that alone for which the server would have them wait, too. */
  get #awaited(): readonly SchemaEffect[] {
    if (this.#takes !== undefined) return [...this.#changed, ...this.#changing];
    return lockedBy(this.#changed);
  }

  /** Waits until nothing of others is about to make it mean something else. @returns Whether that came in time. */
  clear(plans: readonly Plan[]): Promise<boolean> {
    return this.#turns.until(() => !this.#waitsFor(plans));
  }

  /**
   * It is sent next, unless policy says otherwise.
   *
   * @param takesEffect What it changes may be there for all when it ends.
   * @returns False: it must not, since others have something under way.
   */
  judged(plans: readonly Plan[], takesEffect: boolean): Promise<boolean> | boolean {
    if (!this.#session.masks.masksColumns) return true;
    this.#judged = plans;
    const changes = plans.some(({ schemaEffect }) => schemaEffect !== undefined);
    this.#changing = changes ? plans.flatMap(({ schemaEffect }) => schemaEffect ?? []) : NONE;
    const isToCome = this.#changing.length + this.#changed.length > 0;
    if (!isToCome || !takesEffect) return this.#locks();
    return this.takeEffect();
  }

  /** What it would have to wait for at the server comes first: it may have been sent and not been read yet, and would wait for this then. */
  #locks(): Promise<true> | true {
    const locked = lockedBy(this.#changing);
    const isFree = () => {
      for (const other of this.#turns.others(this)) if (other.#hasSent(locked)) return false;
      return true;
    };
    return locked.length === 0 || isFree() || this.#turns.until(isFree).then(() => true);
  }

  #isFree(effects: readonly SchemaEffect[], order: number): boolean {
    for (const other of this.#turns.others(this)) if (other.#isUnderWay(effects, order)) return false;
    return true;
  }

  /** Waits until what it has changed may take effect. @returns Whether that came in time. */
  takeEffect(): Promise<boolean> | boolean {
    const order = this.#takes ?? this.#turns.nextOrder();
    this.#takes = order;
    this.#waits = true;
    this.#mark();
    const effects = [...this.#changed, ...this.#changing];
    const isFree = () => this.#isFree(effects, order);
    return isFree() || this.#turns.until(isFree);
  }

  /** Who comes later waits for who came first, and is judged anew then. */
  #isUnderWay(effects: readonly SchemaEffect[], order: number): boolean {
    const isLater = this.#takes !== undefined && this.#takes > order;
    return this.#hasSent(effects) || (!isLater && this.#isMeant(effects, this.#judged));
  }

  #hasSent(effects: readonly SchemaEffect[]): boolean {
    return this.#isMeant(effects, this.#session.sent());
  }

  /** What was judged waits for people, or does not go. */
  rests(): void {
    this.#judged = [];
    this.#changing = NONE;
    this.#waits = false;
    this.#takes = undefined;
    this.#mark();
    this.#turns.moved();
  }

  /** What was judged has gone to the server. */
  went(): void {
    if (this.#changing.length > 0) {
      const all = [...this.#changed, ...this.#changing];
      const isTooMuch = all.length > MOST_CHANGES;
      this.#changed = isTooMuch ? [ANYTHING] : all;
      if (isTooMuch) this.#undone = 0;
      this.#mark();
    }
    this.#changing = NONE;
    this.#judged = [];
    this.#waits = false;
  }

  #mark(): void {
    this.#turns.mark(this, this.#takes !== undefined || this.#changed.length > 0);
  }

  /** Something was answered. */
  moved(): void {
    this.#turns.moved();
  }

  /** A transaction is over, whichever way; the next one may have begun in the same string. */
  ended(): void {
    this.#turns.tookEffect(this.#changed);
  }

  /** All that was sent is answered. @param inBlock A transaction is open. */
  rested(inBlock: boolean): void {
    if (!this.#waits) this.#takes = undefined;
    this.#undone = 0;
    if (!inBlock) this.#changed = NONE;
    this.#mark();
    this.#turns.moved();
  }

  /** The session is over. @param then Told where something may have taken effect that it was not told of. */
  leave(then: () => void): void {
    this.#judged = [];
    if (this.#changed.length === 0) return this.#turns.leave(this);
    this.#takes ??= this.#turns.nextOrder();
    this.#mark();
    const gone = () => {
      then();
      this.#turns.tookEffect(this.#changed);
      this.#turns.leave(this);
    };
    setTimeout(gone, LAST_WORDS_MS).unref();
  }
}

/** Relations that the server keeps from others to the end of the transaction. */
function lockedBy(effects: readonly SchemaEffect[]): readonly SchemaEffect[] {
  if (effects.length === 0) return NONE;
  return effects.flatMap(({ relations }) =>
    relations.length === 0 ? [] : [{ anything: false, relations, names: [] }],
  );
}

/** Whether a statement might be read otherwise once that has taken effect. */
function meansMore(
  { relations, resolved, clears, expandsTypes }: Plan,
  path: SearchPath | undefined,
  { anything, relations: changed, names }: SchemaEffect,
): boolean {
  if (anything || clears !== undefined) return true;
  if (changed.length > 0 && expandsTypes === true) return true;
  if (changed.some((oid) => relations.includes(oid))) return true;
  return names.some(({ schema, name }) => {
    const isSearched = path === undefined || path.schemas.includes(schema) || path.creation === schema;
    return isSearched && (name === undefined || resolved.some(([one]) => one === name));
  });
}
