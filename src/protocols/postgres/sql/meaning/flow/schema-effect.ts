import type { Catalog } from '../../../catalog/model/model.ts';
import type { StatementFacts } from '../../facts/facts.ts';
import type { NameChange } from '../held-names.ts';
import type { NameEffects } from '../name-scope.ts';
import type { TouchedRelation } from './masked-flow.ts';

/** What a change of the schema may make other statements mean. */
export interface SchemaEffect {
  /** Nobody can say by name. */
  readonly anything: boolean;
  /** OIDs of relations that are gone then, or have other columns. */
  readonly relations: readonly number[];
  /** What is found under a name, or not any more. */
  readonly names: readonly NameChange[];
}

export const ANYTHING: SchemaEffect = { anything: true, relations: [], names: [] };

const CHANGING: ReadonlySet<string> = new Set(['create', 'alter', 'drop']);
const TEMPORARY = /^pg_temp(_\d+)?$/;

/**
 * By which names and columns the server would read statements of others once this one is committed.
 *
 * @param touched One entry per entry of `facts.relations`.
 * @returns Undefined: by the same. What functions do inside is not told. Pure.
 */
export function schemaEffect(
  facts: StatementFacts,
  touched: readonly TouchedRelation[],
  names: NameEffects & { readonly changes: readonly NameChange[] },
  catalog: Catalog,
): SchemaEffect | undefined {
  const { kind, materializes, transaction } = facts;
  if (transaction === 'commit-prepared') return ANYTHING;
  if (kind !== 'ddl' && !materializes) return undefined;
  // The path of others may be another.
  if (names.steers && !names.follows) return ANYTHING;
  if (facts.keepsNames === true) return undefined;
  const changed = facts.relations.flatMap(({ role }, index) => {
    const oid = touched[index]?.relation?.oid;
    return oid === undefined || !CHANGING.has(role) ? [] : [oid];
  });
  if (!saysAll(facts)) return { ...ANYTHING, relations: changed };
  const made = names.changes.filter(({ schema }) => !TEMPORARY.test(schema));
  if (changed.length === 0 && made.length === 0) return undefined;
  return { anything: false, relations: withHeirs(changed, catalog), names: made };
}

/** All that it changes is what it names, and what inherits from that. */
function saysAll({ changes, kind, tag, cascade }: StatementFacts): boolean {
  // SELECT INTO makes what it names.
  if (changes === undefined) return kind !== 'ddl' || (tag === 'ALTER TABLE' && !cascade);
  const { types, functions, schemas } = changes;
  return types.length + functions.length + schemas.length === 0;
}

function withHeirs(relations: readonly number[], catalog: Catalog): readonly number[] {
  const found = new Set(relations);
  for (const oid of found) for (const child of catalog.children.get(oid) ?? []) found.add(child);
  return [...found];
}
