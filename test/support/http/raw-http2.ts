/** Targets and clients of HTTP/2 that are written frame by frame, so that they can be as wrong as a case needs: RFC 9113 §4, §6. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const FLAG = { endStream: 1, ack: 1, endHeaders: 4 } as const;

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** One frame. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Numbers of four octets. */
export function words(...numbers: readonly number[]): Buffer {
  return Buffer.concat(
    numbers.map((number) => {
      const octets = Buffer.alloc(4);
      octets.writeUInt32BE(number);
      return octets;
    }),
  );
}

/** One setting. */
export function setting(id: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([0, id]), words(value)]);
}

/** Fields without compression, an octet per character: RFC 7541 §6.2.2. */
export function block(...fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

/** RFC 7541 §5.1, §5.2, with a prefix of seven bits. */
function text(characters: string): Buffer {
  const octets = Buffer.from(characters, 'latin1');
  const length: number[] = [];
  if (octets.length < 127) length.push(octets.length);
  else {
    length.push(127);
    let rest = octets.length - 127;
    for (; rest >= 128; rest >>>= 7) length.push((rest & 127) | 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), octets]);
}

/** One connection as one of its ends has it. */
export class RawConnection {
  readonly socket: Socket;
  /** Frames that came, by type. */
  readonly came = new Map<number, number>();
  /** Codes of streams that were reset, by stream. */
  readonly resets = new Map<number, number>();
  /** Codes by which the other end said that it goes, and what it said beside them. */
  readonly goaways: { readonly code: number; readonly words: string }[] = [];
  #unread = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
  }

  send(...octets: readonly Uint8Array[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(octets));
  }

  head(stream: number, flags: number, ...fields: readonly (readonly [string, string])[]): void {
    this.send(frame(FRAME.headers, flags | FLAG.endHeaders, stream, block(...fields)));
  }

  /** The answer that is right: 200, `ok`. */
  ok(stream: number): void {
    this.head(stream, 0, [':status', '200'], ['content-length', '2']);
    this.send(frame(FRAME.data, FLAG.endStream, stream, Buffer.from('ok')));
  }

  reset(stream: number, code: number): void {
    this.send(frame(FRAME.rstStream, 0, stream, words(code)));
  }

  goaway(last: number, code: number): void {
    this.send(frame(FRAME.goaway, 0, 0, words(last, code)));
  }

  /** Takes octets that came, and tells whole frames. */
  take(chunk: Buffer, told: (type: number, flags: number, stream: number, payload: Buffer) => void): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    if (this.#unread.toString('latin1').startsWith(PREFACE))
      this.#unread = this.#unread.subarray(PREFACE.length);
    while (this.#unread.length >= 9) {
      const end = 9 + this.#unread.readUIntBE(0, 3);
      if (this.#unread.length < end) return;
      const [type, flags] = [this.#unread[3]!, this.#unread[4]!];
      const stream = this.#unread.readUInt32BE(5);
      const payload = this.#unread.subarray(9, end);
      this.#unread = this.#unread.subarray(end);
      this.came.set(type, (this.came.get(type) ?? 0) + 1);
      if (type === FRAME.rstStream) this.resets.set(stream, payload.readUInt32BE(0));
      if (type === FRAME.goaway)
        this.goaways.push({ code: payload.readUInt32BE(4), words: payload.toString('utf8', 8) });
      told(type, flags, stream, payload);
    }
  }
}

/** A client. What it is answered is read unless `socket` is paused; settings are acknowledged, pings answered. */
export class RawHttp2Client {
  readonly connection: RawConnection;
  /** Octets of bodies, by stream. */
  readonly bodies = new Map<number, number>();

  private constructor(connection: RawConnection) {
    this.connection = connection;
    connection.socket.on('error', () => undefined).on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** @param settings Said with the preface. */
  static async open(port: number, settings: Uint8Array = new Uint8Array()): Promise<RawHttp2Client> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const client = new RawHttp2Client(new RawConnection(socket));
    client.connection.send(Buffer.from(PREFACE), frame(FRAME.settings, 0, 0, settings));
    return client;
  }

  get closed(): boolean {
    return this.connection.socket.closed;
  }

  close(): void {
    this.connection.socket.destroy();
  }

  #take(chunk: Buffer): void {
    const { connection } = this;
    connection.take(chunk, (type, flags, stream, payload) => {
      if (type === FRAME.settings && (flags & FLAG.ack) === 0)
        connection.send(frame(FRAME.settings, FLAG.ack, 0));
      if (type === FRAME.data) this.bodies.set(stream, (this.bodies.get(stream) ?? 0) + payload.length);
    });
  }
}

export class RawHttp2 {
  readonly connections = new Set<RawConnection>();
  /** Connections that were opened, ever. */
  opened = 0;
  /** Streams whose head came, over all connections, in order. */
  readonly streams: number[] = [];
  /** Octets of bodies, by stream, over all connections. */
  readonly bodies: string[] = [];
  /** What is done when a connection comes, before a word; unless it is right. */
  greet = (connection: RawConnection): void => connection.send(frame(FRAME.settings, 0, 0));
  /** What is done once the head of a request has come. */
  serve: (connection: RawConnection, stream: number, nth: number) => void = (connection, stream) =>
    connection.ok(stream);
  /** What is done with every frame beside that. */
  heard: (connection: RawConnection, type: number, stream: number) => void = () => undefined;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#take(socket));
  }

  static async start(): Promise<RawHttp2> {
    const target = new RawHttp2();
    target.#server.listen(0, '127.0.0.1');
    await once(target.#server, 'listening');
    return target;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    for (const { socket } of this.connections) socket.destroy();
    this.#server.close();
  }

  #take(socket: Socket): void {
    const connection = new RawConnection(socket);
    this.connections.add(connection);
    this.opened++;
    socket.on('error', () => undefined).on('close', () => this.connections.delete(connection));
    this.greet(connection);
    socket.on('data', (chunk: Buffer) =>
      connection.take(chunk, (type, flags, stream, payload) => {
        this.heard(connection, type, stream);
        if (type === FRAME.settings && (flags & FLAG.ack) === 0)
          connection.send(frame(FRAME.settings, FLAG.ack, 0));
        if (type === FRAME.ping && (flags & FLAG.ack) === 0)
          connection.send(frame(FRAME.ping, FLAG.ack, 0, payload));
        if (type === FRAME.data) this.bodies.push(payload.toString('latin1'));
        if (type === FRAME.headers) {
          this.streams.push(stream);
          this.serve(connection, stream, this.streams.length);
        }
      }),
    );
  }
}
