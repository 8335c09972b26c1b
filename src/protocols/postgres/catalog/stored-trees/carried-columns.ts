import { armsOf, cteOf, entriesOf, KIND, numberIn, queryIn, rangeEntry, type Scopes } from './query-parts.ts';
import { isNode, type StoredNode, type StoredValue } from './tree.ts';

/** Deeper queries within queries are not followed. */
const MAX_DEPTH = 100;
const MAX_STEPS = 20_000;
/** What gives a value as it is, under another type or collation. */
const HANDS_ON: ReadonlySet<string> = new Set(['RELABELTYPE', 'COLLATEEXPR']);

/**
 * Numbers of the columns of a query, from 1, of which each value is one of a relation's column as it is: handed on through
 * subqueries, common table expressions, joins and arms of set operations, and not computed. What is too much to follow is none.
 *
 * @throws {UnreadableTree} The tree lacks what it refers to.
 */
export function carriedColumns(query: StoredNode): number[] {
  const walk = new Walk();
  const shown = entriesOf(query).filter(({ fields }) => fields.get('resjunk') === 'false');
  return shown.flatMap((_, index) => (walk.output([query], index + 1) ? [index + 1] : []));
}

class Walk {
  #steps = 0;
  /** Columns under way, by their query: a recursive query that hands on its own column adds nothing to it. */
  readonly #active = new Map<StoredNode, Set<number>>();

  output(scopes: Scopes, number: number): boolean {
    const query = scopes.at(-1) as StoredNode;
    const active = this.#active.get(query) ?? new Set();
    this.#active.set(query, active);
    if (active.has(number)) return true;
    if (scopes.length > MAX_DEPTH) return false;
    active.add(number);
    const arms = armsOf(query);
    const entry = entriesOf(query).find(({ fields }) => fields.get('resno') === `${number}`);
    const carried =
      arms.length > 0
        ? arms.every((arm) => this.#column(scopes, rangeEntry(query, arm), number))
        : this.#expression(entry?.fields.get('expr'), scopes);
    active.delete(number);
    return carried;
  }

  #expression(value: StoredValue | undefined, scopes: Scopes): boolean {
    if (!isNode(value) || ++this.#steps > MAX_STEPS) return false;
    if (HANDS_ON.has(value.tag)) return this.#expression(value.fields.get('arg'), scopes);
    if (value.tag !== 'VAR') return false;
    const own = scopes.slice(0, scopes.length - numberIn(value.fields.get('varlevelsup')));
    const query = own.at(-1);
    if (query === undefined) return false;
    const number = numberIn(value.fields.get('varattno'));
    return this.#column(own, rangeEntry(query, numberIn(value.fields.get('varno'))), number);
  }

  #column(scopes: Scopes, entry: StoredNode, number: number): boolean {
    if (number === 0) return false;
    switch (entry.fields.get('rtekind')) {
      case KIND.relation:
        return true;
      case KIND.subquery:
        return this.output([...scopes, queryIn(entry, 'subquery')], number);
      case KIND.cte:
        return this.output(cteOf(entry, scopes), number);
      case KIND.join:
        return this.#listed(entry.fields.get('joinaliasvars'), scopes, number);
      case KIND.group:
        return this.#listed(entry.fields.get('groupexprs'), scopes, number);
      default:
        return false;
    }
  }

  #listed(list: StoredValue | undefined, scopes: Scopes, number: number): boolean {
    return Array.isArray(list) && this.#expression(list[number - 1], scopes);
  }
}
