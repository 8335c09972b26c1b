/**
 * A PostgreSQL client of bare messages: sends what no driver would, and keeps every octet that it was sent.
 */
import { connect, type Socket } from 'node:net';
import { Secret } from '../../../src/core/secret.ts';
import { AuthenticationResponse, SASLInitialResponse } from '../../../src/wire/postgres/authentication.ts';
import { type BackendMessage, decodeBackend } from '../../../src/wire/postgres/backend.ts';
import { CopyData, CopyFail } from '../../../src/wire/postgres/copy.ts';
import { Bind, Close, Describe, Execute, Parse } from '../../../src/wire/postgres/extended.ts';
import { Framer } from '../../../src/wire/postgres/framer.ts';
import { encodeFrontend } from '../../../src/wire/postgres/frontend.ts';
import { FunctionCall } from '../../../src/wire/postgres/function-call.ts';
import { Query } from '../../../src/wire/postgres/query.ts';
import { encodeStartup, PROTOCOL_3_0 } from '../../../src/wire/postgres/startup.ts';
import { SaltedKeyCache, ScramClient } from '../../../src/wire/scram/index.ts';
import type { Tunnel } from '../stack.ts';

export const sync = encodeFrontend({ name: 'Sync' });
export const flush = encodeFrontend({ name: 'Flush' });
export const query = (sql: string) => Query.encode({ sql });
export const parse = (statement: string, sql: string, parameterTypes: readonly number[] = []) =>
  Parse.encode({ statement, sql, parameterTypes: [...parameterTypes] });
export const bind = (
  portal: string,
  statement: string,
  options: { values?: (string | null)[]; binary?: boolean } = {},
) =>
  Bind.encode({
    portal,
    statement,
    parameterFormats: [],
    parameters: (options.values ?? []).map((value) => (value === null ? null : Buffer.from(value))),
    resultFormats: options.binary ? [1] : [],
  });
export const closeStatement = (target: string) => Close.encode({ kind: 'S', target });
export const closePortal = (target: string) => Close.encode({ kind: 'P', target });
export const functionCall = (oid: number, ...values: string[]) =>
  FunctionCall.encode({
    oid,
    argumentFormats: [],
    arguments: values.map((value) => Buffer.from(value)),
    resultFormat: 0,
  });
export const copyData = (text: string | Buffer) => CopyData.encode({ data: Buffer.from(text) });
export const copyDone = encodeFrontend({ name: 'CopyDone' });
export const copyFail = (reason: string) => CopyFail.encode({ reason });
export const terminate = encodeFrontend({ name: 'Terminate' });
export const describePortal = (target: string) => Describe.encode({ kind: 'P', target });
export const describeStatement = (target: string) => Describe.encode({ kind: 'S', target });
export const execute = (portal: string, maxRows = 0) => Execute.encode({ portal, maxRows });

export class RawClient {
  readonly socket: Socket;
  readonly #framer = new Framer('backend');
  readonly #chunks: Buffer[] = [];
  #wake: () => void = () => undefined;
  closed = false;
  /** Announced by BackendKeyData. */
  key: { readonly processId: number; readonly key: Buffer } | undefined;
  /** Announced by NegotiateProtocolVersion. */
  negotiated: { readonly version: number; readonly unknownOptions: readonly string[] } | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#framer.push(chunk);
      this.#wake();
    });
    const close = () => {
      this.closed = true;
      this.#wake();
    };
    socket.on('error', close);
    socket.on('close', close);
  }

  /** Every octet received so far. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** The octets received since the last time; they are forgotten. */
  take(): Buffer {
    return Buffer.concat(this.#chunks.splice(0));
  }

  send(...messages: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(messages));
  }

  /** The next message, or undefined when the other end has closed. Rejects after `timeoutMs`. */
  async next(timeoutMs = 20_000): Promise<BackendMessage | undefined> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const frame = this.#framer.next();
      if (frame !== undefined) return decodeBackend(frame.type, frame.body);
      if (this.closed) return undefined;
      if (Date.now() > end) throw new Error('no message in time');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Everything up to and with the next ReadyForQuery (or the end), oldest first. */
  async untilReady(timeoutMs = 20_000): Promise<BackendMessage[]> {
    return this.until('ReadyForQuery', timeoutMs);
  }

  async until(name: BackendMessage['name'], timeoutMs = 20_000): Promise<BackendMessage[]> {
    const messages: BackendMessage[] = [];
    for (;;) {
      const message = await this.next(timeoutMs);
      if (message === undefined) return messages;
      messages.push(message);
      if (message.name === name) return messages;
    }
  }

  /** Sends messages and gives what comes back up to ReadyForQuery, in one line each. */
  async ask(...messages: readonly Buffer[]): Promise<string[]> {
    this.send(...messages);
    return (await this.untilReady()).map(line);
  }

  close(): void {
    this.socket.destroy();
  }
}

