import type { Duplex } from 'node:stream';
import ssh2, {
  type Client,
  type Connection,
  type ServerChannel,
  type Session,
  type TcpipRequestInfo,
} from 'ssh2';
import type { Holder } from '../../../core/allowance.ts';
import { HoopError, toHoopError } from '../../../core/errors.ts';
import { stepLine, wordOf } from '../../../core/refusal-line.ts';
import type { SessionEnd, StreamContext } from '../../adapter.ts';
import { DetectedValues } from '../../stream/detected-values.ts';
import { lastWords } from '../../stream/farewell.ts';
import type { CleanText } from '../../stream/for-people.ts';
import type { ShownOutput } from '../../stream/terminal/output.ts';
import { Outputs } from '../../stream/terminal/outputs.ts';
import { LOCAL_ALGORITHMS } from '../algorithms.ts';
import { SSH_LIMITS } from '../limits.ts';
import type { Turn } from '../sftp/turns.ts';
import { thrifty } from '../thrift.ts';
import { forwarded, type Opening } from './forward.ts';
import { Held } from './held.ts';
import {
  disconnect,
  OPEN_FAILURE,
  refuseOpening,
  socketOf,
  strictChannels,
  strictHost,
  takesGuesses,
} from './inside.ts';
import { Intake } from './intake.ts';
import { Keys, trafficOf } from './keys.ts';
import { Listening } from './listening.ts';
import { LocalLogin } from './login.ts';
import { refusedOnRecord } from './not-carried.ts';
import { SessionChannel } from './session-channel.ts';
import { Gate } from './sink.ts';
import type { ConnectionParts, ConnectionState, Upstream } from './state.ts';
import { Windows } from './windows.ts';
import { type Hearer, Remarks } from './words.ts';

/** One connection of a client's: its login, its channels, its end. */
export class SshConnection implements ConnectionState {
  readonly context: StreamContext;
  readonly parts: ConnectionParts;
  readonly clean: CleanText;
  readonly gate: Gate;
  readonly #holder: Holder;
  readonly #held: Held;
  readonly #outputs: Outputs;
  readonly #stream: Duplex;
  readonly #channels = new Set<SessionChannel>();
  readonly #remarks = new Remarks();
  readonly #closed = Promise.withResolvers<void>();
  readonly #left = new AbortController();
  #forwards = 0;
  #client: Connection | undefined;
  #windows: Windows | undefined;
  #intake: Intake | undefined;
  #upstream: Promise<Upstream> | undefined;
  #failure: HoopError | undefined;

