import type { Client, ClientChannel, Connection, ServerChannel, TcpConnectionDetails } from 'ssh2';
import { HoopError, isHoopError, toHoopError } from '../../../core/errors.ts';
import { forPeople } from '../../stream/for-people.ts';
import type { Question } from '../../stream/guard.ts';
import { Stands } from '../../stream/stands.ts';
import { addressOf } from '../entities.ts';
import { SSH_LIMITS } from '../limits.ts';
import { type Endpoint, isLoopback, readBinding } from '../reading/address.ts';
import type { SshRefusal } from '../refusals.ts';
import { contextOf } from './asked.ts';
import { joined } from './joined.ts';
import { refusedOnRecord } from './not-carried.ts';
import { Sink } from './sink.ts';
import type { ConnectionState, Upstream } from './state.ts';
import { denialLines, failureLines } from './words.ts';

/** How a request is answered; undefined: the client wants no answer. */
interface Answer {
  readonly accept: ((port?: number) => void) | undefined;
  readonly reject: (() => void) | undefined;
}

/** As the client says it. */
interface Binding {
  readonly bindAddr: string;
  readonly bindPort: number;
}

/** For one more channel of the connection. */
interface Room {
  take(): boolean;
  free(): void;
}

/** REQUEST_FAILURE has no text: it is told by what runs over the same connection. */
const BEYOND: SshRefusal = {
  code: 'ERR_UNSUPPORTED',
  rule: 'listens-beyond-loopback',
  reason: 'the host listens for clients where only it itself is reached',
  hint: 'listen at localhost',
};

/**
 * Ports at which the host listens for one client: each is asked for, and each connection that comes in there is one operation more.
 * The host gives them up when the connection to it ends.
 *
 * @see RFC 4254 §7.1
 */
export class Listening {
  readonly #connection: ConnectionState;
  readonly #client: Connection;
  readonly #room: Room;
  /** By what the host calls them. */
  readonly #ports = new Map<string, { readonly at: Endpoint; readonly asked: string }>();
  /** Asked for, and not answered. */
  #begun = 0;
  #host: Client | undefined;

  constructor(connection: ConnectionState, client: Connection, room: Room) {
    this.#connection = connection;
    this.#client = client;
    this.#room = room;
  }

  /** Answers `tcpip-forward`. Never rejects. */
  begin(asked: Binding, answer: Answer): Promise<void> {
    return this.#answered('tcpip-forward', answer, () => this.#listens(asked));
  }

