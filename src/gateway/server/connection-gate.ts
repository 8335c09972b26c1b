import type { Server, Socket } from 'node:net';
import type { Log } from '../../core/log.ts';

export interface ConnectionLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

/** Refusals are reported once per so long, ms: a flood must not become a flood of lines. */
const REPORT_MS = 10_000;

/** Closes connections beyond the bounds before a byte of TLS is spent on them. */
export class ConnectionGate {
  readonly #limits: ConnectionLimits;
  readonly #log: Log;
  readonly #perAddress = new Map<string, number>();
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
    const here = this.#perAddress.get(address) ?? 0;
    if (this.#total >= this.#limits.connections || here >= this.#limits.connectionsPerAddress) {
      this.#refuse(socket);
      return;
    }
    this.#total++;
    this.#perAddress.set(address, here + 1);
    socket.once('close', () => {
      this.#total--;
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
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
