import { EXPRESSION_NODES } from './grammar-expressions.ts';
import { STATEMENT_NODES } from './grammar-statements.ts';

/**
 * The nodes and fields of the parse tree that we know (PostgreSQL 18, raw parse), and where other nodes hang in them.
 *
 * A node type or field that is not in the table makes the statement unsupported: nothing is skipped in silence. A field
 * alone is a scalar; `field*` holds nodes (`{Type: {…}}`, or a list of them); `field:Type` holds that type without
 * its wrapper.
 */
export type FieldSpec =
  | { readonly kind: 'scalar' }
  | { readonly kind: 'nodes' }
  | { readonly kind: 'typed'; readonly type: string };

const SCALAR: FieldSpec = { kind: 'scalar' };
const NODES: FieldSpec = { kind: 'nodes' };

function parseFields(row: string): ReadonlyMap<string, FieldSpec> {
  const fields = new Map<string, FieldSpec>();
  for (const word of row.split(' ')) {
    if (word === '') continue;
    const colon = word.indexOf(':');
    if (word.endsWith('*')) fields.set(word.slice(0, -1), NODES);
    else if (colon > 0) fields.set(word.slice(0, colon), { kind: 'typed', type: word.slice(colon + 1) });
    else fields.set(word, SCALAR);
  }
  return fields;
}

/** Node type → its fields. Read-only after this module is loaded. */
export const GRAMMAR: ReadonlyMap<string, ReadonlyMap<string, FieldSpec>> = new Map(
  Object.entries({ ...EXPRESSION_NODES, ...STATEMENT_NODES }).map(([type, row]) => [type, parseFields(row)]),
);
