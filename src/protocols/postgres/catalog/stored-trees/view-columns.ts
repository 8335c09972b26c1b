import { ROWS } from '../system/objects.ts';
import { carriedColumns } from './carried-columns.ts';
import {
  armsOf,
  cteOf,
  entriesOf,
  KIND,
  nodesIn,
  numberIn,
  queryIn,
  rangeEntry,
  type Scopes,
} from './query-parts.ts';
import { isList, isNode, readStoredTree, type StoredNode, type StoredValue, UnreadableTree } from './tree.ts';

/** A column: its relation's OID, and its number; 0 for any of them, where a row is used whole; or `ROWS`. */
export type Source = readonly [relation: number, attribute: number];

/** What a view's columns are made of. */
export interface ViewColumns extends MadeOf {
  /** Numbers of those, from 1, that are columns of relations as they are. */
  readonly carried: readonly number[];
}

/** What a query's columns are made of. */
interface MadeOf {
  /** By the query's own columns, in order. */
  readonly columns: readonly (readonly Source[])[];
  /** What decides which rows there are, in which order, how often: something of it is seen in every column. */
  readonly everywhere: readonly Source[];
}

/** `CmdType` */
const SELECT = '1';
const MAX_STEPS = 200_000;
/** Of what is looked at because of something else; a chain of queries that read each other is as long as its author likes. */
const MAX_DEPTH = 600;

/**
 * What each column of a view is made of, from the tree that the server keeps of its query.
 *
 * Any column that is used anywhere is a source of some column, and of all of them unless it is clear of which: a tree that
 * has parts of which nothing is known here loses nothing.
 *
 * @param tree `pg_rewrite.ev_action` of a view's rule, of any version from 13 to 18.
 * @returns Undefined if it can not be said: then every column is made of everything. Pure.
 * @see PostgreSQL, src/include/nodes/parsenodes.h (`Query`, `RangeTblEntry`), primnodes.h (`Var`)
 */
export function viewColumns(tree: string): ViewColumns | undefined {
  try {
    const actions = readStoredTree(tree);
    const query = isList(actions) && actions.length === 1 ? actions[0] : undefined;
    if (!isNode(query) || query.tag !== 'QUERY') return undefined;
    return { ...columnsOfQuery(query), carried: carriedColumns(query) };
  } catch (error) {
    if (error instanceof UnreadableTree) return undefined;
    throw error;
  }
}

/**
 * The same of a query by itself.
 *
 * @throws {UnreadableTree} It can not be said.
 */
export function columnsOfQuery(query: StoredNode): MadeOf {
  const budget = { steps: MAX_STEPS, depth: 0 };
  const shown = entriesOf(query).filter(({ fields }) => fields.get('resjunk') === 'false');
  const columns = shown.map((_, index) => new Trace(budget).outputColumn([query], index + 1).sources());
  return { columns, everywhere: new Trace(budget).conditions([query]).sources() };
}

interface Budget {
  steps: number;
  depth: number;
}

/** Collects the columns that something is made of. */
class Trace {
  readonly #budget: Budget;
  readonly #found = new Map<string, Source>();
  /** Columns that were looked at, by their query or range table entry. */
  readonly #seen = new Map<StoredNode, Set<number>>();

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  sources(): Source[] {
    return [...this.#found.values()];
  }

  /** A column that the innermost query gives. */
  outputColumn(scopes: Scopes, number: number): this {
    const query = scopes.at(-1) as StoredNode;
    if (this.#isSeen(query, number)) return this;
    if (query.fields.get('commandType') !== SELECT) throw new UnreadableTree('not a SELECT');
    const entry = entriesOf(query).find(({ fields }) => fields.get('resno') === `${number}`);
    // Columns that SEARCH and CYCLE add stand in no list.
    if (entry === undefined) return this.#whole(scopes);
    this.#expression(entry.fields.get('expr') ?? null, scopes);
    // The list of a UNION refers to its first arm alone.
    for (const arm of armsOf(query)) this.#columnOf(scopes, rangeEntry(query, arm), number);
    return this;
  }

  /** What a query looks at besides what it gives: conditions, grouping, order, limits, and those of what it reads. */
  conditions(scopes: Scopes): this {
    const query = scopes.at(-1) as StoredNode;
    if (this.#isSeen(query, CONDITIONS)) return this;
    for (const [name, value] of query.fields) {
      if (name === 'targetList') this.#sorted(query, scopes);
      else if (name === 'rtable') for (const one of nodesIn(value)) this.#conditionsOf(one, scopes);
      else if (name === 'cteList')
        for (const cte of nodesIn(value)) this.conditions([...scopes, queryIn(cte, 'ctequery')]);
      else this.#expression(value, scopes);
    }
    // Rows that are equal are one.
    if (mergesRows(query.fields.get('setOperations') ?? null)) this.#allOutput(scopes);
    return this;
  }

  /** Entries by which rows are sorted, grouped or told apart. */
  #sorted(query: StoredNode, scopes: Scopes): void {
    for (const { fields } of entriesOf(query)) {
      const isGiven = fields.get('resjunk') === 'false' && fields.get('ressortgroupref') === '0';
      if (!isGiven) this.#expression(fields.get('expr') ?? null, scopes);
    }
  }

  #conditionsOf(entry: StoredNode, scopes: Scopes): void {
    const kind = entry.fields.get('rtekind');
    if (kind === KIND.subquery) this.conditions([...scopes, queryIn(entry, 'subquery')]);
    // What these list are columns of what they join or group, which are looked at where they are used.
    else if (kind !== KIND.join && kind !== KIND.group) this.#fields(entry, scopes);
    if (kind === KIND.relation) this.#ofRelation(numberIn(entry.fields.get('relid')), ROWS);
  }

  #allOutput(scopes: Scopes): void {
    for (const { fields } of entriesOf(scopes.at(-1) as StoredNode))
      this.outputColumn(scopes, numberIn(fields.get('resno')));
  }

