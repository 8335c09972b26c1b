import type { Later } from '../../../core/later.ts';
import type { CatalogService, KnownCatalog } from '../catalog/service.ts';
import type { ParsedSql, StatementFacts } from '../sql/facts/facts.ts';
import type { SessionPath } from './session-path.ts';

/** Longer texts would be parsed twice. */
const SHORT_CHARS = 8_192;

/**
 * The catalog by which one session is judged: as it is, but for a change of the schema by a session that may do anything
 * and from which nothing is masked. Such a change is judged by what was known before the session's own last changes, and
 * by the names that they made or took, so that the statements of a migration do not each wait for the catalog to be read.
 *
 * @see docs/decisions/0009-catalog-changes.md
 */
export class CatalogView {
  readonly #catalog: CatalogService;
  readonly #path: SessionPath;
  readonly #mayDoAnything: () => boolean;
  readonly #parse: (text: string, major: number) => Later<ParsedSql>;

  /**
   * @param mayDoAnything Policy, as it is now, permits what nobody reads, and nothing is masked.
   * @param parse May throw for what does not parse.
   */
  constructor(parts: {
    readonly catalog: CatalogService;
    readonly path: SessionPath;
    readonly mayDoAnything: () => boolean;
    readonly parse: (text: string, major: number) => Later<ParsedSql>;
  }) {
    this.#catalog = parts.catalog;
    this.#path = parts.path;
    this.#mayDoAnything = parts.mayDoAnything;
    this.#parse = parts.parse;
  }

  /** As `CatalogService.fresh`. */
  get fresh(): KnownCatalog | undefined {
    return this.#catalog.fresh;
  }

  /**
   * @param text The statements that are to be judged.
   * @throws {HoopError} `ERR_TARGET_…` it cannot be read now: nothing can be judged.
   */
  async for(text: string): Promise<KnownCatalog> {
    const waits = this.#catalog.fresh === undefined && this.#path.tookNames;
    const lately = waits ? this.#catalog.lately(this.#path) : undefined;
    if (lately !== undefined && (await this.#changesOnly(text, lately))) return lately;
    const current = await this.#catalog.current();
    this.#path.read();
    return current;
  }

  async #changesOnly(text: string, { catalog }: KnownCatalog): Promise<boolean> {
    if (text.length > SHORT_CHARS || !this.#mayDoAnything()) return false;
    const major = Math.floor(catalog.serverVersion / 10_000);
    const parsed = await Promise.resolve(this.#parse(text, major)).catch(() => undefined);
    return parsed !== undefined && parsed.statements.length === 1 && parsed.statements.every(isChange);
  }
}

/** It changes the schema under names that it says, and is neither a query beside that nor a call. */
function isChange(facts: StatementFacts): boolean {
  return facts.kind === 'ddl' && !facts.materializes && !facts.call && facts.changes !== undefined;
}
