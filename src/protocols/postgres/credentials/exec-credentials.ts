import { setTimeout as pause } from 'node:timers/promises';
import type { AuditLog } from '../../../audit/event.ts';
import type { Clock } from '../../../core/clock.ts';
import { toHoopError } from '../../../core/errors.ts';
import { rescued } from '../../../core/later.ts';
import type { Log } from '../../../core/log.ts';
import { passedOn, runCommand } from '../../stream/run-command.ts';
import { type IssuedLogin, readIssued, readRenewed, type Term } from './command-answer.ts';
import type { ExecOfSession } from './config.ts';
import type { Lease, LeaseFor, TargetCredentials } from './lease.ts';
import { isoTime } from './session-role.ts';
import { TimedLease } from './timed-lease.ts';
import { TurnsOfCommand } from './turns-of-command.ts';

interface ExecCredentialsParts {
  readonly config: ExecOfSession;
  /** The resource's name. */
  readonly resource: string;
  /** Of this process; the commands are given what is named. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Pick<AuditLog, 'append'>;
}

type Action = 'issue' | 'renew' | 'revoke';
/** Whose login it is; undefined: the gateway's own, which reads the catalog. */
type Whom = Pick<LeaseFor, 'session' | 'deadline' | 'log'> | undefined;

/** A login that was given and not taken back. */
interface Held {
  readonly whom: Whom;
  readonly login: IssuedLogin;
  readonly time: TimedLease;
}

/** A revocation that fails is tried so often, after 1, 2, 4 … seconds. */
const TRIES = 6;
const FIRST_PAUSE_MS = 1_000;

/**
 * Logins that a command of the operator's gives, one for each connection: Vault, a cloud's tool, a script.
 *
 * @see docs/credentials.md
 */
export class ExecCredentials implements TargetCredentials {
  readonly #parts: ExecCredentialsParts;
  readonly #environment: Readonly<Record<string, string>>;
  /** Each kind its own: an issuer that hangs must not keep leases from being renewed. */
  readonly #turns: Readonly<Record<Action, TurnsOfCommand>>;
  readonly #settings: Lease['settings'];
  readonly #closing = new AbortController();
  readonly #held = new Set<Held>();
  /** What `close` waits for. */
  readonly #pending = new Set<Promise<unknown>>();

  constructor(parts: ExecCredentialsParts) {
    const { role, exec } = parts.config;
    const turns = () => new TurnsOfCommand(exec.timeout);
    this.#parts = parts;
    this.#environment = passedOn(exec.env, parts.environment);
    this.#turns = { issue: turns(), renew: turns(), revoke: turns() };
    this.#settings = role === undefined ? {} : { role };
  }

  async own(): Promise<Lease> {
    try {
      return await this.#lease(undefined);
    } catch (error) {
      const { code, detail } = toHoopError(error);
      this.#parts.log.warn("there is no credential for the gateway's own connection", { code, detail });
      throw error;
    }
  }

