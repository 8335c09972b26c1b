import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { HoopError } from '../../../../core/errors.ts';
import { unlessAborted, whenAborted } from '../../../../core/later.ts';
import type { Field } from '../../request/fields/read-fields.ts';
import type { Switched, TargetAnswer } from '../http-target.ts';
import { changesNothing, goesAlone, type Outgoing } from '../outgoing.ts';
import type { Patience } from '../patience.ts';
import type { Place } from '../place.ts';
import type { Room } from '../room.ts';
import type { Asking } from './call.ts';
import type { Connection } from './connection.ts';
import { Connections } from './connections.ts';

const REQUEST_TIMEOUT = 408;

/** Requests by HTTP/1.1 to one target, over connections that are kept. */
export class Http1Calls {
  readonly #place: Place;
  readonly #room: Room;
  readonly #connections: Connections;

  constructor(place: Place, patience: Patience, room: Room) {
    this.#place = place;
    this.#room = room;
    this.#connections = new Connections(place, patience);
  }

  close(): void {
    this.#connections.close();
  }

  /**
   * Once more over a new connection, where a kept one was closed before it could carry what changes nothing, or its target was
   * tired of waiting for it (RFC 9110 §15.5.9).
   *
   * @param ready A connection that stands already.
   * @throws {HoopError} As `Call` and `dial` have it; the signal's reason.
   */
  async answer(outgoing: Outgoing, body: Readable | undefined, ready?: Socket): Promise<TargetAnswer> {
    const last = goesAlone(outgoing, body);
    const kept = last ? undefined : this.#connections.kept();
    if (kept !== undefined) ready?.destroy();
    const connection = kept ?? (ready && !ready.destroyed ? this.#connections.of(ready) : undefined);
    const head = headOf(outgoing, this.#place.authority, body !== undefined, last ? 'close' : 'keep-alive');
    const harmless = changesNothing(outgoing, body);
    try {
      const answer = await this.#answer(connection, { outgoing, head, body, last });
      if (answer.status !== REQUEST_TIMEOUT || kept === undefined || !harmless) return answer;
      answer.leave();
    } catch (error) {
      if (connection?.stale !== true || !harmless) throw error;
    }
    this.#connections.forget();
    return this.#answer(undefined, { outgoing, head, body: undefined, last });
  }

  /** Over a connection of its own, which is closed unless the target takes it up. @throws {HoopError} As `answer`. */
  async upgrade(
    outgoing: Outgoing,
    protocol: string,
    handshake: readonly Field[],
  ): Promise<Switched | TargetAnswer> {
    const fields: readonly Field[] = [['upgrade', protocol], ...handshake];
    const asking = { ...outgoing, fields: [...outgoing.fields, ...fields] };
    const head = headOf(asking, this.#place.authority, false, 'Upgrade');
    const connection = await this.#connect(outgoing.signal);
    connection.socket.once('close', this.#room.enter());
    const asked = { outgoing, head, body: undefined, upgrade: true, last: true, over: () => undefined };
    return this.#asked(connection, asked);
  }

  async #answer(
    ready: Connection | undefined,
    asking: Omit<Asking, 'upgrade' | 'over'>,
  ): Promise<TargetAnswer> {
    try {
      const connection = ready ?? (await this.#connect(asking.outgoing.signal));
      const asked = { ...asking, upgrade: false, over: this.#room.enter() };
      return (await this.#asked(connection, asked)) as TargetAnswer;
    } catch (error) {
      asking.body?.destroy();
      throw error;
    }
  }

  #asked(connection: Connection, asking: Asking): Promise<Switched | TargetAnswer> {
    const call = connection.ask(asking);
    whenAborted(asking.outgoing.signal, (reason) => connection.breakOff(call, reason as Error));
    return call.answer;
  }

  /** A new connection. Whoever leaves before it stands leaves it to the next, and takes up room until then. */
  async #connect(signal: AbortSignal): Promise<Connection> {
    signal.throwIfAborted();
    const leave = this.#room.enter();
    const making = this.#connections.made().finally(leave);
    try {
      return await unlessAborted(making, signal);
    } catch (error) {
      making.then(
        (unused) => this.#connections.free(unused, Number.POSITIVE_INFINITY),
        () => undefined,
      );
      throw error;
    }
  }
}

const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const PATH = /^[\x21-\x7e]+$/;

/** @throws {HoopError} `ERR_INTERNAL` something in it would be read as more than one line. */
function headOf(
  { request, path, fields, length }: Outgoing,
  authority: string,
  hasBody: boolean,
  connection: string,
): string {
  if (!PATH.test(path)) throw new HoopError('ERR_INTERNAL', 'a request cannot be written');
  let head = `${request.method} ${path} HTTP/1.1\r\nhost: ${authority}\r\n`;
  for (const [name, value] of fields) {
    if (!VALUE.test(value)) throw new HoopError('ERR_INTERNAL', `the header ${name} cannot be written`);
    head += `${name}: ${value}\r\n`;
  }
  if (length !== undefined) head += `content-length: ${length}\r\n`;
  else if (hasBody) head += 'transfer-encoding: chunked\r\n';
  return `${head}connection: ${connection}\r\n\r\n`;
}
