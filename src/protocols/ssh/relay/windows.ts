/**
 * How much either side may send of a channel: ssh2 gives more as soon as one of the channel's two streams is read, whatever the
 * other one holds, and takes what is beyond it.
 *
 * @see RFC 4254 §5.2
 */
import type { Client, Connection } from 'ssh2';
import type { Source } from '../../stream/outlet.ts';
import { SSH_LIMITS } from '../limits.ts';
import type { Held } from './held.ts';
import { inside } from './inside.ts';

/** A channel of ssh2's, as far as it is the same at both ends. */
export interface Numbered {
  readonly incoming: object;
  readonly outgoing: { readonly id: number; readonly state: string };
}

/** States of a channel's way out, as ssh2 calls them, in which its end was not said. */
const OPEN = new Set(['open', 'eof']);

/** The windows that one of two ends gives. */
export class Windows {
  readonly #windows = new WeakMap<object, Window>();
  readonly #held: Held;

  /**
   * @param held Where it is counted what came before anybody took it.
   * @param breach Called when more was sent than the window allowed; that is dropped.
   */
  constructor(client: Client | Connection, held: Held, breach: () => void) {
    this.#held = held;
    const { _protocol: protocol, _chanMgr: channels } = inside(client);
    const { _handlers: handlers } = protocol;
    const adjust = protocol.channelWindowAdjust.bind(protocol);
    // Ours alone.
    protocol.channelWindowAdjust = () => undefined;
    const taken = (recipient: number, bytes: Buffer, take: () => void) => {
      const found = channels.get(recipient);
      const { incoming, outgoing } = found?._channel ?? found ?? {};
      if (incoming === undefined || outgoing === undefined) return take();
      const window = this.#of({ incoming, outgoing }, adjust);
      if (!window.take(bytes.length)) return breach();
      take();
      return window.took(bytes.length);
    };
    const { CHANNEL_DATA: data, CHANNEL_EXTENDED_DATA: more } = handlers;
    handlers.CHANNEL_DATA = (own, recipient, ...rest) =>
      taken(recipient, rest[0] as Buffer, () => data(own, recipient, ...rest));
    handlers.CHANNEL_EXTENDED_DATA = (own, recipient, ...rest) =>
      taken(recipient, rest[0] as Buffer, () => more(own, recipient, ...rest));
    this.of = (channel) => this.#of(channel as unknown as Numbered, adjust);
  }

  /** What is told to wait, and to go on: closed at first. Its channel itself is never to be paused. */
  readonly of: (channel: object) => Source;

  #of(channel: Numbered, adjust: (id: number, bytes: number) => void): Window {
    const known = this.#windows.get(channel.incoming);
    if (known !== undefined) return known;
    const window = new Window((bytes) => {
      // dropbear leaves whoever speaks of a channel that is closed.
      if (OPEN.has(channel.outgoing.state)) adjust(channel.outgoing.id, bytes);
    }, this.#held);
    this.#windows.set(channel.incoming, window);
    return window;
  }
}

class Window implements Source {
  readonly #give: (bytes: number) => void;
  readonly #held: Held;
  /** So much may be sent still. */
  #open: number = SSH_LIMITS.windowBytes;
  /** So much was taken, and not given again. */
  #spent = 0;
  /** What came before anybody listened. */
  #cost = 0;
  #state: 'new' | 'closed' | 'open' = 'new';

  constructor(give: (bytes: number) => void, held: Held) {
    this.#give = give;
    this.#held = held;
  }

  take(bytes: number): boolean {
    if (bytes > this.#open) return false;
    this.#open -= bytes;
    return true;
  }

  took(bytes: number): void {
    this.#spent += bytes;
    if (this.#state === 'new') this.#cost += this.#held.add(bytes);
    if (this.#state === 'open') this.#again();
  }

  pause(): void {
    this.#state = 'closed';
  }

  resume(): void {
    this.#state = 'open';
    this.#held.free(this.#cost);
    this.#cost = 0;
    this.#again();
  }

  #again(): void {
    if (this.#spent < SSH_LIMITS.windowBytes / 2) return;
    this.#open += this.#spent;
    this.#give(this.#spent);
    this.#spent = 0;
  }
}
