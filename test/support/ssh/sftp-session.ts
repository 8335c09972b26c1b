/** A session of SFTP: a client's bare packets, the gateway's observer, and OpenSSH's own server behind it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { HoopError } from '../../../src/core/errors.ts';
import type { Outcome } from '../../../src/enforcement/operation.ts';
import { SftpObserver } from '../../../src/protocols/ssh/sftp/observer.ts';
import { idOf, PACKET, PacketFramer, packet, typeOf } from '../../../src/protocols/ssh/sftp/packets.ts';
import type { SftpAsk } from '../../../src/protocols/ssh/sftp/question.ts';
import { Turns } from '../../../src/protocols/ssh/sftp/turns.ts';
import type { Denied } from '../../../src/protocols/stream/guard.ts';
import { OperationLedger } from '../../../src/protocols/stream/operations.ts';
import { FieldReader, string, uint32 } from '../../../src/wire/ssh/fields.ts';

const SERVER = '/usr/lib/openssh/sftp-server';

export const READ = 1;
export const [WRITE, APPEND, CREATE, TRUNCATE] = [2, 4, 8, 16];
export const NO_ATTRIBUTES = uint32(0);

/** What a session asks policy: `sftp.get /data/x`, in order. */
export type Decide = (
  asked: readonly string[],
  ask: SftpAsk,
  waits?: () => void,
) => boolean | Promise<boolean>;

export class SftpSession {
  readonly asked: string[][] = [];
  readonly texts: string[] = [];
  readonly notes: string[] = [];
  readonly outcomes: Outcome[] = [];
  /** Every octet that the server was sent. */
  readonly sent: Buffer[] = [];
  readonly answers: Buffer[] = [];
  failure: HoopError | undefined;
  /** The client reads what it is answered. */
  reads = true;
  /** Policy permits what is open. */
  readonly stands = { now: true, ending: new HoopError('ERR_DENIED', 'it is over') };
  readonly observer: SftpObserver;
  readonly #server: ChildProcess;
  readonly #waiting = new Map<number, (answer: Buffer) => void>();
  readonly #framer = new PacketFramer();
  #id = 0;

  /** @param home Where the server's paths begin. */
  constructor(home: string, decide: Decide, turns = new Turns()) {
    const server = spawn(SERVER, [], { cwd: home, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#server = server;
    const enforcer = {
      close: (_session: unknown, _id: string, outcome: Outcome) => this.outcomes.push(outcome),
    };
    const ledger = new OperationLedger(undefined as never, enforcer as never, { now: () => 0 });
    this.observer = new SftpObserver({
      host: { type: 'Host', id: 'box/box', attrs: {} },
      clean: (text) => text,
      turn: (alone) => turns.take('', alone),
      ends: (turn) => server.once('exit', turn),
      ask: async (ask, waits) => {
        const pairs = ask.pairs.map(({ action, object }) => `${action} ${object.attrs['path']}`);
        this.asked.push(pairs);
        this.texts.push(ask.text);
        const yes = ask.refusal === undefined && (await decide(pairs, ask, waits));
        const allowed = { effect: 'allow', operation: 'op_1', policyVersion: '' } as const;
        return yes ? ledger.opened(allowed, '', 1) : DENIED;
      },
      toTarget: (bytes) => {
        this.sent.push(bytes);
        server.stdin.write(bytes);
      },
      toClient: (bytes) => this.#heard(bytes),
      hasRoom: () => this.reads,
      stands: () => this.stands,
      taken: () => undefined,
      failed: (error) => {
        this.failure = error;
      },
      guard: {
        note: (text) => this.notes.push(text),
        ended: (status) => this.notes.push(status),
      },
    });
    server.stdout.on('data', (bytes: Buffer) => this.observer.fromTarget(bytes));
  }

  /** Sends `init`, and gives the answer. */
  async greeted(): Promise<this> {
    const answered = this.#answerTo(3);
    this.observer.fromClient(packet(PACKET.init, 3));
    await answered;
    return this;
  }

  send(type: number, ...fields: readonly Buffer[]): Promise<Buffer> {
    const id = this.#id++;
    const answered = this.#answerTo(id);
    this.observer.fromClient(packet(type, id, ...fields));
    return answered;
  }

  raw(bytes: Buffer): void {
    this.observer.fromClient(bytes);
  }

  async open(path: string | Buffer, flags: number): Promise<Buffer> {
    const answer = await this.send(PACKET.open, string(path), uint32(flags), NO_ATTRIBUTES);
    if (typeOf(answer) !== PACKET.handle) throw new Error(said(answer));
    return new FieldReader(answer.subarray(9)).string();
  }

  async stop(): Promise<void> {
    this.observer.end();
    const gone = once(this.#server, 'exit');
    this.#server.stdin?.end();
    await gone;
  }

  #answerTo(id: number): Promise<Buffer> {
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  #heard(bytes: Buffer): void {
    this.#framer.add(bytes);
    for (let answer = this.#framer.next(); answer !== undefined; answer = this.#framer.next()) {
      this.answers.push(answer);
      this.#waiting.get(idOf(answer))?.(answer);
      this.#waiting.delete(idOf(answer));
    }
  }
}

/** `3 the text`, of a status; else its type. */
export function said(answer: Buffer): string {
  if (typeOf(answer) !== PACKET.status) return `type ${typeOf(answer)}`;
  const fields = new FieldReader(answer.subarray(9));
  return `${fields.uint32()} ${fields.text()}`;
}

const DENIED: Denied = {
  effect: 'deny',
  operation: 'op_0',
  number: 0,
  denial: {
    code: 'ERR_DENIED',
    message: 'not that',
    rule: 'r',
    reason: 'why',
    hint: 'else',
    next: 'instead',
  },
};
