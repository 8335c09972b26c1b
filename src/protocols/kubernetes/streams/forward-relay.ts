import type { Duplex } from 'node:stream';
import { HoopError, toHoopError } from '../../../core/errors.ts';
import { whenAborted } from '../../../core/later.ts';
import type { Turns } from '../../../core/turns.ts';
import { type SpdyEvent, SpdyReader, SpdyWriter } from '../../../wire/http/spdy/frames.ts';
import type { CarriedEnd, CarriedEnds, Carrying } from '../../http/relay/upgrade/carried.ts';
import { drained, part } from '../../http/relay/upgrade/parting.ts';
import { pumped } from '../../http/relay/upgrade/pump.ts';
import { Stands } from '../../stream/stands.ts';
import { type AskedForward, ForwardedConnection, type ForwardedStream, readForward } from './forwarded.ts';
import { SpdyBeats } from './spdy-beats.ts';

/** How often it is looked whether policy still permits it, ms. */
const STANDING_MS = 250;
/** Streams at once: each connection has two. */
const MAX_STREAMS = 512;

type Name = 'client' | 'target';

/** One end: what it is told, and its pings. */
class End {
  readonly stream: Duplex;
  readonly reader = new SpdyReader();
  readonly writer = new SpdyWriter();
  readonly beats: SpdyBeats;

  constructor(name: Name, stream: Duplex) {
    this.stream = stream;
    this.beats = new SpdyBeats(name, (id) => this.write(this.writer.ping(id)));
  }

  write(octets: Buffer): void {
    if (this.stream.writable) this.stream.write(octets);
  }
}

/**
 * Connections to ports of a pod: each is decided when it is opened, by its port, and carried as it is. What is said in them is
 * nobody's to read here; on record are their octets by number.
 *
 * @see https://pkg.go.dev/k8s.io/client-go/tools/portforward (portforward.k8s.io)
 */
export class ForwardRelay {
  readonly #client: End;
  readonly #target: End;
  readonly #on: Carrying;
  readonly #turns: Turns;
  readonly #stands: Stands;
  readonly #connections = new Map<string, ForwardedConnection>();
  readonly #byClient = new Map<number, ForwardedStream>();
  readonly #byTarget = new Map<number, ForwardedStream>();
  readonly #ended = Promise.withResolvers<'client left' | HoopError>();
  #lastClient = 0;
  #lastTarget = -1;
  /** Streams that the target was asked for and has not taken. */
  #asked = 0;
  #over = false;

  constructor({ client, target }: CarriedEnds, on: Carrying, turns: Turns) {
    this.#client = new End('client', client);
    this.#target = new End('target', target);
    this.#on = on;
    this.#turns = turns;
    this.#stands = new Stands(on.guard, on.question, on.operation);
  }

