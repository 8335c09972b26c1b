import type { Query } from '../../analysis/tree.ts';
import { visitAll } from '../../analysis/walk.ts';

/** By the number of a parameter, from 1, which fields of it are used; `all`: it is used as a whole. */
export type UsedFields = ReadonlyMap<number, ReadonlySet<number> | 'all'>;

/** Which fields of its parameters a query in a function uses. Pure. */
export function usedFields(query: Query): UsedFields {
  const used = new Map<number, ReadonlySet<number> | 'all'>();
  const use = (number: number, fields: ReadonlySet<number> | 'all') =>
    used.set(number, together(used.get(number), fields));
  visitAll(query, {
    expr: (expr) => {
      const within = expr.kind === 'FieldSelect' ? expr.arg : undefined;
      const param = within?.kind === 'Param' ? within : expr;
      if (param.kind !== 'Param' || param.source !== 'external') return true;
      use(param.number, expr.kind === 'FieldSelect' ? new Set([expr.field]) : 'all');
      return false;
    },
  });
  return used;
}

/** What all of them use. Pure. */
export function allUsedFields(all: readonly UsedFields[]): UsedFields {
  const used = new Map<number, ReadonlySet<number> | 'all'>();
  for (const [number, fields] of all.flatMap((one) => [...one]))
    used.set(number, together(used.get(number), fields));
  return used;
}

function together(
  one: ReadonlySet<number> | 'all' | undefined,
  other: ReadonlySet<number> | 'all',
): ReadonlySet<number> | 'all' {
  return one === 'all' || other === 'all' ? 'all' : new Set([...(one ?? []), ...other]);
}
