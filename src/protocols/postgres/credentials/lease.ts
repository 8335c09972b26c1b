import type { Log } from '../../../core/log.ts';
import type { Secret } from '../../../core/secret.ts';
import type { SessionRef } from '../../../enforcement/operation.ts';
import type { SideConnection } from '../target/side-connection.ts';

/** What a connection to the target logs in with. In memory only: never stored, logged or shown. */
export interface TargetLogin {
  readonly user: string;
  readonly password: Secret;
  /** What the connection begins with beside what its client asks for: `role`. The client's own come first but for `role`. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A login that one session has to itself, or shares, until it lets go of it. */
export interface Lease extends TargetLogin {
  /** Aborted when the login ends while it is held, with a `HoopError` that says so to its client. Absent: it does not. */
  readonly ended?: AbortSignal;
  /**
   * Called once, when the connection to the target has been left, or never came to be. Returns at once: what there is to
   * clear up at the target is done behind it, and waited for by `TargetCredentials.close`. Never throws.
   */
  release(): void;
}

/** Whom a lease is for. */
export interface LeaseFor {
  readonly session: SessionRef;
  /** When the session ends at the latest, ms since the epoch. */
  readonly deadline: number;
  /** Aborted when the session is told to end. */
  readonly signal: AbortSignal;
  /** With the session's id. */
  readonly log: Log;
}

/** Where a resource's logins come from. */
export interface TargetCredentials {
  /**
   * For connections of the gateway's own: what it reads of the catalog must hold for its sessions, so they are in the
   * same role.
   *
   * @throws {HoopError} As `lease`.
   */
  own(): Promise<Lease>;
  /**
   * @throws {HoopError} `ERR_TARGET_CREDENTIAL` there is none to be had, `ERR_TARGET_…` the target cannot be asked for
   *   one; the signal's reason if that is ours. Nothing is left at the target.
   */
  lease(whom: LeaseFor): Promise<Lease>;
  /** Called once, when there is no lease any more. Resolves when everything is cleared up that can be. Never rejects. */
  close(): Promise<void>;
}

/** @param administer Opens a connection of the gateway's own, for what making a login takes at the target. */
export type CredentialsAt = (
  administer: (login: TargetLogin) => Promise<SideConnection>,
) => TargetCredentials;
