import { HoopError, toHoopError } from '../../../core/errors.ts';
import { after, type Later } from '../../../core/later.ts';
import { refusalLine } from '../../../core/refusal-line.ts';
import type { PolicyObject } from '../../../policy/model.ts';
import type { Denied } from '../../stream/guard.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import { closed, type Pending, type SftpEvidence, settle, versionOf } from './answers.ts';
import { type OpenFile, OpenFiles } from './open-files.ts';
import {
  idOf,
  PACKET,
  PacketFramer,
  packet,
  type StatusWord,
  statusPacket,
  typeOf,
  VERSION,
} from './packets.ts';
import { isNameable, resolved } from './paths.ts';
import { questionOf, refusedQuestion, type SftpAsk } from './question.ts';
import { requestOf, type SftpRequest } from './request.ts';
import type { Turn } from './turns.ts';

/** Requests that the target has not answered, at most; OpenSSH's clients have 64. */
const MAX_PENDING = 1024;
/** Where ids of the gateway's own begin: clients count from 0. */
const OWN_IDS = 0xf0000000;
/** Behind them the same name may be of something else. */
const LEADS_ELSEWHERE = new Set(['sftp.rename', 'sftp.link']);

/** What a session of SFTP is given by its channel. */
export interface SftpParts {
  readonly host: PolicyObject;
  readonly clean: (text: string) => string;
  /** Decides, waiting for people where policy says so. @param waits Called when it does. @throws {HoopError} End the session. */
  ask(question: SftpAsk, waits?: () => void): Later<OpenOperation | Denied>;
  /** A turn among the sessions of the same owner. @param alone What is done changes where paths lead. */
  turn(alone: boolean): Promise<Turn>;
  /** Ends a turn once nothing that was sent can be done any more: the session is over. */
  ends(turn: Turn): void;
  toTarget(bytes: Buffer): void;
  toClient(bytes: Buffer): void;
  /** Follows whether policy still permits what an operation was allowed for. */
  stands(question: SftpAsk, operation: OpenOperation): OpenFile['stands'];
  /** Whether the client reads what it is answered. If not, nothing more is done for it until `goOn`. */
  readonly hasRoom: () => boolean;
  /** There are no whole requests any more that were not sent on. */
  taken(): void;
  /** One of the two speaks no SFTP, or the session must end. Called once; nothing is carried from here on. */
  failed(error: HoopError): void;
  readonly guard: SftpEvidence;
}

/** Why what people have said yes to is not done. */
const LEADS_AWAY = 'the path leads elsewhere than when it was asked for';
const LEADS_NOWHERE = 'the path leads nowhere any more';

/** What may be sent, under the names that were found. */
interface Allowed {
  readonly found: readonly Buffer[];
  readonly question: SftpAsk;
  readonly operation: OpenOperation;
  readonly turn: Turn;
}

type Of<Kind extends SftpRequest['kind']> = Extract<SftpRequest, { kind: Kind }>;

/**
 * One session of SFTP, carried packet by packet. What names a path is asked for under the path as it really is at the
 * target, and sent with that path: what was asked for is what is opened. Requests go on in the order in which they came;
 * one that waits holds up those behind it.
 *
 * No I/O of its own. Holds what the client sent and is not sent on yet: see `waitingBytes`.
 */
export class SftpObserver {
  readonly #parts: SftpParts;
  readonly #fromClient = new PacketFramer();
  readonly #fromTarget = new PacketFramer();
  readonly #pending = new Map<number, Pending>();
  readonly #files = new OpenFiles();
  #phase: 'new' | 'greeted' | 'open' | 'over' = 'new';
  #extensions: ReadonlySet<string> = new Set();
  #busy = false;
  #nextOwn = OWN_IDS;
  /** Files are carried as they are. */
  readonly maskedValues = 0;

  constructor(parts: SftpParts) {
    this.#parts = parts;
  }

