import type { Duplex } from 'node:stream';
import type { LocalProof } from '../../api/contract.ts';
import type { Explanation } from '../../api/explanation.ts';
import type { HoopError } from '../../core/errors.ts';
import type { LocalDoor } from './door.ts';

/** One operation that is asked for ahead, as a client would send it. */
export interface AheadQuestion {
  readonly text: string;
  /** null is NULL, where the protocol has such. */
  readonly parameters: readonly (string | null)[];
  /** As clients send it that prepare what they run, with parameters or without. */
  readonly prepared?: true;
}

export interface AheadAnswer {
  /** The request that people decide (`apr_…`); undefined: no approval is needed. */
  readonly approval: string | undefined;
  /** What policy would say, over a stream on which that is told. */
  readonly explanation?: Explanation;
}

/** What the local end of a tunnel needs to know of the protocol that is spoken there. */
export interface LocalProtocol {
  /** The number in a socket's name where nobody says one: what clients look for by themselves. */
  readonly defaultPort: number;
  /** What clients may agree on by TLS, best first (RFC 7301); empty: they speak no TLS with the local end. */
  readonly alpn: readonly string[];
  /** They speak with the local end by TLS, whether that is asked for or not. */
  readonly needsTls?: true;
  /** The file that clients look for in the directory they are pointed at. */
  socketName(port: number): string;
  /** Makes the secret of one local port: whoever reaches the port must know it. */
  guard(): Promise<LocalGuard>;
  /** Says why not to a client that was asked for nothing yet, in the protocol's own words, and closes. Never throws. */
  refuse(local: Duplex, error: HoopError): void;
}

/** What keeps others out of one local port. */
interface LocalGuard {
  /** What clients are given; it never leaves this machine. */
  readonly secret: string;
  /** Shown to the gateway with each stream: it has the stream prove the secret once more. */
  readonly proof: LocalProof;
  readonly door: LocalDoor;
}
