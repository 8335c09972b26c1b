import { randomBytes } from 'node:crypto';
import { HoopError } from '../../../core/errors.ts';
import type { NamedChanges } from '../sql/facts/schema-changes.ts';
import { CatalogMirror, MirrorGap } from './mirror/mirror.ts';
import { namedQuestion, readNamedAnswer } from './mirror/named.ts';
import { type CatalogAnswer, catalogQuery, readAnswer, SERVER } from './mirror/queries.ts';
import { CatalogBuilder } from './model/build.ts';
import type { Catalog } from './model/model.ts';
import { readViews } from './view-trees.ts';

type TextRow = readonly (string | null)[];

/** A connection that answers a string of statements, each with its rows as text. */
export interface CatalogConnection {
  readonly usable: boolean;
  /** @throws {HoopError} `ERR_TARGET_LOST` there is no answer, or not in time. */
  query(sql: string, timeoutMs: number): Promise<readonly (readonly TextRow[])[]>;
  close(): void;
}

/** The whole catalog of a large database takes long, ms. */
const LOAD_MS = 60_000;
/** What has changed since a moment ago does not. */
const CHANGES_MS = 5_000;
/** Transaction numbers have 32 bits in rows and are compared half way round. */
const COMPARABLE = 2n ** 31n;

/** What one answer left behind, and the moment it was of. */
interface Base {
  readonly mirror: CatalogMirror;
  readonly builder: CatalogBuilder;
  readonly moment: CatalogAnswer['moment'];
}

/**
 * Reads a target's catalog over one connection: everything the first time, then what has changed, in one round trip and
 * as of one snapshot; then the trees of views among it. One call at a time.
 *
 * @see docs/decisions/0009-catalog-changes.md
 */
export class CatalogReader {
  readonly #connection: CatalogConnection;
  /** Its own: a pooler may give two of us the same server's connection. */
  readonly #statement = `hoopd_${randomBytes(8).toString('hex')}`;
  #prepared = false;
  #base: Base | undefined;

  constructor(connection: CatalogConnection) {
    this.#connection = connection;
  }

  get usable(): boolean {
    return this.#connection.usable;
  }

  close(): void {
    this.#connection.close();
  }

  /**
   * @returns The catalog as of a snapshot taken after the call; the one returned before if nothing has changed.
   * @throws {HoopError} `ERR_TARGET_LOST` it cannot be read; the next call starts from nothing.
   */
  async read(): Promise<Catalog> {
    const base = this.#base;
    // Whatever goes wrong from here on: nothing half applied is built upon.
    this.#base = undefined;
    const catalog = base === undefined ? undefined : await this.#changes(base);
    return catalog ?? (await this.#everything());
  }

  /**
   * As `read`, where only these objects have changed since: what is known of others stays as of the last `read`.
   */
  async readNamed(changes: NamedChanges): Promise<Catalog> {
    const base = this.#base;
    this.#base = undefined;
    const catalog = base === undefined ? undefined : await this.#named(base, changes);
    return catalog ?? this.read();
  }

  /** @returns Undefined, with what is known as it was or nothing, where everything has to be asked for. */
  async #named(base: Base, changes: NamedChanges): Promise<Catalog | undefined> {
    const { mirror, builder, moment } = base;
    const how = { name: this.#statement, prepared: this.#prepared, since: moment.oldest, server: SERVER };
    const question = namedQuestion(mirror.objects(changes), how);
    const answer = read(readNamedAnswer, await this.#connection.query(question, CHANGES_MS));
    this.#prepared = true;
    if (answer.server !== moment.server || answer.next - moment.oldest >= COMPARABLE) return undefined;
    if (answer.eventTriggers) {
      this.#base = base;
      return undefined;
    }
    await readViews(answer.rows.pg_rewrite, (sql) => this.#connection.query(sql, CHANGES_MS));
    return fitting(() => {
      const amended = mirror.amend(changes, answer);
      const catalog = builder.build(mirror.tables, amended, moment.owner);
      this.#base = base;
      return catalog;
    });
  }

  /** @returns Undefined where the changes do not fit what is known: an upset server, a table rewritten by hand. */
  async #changes(base: Base): Promise<Catalog | undefined> {
    const { mirror, moment } = base;
    const sql = catalogQuery(moment.oldest, (table) => mirror.settled(table));
    const answer = read(readAnswer, await this.#connection.query(sql, CHANGES_MS));
    const comparable =
      answer.moment.server === moment.server && answer.moment.next - moment.oldest < COMPARABLE;
    if (!comparable) return undefined;
    await readViews(answer.delta.pg_rewrite.rows, (sql) => this.#connection.query(sql, CHANGES_MS));
    return fitting(() => this.#take(base, answer));
  }

  async #everything(): Promise<Catalog> {
    const sql = catalogQuery(undefined, () => 0);
    const answer = read(readAnswer, await this.#connection.query(sql, LOAD_MS));
    await readViews(answer.delta.pg_rewrite.rows, (sql) => this.#connection.query(sql, CHANGES_MS));
    const fresh = { mirror: new CatalogMirror(), builder: new CatalogBuilder() };
    const catalog = fitting(() => this.#take(fresh, answer));
    if (catalog === undefined) throw unreadable('it contradicts itself');
    return catalog;
  }

  #take({ mirror, builder }: Omit<Base, 'moment'>, { moment, delta }: CatalogAnswer): Catalog {
    const changes = mirror.apply(delta);
    const catalog = builder.build(mirror.tables, changes, moment.owner);
    this.#base = { mirror, builder, moment };
    return catalog;
  }
}

function read<T>(
  reading: (results: readonly (readonly TextRow[])[]) => T,
  results: readonly (readonly TextRow[])[],
): T {
  try {
    return reading(results);
  } catch (error) {
    if (error instanceof SyntaxError) throw unreadable(error.message);
    throw error;
  }
}

/** @returns Undefined where the answer does not fit what is known. */
function fitting(take: () => Catalog): Catalog | undefined {
  try {
    return take();
  } catch (error) {
    if (error instanceof MirrorGap) return undefined;
    throw error;
  }
}

function unreadable(detail: string): HoopError {
  return new HoopError('ERR_TARGET_LOST', "the target's catalog could not be read", { detail });
}
