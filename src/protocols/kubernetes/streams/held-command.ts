import type { Duplex } from 'node:stream';
import { HoopError, toHoopError } from '../../../core/errors.ts';
import type { MachineWord } from '../../../core/refusal-line.ts';
import type { Hold } from '../../../enforcement/operation.ts';
import type { Waiting, WaitingOn } from '../../http/relay/upgrade/carried.ts';
import { ControlBudget } from '../../http/relay/upgrade/control-budget.ts';
import { holdLine } from '../../stream/hold-line.ts';
import type { AskedStream } from '../request/stream.ts';
import type { ChannelEvent } from './channels.ts';
import { failureStatus } from './exit-status.ts';
import type { WebSocketChannels } from './websocket-side.ts';

/** What is kept of what a client says meanwhile, octets; then it is not read. Each event counts for so many more. */
const KEPT_BYTES = 64 * 1024;
const EVENT_BYTES = 256;
/** How often a client hears that somebody is there, ms: its pings may stand behind what is not read. kubectl gives up after 61 s. */
const SIGN_MS = 15_000;
/** Ctrl-C, as a terminal says it that its client has made raw: no signal reaches that. */
const INTERRUPT = 3;

/** Where a client shows a line of the gateway's own. */
export type Shows = 'stdout' | 'stderr';

/** A client of a command that waits for people: it is told so, and what it says until then is kept for the command. */
export class HeldCommand implements Waiting {
  readonly side: WebSocketChannels;
  readonly events: ChannelEvent[] = [];
  readonly #asked: AskedStream;
  readonly #shows: Shows;
  readonly #on: WaitingOn;
  readonly #budget = new ControlBudget();
  readonly #signs: NodeJS.Timeout;
  #bytes = 0;
  #over = false;
  readonly #onData = (chunk: Buffer) => this.#read(chunk);
  readonly #onLeft = () => this.#left(clientLeft());

  /** @param side Its stream is read from now on. */
  constructor(side: WebSocketChannels, asked: AskedStream, shows: Shows, on: WaitingOn) {
    this.side = side;
    this.#asked = asked;
    this.#shows = shows;
    this.#on = on;
    this.#signs = setInterval(() => side.pong(Buffer.alloc(0)), SIGN_MS);
    this.#stream
      .on('error', () => undefined)
      .on('end', this.#onLeft)
      .on('close', this.#onLeft);
    this.#stream.on('data', this.#onData).resume();
  }

  tell(hold: Hold): void {
    const end = this.#asked.tty ? '\r\n' : '\n';
    const line = Buffer.from(`hoop: ${holdLine(hold)}${end}`);
    this.#on.guard[this.#shows === 'stdout' ? 'output' : 'stderr'](line, { number: 0 });
    this.side.send(this.#shows, line);
  }

  goOn(): Duplex {
    this.#end();
    this.#stream.off('data', this.#onData).off('end', this.#onLeft).off('close', this.#onLeft).pause();
    // Whoever has it now begins to read.
    return Object.assign(this.#stream, { readableFlowing: null });
  }

  async refuse(reason: HoopError, word?: MachineWord): Promise<void> {
    this.#end();
    this.events.length = 0;
    this.side.send('error', failureStatus(reason, word));
    this.side.close();
    // What it still says is dropped.
    this.#stream.resume();
    await this.side.part();
  }

  get #stream(): Duplex {
    return this.side.stream;
  }

  #end(): void {
    this.#over = true;
    clearInterval(this.#signs);
  }

  #left(reason: HoopError): void {
    if (!this.#over) this.#on.left(reason);
  }

  #read(chunk: Buffer): void {
    if (this.#over) return;
    try {
      for (const event of this.side.read(chunk)) this.#take(event);
    } catch (error) {
      this.#left(toHoopError(error));
    }
    if (this.#bytes > KEPT_BYTES) this.#stream.pause();
  }

  #take(event: ChannelEvent): void {
    switch (event.kind) {
      case 'ping':
        if (!this.#budget.takes(performance.now()))
          throw new HoopError('ERR_LIMIT', 'too many control frames');
        return this.side.pong(event.bytes);
      case 'pong':
        return;
      case 'closed':
        return this.#left(clientLeft());
      case 'data':
        if (this.#asked.tty && event.channel === 'stdin' && event.bytes.includes(INTERRUPT))
          return this.#left(clientLeft());
        return this.#keep(event, event.bytes.length);
      default:
        return this.#keep(event, 0);
    }
  }

  #keep(event: ChannelEvent, bytes: number): void {
    this.events.push(event);
    this.#bytes += bytes + EVENT_BYTES;
  }
}

function clientLeft(): HoopError {
  return new HoopError('ERR_SESSION_ENDED', 'the client left before people had decided');
}
