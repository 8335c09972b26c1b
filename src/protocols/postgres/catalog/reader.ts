import { randomBytes } from 'node:crypto';
import { HoopError } from '../../../core/errors.ts';
import type { NamedChanges } from '../sql/facts/schema-changes.ts';
import { CatalogMirror, MirrorGap } from './mirror/mirror.ts';
import { namedQuestion, readNamedAnswer } from './mirror/named.ts';
import {
  type CatalogAnswer,
  catalogQuery,
  type KnownBefore,
  readAnswer,
  readTransactionAnswer,
  SERVER,
  transactionQuery,
} from './mirror/queries.ts';
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

/** What one answer left behind, and the moment it was of. Stays as it is: what comes next is made beside it. */
export interface CatalogBase {
  readonly mirror: CatalogMirror;
  readonly builder: CatalogBuilder;
  readonly moment: CatalogAnswer['moment'];
}

/** Asks for the rows of one query, as text. @returns Undefined: there is no answer. */
export type AskRows = (sql: string) => Promise<readonly TextRow[] | undefined>;

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
  #base: CatalogBase | undefined;

  constructor(connection: CatalogConnection) {
    this.#connection = connection;
  }

  get usable(): boolean {
    return this.#connection.usable;
  }

  /** What the last answer left behind; undefined where the next one starts from nothing. */
  get base(): CatalogBase | undefined {
    return this.#base;
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
  async #named(base: CatalogBase, changes: NamedChanges): Promise<Catalog | undefined> {
    const { mirror, builder, moment } = forked(base);
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
      this.#base = { mirror, builder, moment };
      return catalog;
    });
  }

  /** @returns Undefined where the changes do not fit what is known: an upset server, a table rewritten by hand. */
  async #changes(base: CatalogBase): Promise<Catalog | undefined> {
    const sql = catalogQuery(knownOf(base));
    const answer = read(readAnswer, await this.#connection.query(sql, CHANGES_MS));
    if (!comparable(base, answer)) return undefined;
    await readViews(answer.delta.pg_rewrite.rows, (sql) => this.#connection.query(sql, CHANGES_MS));
    return fitting(() => this.#take(forked(base), answer));
  }

  async #everything(): Promise<Catalog> {
    const sql = catalogQuery();
    const answer = read(readAnswer, await this.#connection.query(sql, LOAD_MS));
    await readViews(answer.delta.pg_rewrite.rows, (sql) => this.#connection.query(sql, CHANGES_MS));
    const fresh = { mirror: new CatalogMirror(), builder: new CatalogBuilder() };
    const catalog = fitting(() => this.#take(fresh, answer));
    if (catalog === undefined) throw unreadable('it contradicts itself');
    return catalog;
  }

  #take(fresh: Omit<CatalogBase, 'moment'>, answer: CatalogAnswer): Catalog {
    const catalog = taken(fresh, answer);
    this.#base = { ...fresh, moment: answer.moment };
    return catalog;
  }
}

/**
 * The catalog as a session's own open transaction has it.
 *
 * @param base What is known of it from outside.
 * @param ask Asks the session's own connection.
 * @returns Undefined where the session does not see it as it is now, or what it tells does not fit what is known.
 * @throws {HoopError} `ERR_TARGET_LOST` what it tells cannot be read.
 * @see docs/decisions/0025-own-schema-changes.md
 */
export async function catalogInTransaction(base: CatalogBase, ask: AskRows): Promise<Catalog | undefined> {
  const rows = await ask(transactionQuery(base.moment.owner.role, knownOf(base)));
  const answer = rows && read(readTransactionAnswer, [rows]);
  if (answer === undefined || !comparable(base, answer)) return undefined;
  await readViews(answer.delta.pg_rewrite.rows, async (sql) => [(await ask(sql)) ?? []]);
  return fitting(() => taken(forked(base), answer));
}

function knownOf({ mirror, moment }: CatalogBase): KnownBefore {
  return { since: moment.oldest, settled: (table) => mirror.settled(table) };
}

function comparable({ moment }: CatalogBase, answer: CatalogAnswer): boolean {
  return answer.moment.server === moment.server && answer.moment.next - moment.oldest < COMPARABLE;
}

function forked({ mirror, builder, moment }: CatalogBase): CatalogBase {
  return { mirror: mirror.fork(), builder: builder.fork(), moment };
}

function taken({ mirror, builder }: Omit<CatalogBase, 'moment'>, { moment, delta }: CatalogAnswer): Catalog {
  const changes = mirror.apply(delta);
  return builder.build(mirror.tables, changes, moment.owner);
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
