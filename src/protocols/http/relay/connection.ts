import type { ServerHttp2Session } from 'node:http2';
import type { Duplex } from 'node:stream';
import { HoopError, toHoopError } from '../../../core/errors.ts';
import type { MaskedData } from '../../../enforcement/operation.ts';
import type { Reveal } from '../../../policy/model.ts';
import type { SessionEnd, StreamContext } from '../../adapter.ts';
import { DetectedValues } from '../../stream/detected-values.ts';
import { lastWords } from '../../stream/farewell.ts';
import type { CleanText } from '../../stream/for-people.ts';
import type { Denied } from '../../stream/guard.ts';
import { Outputs } from '../../stream/terminal/outputs.ts';
import { detectedField } from '../entities.ts';
import type { HttpRefusal } from '../refusals.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import { FieldPseudonyms } from '../shown/field-pseudonyms.ts';
import { type AnswerMasks, ShownMasks } from '../shown/masks.ts';
import { SecretForms } from '../shown/secrets.ts';
import type { Sight } from './answer-view.ts';
import { Exchange } from './exchange.ts';
import { spokenOver } from './first-octets.ts';
import { Heads } from './heads.ts';
import { Http1Connection } from './http1/connection.ts';
import { serveHttp2 } from './http2.ts';
import type { Incoming, Receiver } from './incoming.ts';
import { Known } from './known.ts';
import { denialAnswer, failureAnswer, type OwnAnswer } from './problem.ts';
import { Questions } from './question.ts';
import type { ConnectionParts, ConnectionState } from './state.ts';

/** One connection of a client's, from its first octet to its end: HTTP/1.1 or HTTP/2, exchange by exchange. */
export class HttpConnection implements ConnectionState, Receiver {
  readonly context: StreamContext;
  readonly parts: ConnectionParts;
  readonly clean: CleanText;
  readonly heads: Heads;
  readonly questions: Questions;
  readonly outputs: Outputs;
  readonly #stream: Duplex;
  readonly #exchanges = new Set<Exchange>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #masks: ShownMasks;
  readonly #hides: ShownMasks;
  #secrets = new SecretForms([]);
  #http2: ServerHttp2Session | undefined;
  #failure: HoopError | undefined;

  constructor(stream: Duplex, context: StreamContext, parts: ConnectionParts) {
    this.#stream = stream;
    this.context = context;
    this.parts = parts;
    const { set, tags } = parts.detectors();
    const { guard, session } = context;
    const alike = (tag: string) => [detectedField(session.resource, tag)];
    const detected = new DetectedValues(guard, session.resource, set, tags, alike);
    const pseudonyms = parts.pseudonyms ? new FieldPseudonyms(guard, session.resource) : undefined;
    this.#masks = new ShownMasks(guard, parts.classification, detected, pseudonyms);
    this.outputs = new Outputs(guard, detected);
    const hiding = new DetectedValues(NOTHING_SHOWN, session.resource, set, tags);
    this.#hides = new ShownMasks(NOTHING_SHOWN, parts.classification, hiding);
    const cleaned = new Known<string>(CLEANED);
    this.clean = (text) => cleaned.of(text, () => detected.cleanText(text));
    this.heads = new Heads(parts.rules, context.localProof?.value, this.clean);
    this.questions = new Questions(session.resource, this.clean);
  }

