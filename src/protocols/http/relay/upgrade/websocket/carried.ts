import { randomBytes } from 'node:crypto';
import type { Turns } from '../../../../../core/turns.ts';
import { WEBSOCKET_VERSION, websocketAccept } from '../../../../../wire/http/websocket/handshake.ts';
import type { Field } from '../../../request/fields/read-fields.ts';
import type { AskedUpgrade } from '../../../request/fields/upgrade.ts';
import type { Carried, CarriedEnds, Carrying, Handshake } from '../carried.ts';
import { type Inspector, MessageInspector } from './messages.ts';
import { WebSocketRelay } from './relay.ts';

/** Makes what looks at the messages of one subprotocol; undefined: none was agreed on. */
export type InspectorOf = (on: Carrying, subprotocol: string | undefined) => Inspector;

/** WebSockets, RFC 6455. The gateway is the server of its client and the client of its target, and agrees on no extension. */
export function websockets(turns: Turns, inspector: InspectorOf = (on) => new MessageInspector(on)): Carried {
  return { protocol: 'websocket', begin: (asked) => new WebSocketHandshake(asked, turns, inspector) };
}

class WebSocketHandshake implements Handshake {
  readonly #asked: AskedUpgrade;
  readonly #turns: Turns;
  readonly #inspector: InspectorOf;
  readonly #key = randomBytes(16).toString('base64');
  #subprotocol: string | undefined;

  constructor(asked: AskedUpgrade, turns: Turns, inspector: InspectorOf) {
    this.#asked = asked;
    this.#turns = turns;
    this.#inspector = inspector;
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
    const known = subprotocol === undefined || this.#asked.subprotocols.includes(subprotocol);
    if (!upgrades || !accepts || extended || !known || more.length > 0) return undefined;
    this.#subprotocol = subprotocol;
    return [
      ['sec-websocket-accept', websocketAccept(this.#asked.key)],
      ...(subprotocol === undefined ? [] : [['sec-websocket-protocol', subprotocol] as const]),
    ];
  }

  carry(ends: CarriedEnds, on: Carrying) {
    return new WebSocketRelay(ends, on, this.#inspector(on, this.#subprotocol), this.#turns).run();
  }
}
