import type { Clock } from '../../../core/clock.ts';
import type { Catalog } from '../catalog/model/model.ts';
import { PG_TEMP } from '../catalog/system/objects.ts';
import { TRANSACTION_ENDS } from '../sql/facts/facts.ts';
import {
  changesOf,
  HELD_NAMES,
  type HeldName,
  heldNames,
  type NameChange,
} from '../sql/meaning/held-names.ts';
import { NameChanges } from '../sql/meaning/name-changes.ts';
import type { SearchPath } from '../sql/meaning/name-scope.ts';
import type { StatementPlan } from '../sql/meaning/plan.ts';
import { schemasOf } from '../sql/meaning/search-path.ts';

/** As with the schema: the window in which what others change (a schema, a right, the server's configuration) is not seen. */
const ASK_AFTER_MS = 2000;
/** What stands in for a path that has no schema to make things in: the server refuses to make anything. */
const NOWHERE = 'public';

/** Names kept in mind instead of reading the catalog. */
const MOST_TOOK = 512;

/** All that a session must ask its own server to know where names are looked up. Takes no lock, changes nothing. */
export const PATH_QUESTION = `SELECT pg_catalog.array_to_json(pg_catalog.current_schemas(true)), pg_catalog.current_schema(),
  pg_catalog.pg_my_temp_schema()::pg_catalog.regnamespace::pg_catalog.text, current_user, pg_catalog.current_setting('search_path'), session_user`;

/** What RESET goes back to, as the session found it. */
interface Beginning {
  /** The list, and what of it there is; none where it is not understood or not known yet. */
  readonly searchPaths: readonly (readonly string[])[];
  /** In no role but the one that logged in. */
  readonly asItself: boolean;
}

const NOT_KNOWN: Beginning = { searchPaths: [], asItself: false };

/** As `PATH_QUESTION`, and what the session's transaction holds for itself alone. */
export const MOVED_QUESTION = `${PATH_QUESTION}, ${HELD_NAMES}`;

/** The session's path at one moment of what was sent. */
interface Known {
  readonly path: SearchPath;
  readonly at: number;
}

/**
 * Where the server looks up names for one session, followed rather than foreseen: the server is asked, behind whatever may
 * have changed it, before the next names are resolved. What nothing in the session can change is not asked for again,
 * but every two seconds for what others do.
 *
 * All marks are made as messages are sent, in their order, so that an answer tells of what was sent before its question.
 *
 * @see docs/decisions/0011-search-path.md
 */
