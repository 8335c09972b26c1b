import { isDependant } from './named.ts';
import type { CatalogRows, TableName } from './records.ts';

/** What a row is found by besides its key: what it is part of, or its name. */
export const GROUPS: { readonly [N in TableName]?: (row: CatalogRows[N]) => readonly string[] } = {
  pg_namespace: ({ name }) => [named(name)],
  pg_class: ({ name }) => [named(name)],
  pg_attribute: ({ relation }) => [of(relation)],
  pg_inherits: ({ child, parent }) => [of(child), under(parent)],
  pg_proc: ({ name }) => [named(name)],
  pg_rewrite: ({ relation }) => [of(relation)],
  pg_depend: ({ class: catalog, object }) => (isDependant(catalog) ? [of(object)] : []),
  pg_attrdef: ({ relation }) => [of(relation)],
  pg_constraint: ({ relation, domain, referenced }) => [
    relation === 0 ? under(domain) : of(relation),
    ...(referenced === 0 ? [] : [against(referenced)]),
  ],
  pg_index: ({ relation }) => [of(relation)],
  pg_policy: ({ relation }) => [of(relation)],
  pg_trigger: ({ relation }) => [of(relation)],
  pg_statistic_ext: ({ relation }) => [of(relation)],
  pg_type: ({ name, relation, element, bound, range }) => [
    named(name),
    ...(relation === 0 ? [] : [of(relation)]),
    ...(element === 0 ? [] : [under(element)]),
    ...(bound + range === 0 ? [] : [over(bound || range)]),
  ],
  pg_operator: ({ name }) => [named(name)],
  pg_cast: ({ source, target }) => [between(source, target)],
  pg_opclass: ({ method }) => [of(method)],
  pg_amop: ({ family }) => [of(family)],
  pg_amproc: ({ inRangeOf }) => (inRangeOf === 0 ? [] : [of(inRangeOf)]),
};

export const named = (name: string): string => `n${name}`;
export const of = (oid: number): string => `${oid}o`;
export const under = (oid: number): string => `${oid}u`;
export const over = (oid: number): string => `${oid}r`;
export const between = (source: number, target: number): string => `${source}>${target}`;
export const against = (oid: number): string => `${oid}a`;
