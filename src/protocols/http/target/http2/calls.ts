import { constants } from 'node:http2';
import type { Readable } from 'node:stream';
import type { Field } from '../../request/fields/read-fields.ts';
import type { TargetAnswer } from '../http-target.ts';
import { changesNothing, type Outgoing } from '../outgoing.ts';
import type { Place } from '../place.ts';
import type { Room } from '../room.ts';
import { RepeatableUpload } from './repeatable-upload.ts';
import type { Session } from './session.ts';
import type { Sessions, Way } from './sessions.ts';

/** Where a request is to be asked another way. */
export interface Elsewhere {
  readonly way: Way;
  /** From its beginning. */
  readonly body: Readable | undefined;
}

/** Requests by HTTP/2 to one target. */
export class Http2Calls {
  readonly #place: Place;
  readonly #sessions: Sessions;
  readonly #room: Room;

  constructor(place: Place, sessions: Sessions, room: Room) {
    this.#place = place;
    this.#sessions = sessions;
    this.#room = room;
  }

  /**
   * Once more over another connection, where the target has done nothing of it, or a connection was closed amid what changes
   * nothing, and no more of a body was sent than is kept.
   *
   * @returns Elsewhere: the target is to be asked by HTTP/1.1.
   * @throws {HoopError} `ERR_TARGET_LOST`, and why no other connection stands; the signal's reason.
   */
  async answer(
    session: Session,
    outgoing: Outgoing,
    body: Readable | undefined,
  ): Promise<TargetAnswer | Elsewhere> {
    const upload = body && new RepeatableUpload(body);
    try {
      const answer = await this.#ask(session, outgoing, upload);
      if (!('error' in answer)) return answer;
      const byHttp1 = answer.code === constants.NGHTTP2_HTTP_1_1_REQUIRED && this.#sessions.wantsHttp1();
      const again = byHttp1 || answer.unprocessed || (answer.stale && changesNothing(outgoing, body));
      if (!again || upload?.repeatable === false) throw answer.error;
      const way = await this.#sessions.take(outgoing.signal);
      if (way.session === undefined) return { way, body: upload?.again() };
      const second = await this.#ask(way.session, outgoing, upload);
      if ('error' in second) throw second.error;
      return second;
    } catch (error) {
      upload?.close();
      throw error;
    }
  }

  async #ask(session: Session, outgoing: Outgoing, upload: RepeatableUpload | undefined) {
    const { signal, early } = outgoing;
    const over = this.#room.enter();
    const headers = [...this.#pseudo(outgoing), ...outgoing.fields, ...framing(outgoing)].flat();
    return session.ask({ headers, upload, signal, early, over });
  }

  #pseudo({ request, path }: Outgoing): readonly Field[] {
    const { secure, authority } = this.#place;
    return [
      [':method', request.method],
      [':scheme', secure ? 'https' : 'http'],
      [':authority', authority],
      [':path', path],
    ];
  }
}

function framing({ length }: Outgoing): readonly Field[] {
  // Trailers are carried to whoever asked, for whom they may be all that counts: RFC 9110 §10.1.4.
  const trailers: Field = ['te', 'trailers'];
  return length === undefined ? [trailers] : [trailers, ['content-length', String(length)]];
}
