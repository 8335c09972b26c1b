import type { KeyObject } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { HoopError } from '../core/errors.ts';
import { CHAIN_SCHEMA, type ChainLink, MAX_LINE_BYTES, rawPublicKey } from '../core/evidence/audit-chain.ts';
import { IdSeries } from '../core/ids/make.ts';
import type { Later } from '../core/later.ts';
import type { Log } from '../core/log.ts';
import type { DirectoryLock } from '../storage/dir-lock.ts';
import type { SegmentFile } from '../storage/segment-file.ts';
import { CHAIN_START, ChainGroup, type ChainState } from './chain.ts';
import type { AuditLog, EventInput } from './event.ts';
import type { SealKey } from './keys.ts';
import { Sealer } from './seal.ts';
import { EventShaper } from './shape.ts';

/** What may wait rides with the next event, or is written by itself after this long, ms. */
const LATER_MS = 25;
/** How often a log that failed tries again, ms. */
const PROBE_MS = 250;
/** Events waiting for a slow disk, UTF-16 units of their JSON: more are refused. */
const MAX_WAITING = 64 * 1024 * 1024;
/** A line, less what stands around the event. */
const MAX_JSON_BYTES = MAX_LINE_BYTES - 1024;

export interface ChainWriterOptions {
  readonly durability: 'process' | 'strict';
  readonly sealKey: SealKey;
  readonly signingKey: KeyObject;
  readonly clock: Clock;
  readonly log: Log;
  readonly checkpointEvents?: number;
  readonly checkpointMs?: number;
}

interface Waiting {
  readonly json: string;
  /** Told once the event is stored, or cannot be. */
  readonly settled?: (failure?: HoopError) => void;
}

/** Nothing may be forwarded on account of an event that met this. */
export function unavailable(cause: unknown): HoopError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new HoopError('ERR_AUDIT_UNAVAILABLE', undefined, { detail, cause });
}

/**
 * Writes one chain. In `process` an event is handed to the system at once, which costs less than to come back for it; in
 * `strict` events of one turn of the event loop share a write, and what arrives while the disk is busy is the next group. Once a write fails every append is refused until a probe, which is an
 * `audit.recovered` event, has been written.
 */
export class ChainWriter implements AuditLog {
  readonly chain: string;
  readonly publicKey: string;
  readonly #options: ChainWriterOptions;
  readonly #files: SegmentFile;
  readonly #lock: DirectoryLock;
  readonly #ids = new IdSeries('evt');
  readonly #shaper: EventShaper;
  #now = { ms: Number.NaN, text: '' };
  #state: ChainState = CHAIN_START;
  #waiting: Waiting[] = [];
  #waitingSize = 0;
  #soon = false;
  #laterTimer: NodeJS.Timeout | undefined;
  #checkpointTimer: NodeJS.Timeout | undefined;
  #checkpointDue = false;
  /** The group that the disk is busy with, in `strict`. Never rejects. */
  #writing: Promise<void> | undefined;
  #down: { readonly since: string; readonly timer: NodeJS.Timeout; refused: number } | undefined;
  #closing: Promise<void> | undefined;

  /** Takes over `files` and `lock`: `close` gives them back. */
  constructor(options: ChainWriterOptions, chain: string, files: SegmentFile, lock: DirectoryLock) {
    this.chain = chain;
    this.publicKey = rawPublicKey(options.signingKey);
    this.#options = options;
    this.#files = files;
    this.#lock = lock;
    this.#shaper = new EventShaper(new Sealer(options.sealKey));
  }

  /** False from a failed write until a probe has been written. */
  get available(): boolean {
    return this.#down === undefined && this.#closing === undefined;
  }

  /** Writes the header and a first checkpoint. @throws What the disk said. */
  begin(previous: ChainLink | undefined): Promise<void> {
    const group = this.#group();
    const { chain, publicKey } = this;
    const at = this.#at();
    group.header({ schemaVersion: CHAIN_SCHEMA, chain, at, publicKey, ...(previous && { previous }) });
    group.checkpoint(at, false);
    return this.#stored(group);
  }