  fromClient(bytes: Buffer): void {
    if (this.#phase !== 'over') this.#fromClient.add(bytes);
    this.#work();
  }

  fromTarget(bytes: Buffer): void {
    if (this.#phase !== 'over') this.#fromTarget.add(bytes);
    this.#carried(() => {
      for (let packet = this.#fromTarget.next(); packet !== undefined; packet = this.#fromTarget.next())
        this.#answer(packet);
    });
    this.#work();
  }

  /** The client reads again, or has said its last. */
  goOn(): void {
    this.#work();
  }

  /** Octets of requests that were not sent on yet: above some bound the client is to be paused until `taken`. */
  get waitingBytes(): number {
    return this.#phase === 'over' ? 0 : this.#fromClient.waitingBytes;
  }

  /** The channel is over: whatever is open gets its outcome. Safe to call twice. */
  end(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    for (const pending of this.#pending.values()) {
      if ('turn' in pending && pending.turn !== undefined) this.#parts.ends(pending.turn);
      if (pending.kind === 'own') pending.failed(new HoopError('ERR_SESSION_ENDED'));
      else if (pending.kind === 'closes') closed(pending.file, undefined, this.#parts.guard);
      else if ('operation' in pending) pending.operation.drop();
    }
    for (const file of this.#files.all()) closed(file, undefined, this.#parts.guard);
    this.#pending.clear();
  }

  #carried(act: () => void): void {
    if (this.#phase === 'over') return;
    try {
      act();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#phase === 'over') return;
    this.end();
    this.#parts.failed(toHoopError(error));
  }

  /** Sends on what may be, in order, up to the first that has to wait. */
  #work(): void {
    this.#carried(() => {
      // What follows `init` means nothing before the target has said what it speaks.
      while (this.#hasRoom && this.#phase !== 'greeted') {
        const packet = this.#fromClient.next();
        if (packet === undefined) return this.#parts.taken();
        const done = this.#request(packet);
        if (done instanceof Promise) this.#wait(done);
      }
    });
  }

  get #hasRoom(): boolean {
    if (this.#busy || this.#phase === 'over') return false;
    return this.#pending.size < MAX_PENDING && this.#parts.hasRoom();
  }

  #wait(done: Promise<void>): void {
    this.#busy = true;
    done.then(
      () => {
        this.#busy = false;
        this.#work();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #request(packet: Buffer): Later<void> {
    if (this.#phase === 'new') return this.#greet(packet);
    const id = idOf(packet);
    if (this.#pending.has(id)) throw new HoopError('ERR_PROTOCOL', 'two requests of SFTP have the same id');
    const request = readOf(packet);
    if (request === undefined) return this.#say(id, 'badMessage', 'the request cannot be read');
    switch (request.kind) {
      case 'unknown':
        return this.#say(id, 'opUnsupported', 'the gateway does not carry this request');
      case 'paths':
        return this.#onPaths(id, request);
      case 'fsetstat':
        return this.#onOpenPath(id, packet, request);
      case 'plain':
        return this.#send(id, packet, { kind: 'plain' });
      case 'read':
      case 'write':
      case 'close':
      case 'open-files':
        return this.#onFiles(id, packet, request);
    }
  }

  #greet(init: Buffer): void {
    if (typeOf(init) !== PACKET.init || idOf(init) < VERSION)
      throw new HoopError('ERR_PROTOCOL', 'the client does not speak version 3 of SFTP');
    this.#phase = 'greeted';
    this.#parts.toTarget(packet(PACKET.init, VERSION));
  }

  /** Reads and writes of what was allowed when it was opened. */
  #onFiles(id: number, packet: Buffer, request: Of<'read' | 'write' | 'close' | 'open-files'>): void {
    const handles = request.kind === 'open-files' ? request.handles : [request.handle];
    const files = handles.map((handle) => this.#files.get(handle));
    const [file] = files;
    if (file === undefined || files.includes(undefined))
      return this.#say(id, 'failure', 'nothing is open under this handle');
    const fallen = request.kind === 'close' ? undefined : files.find((one) => one?.stands.now === false);
    if (fallen !== undefined)
      return this.#say(id, 'permissionDenied', `hoop: ${fallen.stands.ending.message}`);
    switch (request.kind) {
      case 'read':
        return this.#send(id, packet, { kind: 'reads', file, offset: request.offset });
      case 'close':
        this.#files.take(request.handle);
        return this.#send(id, packet, { kind: 'closes', file });
      case 'write':
        file.wrote(request.offset, request.data);
    }
    this.#send(id, packet, { kind: 'plain' });
  }

  #onOpenPath(id: number, packet: Buffer, { handle, verbs, rest }: Of<'fsetstat'>): Later<void> {
    const file = this.#files.get(handle);
    if (file === undefined) return this.#say(id, 'failure', 'nothing is open under this handle');
    const { host, clean, ask } = this.#parts;
    const question = questionOf(host, { what: 'fsetstat', rest, paths: [{ path: file.path, verbs }] }, clean);
    return after(ask(question), (answer) => {
      if (answer.effect === 'deny') return this.#denied(id, answer);
      if (this.#phase === 'over') return answer.drop();
      return this.#send(id, packet, { kind: 'asked', operation: answer });
    });
  }

  #onPaths(id: number, request: Of<'paths'>): Later<void> {
    // Only OpenSSH's order of its two paths is known: the other would make a link of what was not asked for.
    if (request.what === 'symlink' && !this.#extensions.has('posix-rename@openssh.com'))
      return this.#say(id, 'opUnsupported', "the target's links are not carried");
    if (request.opens !== undefined && this.#files.full)
      return this.#say(id, 'failure', 'too many files are open');
    if (!request.paths.every(isNameable))
      return after(this.#parts.ask(refusedQuestion(request.what)), (answer) => this.#denied(id, answer));
    return this.#asReallyNamed(id, request);
  }

  /** Looks up where the paths lead, asks, and sends; where people were asked meanwhile, from the beginning if they lead elsewhere now. */
  async #asReallyNamed(id: number, request: Of<'paths'>): Promise<void> {
    const alone = request.paths.some(({ verbs }) => verbs.some((verb) => LEADS_ELSEWHERE.has(verb)));
    let turn = await this.#parts.turn(alone);
    try {
      const found = await this.#found(id, request, turn);
      if (found === undefined) return;
      const question = this.#questionOf(request, found);
      let held = false;
      const answer = await this.#parts.ask(question, () => {
        held = true;
        // Nobody waits for what waits for people.
        turn();
      });
      if (answer.effect === 'deny') {
        turn();
        return this.#denied(id, answer);
      }
      if (held) {
        turn = await this.#parts.turn(alone);
        const now = await this.#found(id, request, turn);
        if (now === undefined) return answer.close('failure', undefined, LEADS_NOWHERE);
        if (!now.every((real, i) => real.equals(found[i]!))) {
          turn();
          answer.close('failure', undefined, LEADS_AWAY);
          return await this.#asReallyNamed(id, request);
        }
      }
      this.#allowed(id, request, { found, question, operation: answer, turn });
    } catch (error) {
      turn();
      throw error;
    }
  }

  #questionOf({ what, rest, paths }: Of<'paths'>, found: readonly Buffer[]): SftpAsk {
    const named = paths.map(({ verbs }, i) => ({ path: found[i]!.toString(), verbs }));
    return questionOf(this.#parts.host, { what, rest, paths: named }, this.#parts.clean);
  }

  #allowed(id: number, request: Of<'paths'>, { found, question, operation, turn }: Allowed): void {
    if (this.#phase === 'over') {
      turn();
      return operation.drop();
    }
    // What a new link says is the client's own word; where it leads was asked for.
    const sent = found.map((real, i) => (request.paths[i]!.as === 'target' ? request.paths[i]!.raw : real));
    const stands = () => this.#parts.stands(question, operation);
    this.#send(
      id,
      request.with(sent),
      request.opens === undefined
        ? { kind: 'asked', operation, turn }
        : { kind: 'opens', operation, path: found[0]!.toString(), stands: stands(), turn },
    );
  }

