import type { Socket } from 'node:net';
import { HoopError } from '../../../../core/errors.ts';
import { unlessAborted } from '../../../../core/later.ts';
import { HTTP_LIMITS } from '../../limits.ts';
import { dial } from '../dial.ts';
import type { OwnCertificate } from '../own-certificate.ts';
import type { Patience } from '../patience.ts';
import type { Place } from '../place.ts';
import { Session } from './session.ts';

/** How a request goes to its target. */
export type Way =
  /** `ask`, or `leave`, must follow. */
  | { readonly session: Session }
  /** By HTTP/1.1. @param ready A connection that stands already, for one request. */
  | { readonly session?: undefined; readonly ready: Socket | undefined };

/** How long a target that has chosen HTTP/1.1 is not asked again for HTTP/2, ms. */
const CHOSEN_MS = 600_000;

/** Connections of HTTP/2 to one target, as many as its bounds of streams ask for, made with the certificate of now. */
export class Sessions {
  readonly #place: Place;
  readonly #patience: Patience;
  readonly #only: boolean;
  readonly #all = new Set<Session>();
  #certificate: OwnCertificate | undefined;
  /** One at a time: whoever waits may find room on what is made. */
  #making: Promise<void> | undefined;
  /** HTTP/1.1 is spoken until then, ms by `performance.now()`. */
  #http1Until = Number.NEGATIVE_INFINITY;
  #ready: Socket | undefined;

  /** @param only HTTP/2 and nothing else: by ALPN, or with prior knowledge where there is no TLS (RFC 9113 §3.3). */
  constructor(place: Place, patience: Patience, only: boolean) {
    this.#place = place;
    this.#patience = patience;
    this.#only = only;
  }

  /** @throws {HoopError} As `dial` and `Session.begin`; the signal's reason. */
  async take(signal: AbortSignal): Promise<Way> {
    for (;;) {
      signal.throwIfAborted();
      this.#renew();
      for (const session of this.#all) {
        if (!session.hasRoom) continue;
        session.enter();
        return { session };
      }
      if (performance.now() < this.#http1Until) return this.#http1();
      this.#making ??= this.#make().finally(() => {
        this.#making = undefined;
      });
      await unlessAborted(this.#making, signal);
    }
  }

  /** The target wants what it was asked by HTTP/1.1. @returns False: it is to be asked by HTTP/2 alone. */
  wantsHttp1(): boolean {
    if (this.#only) return false;
    this.#http1Until = performance.now() + CHOSEN_MS;
    this.#retire();
    return true;
  }

  close(): void {
    this.#ready?.destroy();
    for (const session of this.#all) session.destroy();
  }

  #http1(): Way {
    const ready = this.#ready;
    this.#ready = undefined;
    return { ready };
  }

  /** Connections made with another certificate are not used again. */
  #renew(): void {
    const certificate = this.#place.certificate();
    const known = this.#certificate;
    if (known?.cert === certificate?.cert && known?.key === certificate?.key) return;
    this.#certificate = certificate;
    this.#retire();
  }

  #retire(): void {
    for (const session of this.#all) session.retire();
    this.#all.clear();
  }

  async #make(): Promise<void> {
    const [place, patience, only] = [this.#place, this.#patience, this.#only];
    const certificate = this.#certificate;
    const { socket, protocol } = await dial(place, only ? ['h2'] : ['h2', 'http/1.1'], certificate, patience);
    if (protocol === 'h2' || !place.secure) {
      const session = await Session.begin(place.origin, socket, patience);
      return certificate === this.#certificate ? this.#add(session) : session.destroy();
    }
    if (only) {
      socket.destroy();
      throw new HoopError('ERR_TARGET_UNREACHABLE', undefined, { detail: 'it does not agree on HTTP/2' });
    }
    this.#http1Until = performance.now() + CHOSEN_MS;
    this.#keep(socket);
  }

  #add(session: Session): void {
    if (!session.hasRoom) {
      session.destroy();
      throw new HoopError('ERR_TARGET_LOST', undefined, { detail: 'it takes no stream' });
    }
    this.#all.add(session);
    session.onClose(() => this.#all.delete(session));
  }

  /** For the request that it was made for; nobody else waits for it long. */
  #keep(socket: Socket): void {
    this.#ready?.destroy();
    this.#ready = socket;
    const over = () => {
      if (this.#ready === socket) this.#ready = undefined;
    };
    socket.once('close', over).on('error', () => undefined);
    const timer = setTimeout(() => this.#ready === socket && socket.destroy(), HTTP_LIMITS.keptMs);
    timer.unref();
  }
}