/** A message as a transcript shows it. */
export function line(message: BackendMessage): string {
  switch (message.name) {
    case 'ErrorResponse':
    case 'NoticeResponse': {
      const get = (code: string) => String(message.fields.find(([one]) => one === code)?.[1] ?? '');
      return `${message.name} ${get('C')}`;
    }
    case 'DataRow':
      return `DataRow ${message.values.map((value) => value?.toString() ?? 'NULL').join('|')}`;
    case 'CommandComplete':
      return `CommandComplete ${message.tag}`;
    case 'ReadyForQuery':
      return `ReadyForQuery ${message.status}`;
    case 'FunctionCallResponse':
      return `FunctionCallResponse ${message.value?.toString() ?? 'NULL'}`;
    case 'NotificationResponse':
      return `NotificationResponse ${message.channel} ${message.payload}`;
    case 'CopyData':
      return `CopyData ${message.data.toString().trimEnd()}`;
    default:
      return message.name;
  }
}

export interface RawLogin {
  readonly password?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** Default 3.0. */
  readonly version?: number;
  readonly protocolOptions?: Readonly<Record<string, string>>;
  /** The whole packet, instead of one made from the above. */
  readonly startup?: Buffer;
}

/** Connects without a word. */
export function rawConnect(at: Pick<Tunnel, 'host' | 'port'>): Promise<RawClient> {
  return new Promise((resolve, reject) => {
    const socket = connect(at.port, at.host, () => resolve(new RawClient(socket)));
    socket.once('error', reject);
  });
}

export function startupPacket(tunnel: Pick<Tunnel, 'user' | 'database'>, options: RawLogin = {}): Buffer {
  const { version = PROTOCOL_3_0, parameters, protocolOptions = {} } = options;
  return encodeStartup({
    name: 'StartupMessage',
    version,
    parameters: new Map(Object.entries({ user: tunnel.user, database: tunnel.database, ...parameters })),
    protocolOptions: new Map(Object.entries(protocolOptions)),
  });
}

/** Connects and logs in with the tunnel's own secret. */
export async function rawLogin(tunnel: Tunnel, options: RawLogin = {}): Promise<RawClient> {
  return logInRaw(await rawConnect(tunnel), tunnel, options);
}

/** Logs in over a connection that may have said something already. */
export async function logInRaw(
  client: RawClient,
  tunnel: Tunnel,
  options: RawLogin = {},
): Promise<RawClient> {
  client.send(options.startup ?? startupPacket(tunnel, options));
  const password = new Secret(options.password ?? tunnel.password);
  const saltedKeys = new SaltedKeyCache();
  const scram = new ScramClient({
    password,
    nonce: 'fyko+d2lbbFgONRv9qkxdawL',
    binding: { kind: 'none' },
    saltedKeys,
  });
  for (;;) {
    const message = await client.next();
    if (message === undefined) throw new Error('closed at login');
    if (message.name === 'ErrorResponse') throw new Error(`refused: ${line(message)}`);
    if (message.name === 'BackendKeyData') client.key = message;
    if (message.name === 'NegotiateProtocolVersion') client.negotiated = message;
    if (message.name === 'ReadyForQuery') return client;
    if (message.name !== 'Authentication') continue;
    const { request } = message;
    if (request.method === 'SASL')
      client.send(SASLInitialResponse.encode({ mechanism: 'SCRAM-SHA-256', data: scram.start() }));
    if (request.method === 'SASLContinue')
      client.send(AuthenticationResponse.encode({ data: await scram.respond(request.data) }));
    if (request.method === 'SASLFinal') scram.finish(request.data);
  }
}
