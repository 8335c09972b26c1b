import type { ApprovalDesk } from '../approval/desk.ts';
import type { ChainLog } from '../audit/log.ts';
import type { Clock } from '../core/clock.ts';
import { formatMistake } from '../core/config/mistake.ts';
import { HoopError, toHoopError } from '../core/errors.ts';
import { rescued } from '../core/later.ts';
import type { Log } from '../core/log.ts';
import type { Vocabulary } from '../policy/vocabulary/index.ts';
import type { GatewayIdentity } from './compose/identity.ts';
import { type GatewayRules, type PreparedRules, prepareRules } from './compose/rules.ts';
import type { Loaded, LoadedConfig } from './config/load.ts';
import { needsRestart } from './config/restart.ts';
import type { Frontdoor } from './server/frontdoor.ts';
import type { SessionRegistry } from './sessions/registry.ts';
import type { Tunnels } from './tunnel/tunnels.ts';

/** A gateway that serves. */
export interface Gateway {
  /** What clients call: `publicUrl`. */
  readonly url: string;
  /** The name in audit chains. */
  readonly instance: string;
  /** Raw Ed25519 key that signs audit checkpoints, base64url: what an auditor pins. */
  readonly auditKey: string;
  readonly sessions: SessionRegistry;
  readonly approvals: ApprovalDesk;
  /** Puts a configuration in force, or says in log and audit why not and leaves the old one. Never rejects. */
  reload(next: Loaded): Promise<boolean>;
  /**
   * Drains: takes no new streams, gives sessions `graceMs` (default 10 s) to end by themselves, then ends them in
   * their own protocol. Called again with less grace it hurries. Resolves when everything is stored and closed.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

export interface RunningParts {
  readonly url: string;
  readonly instance: string;
  /** The configuration of the start. */
  readonly loaded: LoadedConfig;
  readonly vocabulary: Vocabulary;
  readonly clock: Clock;
  readonly door: Frontdoor;
  readonly identity: GatewayIdentity;
  readonly rules: GatewayRules;
  readonly sessions: SessionRegistry;
  readonly tunnels: Tunnels;
  readonly audit: ChainLog;
  readonly log: Log;
  /** Frees everything, in the right order. */
  readonly release: () => Promise<void>;
}

/** Sessions told to end get this long to say goodbye, ms: more than an adapter is given, so that all are on record. */
const GOODBYE_MS = 6000;
const DEFAULT_GRACE_MS = 10_000;

/** Reload and drain of a composed gateway. */
export class RunningGateway implements Gateway {
  readonly url: string;
  readonly instance: string;
  readonly auditKey: string;
  readonly sessions: SessionRegistry;
  readonly approvals: ApprovalDesk;
  readonly #parts: RunningParts;
  #reloading: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;
  /** Resolved when waiting for sessions must end, whether or not they have. */
  readonly #giveUp = Promise.withResolvers<void>();

  constructor(parts: RunningParts) {
    this.#parts = parts;
    this.url = parts.url;
    this.instance = parts.instance;
    this.auditKey = parts.audit.publicKey;
    this.sessions = parts.sessions;
    this.approvals = parts.rules.desk;
  }

  reload(next: Loaded): Promise<boolean> {
    const turn = this.#reloading.then(() => (this.#closing === undefined ? this.#reload(next) : false));
    this.#reloading = turn;
    return turn;
  }

  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    const { sessions, tunnels, door } = this.#parts;
    const stopping = new HoopError('ERR_SESSION_ENDED', 'the gateway is being stopped', {
      hint: 'connect again',
    });
    const graceMs = options.graceMs ?? DEFAULT_GRACE_MS;
    const timers = [
      setTimeout(() => sessions.endWhere(() => true, stopping), graceMs),
      setTimeout(() => this.#giveUp.resolve(), graceMs + GOODBYE_MS),
    ];
    if (this.#closing === undefined) {
      door.stopAccepting();
      tunnels.refuseAll(stopping);
      this.#closing = this.#drain();
    }
    return this.#closing.finally(() => timers.forEach(clearTimeout));
  }

  async #reload(next: Loaded): Promise<boolean> {
    if (!next.ok) return this.#keepOld(next.mistakes.map(formatMistake));
    let prepared: PreparedRules;
    try {
      prepared = prepareRules(next, this.#parts);
    } catch (error) {
      return this.#keepOld(toHoopError(error).message.split('\n'));
    }
    const { rules, identity, door, log, loaded } = this.#parts;
    identity.put(prepared.identity);
    const changes = rules.put(prepared);
    door.setTls(next.materials.tls);
    const restart = needsRestart(loaded, next);
    if (restart.length > 0) log.warn('changed keys need a restart', { keys: restart.join(', ') });
    // What is empty is left away: a line of the log tells what is different.
    const facts = Object.fromEntries(
      Object.entries({ ...changes, needsRestart: restart })
        .filter(([, names]) => names.length > 0)
        .map(([what, names]) => [what, names.join(' ')]),
    );
    log.info('configuration reloaded', { policy: rules.policyVersion(), ...facts });
    await this.#record({ outcome: 'success', policyVersion: rules.policyVersion(), facts });
    return true;
  }

  async #keepOld(lines: readonly string[]): Promise<boolean> {
    for (const line of lines) this.#parts.log.error('the new configuration is not valid', { mistake: line });
    this.#parts.log.warn('the old configuration stays in force', { mistakes: lines.length });
    const facts = { mistakes: lines.length, first: (lines[0] ?? '').slice(0, 500) };
    await this.#record({ outcome: 'failure', policyVersion: this.#parts.rules.policyVersion(), facts });
    return false;
  }

  async #record(event: {
    outcome: 'success' | 'failure';
    policyVersion: string;
    facts: Readonly<Record<string, string | number>>;
  }): Promise<void> {
    const { audit, log } = this.#parts;
    await rescued(
      () => audit.append({ type: 'config.reloaded', ...event }),
      () => log.error('a reload could not be recorded', { outcome: event.outcome }),
    );
  }

  async #drain(): Promise<void> {
    const { sessions, audit, log, release } = this.#parts;
    await Promise.race([sessions.empty(), this.#giveUp.promise]);
    if (sessions.size > 0) log.warn('sessions did not end in time', { sessions: sessions.size });
    await this.#reloading;
    await rescued(
      () => audit.append({ type: 'gateway.stopped', reason: 'stopped', facts: { unended: sessions.size } }),
      () => log.error('the stop could not be recorded'),
    );
    await release();
    log.info('stopped');
  }
}
