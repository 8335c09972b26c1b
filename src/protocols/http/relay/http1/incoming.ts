import { type Duplex, Readable } from 'node:stream';
import type { RequestHead } from '../../../../wire/http/http1/request-reader.ts';
import type { Field } from '../../request/fields/read-fields.ts';
import { expectsContinue, type Incoming } from '../incoming.ts';
import { Http1Reply } from './reply.ts';

/** The connection that a request came over. */
export interface Carrier {
  readonly stream: Duplex;
  /** Lets the client speak. */
  resume(): void;
  /** Gives the connection up, to be spoken over in another protocol. */
  takeOver(fields: readonly Field[]): Duplex;
}

/** One request that came by HTTP/1.1. */
export class Http1Incoming implements Incoming {
  readonly head: RequestHead;
  readonly reply: Http1Reply;
  readonly takeOver?: (fields: readonly Field[]) => Duplex;
  readonly #carrier: Carrier;
  #body: ClientBody | undefined;
  #ended = false;

  constructor(head: RequestHead, carrier: Carrier) {
    this.head = head;
    this.#carrier = carrier;
    this.reply = new Http1Reply(carrier.stream, head);
    if (head.follows === 'switched') this.takeOver = (fields) => carrier.takeOver(fields);
    // Nothing behind such a head is of it.
    this.#ended = head.follows === 'switched' || head.unframed;
  }

  get body(): Readable {
    this.#body ??= this.#made();
    return this.#body;
  }

  readonly bodyEnded = (): boolean => this.#ended;

  /** By HTTP/1.0 it is nothing: RFC 9110 §10.1.1. */
  get expectsContinue(): boolean {
    return this.head.httpVersion === '1.1' && expectsContinue(this.head.rawHeaders);
  }

  /** @returns Whether more is wanted at once. */
  push(data: Buffer): boolean {
    this.#body ??= this.#made();
    return this.#body.destroyed || this.#body.push(data);
  }

  /** All of it has come. */
  end(): void {
    this.#ended = true;
    this.#body?.push(null);
  }

  /** It was answered: nobody reads what is left of it. */
  drop(): void {
    if (!this.#ended) this.#body?.destroy();
  }

  /** Nothing more of it comes, and nothing goes back. */
  lost(): void {
    if (!this.#ended) this.#body?.destroy(new Error('the client broke off'));
    this.reply.lost();
  }

  #made(): ClientBody {
    const body = new ClientBody(() => this.#carrier.resume());
    if (this.#ended) body.push(null);
    return body;
  }
}

/** Read by whoever forwards the request, or by nobody. */
class ClientBody extends Readable {
  readonly #resume: () => void;

  constructor(resume: () => void) {
    super();
    this.#resume = resume;
    // Nobody may be listening when it breaks off.
    this.on('error', () => undefined);
  }

  override _read(): void {
    this.#resume();
  }
}
