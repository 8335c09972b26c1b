/** Both ends of a WebSocket as bytes: nothing here is checked that a test may want to be wrong. */
import { createHash } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { FrameReader, frame } from '../../../src/wire/http/websocket/frames.ts';
import { eventually } from '../waiting.ts';
import { head, type Message, readMessage } from './messages.ts';

/** Octets that are kept as they came. */
const KEPT = 4 * 1024 * 1024;
const MASK = Buffer.from([1, 2, 3, 4]);
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** What makes a request ask for a WebSocket. */
export const ASKS: readonly string[] = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  `Sec-WebSocket-Key: ${KEY}`,
  'Sec-WebSocket-Version: 13',
];

/** Not by the code that is tested. */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** One end: what came, and what is sent. */
export class RawPeer {
  readonly socket: Duplex;
  /** Messages as `text …`, `binary …`, and control frames, `close 1000 why`, as latin1. */
  readonly said: string[] = [];
  /** Every octet that came behind the handshake. */
  received = Buffer.alloc(0);
  /** Frames of the messages, one for each that came. */
  frames = 0;
  /** Octets of messages. */
  octets = 0;
  readonly #masks: boolean;
  readonly #reader: FrameReader;
  #message = '';

  constructor(socket: Duplex, side: 'client' | 'server') {
    this.socket = socket;
    this.#masks = side === 'client';
    this.#reader = new FrameReader(side === 'client' ? 'server' : 'client');
    socket.on('error', () => undefined);
  }

  get closed(): boolean {
    return this.socket.destroyed || this.socket.readableEnded;
  }

  take(chunk: Buffer): void {
    if (this.received.length < KEPT) this.received = Buffer.concat([this.received, chunk]);
    for (const event of this.#reader.push(chunk)) {
      if (event.kind === 'fault') this.said.push(`fault ${event.reason}`);
      else if (event.kind === 'close') this.said.push(closeOf(event.bytes));
      else if (event.kind !== 'piece')
        this.said.push(`${event.kind} ${event.bytes.toString('latin1')}`.trimEnd());
      else {
        this.frames++;
        this.octets += event.bytes.length;
        if (event.first) this.#message = event.binary ? 'binary ' : 'text ';
        if (this.#message.length < 70_000) this.#message += event.bytes.toString('latin1');
        if (event.last) this.said.push(this.#message);
      }
    }
  }

  /** A message of one frame. */
  text(text: string | Buffer): void {
    this.send('text', text);
  }

  send(kind: Parameters<typeof frame>[0], bytes: string | Buffer = '', last = true): boolean {
    return this.raw(frame(kind, last, Buffer.from(bytes), this.#masks ? MASK : undefined));
  }

  close(code: number, reason = ''): void {
    this.send('close', Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]));
  }

  raw(octets: Buffer): boolean {
    return this.socket.destroyed || this.socket.write(octets);
  }

  /** Resolves when this was said. */
  async hears(what: RegExp, withinMs = 15_000): Promise<string> {
    const look = () => this.said.find((one) => what.test(one));
    const found = await eventually(
      () => `${what}, but ${this.said.join(' / ').slice(0, 600)}`,
      look,
      Boolean,
      {
        withinMs,
        everyMs: 5,
      },
    );
    return found!;
  }
}

function closeOf(bytes: Buffer): string {
  return bytes.length < 2
    ? 'close'
    : `close ${bytes.readUInt16BE(0)} ${bytes.toString('latin1', 2)}`.trimEnd();
}

/** A client that asks for a WebSocket, and reads what it gets. */
export class RawWebSocket extends RawPeer {
  readonly answer: Message | undefined;

  private constructor(socket: Socket, answer: Message | undefined) {
    super(socket, 'client');
    this.answer = answer;
  }

  /** @param lines Of the head, beside `Host`; all of the handshake is among them. @param early Sent with the head. */
  static async open(
    port: number,
    target: string,
    lines: readonly string[],
    early: Buffer = Buffer.alloc(0),
  ): Promise<RawWebSocket> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => undefined);
    socket.write(
      Buffer.concat([Buffer.from(head(`GET ${target} HTTP/1.1`, 'Host: localhost', ...lines)), early]),
    );
    let octets = Buffer.alloc(0);
    const { promise, resolve } = Promise.withResolvers<Message | undefined>();
    const look = (ended: boolean) => {
      const switched = /^HTTP\/1\.1 101/;
      const message = readMessage(octets, 0, { response: true, ended, bodiless: switched });
      if (message !== undefined || ended) resolve(message);
    };
    const gather = (chunk: Buffer) => {
      octets = Buffer.concat([octets, chunk]);
      look(false);
    };
    socket.on('data', gather).once('close', () => look(true));
    const answer = await promise;
    const client = new RawWebSocket(socket, answer);
    socket.off('data', gather).on('data', (chunk: Buffer) => client.take(chunk));
    if (answer !== undefined && octets.length > answer.end) client.take(octets.subarray(answer.end));
    return client;
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d+)/.exec(this.answer?.start ?? '')?.[1] ?? 0);
  }

  field(name: string): string | undefined {
    return this.answer?.headers.find((one) => one[0].toLowerCase() === name)?.[1];
  }
}

/** What a target does with one that asks: the lines of its 101, or anything else, octet for octet. */
export type Taking = (key: string, request: Message) => string | Buffer;

export const switching = (key: string, ...lines: readonly string[]): string =>
  head(
    'HTTP/1.1 101 Switching Protocols',
    'Connection: Upgrade',
    'Upgrade: websocket',
    `Sec-WebSocket-Accept: ${acceptOf(key)}`,
    ...lines,
  );

/** A target that takes up WebSockets, and keeps what it hears. */
export class RawWebSocketTarget {
  readonly port: number;
  /** Of each connection that asked for one, in order. */
  peers: RawPeer[] = [];
  requests: Message[] = [];
  /** Every octet that came. */
  octets: Buffer[] = [];
  takes: Taking = (key) => switching(key);
  /** What is done with what a peer hears. */
  hears: (peer: RawPeer) => void = () => undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(): Promise<RawWebSocketTarget> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new RawWebSocketTarget(server);
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  get peer(): RawPeer {
    const last = this.peers.at(-1);
    if (last === undefined) throw new Error('the target was asked for no WebSocket');
    return last;
  }

  clear(): void {
    this.peers = [];
    this.requests = [];
    this.octets = [];
    this.takes = (key) => switching(key);
    this.hears = () => undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.clear();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    let unread = Buffer.alloc(0);
    let peer: RawPeer | undefined;
    socket.on('data', (chunk: Buffer) => {
      this.octets.push(chunk);
      if (peer === undefined) {
        unread = Buffer.concat([unread, chunk]);
        const request = readMessage(unread, 0);
        if (request === undefined) return;
        this.requests.push(request);
        const key = request.headers.find((one) => /^sec-websocket-key$/i.test(one[0]))?.[1] ?? '';
        peer = new RawPeer(socket, 'server');
        this.peers.push(peer);
        socket.write(this.takes(key, request));
        peer.take(unread.subarray(request.end));
      } else peer.take(chunk);
      this.hears(peer);
    });
  }
}
