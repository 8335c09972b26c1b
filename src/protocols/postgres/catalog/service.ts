import type { Clock } from '../../../core/clock.ts';
import type { PolicyObject } from '../../../policy/model.ts';
import type { ConfiguredTags } from '../entities.ts';
import {
  changesNothing,
  type NamedChanges,
  type SchemaChanges,
  together,
} from '../sql/facts/schema-changes.ts';
import { bindClassification, type Classification, type Classified } from './classification.ts';
import type { Catalog } from './model/model.ts';
import {
  type AskRows,
  type CatalogBase,
  type CatalogConnection,
  CatalogReader,
  catalogInTransaction,
} from './reader.ts';

/** What is known of a target's schema at one moment. Immutable: whoever sees a change sees a new object. */
export interface KnownCatalog {
  readonly catalog: Catalog;
  readonly classification: Classification;
  /** Only of what a session's own open transaction has, uncommitted changes too: what everybody else sees. */
  readonly outside?: KnownCatalog;
}

/**
 * Knowledge older than this is checked before the next statement is judged (one question, shared by all sessions).
 * It is the window in which somebody else's change of the schema is not seen: `docs/security.md`.
 */
const CHECK_AFTER_MS = 2000;
/** Changes that nobody waits for are asked for together, ms. */
const TOGETHER_MS = 200;
/** How long a target is asked for everything after it could not say what has become of some objects. */
const WHOLE_AFTER_FAILURE_MS = 60_000;

/**
 * Keeps the catalog of one target, read over a connection of the gateway's own.
 */
export class CatalogService {
  readonly #connect: () => Promise<CatalogConnection>;
  readonly #resource: PolicyObject;
  readonly #tags: ReadonlyMap<string, ConfiguredTags>;
  readonly #clock: Clock;
  readonly #learned: (known: KnownCatalog) => void;
  #reader: CatalogReader | undefined;
  #known: KnownCatalog | undefined;
  #base: CatalogBase | undefined;
  #checkedAt = Number.NEGATIVE_INFINITY;
  /** Schema changes seen, and how many of them had been when what is known was asked for. */
  #changes = 0;
  #covered = 0;
  /** What these changes were, of those that are not covered. */
  #changed: SchemaChanges | undefined;
  /** The one session that made all of those that are not covered. */
  #changedBy: object | undefined;
  #soon: NodeJS.Timeout | undefined;
  #closed = false;
  #wholeUntil = Number.NEGATIVE_INFINITY;
  #checking: Promise<void> | undefined;

  constructor(parts: {
    readonly connect: () => Promise<CatalogConnection>;
    readonly resource: PolicyObject;
    readonly tags: ReadonlyMap<string, ConfiguredTags>;
    readonly clock: Clock;
    /** Told of each catalog that is another than the last. */
    readonly learned: (known: KnownCatalog) => void;
  }) {
    this.#connect = parts.connect;
    this.#resource = parts.resource;
    this.#tags = parts.tags;
    this.#clock = parts.clock;
    this.#learned = parts.learned;
  }

