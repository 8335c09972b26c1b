/**
 * A protocol of lines, as small as one can be and keep every promise: what a new adapter is made of, and what the adapters'
 * suite is tried with.
 *
 * The client says `say TOPIC WORDS`; the target is told `TOPIC WORDS` and answers in one line, at whose end `#TOKEN` may
 * stand. The client is answered `ok LINE`, `no CODE JSON` for a refusal, `wait ID UNTIL` while people are asked, and
 * at the end `bye MESSAGE`.
 */
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import type { ReplayShown } from '../../src/api/replay.ts';
import { LineSplitter } from '../../src/core/bytes/lines.ts';
import { port, section } from '../../src/core/config/shape.ts';
import { HoopError, toHoopError } from '../../src/core/errors.ts';
import { refusalLine } from '../../src/core/refusal-line.ts';
import type { ApprovalWait } from '../../src/enforcement/operation.ts';
import { maskValue } from '../../src/masking/mask.ts';
import type { PolicyObject } from '../../src/policy/model.ts';
import type { SessionEnd, StreamContext } from '../../src/protocols/adapter.ts';
import type { Protocol, ResourceConfig } from '../../src/protocols/protocol.ts';
import { sessionTimes } from '../../src/protocols/session-times.ts';
import { dial } from '../../src/protocols/stream/dial.ts';
import { lastWords } from '../../src/protocols/stream/farewell.ts';
import type { Denied, Question } from '../../src/protocols/stream/guard.ts';
import type { OpenOperation } from '../../src/protocols/stream/operations.ts';
import { replayed } from '../../src/protocols/stream/replay.ts';
import { ECHO_VOCABULARY } from './vocabulary.ts';

const MAX_LINE_BYTES = 4096;
const SAYING = /^say ([a-z]{1,32}) ([\p{L}\p{N} ]{1,1024})$/u;

interface EchoConfig extends ResourceConfig {
  readonly target: { readonly port: number };
}

export const echo: Protocol<EchoConfig> = {
  name: 'echo',
  vocabulary: ECHO_VOCABULARY,
  session: 'tunnel',
  localProof: 'scram-sha-256',
  config: () =>
    section(
      {
        protocol: z.literal('echo'),
        target: section({ port: port() }, 'write {port: 7777}'),
        session: section(sessionTimes(), 'write {max: 8h}').prefault({}),
      },
      'write protocol: echo, target: {…}',
    ),
  secrets: () => [],
  authorities: () => [],
  check: () => undefined,
  describe: ({ object }) => ({ connect: {}, classified: [tokenOf(object)] }),
  shared: () => ({ close: async () => undefined }),
  create: ({ config }) => ({
    protocol: 'echo',
    serve: (stream, context) => new EchoStream(stream, context).serve(config.target.port),
    close: async () => undefined,
  }),
  replay: (items) => replayed(items, () => ({ show: told, whole: true })),
};

const tokenOf = (resource: PolicyObject): PolicyObject => ({
  type: 'Field',
  id: `${resource.id}/token`,
  attrs: { schema: '', table: '', name: 'token', tags: ['secret'], detected: false },
  parent: resource,
});

/** What the client was told, as a person watches it. */
const told = (bytes: Buffer): ReplayShown[] => [{ kind: 'note', text: bytes.toString().trimEnd() }];

/** One line, understood; what is not is refused, whatever policy says. */
function read(line: string, resource: PolicyObject): Question & { readonly told: string } {
  const [, topic = '', words = ''] = SAYING.exec(line) ?? [];
  const told = `${topic} ${words}\n`;
  if (topic !== '') {
    const object = { type: 'Topic', id: `${resource.id}/${topic}`, attrs: { name: topic }, parent: resource };
    return { pairs: [{ action: 'echo.say', object }], context: {}, text: `say ${topic} …`, told };
  }
  const refusal = {
    code: 'ERR_DENIED',
    rule: 'not-understood',
    reason: 'a line is say TOPIC WORDS',
  } as const;
  return { pairs: [], context: {}, text: '‹not understood›', refusal, told };
}

