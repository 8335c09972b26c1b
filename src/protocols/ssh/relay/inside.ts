/**
 * What ssh2 keeps to itself, as it is in the version that package.json names: the one place that knows. Each is here because
 * RFC 4254 asks for what ssh2 does not offer.
 */
import type { Duplex } from 'node:stream';
import type { Client, Connection } from 'ssh2';
import { HoopError } from '../../../core/errors.ts';

const DISCONNECT = 1;
/** Of DISCONNECT, RFC 4253 §11.1. That the application ended it, libraries take for an end in good order, and tell nobody. */
const REASON = { protocol: 2, notAvailable: 7 } as const;
/** Of CHANNEL_OPEN_FAILURE, RFC 4254 §5.1. */
export const OPEN_FAILURE = { prohibited: 1, connectFailed: 2, shortage: 4 } as const;
/** Texts that other programs show: a line. */
const MAX_TEXT_BYTES = 1024;
/** What ssh2 puts before the payload of each packet. */
const PACKET_HEAD_BYTES = 5;

interface Channel {
  readonly incoming: { readonly window: number };
  readonly outgoing: { readonly id: number };
  readonly _channel?: Channel;
}

type Handler = (protocol: Protocol, recipient: number, ...rest: unknown[]) => void;

interface Protocol {
  readonly _handlers: Record<string, Handler>;
  readonly _cipher: { allocPacket(bytes: number): Buffer; encrypt(packet: Buffer): void };
  channelSuccess(id: number): void;
  channelFailure(id: number): void;
  channelOpenFail(id: number, reason: number, text?: string): void;
}

interface Inside {
  readonly _protocol: Protocol;
  readonly _chanMgr: { get(id: number): Channel | undefined };
}

function inside(client: Connection): Inside {
  const parts = client as unknown as Partial<Inside>;
  if (typeof parts._protocol?._handlers?.['CHANNEL_REQUEST'] !== 'function' || parts._chanMgr === undefined)
    throw new HoopError('ERR_INTERNAL', undefined, { detail: 'this ssh2 is made otherwise' });
  return parts as Inside;
}

/** Requests that a channel may get while something runs in it. */
const WHILE_RUNNING = new Set<unknown>(['window-change', 'signal']);

/**
 * Makes ssh2 answer what comes on a channel in which something runs, which it leaves without an answer, and stop a client that
 * sends more than it was told that it may, which it would hold.
 *
 * @param breach Called when a client has done so; its data is dropped.
 * @throws {HoopError} `ERR_INTERNAL` this ssh2 is made otherwise.
 */
export function strictChannels(client: Connection, breach: () => void): void {
  const { _protocol: protocol, _chanMgr: channels } = inside(client);
  const { _handlers: handlers } = protocol;
  const request = handlers['CHANNEL_REQUEST']!;
  const data = handlers['CHANNEL_DATA']!;
  handlers['CHANNEL_REQUEST'] = (own, recipient, type, wantReply, ...rest) => {
    const running = channels.get(recipient)?._channel;
    if (running === undefined || wantReply !== true) return request(own, recipient, type, wantReply, ...rest);
    request(own, recipient, type, false, ...rest);
    if (WHILE_RUNNING.has(type)) own.channelSuccess(running.outgoing.id);
    else own.channelFailure(running.outgoing.id);
  };
  handlers['CHANNEL_DATA'] = (own, recipient, bytes, ...rest) => {
    const found = channels.get(recipient);
    const channel = found?._channel ?? found;
    if ((bytes as Buffer).length > (channel?.incoming?.window ?? Number.POSITIVE_INFINITY)) return breach();
    data(own, recipient, bytes, ...rest);
  };
}

/** Refuses to open a channel, with a reason and a text: ssh2 says that connecting failed, whatever it was. */
export function refuseOpening(
  client: Connection,
  reject: () => void,
  reason: (typeof OPEN_FAILURE)[keyof typeof OPEN_FAILURE],
  text: string,
): void {
  const { _protocol: protocol } = inside(client);
  const say = protocol.channelOpenFail;
  protocol.channelOpenFail = (id) => say.call(protocol, id, reason, text.slice(0, MAX_TEXT_BYTES));
  try {
    reject();
  } finally {
    protocol.channelOpenFail = say;
  }
}

/** Says why the connection ends: ssh2 ends it without a word. The socket is the caller's to end. @see RFC 4253 §11.1 */
export function disconnect(client: Connection, reason: keyof typeof REASON, text: string): void {
  const { _protocol: protocol } = inside(client);
  const words = Buffer.from(text).subarray(0, MAX_TEXT_BYTES);
  const payload = Buffer.alloc(1 + 4 + 4 + words.length + 4);
  payload[0] = DISCONNECT;
  payload.writeUInt32BE(REASON[reason], 1);
  payload.writeUInt32BE(words.length, 5);
  words.copy(payload, 9);
  try {
    const packet = protocol._cipher.allocPacket(payload.length);
    packet.set(payload, PACKET_HEAD_BYTES);
    protocol._cipher.encrypt(packet);
  } catch {
    // It has ended already.
  }
}

/** The connection that a client speaks over. @throws {HoopError} `ERR_TARGET_LOST` there is none any more. */
export function socketOf(client: Client): Duplex {
  const socket = (client as unknown as { readonly _sock?: Duplex })._sock;
  if (socket === undefined) throw new HoopError('ERR_TARGET_LOST');
  return socket;
}
