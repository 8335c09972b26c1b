import type { Readable, Writable } from 'node:stream';
import type { ClientChannel, PseudoTtyInfo, ServerChannel } from 'ssh2';
import { type HoopError, toHoopError } from '../../../core/errors.ts';
import type { Hold } from '../../../enforcement/operation.ts';
import type { Guard } from '../../stream/guard.ts';
import { holdLine } from '../../stream/hold-line.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import type { Source } from '../../stream/outlet.ts';
import { Stands } from '../../stream/stands.ts';
import { GivenInput } from '../../stream/terminal/given-input.ts';
import { ShownFlow } from '../../stream/terminal/shown-flow.ts';
import { TypedInput } from '../../stream/terminal/typed.ts';
import { type Asked, approvable, questionOf, readingOf, type Start } from './asked.ts';
import { carriedFiles } from './files.ts';
import { started } from './remote.ts';
import { type Gate, Sink } from './sink.ts';
import type { ConnectionState } from './state.ts';
import { DENIED_STATUS, denialLines, FAILED_STATUS, failureLines, lines } from './words.ts';

type Size = Pick<PseudoTtyInfo, 'rows' | 'cols' | 'width' | 'height'>;

/** What is carried until the program has ended. */
interface Ending {
  end(): void;
  readonly maskedValues: number;
}

/** Before there is one. */
const NEVER_FULL: Source = { pause: () => undefined, resume: () => undefined };

/** What runs in one channel, from the question whether it may to its exit status. */
export class Program {
  readonly #connection: ConnectionState;
  readonly #guard: Guard;
  readonly #channel: ServerChannel;
  readonly #asked: Asked;
  readonly #toClient: Sink;
  readonly #window: Source;
  readonly #gone = new AbortController();
  #operation: OpenOperation | undefined;
  #stands: Stands | undefined;
  #remote: ClientChannel | undefined;
  #hostWindow: Source = NEVER_FULL;
  #toHost: Sink | undefined;
  /** To the host, once something runs there. */
  #gate: Gate;
  /** Of the terminal, where it could not be told yet. */
  #size: Size | undefined;
  #over = false;

  /** @param channel Accepted: what is denied is told on it. */
  constructor(connection: ConnectionState, guard: Guard, channel: ServerChannel, asked: Asked) {
    this.#connection = connection;
    this.#guard = guard;
    this.#channel = channel;
    this.#asked = asked;
    this.#toClient = new Sink(connection.gate);
    this.#window = connection.windows.of(channel);
    this.#gate = connection.gate;
    channel.on('error', () => undefined);
    channel.stderr.on('error', () => undefined);
    channel.once('close', () => this.leave());
  }

  /** Whether its silence is the client's: a shell waits for its user, a command works. */
  get idles(): boolean {
    return this.#asked.start.kind === 'shell' && this.#remote !== undefined;
  }

