import type { Readable } from 'node:stream';
import type { AnswerHead, AnswerSink } from '../../../../wire/http/http1/answer-reader.ts';
import type { Switched, TargetAnswer } from '../http-target.ts';
import type { Outgoing } from '../outgoing.ts';
import { type Patience, targetError, Waits } from '../patience.ts';
import { Http1Answer } from './answer.ts';
import type { Carrier } from './carrier.ts';
import { FramedUpload } from './framed-upload.ts';

/** What is asked over a connection. */
export interface Asking {
  readonly outgoing: Outgoing;
  /** As it is sent. */
  readonly head: string;
  readonly body: Readable | undefined;
  /** Another protocol is asked for. */
  readonly upgrade: boolean;
  /** No other request follows on its connection. */
  readonly last: boolean;
  readonly over: () => void;
}

/** One request over a connection of HTTP/1.1, and its answer. */
export class Call implements AnswerSink {
  readonly answer: Promise<TargetAnswer | Switched>;
  readonly #carrier: Carrier;
  readonly #outgoing: Outgoing;
  readonly #over: () => void;
  readonly #waits: Waits;
  readonly #upload: FramedUpload | undefined;
  readonly #settle: {
    readonly resolve: (answer: TargetAnswer | Switched) => void;
    readonly reject: (error: unknown) => void;
  };
  #received: Http1Answer | undefined;
  #reading = false;
  #answered = false;
  #ended = false;
  #failed = false;
  /** As `AnswerHead` has it. */
  keptMs = 0;

  /**
   * Nothing is sent yet.
   *
   * @param over Called when nothing more of it comes or goes, once or more.
   */
  constructor(carrier: Carrier, { outgoing, body, over }: Asking, patience: Patience) {
    const { promise, resolve, reject } = Promise.withResolvers<TargetAnswer | Switched>();
    this.answer = promise;
    this.#settle = { resolve, reject };
    this.#carrier = carrier;
    this.#outgoing = outgoing;
    this.#over = over;
    this.#waits = new Waits(patience, (error) => carrier.socket.destroy(error));
    this.#upload = body && new FramedUpload(carrier.socket, body, outgoing.length, () => this.#sent());
  }

  /** @param head All of it. */
  send(head: string): void {
    if (this.#upload === undefined) {
      this.#carrier.socket.write(head, 'latin1');
      this.#waits.untilAnswered();
    } else this.#upload.send(head);
  }

  /** Octets have come. @param inHead They are of a head that is not whole. */
  came(inHead: boolean): void {
    if (!inHead || this.#reading || this.#answered) return;
    this.#reading = true;
    this.#waits.untilHead();
  }

  informed(status: number, fields: readonly string[]): void {
    this.#reading = false;
    if (!this.#waits.takesEarly()) return;
    if (this.#isSent) this.#waits.untilAnswered();
    this.#outgoing.early?.(status, fields);
  }

  head({ status, fields, keptMs }: AnswerHead): void {
    this.#answered = true;
    this.keptMs = keptMs;
    this.#waits.end();
    if (status === 101) return this.#settle.resolve({ rawHeaders: fields, stream: this.#carrier.release() });
    this.#received = new Http1Answer(status, fields, this.#carrier);
    this.#settle.resolve(this.#received);
  }

  body(data: Buffer): void {
    if (this.#received?.push(data) === false) this.#carrier.pause();
  }

  end(trailers: readonly string[]): void {
    this.#ended = true;
    this.#received?.end(trailers);
    this.#carrier.resume();
  }

  /** The answer has ended, and the request was sent whole. */
  get isOver(): boolean {
    return this.#ended && this.#isSent;
  }

  /** Nothing more of it comes or goes. */
  finish(): void {
    this.#upload?.close();
    this.#over();
  }

  /** The connection is gone. */
  fail(error: NodeJS.ErrnoException): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#waits.end();
    this.finish();
    if (this.#ended) return;
    const known = targetError(error, true);
    if (this.#received === undefined) this.#settle.reject(known);
    else this.#received.fail(known);
  }

  get #isSent(): boolean {
    return this.#upload?.ended ?? true;
  }

  #sent(): void {
    if (this.#ended) this.#carrier.done();
    else if (!this.#answered && !this.#reading) this.#waits.untilAnswered();
  }
}
