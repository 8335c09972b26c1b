import { createHash, type Hash } from 'node:crypto';
import type { OpenOperation } from '../../stream/operations.ts';
import type { Stands } from '../../stream/stands.ts';

/** Open at once of one session; OpenSSH's own bound is lower. */
const MAX_OPEN_FILES = 512;

/** What went one way: how much, and its hash where it came in order. */
class Copied {
  readonly #verb: string;
  readonly #hash: Hash = createHash('sha256');
  #from: bigint | undefined;
  #next = 0n;
  #inOrder = true;
  bytes = 0;

  constructor(verb: string) {
    this.#verb = verb;
  }

  add(offset: bigint, data: Buffer): void {
    this.#from ??= offset;
    if (this.bytes > 0 && offset !== this.#next) this.#inOrder = false;
    this.#next = offset + BigInt(data.length);
    this.bytes += data.length;
    if (this.#inOrder) this.#hash.update(data);
  }

  /** `read 12 octets, sha256 …`; undefined: nothing was. */
  told(): string | undefined {
    if (this.bytes === 0) return undefined;
    const from = this.#from === 0n ? '' : ` from octet ${this.#from}`;
    const hash = this.#inOrder ? `sha256 ${this.#hash.digest('hex')}` : 'not in order';
    return `${this.#verb} ${this.bytes} octets${from}, ${hash}`;
  }
}

/** A file or directory that a session holds open, under the operation that opened it. */
export class OpenFile {
  readonly path: string;
  readonly operation: OpenOperation;
  /** Policy permits what it was opened for. */
  readonly stands: Pick<Stands, 'now' | 'ending'>;
  readonly #read = new Copied('read');
  readonly #written = new Copied('wrote');

  constructor(path: string, operation: OpenOperation, stands: Pick<Stands, 'now' | 'ending'>) {
    this.stands = stands;
    this.path = path;
    this.operation = operation;
  }

  read(offset: bigint, data: Buffer): void {
    this.#read.add(offset, data);
    this.operation.answered = true;
  }

  wrote(offset: bigint, data: Buffer): void {
    this.#written.add(offset, data);
    this.operation.answered = true;
  }

  /** What was copied, a sentence each way. Asked once: it ends the hashes. */
  told(): string[] {
    this.operation.bytes = this.#read.bytes + this.#written.bytes;
    return [this.#read.told(), this.#written.told()].filter((one) => one !== undefined);
  }
}

/** By handle, as the target names them. */
export class OpenFiles {
  readonly #files = new Map<string, OpenFile>();

  get full(): boolean {
    return this.#files.size >= MAX_OPEN_FILES;
  }

  add(handle: Buffer, file: OpenFile): void {
    this.#files.set(handle.toString('latin1'), file);
  }

  get(handle: Buffer): OpenFile | undefined {
    return this.#files.get(handle.toString('latin1'));
  }

  /** It is not to be used any more. */
  take(handle: Buffer): OpenFile | undefined {
    const file = this.get(handle);
    this.#files.delete(handle.toString('latin1'));
    return file;
  }

  /** Whatever is still open. */
  all(): readonly OpenFile[] {
    return [...this.#files.values()];
  }
}