  async lease(whom: LeaseFor): Promise<Lease> {
    const { signal } = whom;
    signal.throwIfAborted();
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(toHoopError(signal.reason, 'ERR_SESSION_ENDED'));
    signal.addEventListener('abort', onAbort, { once: true });
    const leasing = this.#lease(whom);
    try {
      return await Promise.race([leasing, ended]);
    } catch (error) {
      // What the command gives yet is nobody's.
      if (signal.aborted) this.#wait(leasing.then((lease) => lease.release()).catch(() => undefined));
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    do {
      for (const held of this.#held) this.#release(held);
      await Promise.all(this.#pending);
    } while (this.#pending.size > 0);
  }

  #lease(whom: Whom): Promise<Lease> {
    const leasing = this.#issue(whom);
    this.#wait(leasing.catch(() => undefined));
    return leasing;
  }

  async #issue(whom: Whom): Promise<Lease> {
    const { clock, config } = this.#parts;
    const askedAt = clock.now();
    const login = readIssued(await this.#run('issue', config.exec.command, { whom }), askedAt);
    const held = { whom, login, time: this.#timed(login, whom) };
    this.#held.add(held);
    try {
      this.#closing.signal.throwIfAborted();
      await this.#begun(held);
    } catch (error) {
      this.#release(held);
      throw toHoopError(error, 'ERR_SESSION_ENDED');
    }
    const { user, password } = login;
    const release = () => this.#release(held);
    return { user, password, settings: this.#settings, ended: held.time.ended, release };
  }

  #timed(login: IssuedLogin, whom: Whom): TimedLease {
    const { clock, log, config } = this.#parts;
    const { renew } = config.exec;
    const renewed = async (command: readonly string[], term: Term) => {
      const askedAt = clock.now();
      return readRenewed(await this.#run('renew', command, { whom, login, term }), askedAt);
    };
    return new TimedLease(login.term, {
      neededUntil: whom?.deadline ?? Number.POSITIVE_INFINITY,
      renew: renew === undefined ? undefined : (term) => renewed(renew, term),
      clock,
      log: whom?.log ?? log,
    });
  }

  #run(
    action: Action,
    argv: readonly string[],
    about: { whom: Whom; login?: IssuedLogin; term?: Term },
  ): Promise<string> {
    const { timeout } = this.#parts.config.exec;
    const stdin = `${JSON.stringify(this.#facts(action, about))}\n`;
    return this.#turns[action].run(() =>
      runCommand({ argv, env: this.#environment, stdin, timeoutMs: timeout }),
    );
  }

  /** What a command is told: who works, and of which lease it is. Never a password. */
  #facts(action: Action, { whom, login, term }: { whom: Whom; login?: IssuedLogin; term?: Term }): object {
    const { session, deadline } = whom ?? {};
    const { kind, name, person, instance } = session?.actor ?? {};
    return {
      version: 1,
      action,
      resource: this.#parts.resource,
      ...(session === undefined ? {} : { session: session.id, actor: { kind, name, person }, instance }),
      ...(deadline === undefined ? {} : { until: isoTime(deadline) }),
      ...(login === undefined ? {} : { user: login.user, lease: { id: term?.id } }),
    };
  }

  #release(held: Held): void {
    if (!this.#held.delete(held)) return;
    held.time.stop();
    this.#wait(this.#end(held));
  }

  #wait(work: Promise<unknown>): void {
    this.#pending.add(work);
    void work.finally(() => this.#pending.delete(work));
  }

  /** Never rejects. */
  async #end(held: Held): Promise<void> {
    const { revoke } = this.#parts.config.exec;
    if (this.#isOver(held)) return this.#recordEnd(held, 'success', 'its time was over');
    if (revoke === undefined) return this.#recordEnd(held, 'success', 'left to end by itself');
    const failure = await this.#revoke(held, revoke);
    await this.#recordEnd(held, failure === undefined ? 'success' : 'failure', failure);
  }

  #isOver({ time }: Held): boolean {
    return (time.term.endsAt ?? Number.POSITIVE_INFINITY) <= this.#parts.clock.now();
  }

  /** @returns What it failed with at last. Never rejects. */
  async #revoke(held: Held, command: readonly string[]): Promise<string | undefined> {
    const { whom, login, time } = held;
    const log = whom?.log ?? this.#parts.log;
    for (let tries = 1; ; tries++) {
      const hurried = this.#closing.signal.aborted;
      try {
        await this.#run('revoke', command, { whom, login, term: time.term });
        return undefined;
      } catch (error) {
        const { code, detail } = toHoopError(error);
        log.warn('a credential could not be revoked', { login: login.user, tries, detail });
        if (tries === TRIES || hurried || this.#isOver(held)) return code;
      }
      const { signal } = this.#closing;
      await pause(FIRST_PAUSE_MS * 2 ** (tries - 1), undefined, { signal, ref: false }).catch(
        () => undefined,
      );
    }
  }

  /** On record before anybody works with it. @throws {HoopError} `ERR_AUDIT_UNAVAILABLE`. */
  async #begun({ whom, login }: Held): Promise<void> {
    const { endsAt } = login.term;
    await this.#parts.audit.append({
      type: 'lease.begun',
      ...(whom === undefined ? {} : { actor: whom.session.actor }),
      ...this.#place(whom),
      facts: { login: login.user, ...(endsAt === undefined ? {} : { until: isoTime(endsAt) }) },
    });
  }

  /** Never rejects: what cannot be stored is logged. */
  async #recordEnd({ whom, login }: Held, outcome: 'success' | 'failure', reason?: string): Promise<void> {
    const facts = { login: login.user };
    const why = reason === undefined ? {} : { reason };
    await rescued(
      () => this.#parts.audit.append({ type: 'lease.ended', ...this.#place(whom), outcome, ...why, facts }),
      () => this.#parts.log.error("a lease's end could not be recorded", facts),
    );
  }

  #place(whom: Whom) {
    const session = whom === undefined ? {} : { session: whom.session.id };
    return { ...session, resource: this.#parts.resource, protocol: 'postgres' };
  }
}