  /** Never rejects. */
  async run(): Promise<void> {
    try {
      const operation = await this.#allowed();
      if (operation === undefined) return;
      this.#operation = operation;
      if (this.#over) return operation.drop();
      const { terminal } = this.#asked;
      if (terminal !== undefined) this.#guard.resized(terminal.cols, terminal.rows, operation);
      await this.#carry(operation);
    } catch (error) {
      this.#failed(toHoopError(error));
    }
  }

  /** Of something else that the connection was asked for. */
  remark(texts: readonly string[]): void {
    this.#tell(texts);
  }

  /** The size of the terminal has changed. */
  resize(size: Size): void {
    if (this.#operation === undefined || this.#over) return;
    const waits = this.#size !== undefined;
    this.#size = size;
    // Where there is no room only the last one counts.
    if (!waits) this.#gate.pass(() => this.#resized());
  }

  #resized(): void {
    const size = this.#size;
    this.#size = undefined;
    if (size === undefined || this.#operation === undefined || this.#over) return;
    this.#guard.resized(size.cols, size.rows, this.#operation);
    this.#remote?.setWindow(size.rows, size.cols, size.height, size.width);
  }

  /** One that was allowed. */
  signal(name: string): void {
    if (!this.#over) this.#remote?.signal(name);
  }

  /** Ends it, and says why. Never throws. */
  end(reason: HoopError): void {
    this.#tell(failureLines(reason));
    this.#exit(FAILED_STATUS);
    this.#stop();
  }

  /** Nobody is there any more. Safe to call twice. */
  leave(): void {
    this.#toClient.close();
    this.#stop();
  }

  #stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#gone.abort();
    this.#remote?.close();
    for (const window of [this.#window, this.#hostWindow]) window.resume();
    this.#toHost?.close();
    this.#operation?.drop();
    this.#guard.closed('the channel was closed');
  }

  /** @returns Undefined: it was denied, and that was told. @throws {HoopError} The session is to end. */
  async #allowed(): Promise<OpenOperation | undefined> {
    const { clean, parts } = this.#connection;
    const question = questionOf(parts.host, this.#asked, clean);
    const answer = await this.#guard.ask({
      ...question,
      approvable: approvable(question, this.#asked, this.#wait),
    });
    if (answer.effect === 'allow') {
      this.#stands = new Stands(this.#guard, question, answer);
      return answer;
    }
    this.#tell(denialLines(answer.denial), answer);
    this.#exit(DENIED_STATUS);
    return undefined;
  }

  /** From the start at the host to the exit there. */
  async #carry(operation: OpenOperation): Promise<void> {
    const { client, gate, windows } = await this.#connection.upstream();
    if (this.#over) return operation.drop();
    const { channel: remote, exit: exited } = await started(client, this.#asked);
    if (this.#over) {
      remote.close();
      return operation.drop();
    }
    this.#remote = remote;
    this.#hostWindow = windows.of(remote);
    this.#gate = gate;
    const toHost = new Sink(gate);
    this.#toHost = toHost;
    const { start } = this.#asked;
    const flows =
      start.kind === 'subsystem' && start.name === 'sftp'
        ? this.#files(remote, toHost, operation)
        : this.#streams(remote, toHost, operation);
    // Whoever listens is there.
    for (const window of [this.#window, this.#hostWindow]) window.resume();
    const exit = await exited;
    if (this.#over) return;
    for (const flow of flows) {
      flow.end();
      operation.maskedValues += flow.maskedValues;
    }
    await this.#emptied();
    this.#guard.ended(exit.words, operation);
    operation.close(
      exit.code === 0 ? 'success' : exit.code === undefined ? 'unknown' : 'failure',
      exit.words,
    );
    // Without what the host says of it: nobody has masked that.
    if (exit.signal !== undefined) this.#channel.exit(exit.signal, exit.dumped, '');
    else if (exit.code !== undefined) this.#channel.exit(exit.code);
    this.#channel.end();
  }

  /** What a program is given and what it prints. Files that are copied are no text. */
  #streams(remote: ClientChannel, toHost: Sink, operation: OpenOperation): readonly ShownFlow[] {
    const { terminal, start } = this.#asked;
    const typed = terminal === undefined ? undefined : this.#typed(operation);
    const given = terminal === undefined ? this.#given(start, operation) : undefined;
    this.#channel.on('data', (chunk: Buffer) => {
      if (!this.#goesOn()) return;
      this.#moved();
      typed?.typed(chunk);
      given?.given(chunk);
      toHost.send(remote, chunk, this.#window);
    });
    this.#channel.once('end', () => {
      given?.end();
      toHost.emptied(() => remote.end());
    });
    if (typed !== undefined) remote.on('data', (chunk: Buffer) => typed.shown(chunk));
    const text = readingOf(start)?.transfer === undefined;
    return [
      this.#flow('output', remote, this.#channel, text, operation),
      this.#stderrFlow(remote, operation),
    ];
  }

  /** What is typed is recorded where the terminal shows it, masked as what it shows. */
  #typed(operation: OpenOperation): TypedInput {
    return new TypedInput((line) => {
      const shown = this.#connection.shown();
      for (const bytes of [shown.push(line), shown.flush()]) this.#guard.input(bytes, operation);
    });
  }

  #given(start: Start, operation: OpenOperation): GivenInput {
    const takesCommands = start.kind === 'shell' || readingOf(start)?.takesCommands === true;
    const program = { takesCommands, text: start.kind === 'exec' ? start.command : '' };
    return new GivenInput(program, () => this.#connection.shown(), this.#guard, operation);
  }

  /** Packets of SFTP, each asked for. */
  #files(remote: ClientChannel, toHost: Sink, operation: OpenOperation): readonly Ending[] {
    const files = carriedFiles({
      connection: this.#connection,
      guard: this.#guard,
      channel: this.#channel,
      remote,
      toClient: this.#toClient,
      toHost,
      goesOn: () => this.#goesOn(),
      window: this.#window,
      hostWindow: this.#hostWindow,
      wait: this.#wait,
      moved: (bytes) => {
        operation.bytes += bytes;
        operation.answered = true;
      },
      denied: (answer) => this.#tell(denialLines(answer.denial), answer),
      failed: (error) => {
        this.#failed(error);
        remote.close();
      },
    });
    this.#gone.signal.addEventListener('abort', () => files.end(), { once: true });
    return [files, this.#stderrFlow(remote, operation)];
  }

  /** Text, also where files are moved. */
  #stderrFlow(remote: ClientChannel, operation: OpenOperation): ShownFlow {
    return this.#flow('stderr', remote.stderr, this.#channel.stderr, true, operation);
  }

  #flow(
    kind: 'output' | 'stderr',
    from: Readable,
    to: Writable,
    text: boolean,
    operation: OpenOperation,
  ): ShownFlow {
    const shown = text ? this.#connection.shown() : undefined;
    const flow = new ShownFlow(shown, (bytes) => {
      operation.bytes += bytes.length;
      operation.answered = true;
      this.#guard[kind](bytes, operation);
      this.#toClient.send(to, bytes, this.#hostWindow);
    });
    from.on('data', (chunk: Buffer) => {
      if (!this.#goesOn()) return;
      this.#moved();
      flow.push(chunk);
    });
    return flow;
  }

  /** How what is held waits for people. */
  get #wait() {
    return {
      signal: AbortSignal.any([this.#connection.context.signal, this.#gone.signal]),
      told: (hold: Hold) => this.#tell([holdLine(hold)]),
    };
  }

  /** Resolves when all is on its way to the client, or the client is gone. */
  #emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#gone.signal.addEventListener('abort', () => resolve(), { once: true });
      this.#toClient.emptied(resolve);
    });
  }

  /** Whether what comes may go on. What policy does not permit any more is ended. */
  #goesOn(): boolean {
    if (!this.#over && this.#stands?.now === false) this.end(this.#stands.ending);
    return !this.#over;
  }

  #moved(): void {
    if (this.idles) this.#connection.moved();
  }

  #failed(error: HoopError): void {
    const operation = this.#operation;
    operation?.close('failure', error.code);
    if (operation === undefined) return this.#connection.over(error);
    this.#tell(failureLines(error));
    this.#exit(FAILED_STATUS);
  }

  /** @param of What it is said of, in the recording. */
  #tell(texts: readonly string[], of: { readonly number: number } = { number: 0 }): void {
    if (this.#over) return;
    const text = lines(texts, this.#asked.terminal !== undefined);
    this.#guard.stderr(text, of);
    this.#toClient.send(this.#channel.stderr, text);
  }

  #exit(status: number): void {
    if (this.#over) return;
    this.#toClient.emptied(() => {
      this.#channel.exit(status);
      this.#channel.end();
    });
  }
}
