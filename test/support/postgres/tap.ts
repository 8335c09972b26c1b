/** Stands between hoopd and its target and writes down, message by message, what both say. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type BackendMessage, decodeBackend } from '../../../src/wire/postgres/backend.ts';
import { Framer } from '../../../src/wire/postgres/framer.ts';
import { decodeFrontend } from '../../../src/wire/postgres/frontend.ts';
import { decodeStartup } from '../../../src/wire/postgres/startup.ts';
import { said } from './said.ts';

/** How the gateway calls its own statements and portals: it asks where a session looks names up when it wants to know. */
const OWN_NAME = '"hoopd:';

/** What ends the answer to a message. */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  Query: ['ReadyForQuery'],
  FunctionCall: ['ReadyForQuery'],
  Sync: ['ReadyForQuery'],
  Parse: ['ParseComplete'],
  Bind: ['BindComplete'],
  Describe: ['RowDescription', 'NoData'],
  Execute: ['CommandComplete', 'EmptyQueryResponse', 'PortalSuspended'],
  Close: ['CloseComplete'],
};

/** Where the target is, once it is known. */
export type TargetAt = () => { readonly host: string; readonly port: number };

export class Tap {
  readonly port: number;
  readonly #server: Server;
  #lines: string[] = [];
  #sessions = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async open(target: TargetAt): Promise<Tap> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const tap = new Tap(server);
    server.on('connection', (near) => tap.#join(near, target()));
    return tap;
  }

  /** Connections of sessions that are open. */
  get sessions(): number {
    return this.#sessions;
  }

  /** What sessions said since the last call: `target> …` to the target, `target< …` from it. The gateway's own is left out. */
  take(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  close(): void {
    this.#server.close();
  }

  #join(near: Socket, at: { readonly host: string; readonly port: number }): void {
    const far = connect(at.port, at.host);
    const ear = new Ear((line) => this.#lines.push(line));
    near.on('data', (bytes: Buffer) => {
      const before = ear.ofSession;
      ear.fromGateway(bytes);
      if (!before && ear.ofSession) this.#sessions++;
      far.write(bytes);
    });
    far.on('data', (bytes: Buffer) => {
      ear.fromTarget(bytes);
      near.write(bytes);
    });
    near.once('close', () => {
      if (ear.ofSession) this.#sessions--;
      far.destroy();
    });
    far.once('close', () => near.end());
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  }
}

/** Listens to one connection. */
class Ear {
  readonly #note: (line: string) => void;
  readonly #gateway = new Framer('frontend');
  readonly #target = new Framer('backend');
  #startup: Buffer | undefined = Buffer.alloc(0);
  #loggedIn = false;
  /** What is still to be answered, in order. */
  readonly #asked: { readonly name: string; readonly own: boolean }[] = [];
  /** The last message was one of the gateway's own: so is a Sync behind it. */
  #own = false;
  /** It serves a session, not the catalog and not a cancel. */
  ofSession = false;

  constructor(note: (line: string) => void) {
    this.#note = note;
  }

  fromGateway(bytes: Buffer): void {
    const rest = this.#startup === undefined ? bytes : this.#start(bytes);
    if (rest === undefined) return;
    this.#gateway.push(rest);
    for (let frame = this.#gateway.next(); frame !== undefined; frame = this.#gateway.next()) {
      if (!this.#loggedIn || !this.ofSession) continue;
      const message = decodeFrontend(frame.type, frame.body);
      const line = said(message);
      this.#own = line.includes(OWN_NAME) || (message.name === 'Sync' && this.#own);
      if (message.name in ENDS) this.#asked.push({ name: message.name, own: this.#own });
      if (!this.#own) this.#note(`target> ${line}`);
    }
  }

  fromTarget(bytes: Buffer): void {
    this.#target.push(bytes);
    for (let frame = this.#target.next(); frame !== undefined; frame = this.#target.next()) {
      const message = decodeBackend(frame.type, frame.body);
      if (this.#loggedIn && this.ofSession) this.#hear(message);
      this.#loggedIn ||= message.name === 'ReadyForQuery';
    }
  }

  #hear(message: BackendMessage): void {
    const head = this.#asked[0];
    if (head?.own !== true) this.#note(`target< ${said(message)}`);
    if (head === undefined) return;
    if (ENDS[head.name]?.includes(message.name)) this.#asked.shift();
    // After an error the server skips what is behind it, up to Sync; a Query ends with its own ReadyForQuery.
    if (message.name !== 'ErrorResponse' || ENDS[head.name]?.includes('ReadyForQuery')) return;
    while (this.#asked.length > 0 && this.#asked[0]?.name !== 'Sync') this.#asked.shift();
  }

  /** @returns What follows the startup packet; undefined while it is not whole. */
  #start(bytes: Buffer): Buffer | undefined {
    const all = Buffer.concat([this.#startup ?? Buffer.alloc(0), bytes]);
    this.#startup = all;
    if (all.length < 4 || all.length < all.readInt32BE(0)) return undefined;
    const length = all.readInt32BE(0);
    const packet = decodeStartup(all.subarray(4, length));
    this.#startup = undefined;
    if (packet.name === 'CancelRequest') this.#note('target> CancelRequest');
    this.ofSession =
      packet.name === 'StartupMessage' && packet.parameters.get('application_name') !== 'hoopd catalog';
    return all.subarray(length);
  }
}
