/**
 * What ssh2 keeps to itself, as it is in the version that package.json names: the one place that knows. Each is here because
 * RFC 4254 asks for what ssh2 does not offer.
 */
import type { Duplex } from 'node:stream';
import type { Client, Connection } from 'ssh2';
import { HoopError } from '../../../core/errors.ts';
import { FieldReader } from '../../../wire/ssh/fields.ts';

const DISCONNECT = 1;
/** Of DISCONNECT, RFC 4253 §11.1. That the application ended it, libraries take for an end in good order, and tell nobody. */
const REASON = { protocol: 2, notAvailable: 7 } as const;
/** Of CHANNEL_OPEN_FAILURE, RFC 4254 §5.1. */
export const OPEN_FAILURE = { prohibited: 1, connectFailed: 2, shortage: 4 } as const;
/** Texts that other programs show: a line. */
const MAX_TEXT_BYTES = 1024;
/** What ssh2 puts before the payload of each packet. */
const PACKET_HEAD_BYTES = 5;

/** Its type and its cookie, before its lists: of how keys are agreed on, and of the server's own key. */
const KEXINIT_HEAD_BYTES = 1 + 16;

/** Who takes less in one packet would have everything cut into more packets than there is time for, or never end it. */
const MIN_PACKET_BYTES = 512;

interface Channel {
  readonly incoming?: object;
  readonly outgoing: { readonly id: number; readonly state: string };
  /** Of the kind `session`: what runs in it, and before that the other side's number of it. */
  readonly _channel?: Channel;
  readonly _chanInfo?: { readonly outgoing: { readonly id: number; window: number } };
}

/** Of most messages the second is the number of a channel. */
type Handler = (protocol: Protocol, recipient: number, ...rest: unknown[]) => void;
/** Of those that open one. */
type OpeningHandler = (protocol: Protocol, offered: Offered, ...rest: unknown[]) => void;

interface Handlers {
  CHANNEL_EXTENDED_DATA: Handler;
  CHANNEL_OPEN: OpeningHandler;
  CHANNEL_OPEN_CONFIRMATION: OpeningHandler;
  CHANNEL_REQUEST: Handler;
  CHANNEL_DATA: Handler;
  CHANNEL_CLOSE: Handler;
  CHANNEL_WINDOW_ADJUST: Handler;
}

interface Protocol {
  readonly _handlers: Handlers;
  /** What was said first of an exchange of keys, while there is one. */
  readonly _kexinit: Buffer | undefined;
  /** What is to be written behind it. */
  readonly _queue: readonly Buffer[] | undefined;
  readonly _kex: { readonly _sentNEWKEYS: boolean; readonly _remoteKexinit: Buffer | undefined } | undefined;
  readonly _offer: {
    readonly lists: Readonly<Record<'kex' | 'serverHostKey', { readonly array: string[] }>>;
  };
  rekey(): void;
  readonly _cipher: { allocPacket(bytes: number): Buffer; encrypt(packet: Buffer): void };
  channelSuccess(id: number): void;
  channelFailure(id: number): void;
  channelClose(id: number): void;
  channelWindowAdjust(id: number, bytes: number): void;
  channelOpenFail(id: number, reason: number, text?: string): void;
}

interface Inside {
  readonly _protocol: Protocol;
  readonly _chanMgr: { get(id: number): Channel | undefined; remove(id: number): void };
}

/** @throws {HoopError} `ERR_INTERNAL` this ssh2 is made otherwise. */
export function inside(client: Connection | Client): Inside {
  const parts = client as unknown as Partial<Inside>;
  if (typeof parts._protocol?._handlers?.CHANNEL_REQUEST !== 'function' || parts._chanMgr === undefined)
    throw new HoopError('ERR_INTERNAL', undefined, { detail: 'this ssh2 is made otherwise' });
  return parts as Inside;
}

/** Requests that a channel may get while something runs in it. */
const WHILE_RUNNING = new Set<unknown>(['window-change', 'signal']);

/** What either side says of a channel that is opened. */
interface Offered {
  readonly sender: number;
  readonly packetSize: number;
}

/**
 * Makes ssh2 answer what comes on a channel in which something runs, and the end of one in which nothing ran, which it leaves
 * without an answer; keep the window that is given before anything runs, which it forgets; and open no channel whose packets hold next to nothing, into which it would write without an end.
 *
 * @param breach Called when the client has taken a channel that it was offered with such packets.
 * @throws {HoopError} `ERR_INTERNAL` this ssh2 is made otherwise.
 */
