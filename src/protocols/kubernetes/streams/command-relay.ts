import { HoopError, toHoopError } from '../../../core/errors.ts';
import { whenAborted } from '../../../core/later.ts';
import type { Turns } from '../../../core/turns.ts';
import type { CarriedEnd, Carrying } from '../../http/relay/upgrade/carried.ts';
import { pumped } from '../../http/relay/upgrade/pump.ts';
import { Stands } from '../../stream/stands.ts';
import { ShownFlow } from '../../stream/terminal/shown-flow.ts';
import type { AskedStream } from '../request/stream.ts';
import type { Channel, ChannelEvent, ChannelSide } from './channels.ts';
import { type ExitStatus, failureStatus, StatusReader } from './exit-status.ts';
import { RunInput } from './run-input.ts';
import { SizeReader, sizeText } from './sizes.ts';

export interface CommandEnds {
  readonly client: ChannelSide;
  readonly target: ChannelSide;
}

/** How often it is looked whether policy still permits it, ms. */
const STANDING_MS = 250;
/** How long a side may take to close behind the exit status, ms. */
const CLOSING_MS = 5_000;

/** How long a client may take to read the last of what was printed, ms. */
const READING_MS = 60_000;

/** Why it is over. */
type Ending = 'client left' | 'target left' | HoopError;

/**
 * What runs in a container, between its client and the cluster: input, output, sizes of the terminal and the exit status, as
 * fast as the slower side reads. A stream that ends without a status is a failure to the client, which would take it for
 * success.
 */
export class CommandRelay {
  readonly #client: ChannelSide;
  readonly #target: ChannelSide;
  readonly #on: Carrying;
  readonly #asked: AskedStream;
  readonly #turns: Turns;
  readonly #stands: Stands;
  readonly #flows: { readonly stdout: ShownFlow; readonly stderr: ShownFlow };
  readonly #input: RunInput;
  readonly #sizes = new SizeReader();
  readonly #statuses: StatusReader;
  readonly #ended = Promise.withResolvers<Ending>();
  #status: ExitStatus | undefined;
  #over = false;
  #closing: NodeJS.Timeout | undefined;

  constructor({ client, target }: CommandEnds, on: Carrying, asked: AskedStream, turns: Turns) {
    this.#client = client;
    this.#target = target;
    this.#on = on;
    this.#asked = asked;
    this.#turns = turns;
    this.#stands = new Stands(on.guard, on.question, on.operation);
    this.#flows = { stdout: this.#flow('stdout'), stderr: this.#flow('stderr') };
    this.#input = new RunInput(asked, () => on.outputs.shown(), on);
    this.#statuses = new StatusReader((text) => this.#masked(text));
  }

