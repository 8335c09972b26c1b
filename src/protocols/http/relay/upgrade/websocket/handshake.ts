import { randomBytes } from 'node:crypto';
import { WEBSOCKET_VERSION, websocketAccept } from '../../../../../wire/http/websocket/handshake.ts';
import type { Field } from '../../../request/fields/read-fields.ts';
import type { AskedUpgrade } from '../../../request/fields/upgrade.ts';
import type { CarriedEnd, CarriedEnds, Carrying, Handshake } from '../carried.ts';

/** Carries what is said over it. @param subprotocol Undefined: none was agreed on. */
export type CarryWebSocket = (
  ends: CarriedEnds,
  on: Carrying,
  subprotocol: string | undefined,
) => Promise<CarriedEnd>;

/** The handshakes of one WebSocket, RFC 6455 §4: with its client, and with its target. */
export class WebSocketHandshake implements Handshake {
  readonly #asked: AskedUpgrade;
  readonly #carry: CarryWebSocket;
  readonly messages: boolean;
  readonly #key = randomBytes(16).toString('base64');
  #subprotocol: string | undefined;

  /** @param carried Channels are those of a subprotocol: the target has to agree on one. */
  constructor(asked: AskedUpgrade, carry: CarryWebSocket, carried: 'messages' | 'channels' = 'messages') {
    this.#asked = asked;
    this.#carry = carry;
    this.messages = carried === 'messages';
  }

  get fields(): readonly Field[] {
    const { subprotocols } = this.#asked;
    return [
      ['sec-websocket-key', this.#key],
      ['sec-websocket-version', WEBSOCKET_VERSION],
      ...(subprotocols.length === 0 ? [] : [['sec-websocket-protocol', subprotocols.join(', ')] as const]),
    ];
  }

  accepted(rawHeaders: readonly string[]): readonly Field[] | undefined {
    const values = (name: string) =>
      rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]!.toLowerCase() === name);
    const upgrades = values('upgrade').join().toLowerCase() === 'websocket';
    const accepts = values('sec-websocket-accept').join() === websocketAccept(this.#key);
    const extended = values('sec-websocket-extensions').length > 0;
    const [subprotocol, ...more] = values('sec-websocket-protocol');
    const known = subprotocol === undefined ? this.messages : this.#asked.subprotocols.includes(subprotocol);
    if (!upgrades || !accepts || extended || !known || more.length > 0) return undefined;
    this.#subprotocol = subprotocol;
    return [
      ['sec-websocket-accept', websocketAccept(this.#asked.key)],
      ...(subprotocol === undefined ? [] : [['sec-websocket-protocol', subprotocol] as const]),
    ];
  }

  carry(ends: CarriedEnds, on: Carrying) {
    return this.#carry(ends, on, this.#subprotocol);
  }
}
