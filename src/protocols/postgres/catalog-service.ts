import type { Clock } from '../../core/clock.ts';
import type { PolicyObject } from '../../policy/model.ts';
import { type CatalogConnection, CatalogReader } from './catalog-reader.ts';
import { bindClassification, type Classification } from './classification.ts';
import type { Catalog } from './sql/catalog-model.ts';

/** What is known of a target's schema at one moment. Immutable: whoever sees a change sees a new object. */
export interface KnownCatalog {
  readonly catalog: Catalog;
  readonly classification: Classification;
}

/**
 * Knowledge older than this is checked before the next statement is judged (one question, shared by all sessions).
 * It is the window in which somebody else's change of the schema is not seen: `docs/security.md`.
 */
const CHECK_AFTER_MS = 2000;

/**
 * Keeps the catalog of one target, read over a connection of the gateway's own.
 */
export class CatalogService {
  readonly #connect: () => Promise<CatalogConnection>;
  readonly #resource: PolicyObject;
  readonly #tags: ReadonlyMap<string, readonly string[]>;
  readonly #clock: Clock;
  #reader: CatalogReader | undefined;
  #known: KnownCatalog | undefined;
  #checkedAt = Number.NEGATIVE_INFINITY;
  /** Schema changes seen, and how many of them had been when what is known was asked for. */
  #changes = 0;
  #covered = 0;
  #checking: Promise<void> | undefined;

  constructor(parts: {
    readonly connect: () => Promise<CatalogConnection>;
    readonly resource: PolicyObject;
    readonly tags: ReadonlyMap<string, readonly string[]>;
    readonly clock: Clock;
  }) {
    this.#connect = parts.connect;
    this.#resource = parts.resource;
    this.#tags = parts.tags;
    this.#clock = parts.clock;
  }

  /** What is known, if it is fresh enough to judge by. It is looked at again in time, so that statements need not wait. */
  get fresh(): KnownCatalog | undefined {
    const known = this.#knownSince(this.#changes);
    const ageing = this.#clock.now() - this.#checkedAt >= CHECK_AFTER_MS / 2;
    // Whoever needs the answer asks again, and is told what went wrong.
    if (known !== undefined && ageing && this.#checking === undefined)
      this.#checkOnce().catch(() => undefined);
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

  #knownSince(changes: number): KnownCatalog | undefined {
    const late = this.#clock.now() - this.#checkedAt >= CHECK_AFTER_MS;
    return late || this.#covered < changes ? undefined : this.#known;
  }

  #checkOnce(): Promise<void> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  /** A schema change was seen: the next statement waits for a new look, even if one is under way. */
  invalidate(): void {
    this.#changes++;
  }

  async #check(): Promise<void> {
    const [startedAt, changes] = [this.#clock.now(), this.#changes];
    const catalog = await this.#read();
    if (catalog !== this.#known?.catalog) this.#known = this.#bound(catalog);
    this.#covered = changes;
    // A check that itself took longer than the window still counts once, or a slow target would be asked for ever.
    this.#checkedAt = Math.max(startedAt, this.#clock.now() - CHECK_AFTER_MS / 2);
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

  #bound(catalog: Catalog): KnownCatalog {
    return { catalog, classification: bindClassification(catalog, this.#tags, this.#resource) };
  }

  close(): void {
    this.#reader?.close();
  }
}
