import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import { HoopError, isHoopError } from '../../../core/errors.ts';

/** How long is waited for a target, ms each. */
export interface Patience {
  /** Until it stands, with TLS. */
  readonly connectMs: number;
  /** From the last octet of the request to the first of an answer. */
  readonly answerMs: number;
  /** From the first octet of a head to its last. */
  readonly headMs: number;
  /** Heads before the answer. */
  readonly early: number;
}

/** The head of the answer is whole, or there is none. */
const ANSWERED = ['response', 'upgrade', 'close'] as const;

/** Breaks a request off whose target keeps it waiting: a body may take its time, everything before it is bounded. */
export class Watched {
  readonly #call: ClientRequest;
  readonly #patience: Patience;
  #timer: NodeJS.Timeout | undefined;
  #connected = false;
  /** A head has begun and is not whole. */
  #reading = false;
  #early = 0;
  #everHeard = false;
  #over = false;
  #failure: string | undefined;

  constructor(call: ClientRequest, patience: Patience) {
    this.#call = call;
    this.#patience = patience;
    this.#wait(patience.connectMs, 'ERR_TARGET_UNREACHABLE', 'no connection');
    call.once('socket', (socket: Socket) => {
      if (!socket.connecting) this.#stands(socket);
      else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => this.#stands(socket));
    });
    call.on('information', () => this.#informed());
    call.once('finish', () => this.#untilAnswered());
    for (const end of ANSWERED) call.once(end, () => this.#end());
    call.once('error', ({ code }: NodeJS.ErrnoException) => {
      this.#failure = code;
    });
  }

  /** What an error of the request means. */
  means(error: NodeJS.ErrnoException): HoopError {
    return targetError(error, this.#connected);
  }

  /** Whether it failed because a kept connection was closed before a word of an answer came over it. */
  stale(): boolean {
    const reset = this.#failure === 'ECONNRESET' || this.#failure === 'EPIPE';
    return this.#call.reusedSocket && !this.#everHeard && reset;
  }

  #stands(socket: Socket): void {
    if (this.#over) return;
    this.#connected = true;
    clearTimeout(this.#timer);
    const heard = () => this.#heard();
    // Before the parser, which says when the head is whole.
    socket.prependListener('data', heard);
    for (const end of ANSWERED) this.#call.once(end, () => socket.off('data', heard));
    this.#untilAnswered();
  }

  #heard(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#everHeard = true;
    this.#wait(this.#patience.headMs, 'ERR_TARGET_LOST', 'no whole head');
  }

  #informed(): void {
    this.#reading = false;
    this.#early++;
    clearTimeout(this.#timer);
    const { early } = this.#patience;
    if (this.#early <= early) this.#untilAnswered();
    else this.#break('ERR_TARGET_LOST', `more than ${early} heads before an answer`);
  }

  /** While the request is still on its way there, its client is waited for. */
  #untilAnswered(): void {
    if (!this.#connected || !this.#call.writableFinished || this.#reading) return;
    this.#wait(this.#patience.answerMs, 'ERR_TARGET_LOST', 'no answer');
  }

  #wait(ms: number, code: 'ERR_TARGET_UNREACHABLE' | 'ERR_TARGET_LOST', missing: string): void {
    clearTimeout(this.#timer);
    if (!this.#over) this.#timer = setTimeout(() => this.#break(code, `${missing} within ${ms} ms`), ms);
  }

  #break(code: 'ERR_TARGET_UNREACHABLE' | 'ERR_TARGET_LOST', detail: string): void {
    this.#call.destroy(new HoopError(code, undefined, { detail }));
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }
}

function targetError(error: NodeJS.ErrnoException, connected: boolean): HoopError {
  const of = isHoopError(error.cause) ? error.cause : error;
  if (isHoopError(of)) return of;
  const { code = 'error', message } = error;
  const told = { detail: `${code}: ${message}`, cause: error };
  if (connected) return new HoopError('ERR_TARGET_LOST', undefined, told);
  const ofTls = /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_)/.test(code);
  return new HoopError(ofTls ? 'ERR_TARGET_TLS' : 'ERR_TARGET_UNREACHABLE', undefined, told);
}
