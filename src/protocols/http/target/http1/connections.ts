import type { Socket } from 'node:net';
import { HTTP_LIMITS } from '../../limits.ts';
import { dial } from '../dial.ts';
import type { OwnCertificate } from '../own-certificate.ts';
import type { Patience } from '../patience.ts';
import type { Place } from '../place.ts';
import { Connection, type Keeper } from './connection.ts';
import { LentMemory } from './lent-memory.ts';

interface Kept {
  readonly connection: Connection;
  /** Not used from then on, ms by `performance.now()`. */
  readonly until: number;
}

const READ_BYTES = 64 * 1024;

/** Connections of HTTP/1.1 to one target, kept for the next request, made with the certificate of now. */
export class Connections implements Keeper {
  readonly #place: Place;
  readonly #patience: Patience;
  readonly #all = new Set<Connection>();
  /** Nobody uses them: the one that was used last is at the end. */
  #free: Kept[] = [];
  /** What all of them read into. */
  readonly #memory = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #lent = new LentMemory(READ_BYTES);
  #certificate: OwnCertificate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(place: Place, patience: Patience) {
    this.#place = place;
    this.#patience = patience;
  }

  /** One that is kept, and still stands. */
  kept(): Connection | undefined {
    this.#renew();
    for (let last = this.#free.pop(); last !== undefined; last = this.#free.pop()) {
      if (performance.now() < last.until && last.connection.socket.writable) return last.connection;
      last.connection.socket.destroy();
    }
    return undefined;
  }

  /**
   * A new one.
   *
   * @throws {HoopError} As `dial` has it.
   */
  async made(): Promise<Connection> {
    const certificate = this.#renew();
    const { socket } = await dial(this.#place, ['http/1.1'], certificate, this.#patience, this.#memory);
    return this.of(socket);
  }

  /** Of a socket that stands already. Takes it over. */
  of(socket: Socket): Connection {
    const connection = new Connection(socket, this.#patience, this, this.#lent);
    this.#all.add(connection);
    return connection;
  }

  free(connection: Connection, forMs: number): void {
    const ms = Math.min(HTTP_LIMITS.keptMs, forMs);
    const isKept = this.#free.length < HTTP_LIMITS.keptConnections && this.#all.has(connection);
    if (this.#closed || !isKept || ms <= 0) return void connection.socket.destroy();
    this.#free.push({ connection, until: performance.now() + ms });
    this.#timer ??= setTimeout(() => this.#sweep(), HTTP_LIMITS.keptMs).unref();
  }

  gone(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    const at = this.#free.findIndex((kept) => kept.connection === connection);
    if (at !== -1) this.#free.splice(at, 1);
  }

  /** Closes what nobody uses now. */
  forget(): void {
    for (const { connection } of this.#free.splice(0)) connection.socket.destroy();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { socket } of this.#all) socket.destroy();
  }

  /** Connections made with another certificate are not used again. */
  #renew(): OwnCertificate | undefined {
    const now = this.#place.certificate();
    const known = this.#certificate;
    if (known?.cert !== now?.cert || known?.key !== now?.key) {
      this.forget();
      this.#all.clear();
      this.#certificate = now;
    }
    return now;
  }

  #sweep(): void {
    this.#timer = undefined;
    const now = performance.now();
    const late = this.#free.filter(({ until }) => until <= now);
    this.#free = this.#free.filter(({ until }) => until > now);
    for (const { connection } of late) connection.socket.destroy();
    const next = Math.min(...this.#free.map(({ until }) => until));
    if (this.#free.length > 0) this.#timer = setTimeout(() => this.#sweep(), next - now + 1).unref();
  }
}
