/** A client of SSH that can be made to say what no honest one would. */
import { once } from 'node:events';
import ssh2, { type ClientChannel, type ConnectConfig, type ExecOptions } from 'ssh2';
import { string, uint32 } from '../../../src/wire/ssh/fields.ts';
import { sendRaw, sshInside } from '../../support/ssh/raw-client.ts';
import { eventually } from '../../support/waiting.ts';

export interface Ran {
  /** Undefined: the connection was gone before there was one. */
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A message that was received: its name as RFC 4250 has it, and its fields. */
export interface Received {
  readonly name: string;
  readonly fields: readonly unknown[];
}

const SAID_WITHIN_MS = 10_000;
/** Ids of channels that ssh2 does not know of. */
const FIRST_OWN_CHANNEL = 5_000;
const WINDOW = 2 * 1024 * 1024;

export class SshClient {
  readonly client = new ssh2.Client();
  readonly received: Received[] = [];
  /** Why it is over. */
  ended: Promise<string>;
  closed = false;
  #opened = 0;

  private constructor() {
    let why = '';
    this.client.on('error', (error) => (why ||= error.message));
    this.ended = new Promise((resolve) => {
      this.client.once('close', () => {
        this.closed = true;
        resolve(why);
      });
    });
  }

  /** Logs in. @throws {Error} It was not let in. */
  static async login(config: ConnectConfig): Promise<SshClient> {
    const client = SshClient.begin(config);
    const [ready, why] = await Promise.race([
      once(client.client, 'ready').then(() => [true, '']),
      client.ended.then((text) => [false, text]),
    ]);
    if (ready !== true) throw new Error(`no login: ${String(why)}`);
    return client;
  }

  /** Connects, and waits for nothing. */
  static begin(config: ConnectConfig): SshClient {
    const client = new SshClient();
    client.client.connect({ username: 'me', keepaliveInterval: 0, ...config });
    client.client.once('connect', () => client.client.setNoDelay(true));
    const { _handlers: handlers } = sshInside(client.client);
    for (const [name, handler] of Object.entries(handlers)) {
      handlers[name] = (...args) => {
        client.received.push({ name, fields: args.slice(1) });
        // ssh2 has some of them only where it is to tell what it does.
        (handler as typeof handler | undefined)?.(...args);
      };
    }
    return client;
  }

  /** Sends one message, whatever it is. */
  say(payload: Buffer): void {
    sendRaw(this.client, payload);
  }

  /** Asks for a channel of any kind. @returns The name of the answer, and its fields. */
  openAny(type: string, ...fields: readonly Buffer[]): Promise<Received> {
    return this.openWith(WINDOW, type, ...fields);
  }

  /** The same, with another window, octets. */
  openWith(window = WINDOW, type: string, ...fields: readonly Buffer[]): Promise<Received> {
    const id = FIRST_OWN_CHANNEL + this.#opened++;
    this.say(
      Buffer.concat([Buffer.of(90), string(type), uint32(id), uint32(window), uint32(32_768), ...fields]),
    );
    const isAnswer = ({ name, fields: [first] }: Received) =>
      (name === 'CHANNEL_OPEN_FAILURE' && first === id) ||
      (name === 'CHANNEL_OPEN_CONFIRMATION' && (first as { recipient: number }).recipient === id);
    return this.heard(`an answer to ${type}`, isAnswer);
  }

  /** Asks something of the connection. @returns Whether it is done. */
  async ask(name: string, ...fields: readonly Buffer[]): Promise<boolean> {
    const before = this.received.length;
    this.say(Buffer.concat([Buffer.of(80), string(name), Buffer.of(1), ...fields]));
    const isAnswer = (one: Received) => this.received.indexOf(one) >= before && /^REQUEST_/.test(one.name);
    return (await this.heard(`an answer to ${name}`, isAnswer)).name === 'REQUEST_SUCCESS';
  }

  /** The first message of this kind that came or comes. */
  async heard(what: string, is: (one: Received) => boolean): Promise<Received> {
    return (await eventually(`${what} did not come`, () => this.received.find(is)))!;
  }

  open(command: string, options: ExecOptions = {}): Promise<Opened> {
    return opened((done) => this.client.exec(command, options, done));
  }

  shell(terminal = true): Promise<Opened> {
    return opened((done) => this.client.shell(terminal && { term: 'xterm' }, done));
  }

  subsystem(name: string): Promise<Opened> {
    return opened((done) => this.client.subsys(name, done));
  }

  /** Runs a command to its end. @param options.input For its standard input. */
  async exec(
    command: string,
    { input, ...options }: ExecOptions & { readonly input?: string } = {},
  ): Promise<Ran> {
    const { channel, end } = await this.open(command, options);
    channel.end(input ?? '');
    return end;
  }

  /** Asks the host for a connection. @throws {Error} It is refused. */
  forward(host: string, port: number): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      this.client.forwardOut('127.0.0.1', 1, host, port, (error, channel) =>
        error === undefined ? resolve(channel) : reject(error),
      );
    });
  }

  close(): void {
    this.client.destroy();
  }
}

/** A channel in which something runs. */
export interface Opened {
  readonly channel: ClientChannel;
  /** What it has said when it is closed. Rejects if it is not, within 10 s. */
  readonly end: Promise<Ran>;
  /** What it has said so far. */
  readonly said: { stdout: Buffer; stderr: string };
}

type Done = (error: Error | undefined, channel: ClientChannel) => void;

function opened(ask: (done: Done) => void): Promise<Opened> {
  return new Promise((resolve, reject) => {
    try {
      // Listened to in this very turn: all of it may stand in the same octets as the answer.
      ask((error, channel) => (error === undefined ? resolve(listened(channel)) : reject(error)));
    } catch (error) {
      reject(error);
    }
  });
}

function listened(channel: ClientChannel): Opened {
  const said = { stdout: Buffer.alloc(0), stderr: '' };
  let [code, signal] = [undefined as number | undefined, undefined as string | undefined];
  channel.on('error', () => undefined);
  channel.on('data', (chunk: Buffer) => (said.stdout = Buffer.concat([said.stdout, chunk])));
  channel.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
  channel.on('exit', (status: number | null, name?: string) => {
    [code, signal] = [status ?? undefined, name];
  });
  const end = once(channel, 'close', { signal: AbortSignal.timeout(SAID_WITHIN_MS) }).then(() => ({
    code,
    signal,
    ...said,
  }));
  end.catch(() => undefined);
  return { channel, end, said };
}