export class SessionPath {
  readonly #clock: Clock;
  #known: Known | undefined;
  #last: SearchPath | undefined;
  #began: Beginning | undefined;
  #asItself = false;
  #marks = 0;
  /** Set in a transaction that may still be rolled back. */
  #moved = false;
  /** That transaction may be over. */
  #over = false;
  /** What the server said that the open transaction holds. */
  #held: readonly HeldName[] = [];
  #changes: NameChange[] = [];
  /** Committed, and perhaps not in the catalog yet by which the next is judged. */
  #took: NameChanges | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The path by which the next statement's names are resolved; undefined if the server must be asked. */
  get known(): SearchPath | undefined {
    const { path, at } = this.#known ?? {};
    return path === undefined || (!this.#moved && this.#clock.now() - (at ?? 0) >= ASK_AFTER_MS)
      ? undefined
      : path;
  }

  /** What was known last, for statements that name nothing, and for those that the server will refuse anyway. */
  get last(): SearchPath | undefined {
    return this.#last;
  }

  /**
   * What was known last, for comparing with another session's: a login that is made for each session has a name that says
   * nothing of what it may do.
   */
  get compared(): unknown {
    return this.#last === undefined ? null : { ...this.#last, user: this.#asItself ? null : this.#last.user };
  }

  /** With what the session began. */
  get began(): Beginning {
    return this.#began ?? NOT_KNOWN;
  }

  /** The server says that the open transaction keeps names to itself. */
  get holdsNames(): boolean {
    return this.#held.length > 0 || this.#took !== undefined;
  }

  /** What became of names in the transaction that is open: what the server says, and what statements did since. */
  changesBefore(catalog: Catalog): NameChange[] {
    return [...changesOf(this.#held, catalog), ...this.#changes];
  }

  /** Names that its own changes made and took are known, without the catalog. */
  get tookNames(): boolean {
    return this.#took !== undefined && this.#took.size < MOST_TOOK;
  }

  /** What became of names before the transaction that is open, and perhaps not in the catalog that is known. */
  get tookBefore(): NameChanges | undefined {
    return this.#took;
  }

  /** A statement by itself has made and taken names, for everybody to see. */
  took(changes: readonly NameChange[]): void {
    this.#took ??= new NameChanges();
    for (const one of changes) this.#took.add(one);
  }

  /** The catalog has been read since. */
  read(): void {
    this.#took = undefined;
  }

  /** How many changes statements made since the server said what is held. */
  get changed(): number {
    return this.#changes.length;
  }

  get moved(): boolean {
    return this.#moved;
  }

  /** How often it may have changed: an answer counts for what was asked at that count. */
  get marks(): number {
    return this.#marks;
  }

  /** What is sent now may change the path. */
  mark(): void {
    this.#known = undefined;
    this.#marks++;
  }

  /** Statements are sent that run nothing yet, but for functions that the server runs to plan them. */
  analysed(plans: readonly StatementPlan[]): void {
    if (!plans.some(({ names }) => names.steers)) return;
    this.#moved = true;
    this.mark();
  }

  /** A statement is sent that runs. */
  sent({ names, transaction }: Pick<StatementPlan, 'names' | 'transaction'>): void {
    if (names.changes.length > 0) this.#changes.push(...names.changes);
    if (names.steers) {
      this.#moved = true;
      this.mark();
    }
    if (!TRANSACTION_ENDS.has(transaction)) return;
    // Which of them are undone the server knows.
    if (transaction === 'rollback-to' && this.#changes.length > 0) {
      this.#changes = this.#changes.map((one) => ({ ...one, change: 'unclear' }));
      this.#moved = true;
    }
    if (!this.#moved) return;
    this.#over = true;
    this.mark();
  }

  /** A Sync is sent: what ran since the last one, outside of a transaction block, is kept or undone as a whole. */
  synced(inBlock: boolean): void {
    if (this.#moved && (!inBlock || this.#over)) this.mark();
  }

  /** All that was sent is answered, and no transaction is open: nothing of before can be undone any more. */
  rested(): void {
    if (!this.#moved) return;
    this.#moved = false;
    this.#over = false;
    this.mark();
  }

  /** With no transaction open the catalog shows what was made. */
  committed(): void {
    this.#held = [];
    this.#changes = [];
  }

  /**
   * @param row The answer to `PATH_QUESTION` or `MOVED_QUESTION`, asked when `marks` and `changed` were so.
   */
  answered(row: readonly (string | null)[], asked: { marks: number; changed: number }): void {
    const [schemas, creation, temp, user, setting, login, held] = row;
    const list = schemasOf(setting ?? '');
    const path: SearchPath = {
      schemas: JSON.parse(schemas ?? '[]') as string[],
      creation: creation ?? NOWHERE,
      ...(temp === null || temp === undefined || temp === '-' ? {} : { temp }),
      ...(list === undefined || list.includes(PG_TEMP) ? { listsTemp: true } : {}),
      user: user ?? '',
    };
    const same = this.#last !== undefined && JSON.stringify(path) === JSON.stringify(this.#last);
    // Equal paths are one object: plans are remembered by it.
    this.#last = same ? this.#last : path;
    this.#asItself = user === login;
    this.#began ??= { searchPaths: pathsAs(list, path), asItself: this.#asItself };
    if (asked.marks !== this.#marks) return;
    this.#known = { path: this.#last as SearchPath, at: this.#clock.now() };
    if (held === undefined) return;
    this.#held = heldNames(held);
    this.#changes = this.#changes.slice(asked.changed);
  }

  /** The question, in a message cycle of its own, found no transaction open. */
  settled(marks: number): void {
    if (marks !== this.#marks) return;
    this.#moved = false;
    this.#over = false;
  }
}

/** A list of schemas as it was set, and without those that are not there: `"$user"` is the role's own, if it has one. */
function pathsAs(
  list: readonly string[] | undefined,
  { schemas, user }: SearchPath,
): readonly (readonly string[])[] {
  if (list === undefined) return [];
  const meant = list.map((name) => (name === '$user' ? user : name));
  return [list, meant.filter((name, i) => schemas.includes(name) && meant.indexOf(name) === i)];
}
