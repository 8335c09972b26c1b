import { isWebSocketKey, WEBSOCKET_VERSION } from '../../../../wire/http/websocket/handshake.ts';
import type { Method } from '../methods.ts';
import { type Refused, refused } from '../refusals.ts';
import type { Fields } from './read-fields.ts';

/** A change of protocol that is asked for, in the one form it has. What proves the handshake is not of it: each side has its own. */
export interface AskedUpgrade {
  /** In lower case: `websocket`, `spdy/3.1`. */
  readonly protocol: string;
  /** `Sec-WebSocket-Key`; empty where there is none, as by HTTP/2. */
  readonly key: string;
  /** `Sec-WebSocket-Protocol`, `X-Stream-Protocol-Version`, in order: what may be spoken over it. */
  readonly subprotocols: readonly string[];
}

const SPDY = 'spdy/3.1';
/** Names of subprotocols that are asked for. */
const MAX_SUBPROTOCOLS = 32;
/** And one that is no token, which servers of Kubernetes have all the same. */
const NAME = /^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}|SPDY\/3\.1\+portforward\.k8s\.io)$/;
/** No protocol but what a client of Kubernetes proves itself with: as any credential of a client's it goes no further. */
const TOKEN_CARRIER = /^base64url\.bearer\.authorization\.k8s\.io\./i;

/**
 * The upgrade that is asked for. One to HTTP/2 is none: whoever does not take it up answers in HTTP/1.1, as RFC 9110 §7.8
 * has it; any other of an unknown form is refused, since what follows the head might not be HTTP.
 *
 * Extensions are not of the form: nobody agrees on one.
 *
 * @param connects HTTP/2: as `RawHead` has it.
 */
export function readUpgrade(
  fields: Fields,
  version: string,
  method: Method,
  connects?: string,
): { readonly upgrade: AskedUpgrade | undefined } | Refused {
  if (connects !== undefined) return readConnect(fields, connects);
  const asked = fields.members('upgrade');
  if (!fields.members('connection').includes('upgrade') || asked.length === 0) return { upgrade: undefined };
  if (asked.every((one) => one === 'h2c')) return { upgrade: undefined };
  if (asked.join() === SPDY && version === '1.1' && method === 'POST') return readSpdy(fields);
  if (asked.join() !== 'websocket' || version !== '1.1' || method !== 'GET')
    return refused(
      'upgrade',
      'an upgrade to something else than a WebSocket by GET or SPDY/3.1 by POST of HTTP/1.1 is asked for',
    );
  return readWebSocket(fields, fields.one('sec-websocket-key') ?? '');
}

/** There the stream proves what a key does elsewhere. @see RFC 8441 §5 */
function readConnect(fields: Fields, protocol: string): { readonly upgrade: AskedUpgrade } | Refused {
  if (protocol !== 'websocket')
    return refused('upgrade', 'a stream of something else than a WebSocket is asked for');
  return readWebSocket(fields, undefined);
}

/** Streams of older clients of Kubernetes: what is spoken over them stands in a header of its own. */
function readSpdy(fields: Fields): { readonly upgrade: AskedUpgrade } | Refused {
  const subprotocols = fields.list('x-stream-protocol-version');
  if (subprotocols.length > MAX_SUBPROTOCOLS || !subprotocols.every((one) => NAME.test(one)))
    return refused('upgrade', 'X-Stream-Protocol-Version is no list of names, or too long');
  return { upgrade: { protocol: SPDY, key: '', subprotocols } };
}

/** @param key Undefined: none is needed. @see RFC 6455 §4.2.1 */
function readWebSocket(
  fields: Fields,
  key: string | undefined,
): { readonly upgrade: AskedUpgrade } | Refused {
  if (fields.one('sec-websocket-version') !== WEBSOCKET_VERSION)
    return refused('websocket-version', `the WebSocket is not of version ${WEBSOCKET_VERSION}`);
  if (key !== undefined && !isWebSocketKey(key))
    return refused('websocket-handshake', 'Sec-WebSocket-Key is not 16 octets in base64');
  const listed = fields.list('sec-websocket-protocol');
  const subprotocols = listed.filter((one) => !TOKEN_CARRIER.test(one));
  if (listed.length > MAX_SUBPROTOCOLS || !listed.every((one) => NAME.test(one)))
    return refused('websocket-handshake', 'Sec-WebSocket-Protocol is no list of names, or too long');
  if (new Set(listed).size < listed.length)
    return refused('websocket-handshake', 'Sec-WebSocket-Protocol names one protocol twice');
  return { upgrade: { protocol: 'websocket', key: key ?? '', subprotocols } };
}
