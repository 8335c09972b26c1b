import { HoopError } from '../../../../../core/errors.ts';
import { whenAborted } from '../../../../../core/later.ts';
import type { Turns } from '../../../../../core/turns.ts';
import { type Close, readClose } from '../../../../../wire/http/websocket/close.ts';
import type { FrameEvent } from '../../../../../wire/http/websocket/frames.ts';
import { Stands } from '../../../../stream/stands.ts';
import type { CarriedEnd, CarriedEnds, Carrying } from '../carried.ts';
import { pumped } from '../pump.ts';
import { Direction } from './direction.ts';
import { closedBy, cutShort, type Ending, leftBy, refusedTo } from './ending.ts';
import type { Inspector } from './messages.ts';
import { RecordedMessages } from './recorded-messages.ts';
import { Side } from './side.ts';

/** How long one side may take to answer that the other has closed, ms. */
const CLOSING_MS = 5_000;
/** How often it is looked whether policy still permits it, ms. */
const STANDING_MS = 250;

/** One WebSocket between a client and a target, message by message, as fast as the slower of them reads. */
export class WebSocketRelay {
  readonly #on: Carrying;
  readonly #inspector: Inspector;
  readonly #turns: Turns;
  readonly #stand: Stands;
  readonly #client: Side;
  readonly #target: Side;
  readonly #record: RecordedMessages;
  readonly #ended = Promise.withResolvers<Ending>();
  #over = false;
  #closing: NodeJS.Timeout | undefined;

  constructor({ client, target }: CarriedEnds, on: Carrying, inspector: Inspector, turns: Turns) {
    this.#on = on;
    this.#inspector = inspector;
    this.#turns = turns;
    this.#client = new Side('client', client);
    this.#target = new Side('target', target);
    this.#record = new RecordedMessages(on.guard, on.operation, () => on.hides());
    this.#stand = new Stands(on.guard, on.question, on.operation);
  }

  /** Closes both. Never rejects. */
  async run(): Promise<CarriedEnd> {
    const standing = setInterval(() => this.#stands(), STANDING_MS);
    whenAborted(this.#on.signal, (reason) => this.#end(cutShort(reason)));
    this.#on.idle.start();
    for (const direction of this.#directions()) void this.#pump(direction);
    const { client, target, ...end } = await this.#ended.promise;
    clearInterval(standing);
    clearTimeout(this.#closing);
    this.#record.close();
    this.#client.close(client);
    this.#target.close(target);
    await Promise.all([this.#client.part(), this.#target.part()]);
    return end;
  }

  #directions(): readonly Direction[] {
    const { operation } = this.#on;
    const said = (binary: boolean) => this.#record.said(binary);
    const given = (bytes: Uint8Array) => {
      operation.bytes += bytes.length;
      this.#record.given(bytes);
    };
    return [
      new Direction(this.#client, this.#target, {
        open: (binary) => this.#inspector.fromClient(binary),
        said,
        given: () => undefined,
      }),
      new Direction(this.#target, this.#client, {
        open: (binary) => this.#inspector.fromTarget(binary),
        said: () => NOT_KEPT,
        given,
      }),
    ];
  }

  /** Never rejects. What comes when it is over is read away. */
  async #pump(direction: Direction): Promise<void> {
    const { from, to } = direction;
    const read = (chunk: Buffer) => from.reader.push(chunk);
    const take = (event: FrameEvent) => this.#event(direction, event);
    await pumped(
      { from: from.stream, to: to.stream, read, take },
      {
        evidence: this.#on.guard,
        turns: this.#turns,
        over: () => this.#over || from.saidClose,
        ended: this.#ended.promise,
        failed: (error) => this.#end(refusedTo(from.name, error)),
      },
    );
    if (!from.saidClose) this.#end(leftBy(from.name));
  }

  async #event(direction: Direction, event: FrameEvent): Promise<void> {
    const { from, to } = direction;
    switch (event.kind) {
      case 'piece':
        if (!this.#stands()) return;
        this.#on.idle.start();
        return direction.piece(event);
      case 'ping':
        return to.send('ping', true, from.heartbeats.ping(event.bytes));
      case 'pong': {
        const answer = to.heartbeats.pong(event.bytes);
        return answer === undefined ? undefined : to.send('pong', true, answer);
      }
      case 'close':
        return this.#closed(direction, event.bytes);
      case 'fault':
        return this.#end(refusedTo(from.name, new HoopError('ERR_PROTOCOL', event.reason), event.code));
    }
  }

  /** One side has said its last: the other one is told, and may answer. */
  #closed({ from, to }: Direction, bytes: Buffer): void {
    const close = readClose(bytes);
    if (close === undefined) throw new HoopError('ERR_PROTOCOL', 'a close frame is malformed');
    from.saidClose = true;
    const told = from === this.#target ? this.#shown(close) : close;
    to.close(told);
    if (to.saidClose) return this.#end(closedBy(told));
    this.#closing = setTimeout(() => this.#end(closedBy(told)), CLOSING_MS);
  }

  #shown({ code, reason }: Close): Close {
    return { code, reason: this.#inspector.beside(reason) };
  }

  /** Whether policy still permits it; if not, it is over. */
  #stands(): boolean {
    if (!this.#stand.now) this.#end(cutShort(this.#stand.ending));
    return !this.#over;
  }

  /** The first reason stands. */
  #end(ending: Ending): void {
    if (this.#over) return;
    this.#over = true;
    this.#ended.resolve(ending);
  }
}

const NOT_KEPT = { push: () => undefined, end: () => undefined };
