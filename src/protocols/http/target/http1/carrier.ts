import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** The connection that carries a call. */
export interface Carrier {
  readonly socket: Socket;
  /** Lets the target speak, or not. */
  resume(): void;
  pause(): void;
  /** As `TargetAnswer`. */
  giveBack(chunk: Uint8Array): void;
  /** All of the call has come and gone. */
  done(): void;
  /** What is spoken from here on is no HTTP. */
  release(): Duplex;
}
