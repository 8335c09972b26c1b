import type { Duplex } from 'node:stream';
import type { Client, Connection } from 'ssh2';
import { SSH_LIMITS } from '../limits.ts';
import { keyExchange } from './inside.ts';

/** When keys are old, and what an exchange of them may take. As in `SSH_LIMITS`. */
type KeyLimits = Readonly<Record<'keyBytes' | 'keyMs' | 'exchangeMs' | 'queuedMessages', number>>;

interface KeysEvents {
  /** There are new keys: what waited may be written. */
  renewed(): void;
  /** An exchange has no end, or the other side asks on and on meanwhile. Called once. */
  stuck(): void;
}

/**
 * The keys of one connection. ssh2 follows where the other side wants new ones, and never asks for any itself; while they are
 * agreed on it keeps whatever is written, without a bound.
 *
 * Asks for new ones by octets, both ways together, and by time.
 *
 * @see RFC 4253 §9, RFC 4344 §3
 */
export class Keys {
  readonly #exchange: ReturnType<typeof keyExchange>;
  readonly #socket: Duplex;
  readonly #events: KeysEvents;
  readonly #limits: KeyLimits;
  #bytes = 0;
  #old: NodeJS.Timeout;
  #late: NodeJS.Timeout | undefined;
  #over = false;

  constructor(
    client: Client | Connection,
    socket: Duplex,
    events: KeysEvents,
    limits: KeyLimits = SSH_LIMITS,
  ) {
    this.#exchange = keyExchange(client);
    this.#socket = socket;
    this.#events = events;
    this.#limits = limits;
    this.#old = this.#aging();
    client.on('handshake', () => this.#renewed());
    // Behind ssh2, which has read it.
    socket.on('data', () => this.#look()).once('close', () => this.#close());
  }

  /** Whether something may be written now: not while keys are agreed on. Begins that, where those that there are are old. */
  get ready(): boolean {
    if (octetsOf(this.#socket) - this.#bytes >= this.#limits.keyBytes) this.#renew();
    return !this.#exchange.goesOn;
  }

  #renew(): void {
    if (this.#over || this.#exchange.goesOn) return;
    this.#exchange.begin();
    this.#look();
  }

  #look(): void {
    if (this.#over || !this.#exchange.goesOn) return;
    this.#late ??= setTimeout(() => this.#stuck(), this.#limits.exchangeMs);
    if (this.#exchange.queued > this.#limits.queuedMessages) this.#stuck();
  }

  #renewed(): void {
    clearTimeout(this.#late);
    clearTimeout(this.#old);
    if (this.#over) return;
    this.#late = undefined;
    this.#bytes = octetsOf(this.#socket);
    this.#old = this.#aging();
    this.#events.renewed();
  }

  #aging(): NodeJS.Timeout {
    return setTimeout(() => this.#renew(), this.#limits.keyMs).unref();
  }

  #stuck(): void {
    if (this.#over) return;
    this.#close();
    this.#events.stuck();
  }

  #close(): void {
    this.#over = true;
    clearTimeout(this.#old);
    clearTimeout(this.#late);
  }
}

/** What went over a connection. */
export function trafficOf(stream: Duplex): { readonly bytesIn: number; readonly bytesOut: number } {
  const { bytesRead = 0, bytesWritten = 0 } = stream as Partial<Record<'bytesRead' | 'bytesWritten', number>>;
  return { bytesIn: bytesRead, bytesOut: bytesWritten };
}

function octetsOf(stream: Duplex): number {
  const { bytesIn, bytesOut } = trafficOf(stream);
  return bytesIn + bytesOut;
}