/** One stream, from its first line to its end. */
class EchoStream {
  readonly #stream: Duplex;
  readonly #context: StreamContext;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(stream: Duplex, context: StreamContext) {
    this.#stream = stream;
    this.#context = context;
  }

  /** Never rejects. */
  async serve(targetPort: number): Promise<SessionEnd> {
    const { signal } = this.#context;
    const over = Promise.withResolvers<never>();
    const abort = () => over.reject(toHoopError(signal.reason));
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    let failure: HoopError | undefined;
    try {
      await Promise.race([this.#converse(targetPort), over.promise]);
    } catch (error) {
      // A client that is gone has ended its session in good order.
      failure = this.#stream.destroyed ? undefined : toHoopError(error);
      if (failure !== undefined) this.#tell(`bye ${failure.message}\n`);
    }
    signal.removeEventListener('abort', abort);
    this.#context.guard.closeAll();
    await lastWords(this.#stream);
    const bytes = { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut };
    if (failure === undefined) return { reason: 'the client closed the connection', ...bytes };
    return { reason: failure.message, failure: failure.code, ...bytes };
  }

  async #converse(targetPort: number): Promise<void> {
    const { guard, signal } = this.#context;
    const target = await dial('127.0.0.1', targetPort, signal);
    this.#stream.once('close', () => target.destroy());
    const answers = lines(target, () => undefined);
    const asked = lines(this.#stream, (bytes) => {
      this.#bytesIn += bytes;
    });
    let next = asked.next();
    for (;;) {
      const { value: asking, done: over } = await next;
      if (over === true) return;
      // Read on while people think: whoever leaves is noticed, and waits for nothing.
      next = asked.next();
      const { told, question } = this.#question(asking, AbortSignal.any([signal, endOf(next)]));
      const answer = await guard.ask(question);
      if (answer.effect === 'deny') this.#refuse(answer);
      else {
        target.write(told);
        const { value, done } = await answers.next();
        if (done === true) throw new HoopError('ERR_TARGET_LOST');
        this.#show(`ok ${this.#masked(value, answer)}\n`);
        answer.close('success');
      }
    }
  }

  /** With what a yes to it would cover, and how its client waits for that. */
  #question(line: string, signal: AbortSignal): { readonly told: string; readonly question: Question } {
    const { told, ...question } = read(line, this.#context.session.resource);
    const wait: ApprovalWait = {
      signal,
      told: ({ id, waitsUntil }) => this.#show(`wait ${id} ${new Date(waitsUntil).toISOString()}\n`),
      again: () => this.#question(line, signal).question,
    };
    return { told, question: { ...question, approvable: { exact: () => told, wait } } };
  }

  #refuse({ denial }: Denied): void {
    this.#show(`no ${denial.code} ${denial.message} ${refusalLine(denial)}\n`);
  }

  #masked(line: string, operation: OpenOperation): string {
    const at = line.indexOf('#');
    const { guard, session } = this.#context;
    const reveal = guard.reveal(tokenOf(session.resource));
    if (at === -1 || reveal.show) return line;
    operation.maskedValues++;
    return (
      line.slice(0, at + 1) +
      Buffer.from(maskValue(Buffer.from(line.slice(at + 1)), reveal.mask, 'text') ?? '')
    );
  }

  /** What the client is given is recorded first. */
  #show(text: string): void {
    this.#context.guard.shown(Buffer.from(text));
    this.#tell(text);
  }

  #tell(text: string): void {
    this.#bytesOut += Buffer.byteLength(text);
    if (this.#stream.writable) this.#stream.write(text);
  }
}

/** Aborted when there is no next line. */
function endOf(next: Promise<IteratorResult<string>>): AbortSignal {
  const end = new AbortController();
  void next.then(
    ({ done }) => done === true && end.abort(),
    () => end.abort(),
  );
  return end.signal;
}

/** @throws {HoopError} `ERR_PROTOCOL` a line is too long, or no text. */
async function* lines(stream: Duplex, arrived: (bytes: number) => void): AsyncGenerator<string> {
  const splitter = new LineSplitter(MAX_LINE_BYTES);
  const text = new TextDecoder('utf-8', { fatal: true });
  // Whoever breaks the protocol is told so: the stream is not ended here.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    arrived(chunk.length);
    for (const line of splitter.push(chunk)) yield text.decode(line);
    if (splitter.overflow) throw new HoopError('ERR_PROTOCOL', 'a line is too long');
  }
}