  sight({ method, segments }: CanonicalRequest): Sight {
    const { place, target } = this.parts;
    const secrets = target.secrets();
    if (!this.#secrets.are(secrets)) this.#secrets = new SecretForms(secrets);
    return { masks: this.#masks.of(method, segments), secrets: this.#secrets, place };
  }

  hides({ method, segments }: CanonicalRequest): AnswerMasks {
    return this.#hides.of(method, segments);
  }

  masked({ method, segments }: CanonicalRequest): readonly MaskedData[] {
    return this.#masks.of(method, segments).hidden;
  }

  get ended(): boolean {
    return this.#failure !== undefined;
  }

  /** Never rejects. */
  async serve(): Promise<SessionEnd> {
    const { signal } = this.context;
    const stream = this.#stream;
    const abort = () => this.over(toHoopError(signal.reason));
    stream.once('close', () => this.#closed.resolve()).on('error', () => undefined);
    signal.addEventListener('abort', abort, { once: true });
    try {
      this.context.idle.start();
      const spoken = await spokenOver(stream);
      if (signal.aborted) abort();
      else if (spoken === 'http/1') new Http1Connection(stream, this).serve();
      else if (spoken === 'http/2')
        this.#http2 = serveHttp2(stream, this, this.parts.upgrades.has('websocket'));
      else if (spoken === 'tls') this.malformed(false);
      else stream.end();
      if (stream.destroyed) this.#closed.resolve();
      await this.#closed.promise;
    } finally {
      signal.removeEventListener('abort', abort);
      for (const exchange of this.#exchanges)
        exchange.end(new HoopError('ERR_SESSION_ENDED', 'the client left'));
      this.context.guard.closeAll();
    }
    const bytes = bytesOf(stream);
    const failure = this.#failure;
    if (failure === undefined) return { reason: 'the client closed the connection', ...bytes };
    return { reason: failure.message, failure: failure.code, status: String(failure.httpStatus), ...bytes };
  }

  async request(incoming: Incoming): Promise<void> {
    const exchange = new Exchange(this, incoming);
    this.#exchanges.add(exchange);
    // What a client that does not read was told may not have left yet, and it goes on asking.
    if (this.#failure !== undefined) exchange.end(this.#failure);
    this.context.idle.stop();
    await exchange.run();
    this.#exchanges.delete(exchange);
    if (this.#exchanges.size === 0 && !this.ended) this.context.idle.start();
  }

  malformed(late: boolean): void {
    const rule = 'not-http';
    const reason = late ? 'the request did not come in time' : 'what was sent is no request that can be read';
    const hint = late
      ? 'send the head of the request as soon as the connection is open'
      : 'speak HTTP/1.1 or HTTP/2, without TLS, to the local address';
    void this.#refuse({ code: 'ERR_PROTOCOL', rule, reason, hint });
  }

  over(reason: HoopError): void {
    if (this.ended) return;
    this.#failure = reason;
    for (const exchange of this.#exchanges) exchange.end(reason);
    if (this.#exchanges.size === 0 || this.#http2 !== undefined)
      void this.#lastWords(failureAnswer(this.parts.says, reason));
  }

  /** On record as any refusal, then the end. */
  async #refuse(refusal: HttpRefusal): Promise<void> {
    // Whoever was to tell why it ended may have lost the way back to the client by this.
    if (this.#failure !== undefined) return this.#lastWords(failureAnswer(this.parts.says, this.#failure));
    this.#failure = new HoopError(refusal.code, refusal.reason);
    const { guard } = this.context;
    try {
      const denied = (await guard.ask({ pairs: [], context: {}, text: '‹not HTTP›', refusal })) as Denied;
      await this.#lastWords(denialAnswer(this.parts.says, denied.denial, denied.operation));
    } catch (error) {
      this.#failure = toHoopError(error);
      await this.#lastWords(failureAnswer(this.parts.says, this.#failure));
    }
  }

  /** What a connection without a request is told, and its end. */
  async #lastWords({ status, fields, body }: OwnAnswer): Promise<void> {
    const stream = this.#stream;
    if (this.#http2 !== undefined) {
      // One that broke down has said its last, and would throw.
      if (!this.#http2.destroyed) this.#http2.goaway(0, undefined, body);
      await partedFrom(this.#http2);
    } else if (stream.writable) {
      const lines = [...fields, ['connection', 'close']].map(([name, value]) => `${name}: ${value}\r\n`);
      stream.write(`HTTP/1.1 ${status} \r\n${lines.join('')}\r\n`);
      stream.write(body);
    }
    await lastWords(stream);
  }
}

/** How long streams may take to be told why they end, ms. */
const PARTING_MS = 500;

/** Resolves when no stream is open any more, or the time is over. */
function partedFrom(session: ServerHttp2Session): Promise<void> {
  if (session.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PARTING_MS);
    session.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    session.close();
  });
}

/** Texts of which is remembered what detectors leave of them: headers come again with each request. */
const CLEANED = 32;

function bytesOf(stream: Duplex): { readonly bytesIn: number; readonly bytesOut: number } {
  const { bytesRead = 0, bytesWritten = 0 } = stream as Partial<Record<'bytesRead' | 'bytesWritten', number>>;
  return { bytesIn: bytesRead, bytesOut: bytesWritten };
}

/** As the recording sees a request: nobody may read what is classified or found. */
const NOTHING_SHOWN = {
  policyVersion: () => 'none',
  reveal: (): Reveal => ({ show: false, mask: 'redact', rules: [] }),
};
