import type { Clock } from '../../core/clock.ts';
import type { PolicyObject } from '../../policy/model.ts';
import { bindClassification, type Classification } from './classification.ts';
import type { SideConnection } from './side-connection.ts';
import { buildCatalog, type Catalog } from './sql/catalog-model.ts';
import { CATALOG_QUERIES, EPOCH_QUERY } from './sql/catalog-queries.ts';

/** What is known of a target's schema at one epoch. Immutable: a new epoch is a new object. */
export interface KnownCatalog {
  readonly catalog: Catalog;
  readonly classification: Classification;
}

/**
 * Knowledge older than this is checked before the next statement is judged (one cheap query, shared by all sessions).
 * It is the window in which somebody else's change of the schema is not seen: `docs/security.md`.
 */
const CHECK_AFTER_MS = 2000;
/** For the cheap query; the whole catalog of a large database takes longer, ms. */
const EPOCH_MS = 5_000;
const LOAD_MS = 60_000;

/**
 * Keeps the catalog of one target, read over a connection of the gateway's own.
 */
export class CatalogService {
  readonly #connect: () => Promise<SideConnection>;
  readonly #resource: PolicyObject;
  readonly #tags: ReadonlyMap<string, readonly string[]>;
  readonly #clock: Clock;
  #connection: SideConnection | undefined;
  #known: KnownCatalog | undefined;
  #epoch = '';
  #checkedAt = Number.NEGATIVE_INFINITY;
  #changes = 0;
  #checking: Promise<void> | undefined;

  constructor(parts: {
    readonly connect: () => Promise<SideConnection>;
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
    const age = this.#clock.now() - this.#checkedAt;
    if (age >= CHECK_AFTER_MS) return undefined;
    // Whoever needs the answer asks again, and is told what went wrong.
    if (age >= CHECK_AFTER_MS / 2 && this.#checking === undefined) this.#checkOnce().catch(() => undefined);
    return this.#known;
  }

  /** @throws {HoopError} `ERR_TARGET_…` it cannot be read now: nothing can be judged. */
  async current(): Promise<KnownCatalog> {
    for (;;) {
      const { fresh } = this;
      if (fresh !== undefined) return fresh;
      await this.#checkOnce();
    }
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
    this.#checkedAt = Number.NEGATIVE_INFINITY;
  }

  async #check(): Promise<void> {
    const [startedAt, changes] = [this.#clock.now(), this.#changes];
    const { connection, epoch } = await this.#ask();
    if (this.#known === undefined || epoch !== this.#epoch) this.#known = await this.#load(connection);
    this.#epoch = epoch;
    // A check that itself took longer than the window still counts once, or a slow target would be asked for ever.
    if (changes === this.#changes)
      this.#checkedAt = Math.max(startedAt, this.#clock.now() - CHECK_AFTER_MS / 2);
  }

  /** A connection that was idle for long may be gone without a word: then once more, over a new one. */
  async #ask(): Promise<{ connection: SideConnection; epoch: string }> {
    const idle = this.#connection?.usable === true ? this.#connection : undefined;
    const before = await idle?.query(EPOCH_QUERY, EPOCH_MS).catch(() => undefined);
    if (idle !== undefined && before !== undefined)
      return { connection: idle, epoch: JSON.stringify(before) };
    const connection = await this.#connect();
    this.#connection = connection;
    return { connection, epoch: JSON.stringify(await connection.query(EPOCH_QUERY, EPOCH_MS)) };
  }

  async #load(connection: SideConnection): Promise<KnownCatalog> {
    const rows: Record<string, readonly (readonly (string | null)[])[]> = {};
    for (const { name, sql } of CATALOG_QUERIES) rows[name] = await connection.query(sql, LOAD_MS);
    const catalog = buildCatalog(rows);
    return { catalog, classification: bindClassification(catalog, this.#tags, this.#resource) };
  }

  close(): void {
    this.#connection?.close();
  }
}
