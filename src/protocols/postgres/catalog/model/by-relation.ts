import type { ByRelation, Relation } from './model.ts';

/** @param make Undefined: nothing is known of it. Pure. */
export function byRelation<T extends object>(
  relations: ReadonlyMap<number, Relation>,
  make: (relation: Relation) => T | undefined,
): ByRelation<T> {
  const made = new Map<number, T | undefined>();
  const get = (oid: number) => {
    if (made.has(oid)) return made.get(oid);
    const relation = relations.get(oid);
    const value = relation === undefined ? undefined : make(relation);
    made.set(oid, value);
    return value;
  };
  return {
    get,
    *[Symbol.iterator]() {
      for (const oid of relations.keys()) {
        const value = get(oid);
        if (value !== undefined) yield [oid, value];
      }
    },
  };
}
