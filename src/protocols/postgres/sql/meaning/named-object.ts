import type { PolicyObject } from '../../../../policy/model.ts';
import type { Entities } from '../../entities.ts';
import type { Name, StatementFacts } from '../facts/facts.ts';
import type { TouchedRelation } from './flow/masked-flow.ts';
import type { NameScope } from './name-scope.ts';

/** Parts of a relation, or things that stand in its schema. */
const OF_RELATION = new Set(['column', 'index', 'trigger', 'rule', 'policy', 'tabconstraint', 'statistics']);
const FUNCTION_KINDS = new Set(['function', 'procedure', 'routine', 'aggregate']);

interface Around {
  readonly facts: StatementFacts;
  /** In the order of `facts.relations`. */
  readonly touched: readonly TouchedRelation[];
  readonly names: NameScope;
  readonly entities: Entities;
}

/** What a statement changes, by its kind and name. Kinds that policy has no entity for are judged as a change of their schema. */
export function namedObject(kind: string, name: Name, around: Around): PolicyObject {
  const { facts, touched, names, entities } = around;
  const last = name.at(-1);
  if (OF_RELATION.has(kind) && touched.length > 0) {
    const first = touched[0]?.relation?.schema ?? facts.relations[0]?.schema;
    return entities.schema(first ?? names.path.creation);
  }
  if (last === undefined || kind === 'role' || kind === 'database') return entities.resource;
  if (kind === 'schema') return entities.schema(last);
  const written = name.length > 1 ? name.at(-2) : undefined;
  const schema = written === undefined ? names.path.creation : names.schema(written);
  if (FUNCTION_KINDS.has(kind)) return entities.function(schema, last, 'user');
  return entities.schema(schema);
}
