import type { Duplex } from 'node:stream';

/** What is carried beside each other into a container, whatever protocol carries it. */
export type Channel = 'stdin' | 'stdout' | 'stderr' | 'error' | 'resize';

/** What one side says, in order. */
export type ChannelEvent =
  /** It wants a channel: where the protocol has one to be opened. */
  | { readonly kind: 'open'; readonly channel: Channel }
  | { readonly kind: 'data'; readonly channel: Channel; readonly bytes: Buffer }
  /** Nothing more comes in this channel. */
  | { readonly kind: 'end'; readonly channel: Channel }
  | { readonly kind: 'ping' | 'pong'; readonly bytes: Buffer }
  /** Nothing more comes at all. */
  | { readonly kind: 'closed' };

/** One side of a stream into a container: what it says is read, what it is told is written. */
export interface ChannelSide {
  readonly stream: Duplex;
  /**
   * @param chunk In order of arrival.
   * @throws {HoopError} `ERR_PROTOCOL`, where it says what it must not.
   */
  read(chunk: Buffer): Generator<ChannelEvent, void, undefined>;
  open(channel: Channel): void;
  /** @param bytes One octet or more. */
  send(channel: Channel, bytes: Buffer): void;
  end(channel: Channel): void;
  /** @param bytes Of a ping of the other side's. */
  ping(bytes: Buffer): void;
  /** Has who pinged answered, where this is this side's answer to that. */
  ponged(bytes: Buffer, other: ChannelSide): void;
  pong(bytes: Buffer): void;
  /** Says that it is over; the first time counts. */
  close(): void;
  /** Ends the connection behind what was sent, as `part` has it. */
  part(withinMs?: number): Promise<void>;
}
