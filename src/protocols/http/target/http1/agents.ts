import { Agent, type ClientRequestArgs } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HTTP_LIMITS } from '../../limits.ts';
import type { OwnCertificate } from '../place.ts';

/** Beside what a request of Node's is made with. */
export interface Ready {
  /** A connection that stands already, for a request that finds none that is kept. */
  readonly ready?: Socket | undefined;
}

class ReadyAgent extends TlsAgent {
  override createConnection(
    options: ClientRequestArgs & Ready,
    made?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const { ready } = options;
    return ready === undefined || ready.destroyed ? super.createConnection(options, made) : ready;
  }
}

/** Connections to one target that are kept for the next request, made with the certificate of now. */
export class Agents {
  readonly #secure: boolean;
  readonly #ca: string | undefined;
  #certificate: OwnCertificate | undefined;
  #current: Agent;

  /** @param ca PEM; undefined: the authorities that Node knows. */
  constructor(secure: boolean, ca: string | undefined) {
    this.#secure = secure;
    this.#ca = ca;
    this.#current = this.#make(undefined);
  }

  /** Connections made with another certificate are not used again. */
  of(certificate: OwnCertificate | undefined): Agent {
    const known = this.#certificate;
    if (known?.cert !== certificate?.cert || known?.key !== certificate?.key) {
      this.forget();
      this.#certificate = certificate;
      this.#current = this.#make(certificate);
    }
    return this.#current;
  }

  /** For one connection, which is kept for nobody. */
  once(certificate: OwnCertificate | undefined): Agent {
    return this.#make(certificate, false);
  }

  /** Closes what nobody uses now. */
  forget(): void {
    for (const sockets of Object.values(this.#current.freeSockets))
      for (const socket of sockets ?? []) socket.destroy();
  }

  close(): void {
    this.#current.destroy();
  }

  #make(certificate: OwnCertificate | undefined, keepAlive = true): Agent {
    const { keptConnections: maxFreeSockets, keptMs: timeout, targetRequests: maxSockets } = HTTP_LIMITS;
    const kept = { keepAlive, maxFreeSockets, maxSockets, timeout };
    if (!this.#secure) return new Agent(kept);
    const ca = this.#ca === undefined ? {} : { ca: this.#ca };
    // Said, so that no variable of the environment can turn it off.
    return new ReadyAgent({
      ...kept,
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
      ...ca,
      ...certificate,
    });
  }
}
