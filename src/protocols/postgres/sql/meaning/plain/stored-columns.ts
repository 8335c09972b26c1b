import type { Catalog, Column, Relation } from '../../../catalog/model/model.ts';
import { FIRST_USER_OID, ROWS } from '../../../catalog/system/objects.ts';
import { resolveOid } from '../functions.ts';
import { MADE, type PlainOnly, united, type Value } from './value.ts';

/** Views over views are followed so far. */
const MAX_DEPTH = 32;
const COLUMN: Value = { ...MADE, origin: 'column' };

/**
 * What stored columns have of free text: the system's own nothing, a table's by its type, and columns of views and generated
 * ones by what they are made of. Of one catalog.
 */
export class StoredColumns {
  readonly #catalog: Catalog;
  readonly #plain: PlainOnly;
  readonly #known = new Map<string, Value>();

  constructor(catalog: Catalog, plain: PlainOnly) {
    this.#catalog = catalog;
    this.#plain = plain;
  }

  /** @param attribute 0: the whole row. Its rows are not said. */
  of(relation: number, attribute: number): Value {
    return this.#of(relation, attribute, 0);
  }

  #of(oid: number, attribute: number, depth: number): Value {
    if (oid < FIRST_USER_OID || attribute < 0) return COLUMN;
    const relation = this.#catalog.relations.get(oid);
    if (relation === undefined || depth > MAX_DEPTH) return hidden('a relation that is not known', 'it');
    const columns = [...relation.columns.values()];
    if (attribute === 0) {
      const all = columns.map(({ attnum }) => this.#of(oid, attnum, depth));
      return { ...united(all), origin: 'column' };
    }
    const key = `${oid}.${attribute}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const column = columns.find(({ attnum }) => attnum === attribute);
    const value =
      column === undefined
        ? hidden(`${relation.schema}.${relation.name}`, 'a column that is not known')
        : this.#made(relation, column, depth);
    this.#known.set(key, value);
    return value;
  }

  #made(relation: Relation, column: Column, depth: number): Value {
    const name = `${relation.schema}.${relation.name}.${column.name}`;
    if (relation.kind === 'view' || relation.kind === 'matview')
      return this.#ofView(relation, column, name, depth);
    if (column.generated && this.#isMadeOfText(relation, column, depth))
      return hidden(name, 'its definition');
    return this.#plain.holdsText(column.typeOid) ? { ...COLUMN, kind: 'whole', column: name } : COLUMN;
  }

  #ofView({ oid }: Relation, { attnum, typeOid }: Column, name: string, depth: number): Value {
    const made = this.#catalog.viewColumns.get(oid);
    const used = made?.columns[attnum - 1];
    if (made === undefined || used === undefined) return hidden(name, 'its view, which is not understood,');
    const sources = used.filter(([, attribute]) => attribute !== ROWS);
    const all = united(sources.map(([source, attribute]) => this.#of(source, attribute, depth + 1)));
    if (made.carried.includes(attnum))
      return { ...all, ...(all.kind === 'clear' ? {} : { column: name }), origin: 'column' };
    const calls = this.#catalog.views.get(oid)?.functions ?? [];
    const isClear = all.kind === 'clear' && !(calls.some(this.#isUsers) && this.#plain.holdsText(typeOid));
    return isClear ? { ...COLUMN } : hidden(name, 'its view');
  }

  #isMadeOfText({ oid }: Relation, { attnum }: Column, depth: number): boolean {
    const used = (this.#catalog.derived.get(oid) ?? []).filter(
      ({ relation, attribute }) => relation === oid && attribute === attnum,
    );
    return used.some(
      ({ from }) =>
        from === undefined || (from !== attnum && this.#of(oid, from, depth + 1).kind !== 'clear'),
    );
  }

  readonly #isUsers = (oid: number): boolean => {
    const trusted = this.#catalog.functions.get(oid)?.trusted === true;
    return !trusted && resolveOid(oid, this.#catalog)?.class === 'user';
  };
}

function hidden(column: string, by: string): Value {
  return { ...MADE, kind: 'computed', column, by };
}
