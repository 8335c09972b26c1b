import { isHoopError } from '../../../core/errors.ts';
import type { Later } from '../../../core/later.ts';
import type { AskRows } from '../catalog/reader.ts';
import type { CatalogService, KnownCatalog } from '../catalog/service.ts';
import type { ParsedSql, StatementFacts } from '../sql/facts/facts.ts';
import type { SessionPath } from './session-path.ts';

/** Longer texts would be parsed twice. */
const SHORT_CHARS = 8_192;

/** What one session alone sees of its schema. */
export interface OpenSchema {
  /** It has changed the schema, nobody else sees that yet, and something is masked. */
  readonly isOwn: boolean;
  /** Another number: it may have changed it again. */
  readonly marks: number;
}

/** The session that is judged. */
interface ViewingSession {
  readonly path: SessionPath;
  /** Whether policy, as it is now, permits what nobody reads, and nothing is masked. */
  readonly unread: { readonly permitted: boolean };
  readonly openSchema: OpenSchema;
}

/** What the session's own connection has said, and when. */
interface Seen {
  readonly outside: KnownCatalog;
  readonly marks: number;
  /** Undefined where it could not be said. */
  readonly known: KnownCatalog | undefined;
}

/**
 * The catalog by which one session is judged: as it is, but for a change of the schema by a session that may do anything
 * and from which nothing is masked. Such a change is judged by what was known before the session's own last changes, and
 * by the names that they made or took, so that the statements of a migration do not each wait for the catalog to be read.
 *
 * Where something is masked, what the session's own transaction has changed is asked on its own connection, before the next
 * statement is judged.
 *
 * @see docs/decisions/0009-catalog-changes.md
 * @see docs/decisions/0025-own-schema-changes.md
 */
export class CatalogView {
  readonly #catalog: CatalogService;
  readonly #session: ViewingSession;
  readonly #parse: (text: string, major: number) => Later<ParsedSql>;
  readonly #ask: AskRows;
  #seen: Seen | undefined;

  /**
   * @param parse May throw for what does not parse.
   * @param ask Asks the session's own connection.
   */
  constructor(parts: {
    readonly catalog: CatalogService;
    readonly session: ViewingSession;
    readonly parse: (text: string, major: number) => Later<ParsedSql>;
    readonly ask: AskRows;
  }) {
    this.#catalog = parts.catalog;
    this.#session = parts.session;
    this.#parse = parts.parse;
    this.#ask = parts.ask;
  }

  /** As `CatalogService.fresh`; undefined too where the session's own connection must be asked. */
  get fresh(): KnownCatalog | undefined {
    const { fresh } = this.#catalog;
    if (fresh === undefined || !this.#session.openSchema.isOwn) return fresh;
    return this.#isSeen(fresh) ? this.#seen?.known : undefined;
  }

  #isSeen(outside: KnownCatalog): boolean {
    return this.#seen?.outside === outside && this.#seen.marks === this.#session.openSchema.marks;
  }

  /**
   * @param text The statements that are to be judged.
   * @throws {HoopError} `ERR_TARGET_…` it cannot be read now: nothing can be judged.
   */
  async for(text: string): Promise<KnownCatalog> {
    const { path } = this.#session;
    const waits = this.#catalog.fresh === undefined && path.tookNames;
    const lately = waits ? this.#catalog.lately(path) : undefined;
    if (lately !== undefined && (await this.#changesOnly(text, lately))) return lately;
    const current = await this.#catalog.current();
    path.read();
    return (await this.#inTransaction(current)) ?? current;
  }

  /** @returns Undefined: there is nothing that only the session sees, or it could not be said. */
  async #inTransaction(outside: KnownCatalog): Promise<KnownCatalog | undefined> {
    const { isOwn, marks } = this.#session.openSchema;
    if (!isOwn) return undefined;
    if (this.#isSeen(outside)) return this.#seen?.known;
    const known = await this.#catalog.inTransaction(outside, this.#ask).catch(notRead);
    this.#seen = { outside, marks, known };
    return known;
  }

  async #changesOnly(text: string, { catalog }: KnownCatalog): Promise<boolean> {
    if (text.length > SHORT_CHARS || !this.#session.unread.permitted) return false;
    const major = Math.floor(catalog.serverVersion / 10_000);
    const parsed = await Promise.resolve(this.#parse(text, major)).catch(() => undefined);
    return parsed !== undefined && parsed.statements.length === 1 && parsed.statements.every(isChange);
  }
}

function notRead(error: unknown): undefined {
  if (!isHoopError(error)) throw error;
}

/** It changes the schema under names that it says, and is neither a query beside that nor a call. */
function isChange(facts: StatementFacts): boolean {
  return facts.kind === 'ddl' && !facts.materializes && !facts.call && facts.changes !== undefined;
}
