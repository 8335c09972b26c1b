import { Duplex } from 'node:stream';
import { HoopError } from '../../../core/errors.ts';
import { ControlBudget } from '../../http/relay/upgrade/control-budget.ts';
import { Side } from '../../http/relay/upgrade/websocket/side.ts';

const NORMAL = { code: 1000, reason: '' };

/**
 * The octets that a WebSocket carries, whatever messages they are in: another protocol is spoken in them.
 *
 * @see https://pkg.go.dev/k8s.io/client-go/tools/portforward#TunnelingConnection
 */
export class TunnelStream extends Duplex {
  readonly #side: Side;
  readonly #budget = new ControlBudget();

  constructor(name: 'client' | 'target', stream: Duplex) {
    super();
    this.#side = new Side(name, stream);
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.once('end', () => this.push(null)).once('close', () => this.destroy());
    this.on('error', () => undefined);
  }

  #take(chunk: Buffer): void {
    if (this.#side.saidClose || this.destroyed) return;
    for (const event of this.#side.reader.push(chunk)) {
      if (event.kind === 'piece') {
        if (event.bytes.length > 0 && !this.push(event.bytes)) this.#side.stream.pause();
        continue;
      }
      if (event.kind === 'fault') return void this.destroy(new HoopError('ERR_PROTOCOL', event.reason));
      if (!this.#budget.takes(performance.now()))
        return void this.destroy(new HoopError('ERR_LIMIT', 'too many control frames'));
      if (event.kind === 'ping') this.#side.send('pong', true, event.bytes);
      else if (event.kind === 'close') {
        this.#side.saidClose = true;
        this.push(null);
        return;
      }
    }
  }

  override _read(): void {
    this.#side.stream.resume();
  }

  override _write(chunk: Buffer, _encoding: string, taken: () => void): void {
    this.#side.send('binary', true, chunk);
    void this.#side.drained().then(taken);
  }

  override _final(done: () => void): void {
    this.#side.close(NORMAL);
    // Read away, so that its end is seen.
    this.#side.saidClose = true;
    this.#side.stream.resume();
    void this.#side.part().then(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#side.stream.destroy();
    done(error);
  }
}
