import { analyse, Uncertain } from '../../src/protocols/postgres/sql/analysis/analyse.ts';
import type { AnalysisCatalog } from '../../src/protocols/postgres/sql/analysis/catalog.ts';
import type { Query } from '../../src/protocols/postgres/sql/analysis/tree.ts';
import type { Ast } from '../../src/protocols/postgres/sql/facts/ast.ts';
import { changed } from './blind.ts';

import { type Difference, differences } from './compare.ts';
import { withoutJoinColumns } from './server-tree/joins.ts';
import { readQuery } from './server-tree/queries.ts';
import type { Session } from './session.ts';
import { SessionCatalog } from './session-catalog.ts';
import { comparable } from './statements.ts';
import type { Tally } from './tally.ts';

/** What makes each trial of the comparison itself look at another place of a tree. */
const PRIME = 7_919;
/** Since then what is grouped by is apart, and columns of joins are not kept where there are groups. */
const GROUPS_APART = 18;
/** Of one statement: one mistake often shows in many places. */
const KEPT_DIFFERENCES = 3;

type Ours =
  | { readonly differences: readonly Difference[] }
  | { readonly uncertain: string }
  | { readonly broke: string };

/** Has statements analysed by a server and by ourselves, and says where the two do not agree. */
export class Judge {
  readonly #session: Session;
  readonly #reader: SessionCatalog;
  readonly #major: number;
  #catalog: AnalysisCatalog | undefined;
  #agreed = 0;

  constructor(session: Session, major: number) {
    this.#session = session;
    this.#major = major;
    this.#reader = new SessionCatalog(session);
  }

  /** The catalog may have changed. */
  forget(): void {
    this.#catalog = undefined;
  }

  /**
   * Compares the analysis of what a text holds, which is not run.
   *
   * @returns Whether there is something to compare.
   */
  async judge(text: string, tally: Tally): Promise<boolean> {
    const found = comparable(text, this.#major);
    if (found !== undefined) await this.#judge(found.sql, found.statement, tally);
    return found !== undefined;
  }

  async #judge(sql: string, statement: Ast, tally: Tally): Promise<void> {
    const server = await this.#session.analyse(sql);
    if ('error' in server) return tally.refused(sql, server.error);
    const ours = () => this.#compare(server.tree, statement, []);
    this.#catalog ??= await this.#reader.read();
    let result = ours();
    const agrees = 'differences' in result && result.differences.length === 0;
    // A function may have changed the catalog without a word.
    if (!agrees && (await this.#reader.isStale())) {
      this.#catalog = await this.#reader.read();
      result = ours();
    }
    if ('uncertain' in result) return tally.uncertain(sql, result.uncertain);
    if ('broke' in result) return tally.broke(sql, result.broke);
    if (result.differences.length > 0) return tally.differs(sql, result.differences);
    return tally.agrees();
  }

  /** Where a difference would not have been found, had there been one. */
  #blindSpot(server: Query, ours: Query): string | undefined {
    const { path, copy } = changed(ours, this.#agreed++ * PRIME);
    return differences(server, copy).next().done ? path : undefined;
  }

  #compare(printed: string, statement: Ast, parameters: readonly number[]): Ours {
    const catalog = this.#catalog as AnalysisCatalog;
    try {
      const arrayOf = (type: number) => catalog.type(type)?.array || (isArray(catalog, type) ? type : 0);
      const server = readQuery(printed, arrayOf);
      if (server === undefined) return { broke: 'the server takes it for a utility statement' };
      const ours = analyse(statement, catalog, parameters);
      const seen = this.#major < GROUPS_APART ? (query: Query) => query : withoutJoinColumns;
      const [theirs, own] = [seen(server), seen(ours)];
      const found = [...differences(theirs, own)].slice(0, KEPT_DIFFERENCES);
      const blind = found.length > 0 ? undefined : this.#blindSpot(theirs, own);
      return blind === undefined ? { differences: found } : { broke: `the comparison does not see ${blind}` };
    } catch (error) {
      if (error instanceof Uncertain) return { uncertain: error.message };
      return { broke: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  }
}

/** Of an array's elements too the array is the array. */
function isArray(catalog: AnalysisCatalog, type: number): boolean {
  const element = catalog.type(type)?.element ?? 0;
  return catalog.type(element)?.array === type;
}