export function strictChannels(client: Connection, breach: () => void): void {
  strictConfirmations(client, breach);
  strictOpenings(client);
  const { _protocol: protocol, _chanMgr: channels } = inside(client);
  const { _handlers: handlers } = protocol;
  const request = handlers.CHANNEL_REQUEST;
  const close = handlers.CHANNEL_CLOSE;
  handlers.CHANNEL_REQUEST = (own, recipient, type, wantReply, ...rest) => {
    const running = channels.get(recipient)?._channel;
    if (running === undefined || wantReply !== true) return request(own, recipient, type, wantReply, ...rest);
    request(own, recipient, type, false, ...rest);
    if (WHILE_RUNNING.has(type)) own.channelSuccess(running.outgoing.id);
    else own.channelFailure(running.outgoing.id);
  };
  const adjust = handlers.CHANNEL_WINDOW_ADJUST;
  handlers.CHANNEL_WINDOW_ADJUST = (own, recipient, ...rest) => {
    const found = channels.get(recipient);
    if (found?._chanInfo === undefined || found._channel !== undefined) adjust(own, recipient, ...rest);
    else found._chanInfo.outgoing.window += rest[0] as number;
  };
  handlers.CHANNEL_CLOSE = (own, recipient, ...rest) => {
    const found = channels.get(recipient);
    close(own, recipient, ...rest);
    if (found?._chanInfo === undefined || found._channel !== undefined) return;
    channels.remove(recipient);
    own.channelClose(found._chanInfo.outgoing.id);
  };
}

const TOO_SMALL = `packets have at least ${MIN_PACKET_BYTES} octets`;

/** The same of a host: ssh2 would write without an end. @param breach Called when it has opened such a channel; none is opened. */
export function strictHost(client: Client, breach: () => void): void {
  strictConfirmations(client, breach);
  strictOpenings(client);
}

function strictOpenings(client: Connection | Client): void {
  const { _handlers: handlers } = inside(client)._protocol;
  const open = handlers.CHANNEL_OPEN;
  handlers.CHANNEL_OPEN = (own, info, ...rest) => {
    const { sender, packetSize } = info;
    if (packetSize >= MIN_PACKET_BYTES) open(own, info, ...rest);
    else own.channelOpenFail(sender, OPEN_FAILURE.shortage, TOO_SMALL);
  };
}

function strictConfirmations(client: Connection | Client, breach: () => void): void {
  const { _handlers: handlers } = inside(client)._protocol;
  const confirmed = handlers.CHANNEL_OPEN_CONFIRMATION;
  handlers.CHANNEL_OPEN_CONFIRMATION = (own, info, ...rest) => {
    if (info.packetSize < MIN_PACKET_BYTES) return breach();
    confirmed(own, info, ...rest);
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
  // The keys that ssh2 would use for it were given up already.
  if (protocol._kexinit !== undefined && protocol._kex?._sentNEWKEYS === true) return;
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

/**
 * Makes ssh2 take the first message of an exchange that was guessed right: it passes over every one that is said to be guessed, so
 * that a client that guesses, as dropbear's does, waits for ever.
 *
 * @see RFC 4253 §7.1
 */
export function takesGuesses(client: Connection): void {
  const { _protocol: protocol } = inside(client);
  let guessed = false;
  Object.defineProperty(protocol, '_skipNextInboundPacket', {
    set: (follows: boolean) => (guessed = follows),
    // Asked when the message is there.
    get: () => guessed && !guessedRight(protocol),
  });
}

/** Both sides would rather have the same than anything else. */
function guessedRight({ _kex: exchange, _offer: { lists } }: Protocol): boolean {
  const said = exchange?._remoteKexinit;
  if (said === undefined) return false;
  const fields = new FieldReader(said.subarray(KEXINIT_HEAD_BYTES));
  return [lists.kex, lists.serverHostKey].every(({ array }) => fields.text().split(',')[0] === array[0]);
}

/** The exchange of keys of a connection, as it is at the moment. */
export function keyExchange(client: Connection | Client): {
  readonly goesOn: boolean;
  /** Messages that wait for its end. */
  readonly queued: number;
  begin(): void;
} {
  const { _protocol: protocol } = inside(client);
  return {
    get goesOn() {
      return protocol._kexinit !== undefined;
    },
    get queued() {
      return protocol._queue?.length ?? 0;
    },
    begin: () => protocol.rekey(),
  };
}

/** The connection that a client speaks over. @throws {HoopError} `ERR_TARGET_LOST` there is none any more. */
export function socketOf(client: Client): Duplex {
  const socket = (client as unknown as { readonly _sock?: Duplex })._sock;
  if (socket === undefined) throw new HoopError('ERR_TARGET_LOST');
  return socket;
}
