import type { Duplex } from 'node:stream';
import { HoopError } from '../../../core/errors.ts';
import type { MessagePiece } from '../../../wire/http/websocket/frames.ts';
import { Side } from '../../http/relay/upgrade/websocket/side.ts';
import type { Channel, ChannelEvent, ChannelSide } from './channels.ts';

/** By the first octet of a message. */
const CHANNELS: readonly Channel[] = ['stdin', 'stdout', 'stderr', 'error', 'resize'];
/** Version 5: the second octet names a channel in which nothing more comes. */
const CLOSES = 255;
/** Octets of one message; servers send no more. */
const MAX_PIECE = 32 * 1024;
const NORMAL = 1000;

/**
 * Channels over a WebSocket: each message is of one.
 *
 * @see https://pkg.go.dev/k8s.io/apimachinery/pkg/util/remotecommand (v4.channel.k8s.io, v5.channel.k8s.io)
 */
export class WebSocketChannels implements ChannelSide {
  readonly stream: Duplex;
  readonly #side: Side;
  readonly #closes: boolean;
  /** Of the message that was begun. */
  #channel: number | undefined;

  /** @param version Of the subprotocol: 5 says where a channel ends. */
  constructor(name: 'client' | 'target', stream: Duplex, version: 4 | 5) {
    this.stream = stream;
    this.#side = new Side(name, stream);
    // A client takes it for a channel that it does not know.
    this.#closes = version === 5 && name === 'target';
  }

  *read(chunk: Buffer): Generator<ChannelEvent, void, undefined> {
    if (this.#side.saidClose) return;
    for (const event of this.#side.reader.push(chunk)) {
      switch (event.kind) {
        case 'piece':
          yield* this.#piece(event);
          break;
        case 'close':
          this.#side.saidClose = true;
          yield { kind: 'closed' };
          return;
        case 'fault':
          throw new HoopError('ERR_PROTOCOL', event.reason);
        default:
          yield event as ChannelEvent;
      }
    }
  }

  *#piece({ first, last, bytes }: MessagePiece): Generator<ChannelEvent, void, undefined> {
    if (first) this.#channel = undefined;
    const begins = this.#channel === undefined;
    this.#channel ??= bytes[0];
    const rest = begins ? bytes.subarray(1) : bytes;
    if (this.#channel === CLOSES) yield* ended(rest);
    else if (this.#channel !== undefined && rest.length > 0)
      yield { kind: 'data', channel: known(this.#channel), bytes: rest };
    if (last) this.#channel = undefined;
  }

  open(): void {
    // There from the start.
  }

  send(channel: Channel, bytes: Buffer): void {
    const number = CHANNELS.indexOf(channel);
    for (let at = 0; at < bytes.length; at += MAX_PIECE) {
      const piece = bytes.subarray(at, at + MAX_PIECE);
      this.#side.send('binary', true, Buffer.concat([Buffer.of(number), piece]));
    }
  }

  end(channel: Channel): void {
    if (this.#closes) this.#side.send('binary', true, Buffer.of(CLOSES, CHANNELS.indexOf(channel)));
  }

  ping(bytes: Buffer): void {
    this.#side.send('ping', true, this.#side.heartbeats.ping(bytes));
  }

  ponged(bytes: Buffer, other: ChannelSide): void {
    const answer = this.#side.heartbeats.pong(bytes);
    if (answer !== undefined) other.pong(answer);
  }

  pong(bytes: Buffer): void {
    this.#side.send('pong', true, bytes);
  }

  close(): void {
    this.#side.close({ code: NORMAL, reason: '' });
  }

  part(withinMs?: number): Promise<void> {
    return this.#side.part(withinMs);
  }
}

function known(number: number): Channel {
  const channel = CHANNELS[number];
  if (channel === undefined) throw new HoopError('ERR_PROTOCOL', 'a message is of an unknown channel');
  return channel;
}

function* ended(numbers: Buffer): Generator<ChannelEvent, void, undefined> {
  for (const number of numbers) yield { kind: 'end', channel: known(number) };
}
