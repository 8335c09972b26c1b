import type { Turns } from '../../../../../core/turns.ts';
import type { Carried, Carrying } from '../carried.ts';
import { type CarryWebSocket, WebSocketHandshake } from './handshake.ts';
import { type Inspector, MessageInspector } from './messages.ts';
import { WebSocketRelay } from './relay.ts';

/** Makes what looks at the messages of one subprotocol; undefined: none was agreed on. */
export type InspectorOf = (on: Carrying, subprotocol: string | undefined) => Inspector;

/** WebSockets, RFC 6455. The gateway is the server of its client and the client of its target, and agrees on no extension. */
export function websockets(turns: Turns, inspector: InspectorOf = (on) => new MessageInspector(on)): Carried {
  const carry: CarryWebSocket = (ends, on, subprotocol) =>
    new WebSocketRelay(ends, on, inspector(on, subprotocol), turns).run();
  return { protocol: 'websocket', begin: (asked) => new WebSocketHandshake(asked, carry) };
}
