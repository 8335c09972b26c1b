import { bindClassification } from '../../../src/protocols/postgres/catalog/classification.ts';
import type { Catalog } from '../../../src/protocols/postgres/catalog/model/model.ts';
import { columnKey, type IsMasked } from '../../../src/protocols/postgres/sql/meaning/lineage.ts';
import { NameScope } from '../../../src/protocols/postgres/sql/meaning/name-scope.ts';

/** As a session of the gateway's own role begins, with nothing set for it. */
export function scopeOf(catalog: Catalog): NameScope {
  const schemas = ['pg_catalog', ...(catalog.mayUse(catalog.role) ? [catalog.role] : []), 'public'];
  return new NameScope(catalog, { schemas, creation: schemas[1] ?? '', user: catalog.role });
}

const RESOURCE = { type: 'Resource', id: 'pg', attrs: {} };

/** What a principal is told for whom everything that is classified is masked. */
export function masksOf(catalog: Catalog, tags: ReadonlyMap<string, readonly string[]>) {
  const { columns, unknown, tagsOf, ofRelation, isInRules, rules } = bindClassification(
    catalog,
    tags,
    RESOURCE,
  );
  const data = [...columns, ...(columns.length > 0 ? unknown : [])];
  const defined = data.some(({ relation }) => isInRules(relation)) ? rules : [];
  const masked = new Set([...data, ...defined].map(columnKey));
  const isMasked: IsMasked = (relation, attribute) => masked.has(columnKey({ relation, attribute }));
  return { resource: RESOURCE, tagsOf, columnTags: ofRelation, isMasked };
}