  /** What is known, if it is fresh enough to judge by. It is looked at again in time, so that statements need not wait. */
  get fresh(): KnownCatalog | undefined {
    const known = this.#knownSince(this.#changes);
    const ageing = this.#clock.now() - this.#checkedAt >= CHECK_AFTER_MS / 2;
    if (known !== undefined && ageing && this.#checking === undefined) this.#checkUnasked();
    return known;
  }

  /**
   * @returns What is known, asked for after every schema change that was seen before this call. Changes that come while
   *   it is waited for are not: others make them all the time, and a statement is judged by what came before it.
   * @throws {HoopError} `ERR_TARGET_…` it cannot be read now: nothing can be judged.
   */
  async current(): Promise<KnownCatalog> {
    const changes = this.#changes;
    for (;;) {
      const known = this.#knownSince(changes);
      if (known !== undefined) return known;
      await this.#checkOnce();
    }
  }

  /**
   * What a session's own open transaction has.
   *
   * @param outside What everybody else sees, of which the session has some differences.
   * @param ask Asks the session's own connection.
   * @returns Undefined where that cannot be said.
   * @throws {HoopError} `ERR_TARGET_LOST` it cannot be read.
   */
  async inTransaction(outside: KnownCatalog, ask: AskRows): Promise<KnownCatalog | undefined> {
    const catalog = this.#base && (await catalogInTransaction(this.#base, ask));
    // By a change that is not committed nothing gets away from its mask.
    return catalog && { ...this.#bound(catalog, outside.classification.columns), outside };
  }

  /** What is known, though changes of this session's may be missing, and nobody else's; undefined: ask for `current`. */
  lately(session: object): KnownCatalog | undefined {
    const alone = this.#covered === this.#changes || this.#changedBy === session;
    return alone && !this.#late ? this.#known : undefined;
  }

  get #late(): boolean {
    return this.#clock.now() - this.#checkedAt >= CHECK_AFTER_MS;
  }

  #knownSince(changes: number): KnownCatalog | undefined {
    return this.#late || this.#covered < changes ? undefined : this.#known;
  }

  #checkOnce(): Promise<void> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
      // It was under way when these were seen.
      if (this.#changed !== undefined) this.#checkSoon();
    });
    return this.#checking;
  }

  #checkSoon(): void {
    if (this.#closed) return;
    this.#soon ??= setTimeout(() => this.#checkUnasked(), TOGETHER_MS).unref();
  }

  /** Whoever waits for the answer asks again, and is told what went wrong. */
  #checkUnasked(): void {
    this.#checkOnce().catch(() => undefined);
  }

  /**
   * A schema change was seen: the next statement waits for a new look, even if one is under way.
   *
   * @param session May be judged without it, so nobody may be waiting.
   */
  invalidate(changes: SchemaChanges, session?: object): void {
    if (changesNothing(changes)) return;
    const first = this.#covered === this.#changes;
    this.#changedBy = first || this.#changedBy === session ? session : undefined;
    this.#changes++;
    this.#changed = together(this.#changed, changes);
    if (session === undefined) this.#checkUnasked();
    else this.#checkSoon();
  }

  async #check(): Promise<void> {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    const [startedAt, changes, changed] = [this.#clock.now(), this.#changes, this.#changed];
    this.#changed = undefined;
    const byName = changed !== undefined && changed !== 'anything' && this.#mayAskByName(startedAt);
    const catalog = await (byName ? this.#readNamed(changed) : this.#read());
    if (catalog !== this.#known?.catalog) {
      this.#known = this.#bound(catalog);
      this.#learned(this.#known);
    }
    this.#base = this.#reader?.base;
    this.#covered = changes;
    if (byName) return;
    // A check that itself took longer than the window still counts once, or a slow target would be asked for ever.
    this.#checkedAt = Math.max(startedAt, this.#clock.now() - CHECK_AFTER_MS / 2);
  }

  #mayAskByName(now: number): boolean {
    return now < this.#checkedAt + CHECK_AFTER_MS && now >= this.#wholeUntil && this.#reader?.usable === true;
  }

  async #readNamed(changed: NamedChanges): Promise<Catalog> {
    try {
      return await (this.#reader as CatalogReader).readNamed(changed);
    } catch {
      // A pooler that loses prepared statements, for one: then everything is asked for, without them.
      this.#wholeUntil = this.#clock.now() + WHOLE_AFTER_FAILURE_MS;
      return this.#read();
    }
  }

  /** A connection that was idle for long may be gone without a word: then once more, over a new one. */
  async #read(): Promise<Catalog> {
    const idle = this.#reader?.usable === true ? this.#reader : undefined;
    const catalog = await idle?.read().catch(() => undefined);
    if (catalog !== undefined) return catalog;
    this.#reader?.close();
    this.#reader = new CatalogReader(await this.#connect());
    return this.#reader.read();
  }

  #bound(catalog: Catalog, kept: readonly Classified[] = []): KnownCatalog {
    return { catalog, classification: bindClassification(catalog, this.#tags, this.#resource, kept) };
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#soon);
    this.#reader?.close();
  }
}