  constructor(stream: Duplex, context: StreamContext, parts: ConnectionParts) {
    this.#stream = stream;
    this.context = context;
    this.parts = parts;
    const { set, tags } = parts.detectors();
    const detected = new DetectedValues(context.guard, context.session.resource, set, tags);
    this.#outputs = new Outputs(context.guard, detected);
    this.clean = (text) => detected.cleanText(text);
    this.#holder = parts.allowance.open((error) => this.over(error));
    this.#held = new Held(this.#holder);
    this.gate = new Gate(stream, context.guard, this.#held);
  }

  /** Never rejects. */
  async serve(): Promise<SessionEnd> {
    const { signal, guard, idle } = this.context;
    const stream = this.#stream;
    const abort = () => this.over(toHoopError(signal.reason));
    stream.once('close', () => this.#closed.resolve()).on('error', () => undefined);
    // The socket of an upgraded request stays open for writing otherwise.
    stream.once('end', () => stream.end());
    signal.addEventListener('abort', abort, { once: true });
    const login = setTimeout(() => this.over(tooSlow()), SSH_LIMITS.loginMs);
    try {
      if (signal.aborted) abort();
      else this.#accept(() => clearTimeout(login));
      if (stream.destroyed) this.#closed.resolve();
      await this.#closed.promise;
    } finally {
      clearTimeout(login);
      signal.removeEventListener('abort', abort);
      idle.stop();
      this.#holder.close();
      // ssh2 tells channels of the kind session nothing of it.
      for (const channel of this.#channels) channel.leave();
      this.#left.abort(this.#failure ?? new HoopError('ERR_SESSION_ENDED', 'the client left'));
      guard.closeAll();
    }
    const bytes = trafficOf(stream);
    const failure = this.#failure;
    if (failure === undefined) return { reason: 'the client closed the connection', ...bytes };
    return { reason: failure.message, failure: failure.code, ...bytes };
  }

  remark(texts: readonly string[]): void {
    this.#remarks.add(texts, this.#channels);
  }

  runs(channel: Hearer): void {
    this.#remarks.take(channel);
  }

  get gone(): AbortSignal {
    return this.#left.signal;
  }

  get windows(): Windows {
    return this.#windows!;
  }

  get intake(): Intake {
    return this.#intake!;
  }

  upstream(): Promise<Upstream> {
    this.#upstream ??= this.#connected().catch((error: unknown) => {
      // The next one that asks tries again.
      this.#upstream = undefined;
      throw error;
    });
    return this.#upstream;
  }

  shown(): ShownOutput {
    return this.#outputs.shown();
  }

  turn(alone: boolean): Promise<Turn> {
    const { kind, name } = this.context.session.principal;
    return this.parts.turns.take(JSON.stringify([kind, name, this.parts.hostName]), alone);
  }

  moved(): void {
    if (this.#failure !== undefined) return;
    if ([...this.#channels].every((channel) => channel.idles)) this.context.idle.start();
    else this.context.idle.stop();
  }

  over(reason: HoopError): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    for (const channel of this.#channels) channel.end(reason);
    // Behind what the channels were told; ssh2 hangs up on who breaks the protocol before that.
    if (reason.code === 'ERR_PROTOCOL') this.#hangUp('protocol', reason);
    else setImmediate(() => this.#hangUp('notAvailable', reason));
  }

  #hangUp(kind: Parameters<typeof disconnect>[1], error: HoopError): void {
    const { code, message } = error;
    const words = `${code}: ${message} ${stepLine(wordOf(error))}`;
    if (this.#client !== undefined) disconnect(this.#client, kind, words);
    void lastWords(this.#stream);
  }

  #accept(ready: () => void): void {
    const server = new ssh2.Server({
      hostKeys: [this.parts.hostKey],
      ident: 'hoop',
      algorithms: LOCAL_ALGORITHMS,
      keepaliveInterval: SSH_LIMITS.keepAliveMs,
      keepaliveCountMax: SSH_LIMITS.keepAliveTries,
    });
    server.once('connection', (client) => this.#greeted(client, ready));
    server.injectSocket(this.#stream as Parameters<typeof server.injectSocket>[0]);
  }

  #greeted(client: Connection, ready: () => void): void {
    this.#client = client;
    thrifty(client, this.#stream, this.parts.bulk);
    this.#intake = new Intake(this.#stream);
    this.#windows = new Windows(client, this.#held, () =>
      this.over(new HoopError('ERR_PROTOCOL', 'more was sent than the window allows')),
    );
    this.#under(client, this.#stream, this.gate, () =>
      this.over(new HoopError('ERR_PROTOCOL', 'new keys were not agreed on')),
    );
    takesGuesses(client);
    strictChannels(client, () =>
      this.over(new HoopError('ERR_PROTOCOL', 'packets of a channel hold next to nothing')),
    );
    const login = new LocalLogin(this.context.localProof);
    client.on('error', (error) => this.#broken(error));
    client.on('authentication', (asked) => {
      if (!login.answer(asked)) this.over(new HoopError('ERR_LOCAL_AUTH'));
    });
    client.once('ready', () => {
      ready();
      this.context.idle.start();
    });
    client.on('session', (accept, reject) => {
      if (!this.#hasRoom) {
        const text = `at most ${SSH_LIMITS.channels} channels are open at once`;
        refuseOpening(client, reject, OPEN_FAILURE.shortage, text);
      } else this.#opened(accept());
    });
    client.on('tcpip', (accept, reject, asked) => void this.#forward(client, asked, accept, reject));
    client.on('openssh.streamlocal', (_accept, reject) => {
      refuseOpening(client, reject, OPEN_FAILURE.prohibited, 'sockets of the file system are not forwarded');
      void refusedOnRecord(this, this.context.guard, 'direct-streamlocal');
    });
    const listening = new Listening(this, client, {
      take: () => this.#hasRoom && ++this.#forwards > 0,
      free: () => this.#forwards--,
    });
    client.on('request', (accept, reject, name, asked) => {
      if (name === 'tcpip-forward') void listening.begin(asked, { accept, reject });
      else if (name === 'cancel-tcpip-forward') void listening.end(asked, { accept, reject });
      else {
        reject?.();
        void refusedOnRecord(this, this.context.guard, name);
      }
    });
  }

  /** For one more channel. */
  get #hasRoom(): boolean {
    return this.#channels.size + this.#forwards < SSH_LIMITS.channels && this.#failure === undefined;
  }

  async #forward(
    client: Connection,
    asked: TcpipRequestInfo,
    accept: () => ServerChannel,
    reject: () => void,
  ): Promise<void> {
    const refuse: Opening['refuse'] = (reason, text) => refuseOpening(client, reject, reason, text);
    if (!this.#hasRoom)
      return refuse(OPEN_FAILURE.shortage, `at most ${SSH_LIMITS.channels} channels are open at once`);
    this.#forwards++;
    await forwarded(this, asked, { accept, refuse });
    this.#forwards--;
  }

  #opened(session: Session): void {
    const channel = new SessionChannel(this, session);
    this.#channels.add(channel);
    // Not of what runs in it: that is told so only once it has read all that came before.
    session.once('close', () => {
      channel.leave();
      this.#channels.delete(channel);
      this.moved();
    });
  }

  /** What ssh2 cannot go on from; what it tells of a socket that is gone is no failure of the client's. */
  #broken(error: Error & { readonly level?: string }): void {
    const level = error.level;
    if (level === 'socket' || this.#stream.destroyed) this.#stream.destroy();
    else if (level === 'client-timeout')
      this.over(new HoopError('ERR_SESSION_ENDED', 'the client does not answer'));
    else this.over(new HoopError('ERR_PROTOCOL', undefined, { detail: error.message, cause: error }));
  }

  async #connected(): Promise<Upstream> {
    const { target, hostName } = this.parts;
    const { session, signal } = this.context;
    const end = AbortSignal.any([signal, this.#left.signal]);
    const client = await target.open(hostName, session, end);
    const lost = () => {
      if (!end.aborted) this.over(new HoopError('ERR_TARGET_LOST'));
    };
    client.once('close', lost);
    strictHost(client, lost);
    const socket = socketOf(client);
    // What ssh2 answers the host by itself is bounded like what it answers the client.
    new Intake(socket);
    const windows = new Windows(client, this.#held, lost);
    const gate = new Gate(socket, this.context.guard, this.#held);
    this.#under(client, socket, gate, lost);
    return { client, windows, gate };
  }

  #under(client: Connection | Client, socket: Duplex, gate: Gate, stuck: () => void): void {
    gate.under(new Keys(client, socket, { renewed: () => gate.renewed(), stuck }));
  }
}

function tooSlow(): HoopError {
  return new HoopError('ERR_LOCAL_AUTH', 'nobody logged in at the local end in time');
}