  /**
   * Closes both. Never rejects.
   *
   * @param said What the client has said before, in order.
   */
  async run(said: readonly ChannelEvent[] = []): Promise<CarriedEnd> {
    const standing = setInterval(() => this.#goesOn(), STANDING_MS);
    whenAborted(this.#on.signal, (reason) => this.#end(toHoopError(reason)));
    this.#moved();
    this.#said(said);
    void this.#pump(this.#client, this.#target, (event) => this.#fromClient(event), 'client left');
    void this.#pump(this.#target, this.#client, (event) => this.#fromTarget(event), 'target left');
    const ending = await this.#ended.promise;
    clearInterval(standing);
    clearTimeout(this.#closing);
    this.#on.idle.stop();
    const end = this.#finish(ending);
    this.#client.close();
    this.#target.close();
    // What was printed is the client's, however slowly it reads; what was cut short it need not hear to the end.
    const whole = ending === 'target left';
    if (whole) whenAborted(this.#on.signal, () => void this.#client.part());
    await Promise.all([this.#client.part(whole ? READING_MS : undefined), this.#target.part()]);
    return end;
  }

  async #pump(
    from: ChannelSide,
    to: ChannelSide,
    take: (event: ChannelEvent) => void,
    left: Ending,
  ): Promise<void> {
    const direction = {
      from: from.stream,
      to: to.stream,
      read: (chunk: Buffer) => from.read(chunk),
      take: (event: ChannelEvent) => (this.#goesOn() ? take(event) : undefined),
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

  #said(events: readonly ChannelEvent[]): void {
    try {
      for (const event of events) if (this.#goesOn()) this.#fromClient(event);
    } catch (error) {
      this.#end(toHoopError(error));
    }
  }

  #fromClient(event: ChannelEvent): void {
    switch (event.kind) {
      case 'open':
        return this.#target.open(event.channel);
      case 'data':
        return this.#given(event.channel, event.bytes);
      case 'end':
        if (event.channel === 'stdin') this.#input.end();
        return this.#target.end(event.channel);
      case 'closed':
        return this.#end('client left');
      default:
        return beat(event, this.#client, this.#target);
    }
  }

  #given(channel: Channel, bytes: Buffer): void {
    if (channel === 'resize') return this.#resized(bytes);
    if (channel !== 'stdin' || !this.#asked.stdin)
      throw new HoopError('ERR_PROTOCOL', `nothing is given in the channel ${channel}`);
    this.#moved();
    this.#input.given(bytes);
    this.#target.send('stdin', bytes);
  }

  #resized(bytes: Buffer): void {
    const sizes = this.#asked.tty ? this.#sizes.push(bytes) : undefined;
    if (sizes === undefined) throw new HoopError('ERR_PROTOCOL', 'the size of a terminal is none');
    for (const size of sizes) {
      this.#on.guard.resized(size.columns, size.rows, this.#on.operation);
      this.#target.send('resize', sizeText(size));
    }
  }

  #fromTarget(event: ChannelEvent): void {
    switch (event.kind) {
      case 'open':
        throw new HoopError('ERR_TARGET_LOST', 'the cluster opens a channel');
      case 'data':
        return this.#printed(event.channel, event.bytes);
      case 'end':
        return this.#targetEnds(event.channel);
      case 'closed':
        return this.#end('target left');
      default:
        return beat(event, this.#target, this.#client);
    }
  }

  #printed(channel: Channel, bytes: Buffer): void {
    if (channel === 'error') return this.#exits(bytes);
    if (channel !== 'stdout' && channel !== 'stderr')
      throw new HoopError('ERR_TARGET_LOST', `the cluster says something in the channel ${channel}`);
    this.#moved();
    if (channel === 'stdout') this.#input.shown(bytes);
    this.#flows[channel].push(bytes);
  }

  /** All that was printed before goes first. */
  #exits(bytes: Buffer): void {
    if (this.#status !== undefined) return;
    this.#status = this.#statuses.push(bytes);
    if (this.#status === undefined) return;
    this.#flush();
    this.#on.guard.ended(this.#status.words, this.#on.operation);
    this.#client.send('error', this.#status.told);
    this.#client.end('error');
    this.#closing = setTimeout(() => this.#end('target left'), CLOSING_MS);
  }

  #targetEnds(channel: Channel): void {
    if (channel === 'stdout' || channel === 'stderr') this.#flows[channel].end();
    // Its end is that of the whole.
    if (channel !== 'error') this.#client.end(channel);
  }

  #flow(channel: 'stdout' | 'stderr'): ShownFlow {
    const { guard, operation, outputs } = this.#on;
    const kind = channel === 'stdout' ? 'output' : 'stderr';
    return new ShownFlow(outputs.shown(), (bytes) => {
      if (this.#over) return;
      operation.bytes += bytes.length;
      operation.answered = true;
      guard[kind](bytes, operation);
      this.#client.send(channel, bytes);
    });
  }

  #masked(text: string): string {
    const shown = this.#on.outputs.shown();
    return Buffer.concat([shown.push(Buffer.from(text)), shown.flush()]).toString();
  }

  #flush(): void {
    this.#flows.stdout.end();
    this.#flows.stderr.end();
  }

  /** Whether policy still permits it; if not, it is over. */
  #goesOn(): boolean {
    if (!this.#over && !this.#stands.now) this.#end(this.#stands.ending);
    return !this.#over;
  }

  /** Silence at a terminal is its user's; a command works. */
  #moved(): void {
    if (this.#asked.tty) this.#on.idle.start();
  }

  /** The first reason stands. */
  #end(ending: Ending): void {
    if (this.#over) return;
    if (ending === 'target left') this.#flush();
    this.#over = true;
    this.#ended.resolve(ending);
  }

  /** Tells the client how it ended, unless it knows. */
  #finish(ending: Ending): CarriedEnd {
    const { operation } = this.#on;
    this.#input.end();
    for (const flow of [this.#flows.stdout, this.#flows.stderr]) {
      flow.end();
      operation.maskedValues += flow.maskedValues;
    }
    if (this.#status !== undefined) return { outcome: this.#status.outcome, status: this.#status.words };
    if (ending === 'client left')
      return {
        outcome: operation.answered ? 'success' : 'unknown',
        status: 'left',
        reason: 'the client left',
      };
    const error =
      ending === 'target left'
        ? new HoopError('ERR_TARGET_LOST', 'the stream ended without a status')
        : ending;
    this.#client.send('error', failureStatus(error));
    this.#client.end('error');
    return { outcome: 'failure', status: error.code, reason: error.message };
  }
}

/** Whoever asks whether the other side is there is answered by the other side. */
function beat(
  { kind, bytes }: Extract<ChannelEvent, { kind: 'ping' | 'pong' }>,
  from: ChannelSide,
  to: ChannelSide,
): void {
  if (kind === 'ping') to.ping(bytes);
  else from.ponged(bytes, to);
}
