import type { Actor, AuditLog } from '../../../audit/event.ts';
import type { Clock } from '../../../core/clock.ts';
import { toHoopError } from '../../../core/errors.ts';
import { rescued } from '../../../core/later.ts';
import type { Log } from '../../../core/log.ts';
import type { Administration } from './administration.ts';
import { askForConnections, dropRole, endConnections, ROLES_OF_SESSIONS } from './role-sql.ts';
import { isLeftBehind, type RoleMark, readMark } from './session-role.ts';

export interface ClearanceParts {
  /** Whom what a role owns is left to. */
  readonly group: string;
  readonly mark: RoleMark;
  /** Of its own: nobody's login waits for a lock that stands in a role's way. */
  readonly clearing: Administration;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Pick<AuditLog, 'append'>;
}

/** For whom a role was. */
export interface RoleUse {
  readonly session: string;
  /** Not known of what an earlier start has left behind. */
  readonly actor?: Actor;
}

/** A role that is to be dropped. */
interface Owed {
  readonly use: RoleUse;
  /** Why, where that is not the end of its session. */
  readonly reason: string | undefined;
  /** Ms since the epoch. */
  dueAt: number;
  /** How often it still had a connection. */
  looks: number;
  failures: number;
}

/** A connection that was told goodbye is gone within a moment; one that is not by the last look is ended. */
const LOOK_AFTER_MS = 50;
const LOOKS = 10;
/** What was left behind is looked for at the start, and then so often, ms. */
const SWEEP_MS = 5 * 60_000;
/** What failed is tried again after so long, twice as long each time, ms. */
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;
/** Asked for at once: one answer has room for them. */
const AT_ONCE = 500;

/**
 * Drops the roles of sessions that have ended, and those that an earlier start has left behind; tries until it is done.
 *
 * A role is dropped only if this object was told to, or if name, mark and membership say that hoopd made it.
 */
export class RoleClearance {
  readonly #parts: ClearanceParts;
  readonly #inUse: Pick<ReadonlySet<string>, 'has'>;
  readonly #owed = new Map<string, Owed>();
  #sweepAt = Number.NEGATIVE_INFINITY;
  #failedSweeps = 0;
  #working: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param inUse Roles of this process's own sessions, as they come and go. */
  constructor(parts: ClearanceParts, inUse: Pick<ReadonlySet<string>, 'has'>) {
    this.#parts = parts;
    this.#inUse = inUse;
    this.#workSoon();
  }

  /** @param reason Why, where that is not the end of its session. */
  drop(name: string, use: RoleUse, reason?: string): void {
    this.#owe(name, use, reason);
    this.#workSoon();
  }

  /** Tries once more what is left. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#working;
    for (const owed of this.#owed.values()) {
      owed.dueAt = Number.NEGATIVE_INFINITY;
      owed.looks = LOOKS;
    }
    for (let left = this.#owed.size; left > 0; left -= AT_ONCE) await this.#dropDue();
    this.#parts.clearing.close();
    const roles = this.#owed.size;
    if (roles > 0) this.#parts.log.error('roles are left at the target until the next start', { roles });
  }

  #owe(name: string, use: RoleUse, reason?: string): void {
    this.#owed.set(name, { use, reason, dueAt: Number.NEGATIVE_INFINITY, looks: 0, failures: 0 });
  }

  /** Behind what is being done now. */
  #workSoon(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    const times = [...this.#owed.values()].map(({ dueAt }) => dueAt);
    const waitMs = Math.max(0, Math.min(this.#sweepAt, ...times) - this.#parts.clock.now());
    this.#timer = setTimeout(() => {
      this.#working = this.#working.then(() => this.#work()).then(() => this.#workSoon());
    }, waitMs).unref();
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    await this.#dropDue();
    if (this.#parts.clock.now() < this.#sweepAt) return;
    await this.#sweep();
    await this.#dropDue();
  }

  async #sweep(): Promise<void> {
    const { clearing, mark: mine, clock, log } = this.#parts;
    try {
      const [rows = []] = await clearing.do((ask) => ask(ROLES_OF_SESSIONS));
      for (const [name, comment] of rows) {
        if (name === null || name === undefined || this.#inUse.has(name) || this.#owed.has(name)) continue;
        const mark = readMark(name, comment ?? '');
        if (mark !== undefined && isLeftBehind(mark, mine, clock.now()))
          this.#owe(name, { session: mark.session }, 'left behind');
      }
      this.#failedSweeps = 0;
      this.#sweepAt = clock.now() + SWEEP_MS;
    } catch (error) {
      this.#sweepAt = clock.now() + retryMs(++this.#failedSweeps);
      log.warn('roles left at the target could not be looked for', told(error));
    }
  }

  async #dropDue(): Promise<void> {
    const { clearing, clock } = this.#parts;
    const due = [...this.#owed].filter(([, { dueAt }]) => dueAt <= clock.now()).slice(0, AT_ONCE);
    if (due.length === 0) return;
    try {
      const names = due.map(([name]) => name);
      const [rows = []] = await clearing.do((ask) => ask(askForConnections(names)));
      const connections = new Map(rows.map(([name, count]) => [name, Number(count)]));
      for (const [name, owed] of due) await this.#dropOne(name, owed, connections.get(name));
    } catch (error) {
      for (const [name, owed] of due) await this.#failed(name, owed, error);
    }
  }

  /** @param connections Undefined: there is no such role. Never rejects. */
  async #dropOne(name: string, owed: Owed, connections: number | undefined): Promise<void> {
    const { clearing, group, clock } = this.#parts;
    if (connections !== undefined && connections > 0 && owed.looks++ < LOOKS) {
      owed.dueAt = clock.now() + LOOK_AFTER_MS;
      return;
    }
    try {
      await clearing.do(async (ask) => {
        const [rows = []] = await ask(`${askForConnections([name])};\n${endConnections(name)}`);
        if (rows.length > 0) await ask(dropRole(name, group));
      });
      this.#owed.delete(name);
      await this.#record(name, owed, 'success', owed.reason);
    } catch (error) {
      await this.#failed(name, owed, error);
    }
  }

  async #failed(name: string, owed: Owed, error: unknown): Promise<void> {
    const { clock, log } = this.#parts;
    owed.failures++;
    owed.dueAt = clock.now() + retryMs(owed.failures);
    log.warn('a role could not be dropped', { role: name, session: owed.use.session, ...told(error) });
    if (owed.failures === 1) await this.#record(name, owed, 'failure', toHoopError(error).code);
  }

  /** Never rejects: what cannot be stored is logged. */
  async #record(login: string, owed: Owed, outcome: 'success' | 'failure', reason?: string): Promise<void> {
    const { audit, log, mark } = this.#parts;
    const { use, failures } = owed;
    const event = {
      type: 'lease.ended',
      ...use,
      text: login,
      resource: mark.resource,
      protocol: 'postgres',
      outcome,
      ...(reason === undefined ? {} : { reason }),
      facts: { login, failures },
    } as const;
    await rescued(
      () => audit.append(event),
      () => log.error("a lease's end could not be recorded", { role: login, session: use.session }),
    );
  }
}

function retryMs(failures: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS);
}

/** What the log is told of a failure: the target's own words, in which no password can be. */
function told(error: unknown): { code: string; detail: string | undefined } {
  const { code, detail } = toHoopError(error);
  return { code, detail };
}