  append(input: EventInput): Later<string> {
    try {
      const { id, json } = this.#shaped(input);
      return this.#options.durability === 'process' ? this.#writeNow(id, json) : this.#writeSoon(id, json);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  appendSoon(input: EventInput): void {
    try {
      this.#enqueue({ json: this.#shaped(input).json });
    } catch {
      return;
    }
    this.#laterTimer ??= setTimeout(() => {
      this.#laterTimer = undefined;
      this.#write();
    }, LATER_MS).unref();
  }

  /** @throws {HoopError} `ERR_AUDIT_UNAVAILABLE` */
  #shaped(input: EventInput): { readonly id: string; readonly json: string } {
    if (this.#closing !== undefined) throw unavailable('the log is closed');
    if (this.#down !== undefined) {
      this.#down.refused++;
      throw unavailable('an earlier write failed');
    }
    const id = this.#ids.next(this.#options.clock.now());
    const json = this.#json(input, id);
    if (json.length * 3 > MAX_JSON_BYTES && Buffer.byteLength(json) > MAX_JSON_BYTES)
      throw unavailable('the event is too large');
    return { id, json };
  }

  #json(input: EventInput, id: string): string {
    try {
      return this.#shaper.json(input, id, this.#at());
    } catch (error) {
      // Not JSON, which the types forbid: refused like any event that cannot be stored.
      throw unavailable(error);
    }
  }

  /** @throws {HoopError} `ERR_AUDIT_UNAVAILABLE` */
  #enqueue(waiting: Waiting): void {
    if (this.#waitingSize + waiting.json.length > MAX_WAITING)
      throw unavailable('too many events wait for the disk');
    this.#waitingSize += waiting.json.length;
    this.#waiting.push(waiting);
  }

  #writeNow(id: string, json: string): Later<string> {
    let failed: HoopError | undefined;
    const settled = (failure?: HoopError) => {
      failed = failure;
    };
    this.#enqueue({ json, settled });
    this.#write();
    return failed === undefined ? id : Promise.reject(failed);
  }

  #writeSoon(id: string, json: string): Promise<string> {
    const stored = new Promise<string>((resolve, reject) => {
      const settled = (failure?: HoopError) => (failure === undefined ? resolve(id) : reject(failure));
      this.#enqueue({ json, settled });
    });
    if (!this.#soon && this.#writing === undefined) {
      this.#soon = true;
      setImmediate(() => {
        this.#soon = false;
        this.#write();
      });
    }
    return stored;
  }

  async flush(): Promise<void> {
    while (this.#writing !== undefined || this.#waiting.length > 0) {
      this.#write();
      await this.#writing;
    }
    if (this.#down !== undefined) throw unavailable('the log has not recovered');
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  /** Starts the next group, unless the disk is busy: then its end does. */
  #write(): void {
    if (this.#writing !== undefined || this.#down !== undefined) return;
    const waiting = this.#waiting;
    if (waiting.length === 0 && !this.#checkpointDue) return;
    this.#waiting = [];
    this.#waitingSize = 0;
    const group = this.#group();
    for (const { json } of waiting) group.event(json);
    const full = group.state.unsigned >= (this.#options.checkpointEvents ?? 1000);
    if (full || (this.#checkpointDue && group.state.unsigned > 0)) group.checkpoint(this.#at(), false);
    this.#store(group, (error) => {
      if (error === undefined) for (const { settled } of waiting) settled?.();
      else this.#fail(waiting, error);
    });
  }

  /** Writes a group; the chain moves on only if that succeeds. `done` is called at once in `process`. */
  #store(group: ChainGroup, done: (error?: unknown) => void): void {
    const bytes = group.bytes();
    const finish = (error?: unknown) => {
      if (error === undefined) this.#moveOn(group.state);
      done(error);
    };
    try {
      this.#files.write(bytes);
    } catch (error) {
      finish(error);
      return;
    }
    if (this.#options.durability === 'process') {
      finish();
      return;
    }
    this.#writing = this.#files
      .sync(bytes.length)
      .then(() => finish(), finish)
      .then(() => {
        this.#writing = undefined;
        this.#write();
      });
  }

  #stored(group: ChainGroup): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#store(group, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  #moveOn(state: ChainState): void {
    this.#state = state;
    if (state.unsigned === 0) {
      clearTimeout(this.#checkpointTimer);
      this.#checkpointTimer = undefined;
      this.#checkpointDue = false;
    } else {
      this.#checkpointTimer ??= setTimeout(() => {
        this.#checkpointTimer = undefined;
        this.#checkpointDue = true;
        this.#write();
      }, this.#options.checkpointMs ?? 5000).unref();
    }
  }

  /** Refuses all that wait, and everything until a probe is written. */
  #fail(group: readonly Waiting[], error: unknown): void {
    const refused = [...group, ...this.#waiting];
    this.#waiting = [];
    this.#waitingSize = 0;
    const timer = setInterval(() => this.#probe(), PROBE_MS).unref();
    this.#down = { since: this.#at(), timer, refused: refused.length };
    const failure = unavailable(error);
    this.#options.log.error('the audit log cannot be written: everything is refused', {
      chain: this.chain,
      code: failure.code,
      error: failure.detail,
    });
    for (const { settled } of refused) settled?.(failure);
  }

  #probe(): void {
    const down = this.#down;
    if (down === undefined || this.#writing !== undefined) return;
    const now = this.#at();
    const facts = { since: down.since, refused: down.refused };
    const group = this.#group();
    const id = this.#ids.next(this.#options.clock.now());
    group.event(this.#shaper.json({ type: 'audit.recovered', facts }, id, now));
    this.#store(group, (error) => {
      if (error !== undefined) return;
      clearInterval(down.timer);
      this.#down = undefined;
      this.#options.log.info('the audit log can be written again', {
        chain: this.chain,
        refused: down.refused,
      });
    });
  }

  async #end(): Promise<void> {
    await this.flush().catch(() => undefined);
    await this.#writing;
    clearTimeout(this.#laterTimer);
    clearTimeout(this.#checkpointTimer);
    clearInterval(this.#down?.timer);
    try {
      const group = this.#group();
      group.checkpoint(this.#at(), true);
      await this.#stored(group);
      await this.#files.sync(0);
    } catch (error) {
      const { detail } = unavailable(error);
      this.#options.log.error('the audit chain could not be closed', { chain: this.chain, error: detail });
    } finally {
      clearTimeout(this.#checkpointTimer);
      this.#files.close();
      this.#lock.release();
    }
  }

  #group(): ChainGroup {
    return new ChainGroup(this.chain, this.#options.signingKey, this.#state);
  }

  #at(): string {
    const ms = this.#options.clock.now();
    if (ms !== this.#now.ms) this.#now = { ms, text: new Date(ms).toISOString() };
    return this.#now.text;
  }
}
