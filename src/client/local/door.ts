import type { Duplex } from 'node:stream';
import { HoopError } from '../../core/errors.ts';

/** Has local clients prove that they may use a tunnel, in their own protocol, before anything is asked of the gateway. */
export interface LocalDoor {
  /**
   * @returns Who was let in; undefined if there is nothing to open a stream for: close the connection.
   * @throws {HoopError} It did not prove it, or broke the protocol: `refuse` it.
   */
  admit(local: Duplex): Promise<Admitted | undefined>;
  /** Says why not, in the protocol's own words, and closes. Only after `admit`. */
  refuse(local: Duplex, error: HoopError): void;
}

export interface Admitted {
  /**
   * Does over a fresh stream what the client has done over its connection; then both can be joined.
   *
   * @returns False if the gateway has said no, in its own words, and ended the stream.
   */
  introduce(remote: Duplex): Promise<boolean>;
  /** The connection is over. */
  left(): void;
}

/**
 * A client that has shown nothing at all: it may be one that does so only when it is asked to, and is asked by the refusal, as `wget` and
 * `git` are (RFC 9110 §11.6.1).
 */
export class Challenged extends HoopError {}
