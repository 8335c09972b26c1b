import { type Cast, type Catalog, closure, FIRST_USER_OID, type Relation } from './catalog-model.ts';
import type { RelationRole, StatementFacts } from './facts.ts';

const ASSIGNS: ReadonlySet<RelationRole> = new Set(['insert', 'update', 'merge', 'copy-in']);

/**
 * Casts by users' functions that a statement may run: those to a type that it names, and those that PostgreSQL adds by
 * itself. A cast can only be run where a value of its source type and a want of its target type meet, so both types must
 * be there: as type of a column, or of what one is made of, or by name; PostgreSQL's own types can be anywhere.
 *
 * @param relations Those of the statement, undefined for one that is not known.
 * @param callsUsers It uses a function or operator that is not PostgreSQL's own, which may take and give any type.
 */
export function castsOf(
  facts: StatementFacts,
  catalog: Catalog,
  relations: readonly (Relation | undefined)[],
  callsUsers: boolean,
): Cast[] {
  const all = [...catalog.casts.values()].flat();
  if (all.length === 0) return [];
  const anything = callsUsers || relations.includes(undefined);
  const types = new Set(relations.flatMap((relation) => typesOf(relation, catalog)));
  const rows = new Set(relations.map((relation) => relation?.oid));
  const names = new Set(facts.types.map((name) => name.at(-1)));
  const present = (type: number, name: string | undefined) =>
    type < FIRST_USER_OID ||
    anything ||
    types.has(type) ||
    rows.has(catalog.types.rows.get(type)) ||
    names.has(name);
  const assigns = facts.relations.some(({ role }) => ASSIGNS.has(role));
  const wanted = ({ name, context }: Cast) =>
    context === 'i' || (context === 'a' && assigns) || names.has(name);
  return all.filter(
    (cast) => wanted(cast) && present(cast.source, cast.sourceName) && present(cast.target, cast.name),
  );
}

/** Types of a relation's columns, with what they are made of. */
function typesOf(relation: Relation | undefined, catalog: Catalog): number[] {
  const own = [...(relation?.columns.values() ?? [])].map(({ typeOid }) => typeOid);
  return own.flatMap((type) => [type, ...closure(type, catalog.types.parts)]);
}
