import type { PolicyObject, PolicyValue } from '../../policy/model.ts';
import type { Relation } from './catalog/model/model.ts';
import { isSensitive } from './catalog/model/sensitive.ts';
import type { FunctionClass } from './catalog/system/functions.ts';
import { isSystemSchema, PG_TEMP } from './catalog/system/objects.ts';

/** Makes the policy entities of one resource: `Resource > Schema > Table > Column`, `Function`; `Setting`. */
export class Entities {
  readonly resource: PolicyObject;
  readonly #temp: string | undefined;

  /** @param temp The session's own schema of temporary objects, which policy knows as `pg_temp`. */
  constructor(resource: PolicyObject, temp?: string) {
    this.resource = resource;
    this.#temp = temp;
  }

  #schemaName(name: string): string {
    return name === this.#temp ? PG_TEMP : name;
  }

  schema(schema: string): PolicyObject {
    const name = this.#schemaName(schema);
    return this.#make('Schema', name, { name, system: isSystemSchema(name) }, this.resource);
  }

  /** @param tags Union of the tags of all its columns. */
  table(relation: Relation, tags: readonly string[]): PolicyObject {
    const { name, kind } = relation;
    const schema = this.#schemaName(relation.schema);
    const attrs = {
      schema,
      name,
      kind,
      system: isSystemSchema(schema),
      sensitive: isSensitive(relation),
      tags,
    };
    return this.#make('Table', `${schema}.${name}`, attrs, this.schema(schema));
  }

  /** A relation that the catalog does not know. */
  unknownTable(where: string, name: string): PolicyObject {
    const schema = this.#schemaName(where);
    const attrs = { schema, name, kind: 'unknown', system: isSystemSchema(schema), tags: [] };
    const sensitive = isSensitive({ schema, name });
    return this.#make('Table', `${schema}.${name}`, { ...attrs, sensitive }, this.schema(schema));
  }

  /** @param table From `table` or `unknownTable`. */
  column(table: PolicyObject, name: string, tags: readonly string[]): PolicyObject {
    const { schema = '', name: tableName = '' } = table.attrs;
    const attrs = { schema, table: tableName, name, tags, detected: false };
    return { type: 'Column', id: `${table.id}.${name}`, attrs, parent: table };
  }

  /**
   * A member of a column's documents. Rules on columns reach it as they reach any: by its tags, and by its table.
   *
   * @param path As the configuration has it: `$.email`.
   */
  member(table: PolicyObject, column: string, path: string, tags: readonly string[]): PolicyObject {
    return this.column(table, `${column}${path}`, tags);
  }

  /**
   * What detectors find lies in some column. A rule on columns that hides a tag hides it there too: it may have been
   * written before there was `Detected`, and nobody who hides a tag means to show what is only found.
   */
  detectedColumn(tag: string): PolicyObject {
    const attrs = { name: 'detected', kind: 'detected', system: false, sensitive: false, tags: [tag] };
    const schema = this.#make('Schema', 'detected', { name: '', system: false }, this.resource);
    const table = this.#make('Table', 'detected', { schema: '', ...attrs }, schema);
    return this.#make(
      'Column',
      `detected/${tag}`,
      { schema: '', table: '', name: tag, tags: [tag], detected: true },
      table,
    );
  }

  function(where: string, name: string, functionClass: FunctionClass): PolicyObject {
    const schema = this.#schemaName(where);
    // What a rule on `reveal` may ask of any resource.
    const asColumns = { table: '', tags: [], detected: false };
    const attrs = { schema, name, class: functionClass, ...asColumns };
    return this.#make('Function', `${schema}.${name}`, attrs, this.schema(schema));
  }

  setting(name: string, safe: boolean): PolicyObject {
    return this.#make('Setting', `setting.${name}`, { name, safe }, this.resource);
  }

  #make(type: string, id: string, attrs: Record<string, PolicyValue>, parent: PolicyObject): PolicyObject {
    return { type, id: `${this.resource.id}/${id}`, attrs, parent };
  }
}

/** Tags of a column, or those of members of its documents by their paths, as the configuration gives them. */
export type ConfiguredTags = readonly string[] | Readonly<Record<string, readonly string[]>>;

/**
 * The columns that a configuration classifies, and members, by name alone: for questions that need no catalog. Never throws.
 *
 * @param columns `schema.table.column` → tags.
 */
export function classifiedColumns(
  resource: PolicyObject,
  columns: ReadonlyMap<string, ConfiguredTags>,
): PolicyObject[] {
  const entities = new Entities(resource);
  return [...columns].flatMap(([name, tags]) => {
    const [schema = '', table = '', column = ''] = name.split('.');
    const owner = entities.unknownTable(schema, table);
    if (isWhole(tags)) return [entities.column(owner, column, tags)];
    return Object.entries(tags).map(([path, own]) => entities.member(owner, column, path, own));
  });
}

/** Whether a column is classified as a whole, and not by members. */
export function isWhole(tags: ConfiguredTags): tags is readonly string[] {
  return Array.isArray(tags);
}
