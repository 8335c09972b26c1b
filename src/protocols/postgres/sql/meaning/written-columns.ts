import { type Catalog, type Column, closure, type Relation } from '../../catalog/model/model.ts';
import type { PostgresRefusal } from '../../refusals.ts';
import type { Given } from './effects.ts';
import { comparedWith } from './flow/compared-with.ts';
import type { IsMasked } from './lineage.ts';

/** What rules may ask of the columns that a statement gives values to. */
export interface WrittenFacts {
  /** `schema.table.column`. */
  readonly columns: readonly string[];
  /** Their tags, each with the groups it belongs to: `pii.email` and `pii`. */
  readonly columnTags: readonly string[];
  /** One of them is masked for the principal. */
  readonly writesMasked: boolean;
}

/** The tags of each of a relation's classified columns. */
export type ColumnTags = (
  relation: number,
) => readonly { readonly attribute: number; readonly tags: readonly string[] }[];

/** Partitions and children whose columns are named one by one; of more, rules speak by their parent. */
const MAX_CHILDREN = 64;

/**
 * Collects the columns that one statement gives values to, whether it names them or the server writes them because of
 * it. A name that is not known stands for all that it could be.
 */
export class WrittenColumns {
  readonly #catalog: Catalog;
  readonly #isMasked: IsMasked;
  readonly #tagsOf: ColumnTags;
  readonly #names = new Set<string>();
  readonly #tags = new Set<string>();
  #masked = false;
  refusal: PostgresRefusal | undefined;

  constructor(catalog: Catalog, isMasked: IsMasked, tagsOf: ColumnTags) {
    this.#catalog = catalog;
    this.#isMasked = isMasked;
    this.#tagsOf = tagsOf;
  }

  /** @param names Undefined: any column may be written. */
  add(relation: Relation, names: ReadonlySet<string> | undefined, given?: Given): void {
    if (given !== undefined) this.refusal ??= comparedWith(relation, given, this.#catalog, this.#isMasked);
    // A name that the catalog does not have may be a column that it does not show yet.
    const unknown = [...(names ?? [])].filter((name) => !relation.columns.has(name));
    for (const name of unknown) this.#names.add(qualified(relation, name));
    const { columns } = relation;
    for (const column of columns.values()) {
      if (names === undefined || names.has(column.name)) this.#column(relation, column);
    }
  }

  /** The relation is not known by this name: it may be any that is called so in another schema. */
  addUnknown(schema: string | undefined, name: string): void {
    if (schema !== undefined) return;
    for (const relation of this.#catalog.relations.values()) {
      if (relation.name === name) this.add(relation, undefined);
    }
  }

  get facts(): WrittenFacts {
    return { columns: [...this.#names], columnTags: [...this.#tags].sort(), writesMasked: this.#masked };
  }

  /** A row of a table is a row of its parents, and may be one of its children. */
  #column(relation: Relation, column: Column): void {
    this.#names.add(qualified(relation, column.name));
    const { parents, children } = this.#catalog;
    const below = closure(relation.oid, children);
    for (const oid of [...closure(relation.oid, parents), ...(below.length > MAX_CHILDREN ? [] : below)]) {
      const other = this.#catalog.relations.get(oid);
      if (other?.columns.has(column.name)) this.#names.add(qualified(other, column.name));
    }
    this.#masked ||= this.#isMasked(relation.oid, column.attnum);
    for (const { attribute, tags } of this.#tagsOf(relation.oid)) {
      if (attribute === column.attnum) for (const tag of tags) this.#tag(tag);
    }
  }

  #tag(tag: string): void {
    const parts = tag.split('.');
    for (let length = 1; length <= parts.length; length++) this.#tags.add(parts.slice(0, length).join('.'));
  }
}

function qualified({ schema, name }: Relation, column: string): string {
  return `${schema}.${name}.${column}`;
}