  /** Answers `cancel-tcpip-forward`. What came in before goes on. Never rejects. */
  end({ bindAddr, bindPort }: Binding, answer: Answer): Promise<void> {
    return this.#answered('cancel-tcpip-forward', answer, async () => {
      const at = readBinding(bindAddr, bindPort);
      const key = at && keyOf(sent(at), at.port);
      if (key === undefined || !this.#ports.delete(key)) return undefined;
      const { client } = await this.#connection.upstream();
      return new Promise((resolve) =>
        client.unforwardIn(sent(at!), at!.port, (error) => resolve(error ? undefined : 0)),
      );
    });
  }

  /** @param act Returns the port, or undefined where it is refused. */
  async #answered(
    name: string,
    { accept, reject }: Answer,
    act: () => Promise<number | undefined>,
  ): Promise<void> {
    const { context, intake, parts } = this.#connection;
    if (parts.listens === undefined) {
      reject?.();
      return refusedOnRecord(this.#connection, context.guard, name);
    }
    try {
      const port = await intake.during(act());
      if (port === undefined) reject?.();
      else accept?.(port);
    } catch (error) {
      reject?.();
      this.#connection.over(toHoopError(error));
    }
  }

  async #listens({ bindAddr, bindPort }: Binding): Promise<number | undefined> {
    const at = readBinding(bindAddr, bindPort);
    const guard = this.#connection.context.guard.channel();
    const answer = await guard.ask(this.#question(at, `${bindAddr}:${bindPort}`));
    if (answer.effect === 'deny') {
      this.#connection.remark(denialLines(answer.denial));
      return undefined;
    }
    this.#begun++;
    try {
      // What cannot be read is never allowed.
      const port = await this.#bound(at!, bindAddr);
      answer.close('success');
      guard.note(`listens at ${at!.host}:${port}`, answer);
      return port;
    } catch (error) {
      if (!isHoopError(error)) throw error;
      answer.close('failure', error.code);
      this.#connection.remark(failureLines(error));
      return undefined;
    } finally {
      this.#begun--;
      guard.closed('it was answered');
    }
  }

  /** @returns The port. @throws {HoopError} The host is not reached, or does not listen there. */
  async #bound(at: Endpoint, asked: string): Promise<number> {
    if (this.#ports.size + this.#begun > SSH_LIMITS.listeners)
      throw new HoopError(
        'ERR_TARGET_UNREACHABLE',
        `a host listens at ${SSH_LIMITS.listeners} ports at most`,
      );
    const upstream = await this.#connection.upstream();
    const { client } = upstream;
    if (this.#host !== client) {
      this.#host = client;
      client.on('tcp connection', (from, accept, reject) => void this.#came(upstream, from, accept, reject));
    }
    return new Promise((resolve, reject) =>
      client.forwardIn(sent(at), at.port, (error, port) => {
        if (error !== undefined)
          return reject(
            new HoopError('ERR_TARGET_UNREACHABLE', 'the host does not listen there', {
              detail: error.message,
            }),
          );
        // Whoever connects may come in the same octets.
        this.#ports.set(keyOf(sent(at), port), { at: { ...at, port }, asked });
        return resolve(port);
      }),
    );
  }

  async #came(
    upstream: Upstream,
    from: TcpConnectionDetails,
    accept: () => ClientChannel,
    reject: () => void,
  ): Promise<void> {
    const port = this.#ports.get(keyOf(from.destIP, from.destPort));
    if (port === undefined || !this.#room.take()) return reject();
    try {
      const guard = this.#connection.context.guard.channel();
      const question = this.#question(port.at, '', `from ${from.srcIP}:${from.srcPort}`);
      const operation = await guard.ask(question);
      if (operation.effect === 'deny' || this.#connection.gone.aborted) return reject();
      const stands = new Stands(guard, question, operation);
      const local = await this.#offered({ ...from, destIP: port.asked });
      if (local === undefined) {
        operation.close('failure', 'ERR_SESSION_ENDED');
        return reject();
      }
      const remote = accept();
      remote.on('error', () => undefined);
      const { gate, windows } = upstream;
      const host = { remote, toHost: new Sink(gate), window: windows.of(remote) };
      await joined({ connection: this.#connection, guard, operation, stands }, local, host);
      operation.close('success');
      guard.closed('the connection was closed');
    } catch (error) {
      this.#connection.over(toHoopError(error));
    } finally {
      this.#room.free();
    }
  }

  /** @returns Undefined: the client does not take it. */
  #offered({ destIP, destPort, srcIP, srcPort }: TcpConnectionDetails): Promise<ServerChannel | undefined> {
    return new Promise((resolve) =>
      this.#client.forwardOut(destIP, destPort, srcIP, srcPort, (error, channel) =>
        resolve(error ? undefined : channel),
      ),
    );
  }

  /** For the guard: that the host listens, or that somebody connects to it there. */
  #question(at: Endpoint | undefined, asked: string, from = ''): Question {
    const { parts, clean } = this.#connection;
    const context = contextOf({ terminal: undefined, variables: new Map() });
    if (at === undefined)
      return {
        pairs: [],
        context,
        text: 'listen',
        original: { listen: asked },
        refusal: {
          code: 'ERR_SYNTAX',
          rule: 'address-ambiguous',
          reason: 'the address could be read as another',
          hint: 'name a host, or an address as it is commonly written, and a port',
        },
      };
    const text =
      from === '' ? `listen at ${at.host}:${at.port}` : `connection to ${at.host}:${at.port} ${from}`;
    const beyond = parts.listens === 'loopback' && !isLoopback(at.host);
    return {
      pairs: beyond
        ? []
        : [{ action: 'ssh.forward-remote', object: addressOf(parts.host, at.host, at.port, clean) }],
      context,
      text: forPeople(text, clean),
      ...(beyond ? { refusal: BEYOND } : {}),
    };
  }
}

/** An address as the host is told it. */
const sent = ({ host }: Endpoint): string => (host === '*' ? '' : host);

const keyOf = (host: string, port: number): string => `${host}:${port}`;
