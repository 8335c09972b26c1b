import type { PseudoTtyInfo, ServerChannel, Session } from 'ssh2';
import type { HoopError } from '../../../core/errors.ts';
import { toHoopError } from '../../../core/errors.ts';
import type { Guard, Question } from '../../stream/guard.ts';
import { SSH_LIMITS } from '../limits.ts';
import { contextOf, type Start } from './asked.ts';
import { refusedOnRecord } from './not-carried.ts';
import { Program } from './program.ts';
import { SIGNALS } from './signals.ts';
import type { ConnectionState } from './state.ts';

type Answer = (() => void) | undefined;
type Accept = (() => ServerChannel | undefined) | undefined;

/**
 * One channel of the kind `session`: what is asked of it before something runs, the one thing that runs, and what is asked of
 * that. What runs is accepted at once, so that nothing that follows is lost, and then asked for.
 *
 * @see RFC 4254 §6
 */
export class SessionChannel {
  readonly #connection: ConnectionState;
  readonly #guard: Guard;
  readonly #variables = new Map<string, string>();
  #terminal: PseudoTtyInfo | undefined;
  #program: Program | undefined;
  #signals = 0;

  constructor(connection: ConnectionState, session: Session) {
    this.#connection = connection;
    this.#guard = connection.context.guard.channel();
    session.on('pty', (accept, reject, info) => this.#pty(accept, reject, info));
    session.on('env', (accept, reject, { key, val }) => answered(this.#set(key, val), accept, reject));
    session.on('window-change', (accept: Answer, _reject, size) => {
      this.#resize(size);
      accept?.();
    });
    session.on('auth-agent', (_accept, reject) => this.#notCarried('auth-agent', reject));
    session.on('x11', (_accept, reject) => this.#notCarried('x11', reject));
    session.on('signal', (_accept, _reject, { name }) => void this.#signal(name));
    session.on('exec', (accept: Accept, _reject, { command }) =>
      this.#run({ kind: 'exec', command }, accept),
    );
    session.on('shell', (accept: Accept) => this.#run({ kind: 'shell' }, accept));
    session.on('subsystem', (accept: Accept, _reject, { name }) =>
      this.#run({ kind: 'subsystem', name }, accept),
    );
  }

  get idles(): boolean {
    return this.#program === undefined || this.#program.idles;
  }

  /** @returns False: nothing runs in it yet. */
  remark(texts: readonly string[]): boolean {
    this.#program?.remark(texts);
    return this.#program !== undefined;
  }

  /** Nobody is there any more. */
  leave(): void {
    this.#program?.leave();
  }

  end(reason: HoopError): void {
    this.#program?.end(reason);
  }

  #run(start: Start, accept: Accept): void {
    // A second one is refused by the strictness of channels.
    const channel = this.#program === undefined ? accept?.() : undefined;
    if (channel === undefined) return;
    const asked = { start, terminal: this.#terminal, variables: this.#variables };
    this.#program = new Program(this.#connection, this.#guard, channel, asked);
    this.#connection.runs(this);
    void this.#program.run();
    this.#connection.moved();
  }

  /** A terminal is part of what runs, and asked for with it; one that policy does not allow is on record as refused. */
  #pty(accept: Answer, reject: Answer, info: PseudoTtyInfo | undefined): void {
    const { guard, host } = this.#place;
    const pairs = [{ action: 'ssh.pty', object: host }];
    const context = contextOf({ terminal: info, variables: this.#variables });
    if (info === undefined || this.#program !== undefined) reject?.();
    else if (guard.allows(pairs, context)) {
      this.#terminal = info;
      accept?.();
    } else {
      void this.#refused({ pairs, context, text: 'terminal' });
      reject?.();
    }
  }

  #set(name: string, value: string): boolean {
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(value);
    const room = this.#variables.has(name) || this.#variables.size < SSH_LIMITS.variables;
    if (!room || bytes > SSH_LIMITS.variableBytes || this.#program !== undefined) return false;
    if (!this.#connection.parts.mayBeSet(name)) return false;
    this.#variables.set(name, value);
    return true;
  }

  #resize(size: Pick<PseudoTtyInfo, 'rows' | 'cols' | 'width' | 'height'>): void {
    if (this.#terminal === undefined) return;
    this.#terminal = { ...this.#terminal, ...size };
    this.#program?.resize(size);
  }

  /** Each signal is asked for: it is done to what runs. Of other names ssh2 would make one of these, behind what was asked. */
  async #signal(name: string): Promise<void> {
    const program = this.#program;
    if (program === undefined || !SIGNALS.has(name) || this.#signals >= SSH_LIMITS.signals) return;
    this.#signals++;
    const { guard, host } = this.#place;
    const context = { ...contextOf({ terminal: this.#terminal, variables: this.#variables }), signal: name };
    const pairs = [{ action: 'ssh.signal', object: host }];
    try {
      const { intake } = this.#connection;
      const answer = await intake.during(
        Promise.resolve(guard.ask({ pairs, context, text: `signal ${name}` })),
      );
      if (answer.effect === 'deny') return;
      program.signal(name);
      answer.close('success');
    } catch (error) {
      this.#connection.over(toHoopError(error));
    }
  }

  #notCarried(what: string, reject: Answer): void {
    reject?.();
    void refusedOnRecord(this.#connection, this.#guard, what);
  }

  /** Puts on record what is not done. */
  async #refused(question: Question): Promise<void> {
    try {
      const answer = await this.#connection.intake.during(Promise.resolve(this.#guard.ask(question)));
      if (answer.effect === 'allow') answer.close('failure', undefined, 'it was refused before');
    } catch (error) {
      this.#connection.over(toHoopError(error));
    }
  }

  get #place() {
    return { guard: this.#guard, host: this.#connection.parts.host };
  }
}

function answered(done: boolean, accept: Answer, reject: Answer): void {
  if (done) accept?.();
  else reject?.();
}
