import { isList, isNode, type StoredNode, type StoredValue, UnreadableTree } from './tree.ts';

/** `RTEKind` */
export const KIND = { relation: '0', subquery: '1', join: '2', cte: '6', result: '8', group: '9' } as const;

/** Queries one within the other, the innermost last. */
export type Scopes = readonly StoredNode[];

export function nodesIn(value: StoredValue | undefined): StoredNode[] {
  if (value === null || value === undefined) return [];
  if (!isList(value) || !value.every(isNode)) throw new UnreadableTree('not a list of nodes');
  return value as StoredNode[];
}

export function entriesOf(query: StoredNode): StoredNode[] {
  return nodesIn(query.fields.get('targetList'));
}

export function queryIn(node: StoredNode, field: string): StoredNode {
  const query = node.fields.get(field);
  if (!isNode(query) || query.tag !== 'QUERY') throw new UnreadableTree('a query is missing');
  return query;
}

export function rangeEntry(query: StoredNode, number: number): StoredNode {
  const entry = nodesIn(query.fields.get('rtable'))[number - 1];
  if (entry === undefined) throw new UnreadableTree('a range table entry is missing');
  return entry;
}

export function numberIn(value: StoredValue | undefined): number {
  const number = typeof value === 'string' ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new UnreadableTree('a number is missing');
  return number;
}

/** The query of a common table expression, and what stands around it. */
export function cteOf(entry: StoredNode, scopes: Scopes): Scopes {
  const around = scopes.slice(0, scopes.length - numberIn(entry.fields.get('ctelevelsup')));
  const name = entry.fields.get('ctename');
  const cte = nodesIn(around.at(-1)?.fields.get('cteList')).find(
    ({ fields }) => fields.get('ctename') === name,
  );
  if (cte === undefined) throw new UnreadableTree('a common table expression is missing');
  return [...around, queryIn(cte, 'ctequery')];
}

/** Range table entries that a UNION, INTERSECT or EXCEPT is made of. */
export function armsOf(query: StoredNode): number[] {
  const arms = (value: StoredValue | undefined): number[] => {
    if (!isNode(value)) return [];
    if (value.tag === 'RANGETBLREF') return [numberIn(value.fields.get('rtindex'))];
    if (value.tag !== 'SETOPERATIONSTMT') throw new UnreadableTree('an unknown set operation');
    return [...arms(value.fields.get('larg')), ...arms(value.fields.get('rarg'))];
  };
  return arms(query.fields.get('setOperations'));
}