  /** @returns Undefined: they lead nowhere, which was answered, or nobody is there; the turn was given back. */
  async #found(id: number, request: Of<'paths'>, turn: Turn): Promise<Buffer[] | undefined> {
    if (this.#phase === 'over') return void turn();
    try {
      const found = await resolved(request.paths, (make) => this.#askTarget(make));
      if (Array.isArray(found)) return found;
      turn();
      return void this.#parts.toClient(withId(found.answer, id));
    } catch (error) {
      turn();
      throw error;
    }
  }

  #denied(id: number, answer: OpenOperation | Denied): void {
    if (answer.effect === 'allow') throw new HoopError('ERR_INTERNAL');
    const { denial } = answer;
    this.#say(id, 'permissionDenied', `hoop: ${denial.code}: ${denial.message} ${refusalLine(denial)}`);
  }

  #askTarget(make: (id: number) => Buffer): Promise<Buffer> {
    while (this.#pending.has(this.#nextOwn)) this.#nextOwn = next(this.#nextOwn);
    const id = this.#nextOwn;
    this.#nextOwn = next(id);
    return new Promise((answered, failed) => this.#send(id, make(id), { kind: 'own', answered, failed }));
  }

  #send(id: number, packet: Buffer, pending: Pending): void {
    this.#pending.set(id, pending);
    this.#parts.toTarget(packet);
  }

  #say(id: number, word: StatusWord, text: string): void {
    if (this.#phase !== 'over') this.#parts.toClient(statusPacket(id, word, text));
  }

  #answer(packet: Buffer): void {
    if (this.#phase === 'greeted') {
      const version = versionOf(packet);
      this.#phase = 'open';
      this.#extensions = version.extensions;
      return this.#parts.toClient(version.packet);
    }
    const id = idOf(packet);
    const pending = this.#pending.get(id);
    if (pending === undefined) throw new HoopError('ERR_TARGET_LOST', 'the target answers what nobody asked');
    this.#pending.delete(id);
    if (pending.kind === 'own') return pending.answered(packet);
    if ('turn' in pending) pending.turn?.();
    settle(pending, packet, this.#files, this.#parts.guard);
    this.#parts.toClient(packet);
  }
}

function next(id: number): number {
  return id === 0xffffffff ? OWN_IDS : id + 1;
}

/** Undefined: its fields are not what its type asks for. */
function readOf(packet: Buffer): SftpRequest | undefined {
  try {
    return requestOf(packet);
  } catch (error) {
    if (toHoopError(error).code === 'ERR_PROTOCOL') return undefined;
    throw error;
  }
}

function withId(answer: Buffer, id: number): Buffer {
  const copy = Buffer.from(answer);
  copy.writeUInt32BE(id, 5);
  return copy;
}
