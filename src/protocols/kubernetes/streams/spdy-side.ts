import type { Duplex } from 'node:stream';
import { HoopError } from '../../../core/errors.ts';
import { type SpdyEvent, SpdyReader, SpdyWriter } from '../../../wire/http/spdy/frames.ts';
import { part } from '../../http/relay/upgrade/parting.ts';
import type { Channel, ChannelEvent, ChannelSide } from './channels.ts';
import { SpdyBeats } from './spdy-beats.ts';

const CHANNELS: ReadonlySet<string> = new Set(['stdin', 'stdout', 'stderr', 'error', 'resize']);
/** Names a stream's channel. */
const CHANNEL_HEADER = 'streamtype';
/** Octets of one frame. */
const MAX_PIECE = 32 * 1024;

interface Stream {
  readonly id: number;
  readonly channel: Channel;
  /** Whoever was asked to open it has answered. */
  replied: boolean;
  /** It says nothing more. */
  done: boolean;
  /** It was told that nothing more comes. */
  told: boolean;
}

/**
 * Channels over SPDY/3.1: each is a stream that the client opens.
 *
 * @see https://pkg.go.dev/k8s.io/apimachinery/pkg/util/remotecommand (v4.channel.k8s.io)
 */
export class SpdyChannels implements ChannelSide {
  readonly stream: Duplex;
  readonly #name: 'client' | 'target';
  readonly #reader = new SpdyReader();
  readonly #writer = new SpdyWriter();
  readonly #beats: SpdyBeats;
  readonly #byId = new Map<number, Stream>();
  readonly #byChannel = new Map<Channel, Stream>();
  #lastId = 0;
  #closed = false;

  constructor(name: 'client' | 'target', stream: Duplex) {
    this.#name = name;
    this.stream = stream;
    this.#beats = new SpdyBeats(name, (id) => this.#write(this.#writer.ping(id)));
  }

  *read(chunk: Buffer): Generator<ChannelEvent, void, undefined> {
    for (const event of this.#reader.push(chunk)) yield* this.#event(event);
  }

  *#event(event: SpdyEvent): Generator<ChannelEvent, void, undefined> {
    switch (event.kind) {
      case 'opened': {
        const { channel } = this.#opened(event);
        yield { kind: 'open', channel };
        if (event.last) yield* this.#done(event.id);
        return;
      }
      case 'data': {
        const { channel, done } = this.#known(event.id);
        if (done) throw new HoopError('ERR_PROTOCOL', 'a stream says more than its last');
        if (event.bytes.length > 0) yield { kind: 'data', channel, bytes: event.bytes };
        if (event.last) yield* this.#done(event.id);
        return;
      }
      case 'replied': {
        const stream = this.#known(event.id);
        if (stream.replied) throw new HoopError('ERR_PROTOCOL', 'a stream is answered that nobody asked for');
        stream.replied = true;
        if (event.last) yield* this.#done(event.id);
        return;
      }
      case 'reset':
        return yield* this.#done(event.id);
      case 'ping':
        return yield this.#beats.heard(event.id);
      case 'goaway':
        return;
      case 'fault':
        throw new HoopError('ERR_PROTOCOL', event.reason);
    }
  }

  #opened({ id, headers }: Extract<SpdyEvent, { kind: 'opened' }>): Stream {
    const channel = headers.find(([name]) => name === CHANNEL_HEADER)?.[1] ?? '';
    if (this.#name === 'target') throw new HoopError('ERR_PROTOCOL', 'the cluster opens a stream');
    if (!CHANNELS.has(channel) || this.#byChannel.has(channel as Channel))
      throw new HoopError('ERR_PROTOCOL', 'a stream is of no channel, or of one that has one');
    if (id % 2 === 0 || id <= this.#lastId)
      throw new HoopError('ERR_PROTOCOL', 'a stream has a wrong number');
    this.#lastId = id;
    this.#write(this.#writer.reply(id));
    return this.#added(id, channel as Channel, true);
  }

  #added(id: number, channel: Channel, replied: boolean): Stream {
    const stream = { id, channel, replied, done: false, told: false };
    this.#byId.set(id, stream);
    this.#byChannel.set(channel, stream);
    return stream;
  }

  #known(id: number): Stream {
    const stream = this.#byId.get(id);
    if (stream === undefined)
      throw new HoopError('ERR_PROTOCOL', 'a frame is of a stream that nobody opened');
    return stream;
  }

  *#done(id: number): Generator<ChannelEvent, void, undefined> {
    const stream = this.#known(id);
    if (stream.done) return;
    stream.done = true;
    yield { kind: 'end', channel: stream.channel };
  }

  open(channel: Channel): void {
    this.#lastId += this.#lastId === 0 ? 1 : 2;
    this.#added(this.#lastId, channel, false);
    this.#write(this.#writer.open(this.#lastId, [[CHANNEL_HEADER, channel]]));
  }

  send(channel: Channel, bytes: Buffer): void {
    const stream = this.#byChannel.get(channel);
    if (stream === undefined || stream.told) return;
    for (let at = 0; at < bytes.length; at += MAX_PIECE)
      this.#write(this.#writer.data(stream.id, bytes.subarray(at, at + MAX_PIECE), false));
  }

  end(channel: Channel): void {
    const stream = this.#byChannel.get(channel);
    if (stream === undefined || stream.told) return;
    stream.told = true;
    this.#write(this.#writer.data(stream.id, NOTHING, true));
  }

  ping(bytes: Buffer): void {
    this.#beats.ping(bytes);
  }

  ponged(bytes: Buffer, other: ChannelSide): void {
    const answer = this.#beats.answered(bytes);
    if (answer !== undefined) other.pong(answer);
  }

  pong(bytes: Buffer): void {
    this.#beats.pong(bytes);
  }

  close(): void {
    if (this.#closed) return;
    for (const channel of this.#byChannel.keys()) this.end(channel);
    this.#write(this.#writer.goaway(this.#name === 'client' ? this.#lastId : 0));
    this.#closed = true;
  }

  part(withinMs?: number): Promise<void> {
    return part(this.stream, withinMs);
  }

  #write(octets: Buffer): void {
    if (!this.#closed && this.stream.writable) this.stream.write(octets);
  }
}

const NOTHING = Buffer.alloc(0);
