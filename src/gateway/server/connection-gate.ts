import type { Server, Socket } from 'node:net';
import type { Log } from '../../core/log.ts';

export interface ConnectionLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

/** What names a connection, below TLS and above. */
type Peer = Pick<Socket, 'remoteAddress' | 'remotePort'>;

function nameOf({ remoteAddress, remotePort }: Peer): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Refusals are reported once per so long, ms: a flood must not become a flood of lines. */
const REPORT_MS = 10_000;

/**
 * Holds connections within their bounds, before a byte of TLS is spent on one too many: the oldest without a session
 * makes room, so that whoever opens many and proves nothing keeps nobody out.
 */
export class ConnectionGate {
  readonly #limits: ConnectionLimits;
  readonly #log: Log;
  readonly #perAddress = new Map<string, number>();
  /** Those without a session, oldest first, by address and port of the peer. */
  readonly #without = new Map<string, Socket>();
  #total = 0;
  #refused = 0;
  #reporting: NodeJS.Timeout | undefined;

  constructor(limits: ConnectionLimits, log: Log) {
    this.#limits = limits;
    this.#log = log;
  }

  /** Must be called before the TLS server sees its first connection. */
  attach(server: Server): void {
    server.prependListener('connection', (socket: Socket) => this.#admit(socket));
  }

  get open(): number {
    return this.#total;
  }

  #admit(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const fullHere = this.#count(address) >= this.#limits.connectionsPerAddress;
    const full = fullHere || this.#total >= this.#limits.connections;
    if (full && !this.#makeRoom(fullHere ? address : undefined)) return this.#refuse(socket);
    const name = nameOf(socket);
    this.#without.set(name, socket);
    this.#total++;
    this.#perAddress.set(address, this.#count(address) + 1);
    socket.once('close', () => this.#without.delete(name));
    socket.once('close', () => this.#left(address));
  }

  /** It has a session now: no other takes its place. */
  keep(socket: Peer): void {
    this.#without.delete(nameOf(socket));
  }

  #count(address: string): number {
    return this.#perAddress.get(address) ?? 0;
  }

  #left(address: string): void {
    this.#total--;
    const left = this.#count(address) - 1;
    if (left <= 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, left);
  }

  /** @param address Of which one must go; undefined: any. */
  #makeRoom(address: string | undefined): boolean {
    for (const [name, socket] of this.#without) {
      if (address !== undefined && socket.remoteAddress !== address) continue;
      this.#without.delete(name);
      this.#refuse(socket);
      return true;
    }
    return false;
  }

  #refuse(socket: Socket): void {
    socket.on('error', () => undefined);
    socket.destroy();
    this.#refused++;
    this.#reporting ??= setTimeout(() => {
      this.#log.warn('connections refused: a limit was reached', {
        refused: this.#refused,
        open: this.#total,
      });
      this.#refused = 0;
      this.#reporting = undefined;
    }, REPORT_MS).unref();
  }
}
