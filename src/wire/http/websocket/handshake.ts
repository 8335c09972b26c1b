import { createHash } from 'node:crypto';

/** The only version there is: RFC 6455 §4.1. */
export const WEBSOCKET_VERSION = '13';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Base64 of 16 octets. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** Whether this is a `Sec-WebSocket-Key`: base64 of 16 octets. Pure, never throws. */
export function isWebSocketKey(text: string): boolean {
  return KEY.test(text);
}

/**
 * What a server shows that it has read the handshake with. Pure.
 *
 * @param key As the client sent it.
 * @returns The value of `Sec-WebSocket-Accept`.
 * @see RFC 6455 §4.2.2
 */
export function websocketAccept(key: string): string {
  return createHash('sha1')
    .update(key + GUID, 'latin1')
    .digest('base64');
}