  /** Every column in a value, at any depth; of a query within it, all that it uses. */
  #expression(value: StoredValue, scopes: Scopes): void {
    const budget = this.#budget;
    if (--budget.steps < 0 || ++budget.depth > MAX_DEPTH) throw new UnreadableTree('too much of it');
    if (isList(value)) for (const one of value) this.#expression(one, scopes);
    else if (isNode(value)) {
      if (value.tag === 'VAR') this.#variable(value, scopes);
      else if (value.tag === 'QUERY') this.#whole([...scopes, value]);
      else this.#fields(value, scopes);
    }
    budget.depth--;
  }

  #fields(node: StoredNode, scopes: Scopes): void {
    for (const value of node.fields.values()) this.#expression(value, scopes);
  }

  /** All that a query uses. */
  #whole(scopes: Scopes): this {
    if (!this.#isSeen(scopes.at(-1) as StoredNode, WHOLE)) {
      this.conditions(scopes);
      this.#allOutput(scopes);
    }
    return this;
  }

  #variable({ fields }: StoredNode, scopes: Scopes): void {
    const own = scopes.slice(0, scopes.length - numberIn(fields.get('varlevelsup')));
    const query = own.at(-1);
    if (query === undefined) throw new UnreadableTree('a column of no query');
    this.#columnOf(own, rangeEntry(query, numberIn(fields.get('varno'))), numberIn(fields.get('varattno')));
  }

  /** @param number 0 for the whole row. */
  #columnOf(scopes: Scopes, entry: StoredNode, number: number): void {
    if (this.#isSeen(entry, number)) return;
    const kind = entry.fields.get('rtekind');
    if (kind === KIND.relation) this.#ofRelation(numberIn(entry.fields.get('relid')), number);
    else if (kind === KIND.subquery) this.#ofQuery([...scopes, queryIn(entry, 'subquery')], number);
    else if (kind === KIND.join) this.#ofList(entry.fields.get('joinaliasvars'), scopes, number);
    else if (kind === KIND.group) this.#ofList(entry.fields.get('groupexprs'), scopes, number);
    else if (kind === KIND.cte) this.#ofQuery(cteOf(entry, scopes), number);
    else this.#fields(entry, scopes);
  }

  #ofRelation(relation: number, attribute: number): void {
    const isSystem = attribute < 0 && attribute !== ROWS;
    // Those hold no data.
    if (!isSystem) this.#found.set(`${relation}.${attribute}`, [relation, attribute]);
  }

  #ofQuery(scopes: Scopes, number: number): void {
    if (number === 0) this.#allOutput(scopes);
    else this.outputColumn(scopes, number);
  }

  #ofList(list: StoredValue | undefined, scopes: Scopes, number: number): void {
    if (!isList(list)) throw new UnreadableTree('columns are missing');
    const one = number === 0 ? list : list[number - 1];
    if (one === undefined) throw new UnreadableTree('a column is missing');
    this.#expression(one, scopes);
  }

  #isSeen(node: StoredNode, what: number): boolean {
    const seen = this.#seen.get(node) ?? new Set();
    this.#seen.set(node, seen);
    if (seen.has(what)) return true;
    seen.add(what);
    return false;
  }
}

/** Beside the numbers of columns, which begin at -7, and `ROWS`. */
const CONDITIONS = -101;
const WHOLE = -102;

/** All but UNION ALL compare rows. */
function mergesRows(operation: StoredValue): boolean {
  if (!isNode(operation) || operation.tag !== 'SETOPERATIONSTMT') return false;
  const { fields } = operation;
  const merges = fields.get('op') !== UNION || fields.get('all') !== 'true';
  return merges || [fields.get('larg'), fields.get('rarg')].some((arm) => mergesRows(arm ?? null));
}

/** `SetOperation`: SETOP_UNION is 1. */
const UNION = '1';
