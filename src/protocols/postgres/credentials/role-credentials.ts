import { randomBytes } from 'node:crypto';
import { HoopError, toHoopError } from '../../../core/errors.ts';
import { Secret } from '../../../core/secret.ts';
import { scramVerifier } from '../../../wire/scram/verifier.ts';
import type { Administration } from './administration.ts';
import type { Lease, LeaseFor, TargetCredentials, TargetLogin } from './lease.ts';
import { type ClearanceParts, RoleClearance, type RoleUse } from './role-clearance.ts';
import { askForConnections, askForGroup, createRole } from './role-sql.ts';
import { isoTime, markText, roleName } from './session-role.ts';

interface RoleCredentialsParts extends ClearanceParts {
  /** May make roles at the target. */
  readonly login: () => TargetLogin;
  readonly making: Administration;
}

const PASSWORD_BYTES = 32;
/** Settings of the group that its sessions do not begin with: hoopd says them itself. */
const OWN_SETTINGS: ReadonlySet<string> = new Set(['role', 'session_authorization', 'client_encoding']);

/**
 * A PostgreSQL role for each session, made when it begins and dropped when it has ended: what a session does stands under
 * its own name in the target's log, and its password is of use to nobody afterwards.
 *
 * @see docs/credentials.md
 */
export class RoleCredentials implements TargetCredentials {
  readonly #parts: RoleCredentialsParts;
  readonly #inUse = new Map<string, RoleUse>();
  readonly #making = new Set<Promise<unknown>>();
  readonly #clearance: RoleClearance;

  /** Looks at once for what an earlier start has left behind. */
  constructor(parts: RoleCredentialsParts) {
    this.#parts = parts;
    this.#clearance = new RoleClearance(parts, this.#inUse);
  }

  async own(): Promise<Lease> {
    return { ...this.#parts.login(), settings: { role: this.#parts.group }, release: () => undefined };
  }

  lease(whom: LeaseFor): Promise<Lease> {
    const lease = this.#lease(whom);
    const made = lease.catch(() => undefined).finally(() => this.#making.delete(made));
    this.#making.add(made);
    return lease;
  }

  async #lease(whom: LeaseFor): Promise<Lease> {
    const user = roleName(whom.session.principal);
    const password = new Secret(randomBytes(PASSWORD_BYTES).toString('base64url'));
    const verifier = await scramVerifier(password.expose());
    await this.#begun(user, whom);
    const { id: session, actor } = whom.session;
    this.#inUse.set(user, { session, actor });
    try {
      const settings = await this.#make(user, verifier, whom);
      whom.signal.throwIfAborted();
      return { user, password, settings, release: () => this.#release(user) };
    } catch (error) {
      const known = asCredentialError(error, whom.signal);
      // The answer may have been lost on its way, and the role be there.
      this.#release(user, known.code);
      throw known;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#making);
    this.#parts.making.close();
    // Those of sessions that did not end in time.
    for (const name of [...this.#inUse.keys()]) this.#release(name);
    await this.#clearance.close();
  }

  /** @returns The settings that the group's sessions begin with. */
  #make(name: string, verifier: string, { session, deadline }: LeaseFor): Promise<TargetLogin['settings']> {
    const { making, group, mark } = this.#parts;
    const comment = markText(mark, session.id, deadline);
    return making.do(async (ask, serverVersion) => {
      const [found, made] = await ask(`${askForGroup(group)};\n${askForConnections([name])}`);
      const settings = settingsOf(found?.[0], group);
      const role = { name, of: group, verifier, until: isoTime(deadline), comment };
      if (made?.length === 0) await ask(createRole(role, serverVersion));
      return settings;
    });
  }

  #release(name: string, reason?: string): void {
    const use = this.#inUse.get(name);
    if (use === undefined) return;
    this.#inUse.delete(name);
    this.#clearance.drop(name, use, reason);
  }

  /** On record before the role is there. @throws {HoopError} `ERR_AUDIT_UNAVAILABLE`. */
  async #begun(login: string, { session, deadline }: LeaseFor): Promise<void> {
    await this.#parts.audit.append({
      type: 'lease.begun',
      actor: session.actor,
      session: session.id,
      resource: session.resource.id,
      protocol: session.protocol,
      text: login,
      facts: { login, until: isoTime(deadline) },
    });
  }
}

/** @throws {HoopError} `ERR_TARGET_CREDENTIAL` no session can work as the group. */
function settingsOf(row: readonly (string | null)[] | undefined, group: string): TargetLogin['settings'] {
  if (row === undefined) throw refused(`there is no role "${group}" at the target`);
  const [mayUse, texts] = row;
  if (mayUse !== 't')
    throw refused(`the configured user may not act as "${group}": GRANT it to the user WITH ADMIN OPTION`);
  const pairs = (JSON.parse(texts ?? '[]') as string[]).map((text): [string, string] => {
    const at = text.indexOf('=');
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return { ...Object.fromEntries(pairs.filter(([name]) => !OWN_SETTINGS.has(name))), role: group };
}

function asCredentialError(error: unknown, signal: AbortSignal): HoopError {
  if (signal.aborted) return toHoopError(signal.reason, 'ERR_SESSION_ENDED');
  const known = toHoopError(error);
  return known.code === 'ERR_TARGET_LOST' ? refused(known.detail ?? known.message) : known;
}

function refused(detail: string): HoopError {
  return new HoopError('ERR_TARGET_CREDENTIAL', undefined, { detail });
}
