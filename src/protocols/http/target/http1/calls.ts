import { type Agent, type ClientRequest, type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { whenAborted } from '../../../../core/later.ts';
import type { Field } from '../../request/fields/read-fields.ts';
import type { Switched, TargetAnswer } from '../http-target.ts';
import { changesNothing, type Early, type Outgoing } from '../outgoing.ts';
import { type Patience, Watched } from '../patience.ts';
import type { Place } from '../place.ts';
import type { Room } from '../room.ts';
import { Agents, type Ready } from './agents.ts';
import { answerOf, closedUnanswered, switched } from './upgrade.ts';

/** Octets of an answer's head. */
const MAX_HEAD = 96 * 1024;

/** Requests by HTTP/1.1 to one target, over connections that are kept. */
export class Http1Calls {
  readonly #place: Place;
  readonly #patience: Patience;
  readonly #room: Room;
  readonly #agents: Agents;

  constructor(place: Place, patience: Patience, room: Room) {
    this.#place = place;
    this.#patience = patience;
    this.#room = room;
    this.#agents = new Agents(place.secure, place.ca);
  }

  close(): void {
    this.#agents.close();
  }

  /**
   * Once more over a new connection, where a kept one was closed before it could carry what changes nothing.
   *
   * @param ready A connection that stands already.
   * @throws {HoopError} As `Watched` has it.
   */
  async answer(outgoing: Outgoing, body: Readable | undefined, ready?: Socket): Promise<TargetAnswer> {
    const { early } = outgoing;
    const agent = () => this.#agents.of(this.#place.certificate());
    const call = this.#send(outgoing, body, agent(), ready);
    const watched = new Watched(call, this.#patience);
    try {
      return await this.#answerTo(call, watched, body, early);
    } catch (error) {
      if (!changesNothing(outgoing, body) || !watched.stale()) throw error;
    }
    this.#agents.forget();
    const again = this.#send(outgoing, body, agent());
    return this.#answerTo(again, new Watched(again, this.#patience), undefined, early);
  }

  /** Over a connection of its own. @throws {HoopError} As `Watched` has it. */
  async upgrade(
    outgoing: Outgoing,
    protocol: string,
    handshake: readonly Field[],
  ): Promise<Switched | TargetAnswer> {
    const fields: readonly Field[] = [['connection', 'Upgrade'], ['upgrade', protocol], ...handshake];
    const asking = { ...outgoing, fields: [...outgoing.fields, ...fields] };
    const call = this.#send(asking, undefined, this.#agents.once(this.#place.certificate()));
    const leave = this.#room.enter();
    call.once('close', () => {
      if (call.socket === null || call.socket.destroyed) leave();
      else call.socket.once('close', leave);
    });
    return switched(call, new Watched(call, this.#patience));
  }

  #answerTo(
    call: ClientRequest,
    watched: Watched,
    body: Readable | undefined,
    early: Early,
  ): Promise<TargetAnswer> {
    const leave = this.#room.enter();
    return new Promise((resolve, reject) => {
      let answered = false;
      call.on('error', (error) => reject(watched.means(error)));
      call.on('information', (info) => {
        watched.informed();
        early?.(info.statusCode, info.rawHeaders);
      });
      call.once('response', (response) => {
        answered = true;
        watched.over();
        resolve(answerOf(response));
      });
      call.once('close', () => {
        leave();
        watched.over();
        if (!answered) reject(closedUnanswered());
      });
      write(call, body);
    });
  }

  #send(outgoing: Outgoing, body: Readable | undefined, agent: Agent, ready?: Socket): ClientRequest {
    const { secure, host, port, addresses, authority } = this.#place;
    const { request, path, signal } = outgoing;
    const options: RequestOptions & Ready = {
      agent,
      host,
      port,
      ...(secure && isIP(host) === 0 ? { servername: host } : {}),
      lookup: addresses.lookup,
      method: request.method,
      path,
      headers: headersFor(outgoing, authority, body !== undefined),
      maxHeaderSize: MAX_HEAD,
      timeout: 0,
      ...(ready === undefined ? {} : { ready }),
    };
    const call = (secure ? requestTls : requestPlain)(options);
    if (ready !== undefined) call.once('close', () => call.socket === ready || ready.destroy());
    // Its `signal` costs more than all else of it.
    whenAborted(signal, (reason) => call.destroy(reason as Error));
    return call;
  }
}

function headersFor({ fields, length }: Outgoing, authority: string, hasBody: boolean): string[] {
  const framing: Field[] =
    length !== undefined
      ? [['content-length', String(length)]]
      : hasBody
        ? [['transfer-encoding', 'chunked']]
        : [];
  return [['host', authority], ...fields, ...framing].flat();
}

function write(call: ClientRequest, body: Readable | undefined): void {
  if (body === undefined) return void call.end();
  body.once('error', (error) => call.destroy(error));
  call.once('close', () => body.unpipe(call).destroy());
  body.pipe(call);
}
