import type { KeyObject } from 'node:crypto';
import {
  type ChainHeader,
  encodeLine,
  type RecordKind,
  signCheckpoint,
  ZERO_HASH,
} from '../core/evidence/audit-chain.ts';

/** Where a chain stands: enough to write its next line. */
export interface ChainState {
  readonly seq: number;
  readonly prev: string;
  /** Events since the last checkpoint. */
  readonly unsigned: number;
}

export const CHAIN_START: ChainState = { seq: 0, prev: ZERO_HASH, unsigned: 0 };

/**
 * Lines about to be written, and where the chain stands with them. Nothing is final before the caller has stored
 * `bytes()`: a group that could not be stored is thrown away and the next begins at the old state again.
 */
export class ChainGroup {
  readonly #chain: string;
  readonly #key: KeyObject;
  #state: ChainState;
  #lines: Buffer[] = [];

  constructor(chain: string, key: KeyObject, state: ChainState) {
    this.#chain = chain;
    this.#key = key;
    this.#state = state;
  }

  get state(): ChainState {
    return this.#state;
  }

  header(header: ChainHeader): void {
    this.#add('header', JSON.stringify(header), 0);
  }

  /** @param json As `EventShaper` gives it. */
  event(json: string): void {
    this.#add('event', json, this.#state.unsigned + 1);
  }

  /** Signs everything before it. @param closed It is the chain's last line. */
  checkpoint(at: string, closed: boolean): void {
    const { seq, prev } = this.#state;
    const unsigned = { chain: this.#chain, seq: seq - 1, head: prev, at, closed };
    this.#add('checkpoint', JSON.stringify(signCheckpoint(unsigned, this.#key)), 0);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#lines);
  }

  #add(kind: RecordKind, json: string, unsigned: number): void {
    const { seq, prev } = this.#state;
    const { line, hash } = encodeLine(seq, prev, kind, json);
    this.#lines.push(line);
    this.#state = { seq: seq + 1, prev: hash, unsigned };
  }
}
