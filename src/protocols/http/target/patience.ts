import type { ClientHttp2Stream } from 'node:http2';
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

/** What is waited for, and until when, ms by `performance.now()`. */
interface Wait {
  readonly ms: number;
  readonly code: 'ERR_TARGET_UNREACHABLE' | 'ERR_TARGET_LOST';
  readonly missing: string;
  readonly end: number;
}

/**
 * Breaks a request off whose target keeps it waiting: a body may take its time, everything before it is bounded.
 *
 * Each wait has its end; one timer, which is set anew only where it rings before that, looks after all of them.
 */
export class Waits {
  readonly #patience: Patience;
  readonly #break: (error: HoopError) => void;
  #timer: NodeJS.Timeout | undefined;
  #wait: Wait | undefined;
  #early = 0;
  #over = false;

  constructor(patience: Patience, breakOff: (error: HoopError) => void) {
    this.#patience = patience;
    this.#break = breakOff;
  }

  #until(ms: number, code: Wait['code'], missing: string): void {
    if (this.#over) return;
    this.#wait = { ms, code, missing, end: performance.now() + ms };
    // The shortest of all waits, so that it is seldom set anew.
    const { headMs } = this.#patience;
    if (this.#timer === undefined || ms < headMs) this.#ring(Math.min(ms, headMs));
  }

  untilAnswered(): void {
    this.#until(this.#patience.answerMs, 'ERR_TARGET_LOST', 'no answer');
  }

  untilHead(): void {
    this.#until(this.#patience.headMs, 'ERR_TARGET_LOST', 'no whole head');
  }

  /** @returns False: it is one head too many, and the request is broken off. */
  takesEarly(): boolean {
    const { early } = this.#patience;
    this.#early++;
    this.#wait = undefined;
    if (this.#early <= early) return true;
    this.#lost('ERR_TARGET_LOST', `more than ${early} heads before an answer`);
    return false;
  }

  /** Safe to call twice. */
  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #ring(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), ms);
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#wait === undefined) return;
    const { ms, code, missing, end } = this.#wait;
    const left = end - performance.now();
    // A timer may ring a little early.
    if (left > 1) this.#ring(Math.min(left, this.#patience.headMs));
    else this.#lost(code, `${missing} within ${ms} ms`);
  }

  #lost(code: Wait['code'], detail: string): void {
    this.#break(new HoopError(code, undefined, { detail }));
  }
}

/** A stream of HTTP/2, whose connection stands. Heads come whole or not at all. */
export class WatchedStream {
  readonly #stream: ClientHttp2Stream;
  readonly #waits: Waits;

  constructor(stream: ClientHttp2Stream, patience: Patience) {
    this.#stream = stream;
    this.#waits = new Waits(patience, (error) => stream.destroy(error));
    stream.once('finish', () => this.#untilAnswered());
  }

  /** A head before the answer has come. */
  informed(): void {
    if (this.#waits.takesEarly()) this.#untilAnswered();
  }

  /** The head of the answer has come, or nothing will. Safe to call twice. */
  over(): void {
    this.#waits.end();
  }

  #untilAnswered(): void {
    if (this.#stream.writableFinished) this.#waits.untilAnswered();
  }
}

/** The connection is gone, and was not said to have failed. */
export function closedUnanswered(): HoopError {
  return new HoopError('ERR_TARGET_LOST', undefined, { detail: 'closed unanswered' });
}

/** @param connected The target had taken the connection, and TLS stood. */
export function targetError(error: NodeJS.ErrnoException, connected: boolean): HoopError {
  const of = isHoopError(error.cause) ? error.cause : error;
  if (isHoopError(of)) return of;
  const { code = 'error', message } = error;
  const told = { detail: `${code}: ${message}`, cause: error };
  if (connected) return new HoopError('ERR_TARGET_LOST', undefined, told);
  const ofTls = /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_)/.test(code);
  return new HoopError(ofTls ? 'ERR_TARGET_TLS' : 'ERR_TARGET_UNREACHABLE', undefined, told);
}