  /** Closes both. Never rejects. */
  async run(): Promise<CarriedEnd> {
    const standing = setInterval(() => this.#look(), STANDING_MS);
    whenAborted(this.#on.signal, (reason) => this.#end(toHoopError(reason)));
    this.#on.idle.start();
    void this.#pump(this.#client, this.#target, (event) => this.#fromClient(event), 'client left');
    const lost = new HoopError('ERR_TARGET_LOST');
    void this.#pump(this.#target, this.#client, (event) => this.#fromTarget(event), lost);
    const ending = await this.#ended.promise;
    clearInterval(standing);
    this.#on.idle.stop();
    for (const connection of this.#connections.values()) connection.close(this.#on.guard);
    if (ending !== 'client left') this.#tellAll(`hoop: ${ending.code}: ${ending.message}`);
    this.#client.write(this.#client.writer.goaway(this.#lastClient));
    this.#target.write(this.#target.writer.goaway(0));
    await Promise.all([part(this.#client.stream), part(this.#target.stream)]);
    if (ending === 'client left') return { outcome: 'success', status: 'closed' };
    return { outcome: 'failure', status: ending.code, reason: ending.message };
  }

  async #pump(
    from: End,
    to: End,
    take: (event: SpdyEvent) => void | Promise<void>,
    left: 'client left' | HoopError,
  ): Promise<void> {
    const direction = {
      from: from.stream,
      to: to.stream,
      read: (chunk: Buffer) => from.reader.push(chunk),
      take: (event: SpdyEvent) => (event.kind === 'ping' ? this.#beat(event.id, from, to) : take(event)),
    };
    await pumped(direction, {
      evidence: this.#on.guard,
      turns: this.#turns,
      over: () => this.#over,
      ended: this.#ended.promise,
      failed: (error) => this.#end(toHoopError(error)),
    });
    this.#end(left);
  }

  #beat(id: number, from: End, to: End): void {
    const { kind, bytes } = from.beats.heard(id);
    if (kind === 'ping') return to.beats.ping(bytes);
    const answer = from.beats.answered(bytes);
    if (answer !== undefined) to.beats.pong(answer);
  }

  #fromClient(event: SpdyEvent): void | Promise<void> {
    switch (event.kind) {
      case 'opened':
        return this.#opened(event);
      case 'data': {
        const stream = this.#byClient.get(event.id);
        if (event.id > this.#lastClient) throw new HoopError('ERR_PROTOCOL', 'data is of no stream');
        if (stream === undefined || stream.clientDone) return undefined;
        this.#on.idle.start();
        stream.connection.given += event.bytes.length;
        this.#target.write(this.#target.writer.data(stream.targetId, event.bytes, event.last));
        stream.clientDone = event.last;
        return this.#settle(stream);
      }
      case 'reset':
        return this.#reset(this.#byClient.get(event.id), (stream) =>
          this.#target.write(this.#target.writer.cancel(stream.targetId)),
        );
      case 'replied':
        throw new HoopError('ERR_PROTOCOL', 'a stream is answered that nobody asked for');
      case 'fault':
        throw new HoopError('ERR_PROTOCOL', event.reason);
      default:
        return undefined;
    }
  }

  #fromTarget(event: SpdyEvent): void {
    switch (event.kind) {
      case 'data': {
        const stream = this.#byTarget.get(event.id);
        if (event.id > this.#lastTarget) throw new HoopError('ERR_TARGET_LOST');
        if (stream === undefined || stream.targetDone) return;
        this.#on.idle.start();
        stream.connection.taken(event.bytes.length);
        this.#client.write(this.#client.writer.data(stream.clientId, event.bytes, event.last));
        stream.targetDone = event.last;
        return this.#settle(stream);
      }
      case 'reset':
        return this.#reset(this.#byTarget.get(event.id), (stream) =>
          this.#client.write(this.#client.writer.cancel(stream.clientId)),
        );
      case 'replied':
        if (this.#asked === 0) throw new HoopError('ERR_TARGET_LOST');
        this.#asked--;
        return;
      case 'opened':
      case 'fault':
        throw new HoopError('ERR_TARGET_LOST');
      default:
    }
  }

  async #opened({ id, headers, last }: Extract<SpdyEvent, { kind: 'opened' }>): Promise<void> {
    const asked = readForward(headers);
    if (asked === undefined || id % 2 === 0 || id <= this.#lastClient)
      throw new HoopError('ERR_PROTOCOL', 'a stream is of no connection to a port');
    this.#lastClient = id;
    if (Math.max(this.#byClient.size, this.#connections.size) >= MAX_STREAMS)
      throw new HoopError('ERR_LIMIT', 'too many connections at once');
    // What it is answered waits for it to be read: nothing more is answered before.
    await Promise.race([drained(this.#client.stream), this.#ended.promise]);
    if (this.#over) return;
    const connection =
      this.#connections.get(asked.request) ?? (await ForwardedConnection.ask(this.#on, asked));
    if (this.#over) return connection.close(this.#on.guard);
    if (connection.port !== asked.port || connection.has(asked.type))
      throw new HoopError('ERR_PROTOCOL', 'a stream is of a connection that has it');
    this.#connections.set(asked.request, connection);
    this.#client.write(this.#client.writer.reply(id));
    if (connection.denied !== undefined) return this.#deny(id, asked, connection);
    this.#lastTarget += 2;
    this.#asked++;
    const stream = {
      ...asked,
      connection,
      clientId: id,
      targetId: this.#lastTarget,
      clientDone: last,
      targetDone: false,
    };
    connection.add(stream);
    this.#byClient.set(id, stream);
    this.#byTarget.set(stream.targetId, stream);
    this.#target.write(
      this.#target.writer.open(
        stream.targetId,
        headers.filter(([name]) => KNOWN.has(name)),
      ),
    );
    if (last) this.#target.write(this.#target.writer.data(stream.targetId, NOTHING, true));
  }

  /** Told where errors are told; the connection is closed. */
  #deny(id: number, { type, request }: AskedForward, connection: ForwardedConnection): void {
    const { writer } = this.#client;
    const told = type === 'error' ? Buffer.from(`hoop: ${connection.denied}`) : NOTHING;
    this.#client.write(writer.data(id, told, true));
    if (type === 'data') this.#connections.delete(request);
  }

  #reset(stream: ForwardedStream | undefined, tell: (stream: ForwardedStream) => void): void {
    if (stream === undefined) return;
    tell(stream);
    stream.clientDone = true;
    stream.targetDone = true;
    this.#settle(stream);
  }

  #settle(stream: ForwardedStream): void {
    if (!stream.clientDone || !stream.targetDone) return;
    this.#byClient.delete(stream.clientId);
    this.#byTarget.delete(stream.targetId);
    if (!stream.connection.isOver) return;
    stream.connection.close(this.#on.guard);
    this.#connections.delete(stream.request);
  }

  #tellAll(text: string): void {
    for (const { type, clientId, targetDone } of this.#byClient.values())
      if (type === 'error' && !targetDone)
        this.#client.write(this.#client.writer.data(clientId, Buffer.from(text), true));
  }

  /** Whether policy still permits all that is open. */
  #look(): void {
    const each = [...this.#connections.values()].flatMap(({ stands }) => stands ?? []);
    const fallen = [this.#stands, ...each].find((one) => !one.now);
    if (fallen !== undefined) this.#end(fallen.ending);
  }

  /** The first reason stands. */
  #end(ending: 'client left' | HoopError): void {
    if (this.#over) return;
    this.#over = true;
    this.#ended.resolve(ending);
  }
}

const NOTHING = Buffer.alloc(0);
/** Headers of a stream that go on. */
const KNOWN: ReadonlySet<string> = new Set(['streamtype', 'port', 'requestid']);
