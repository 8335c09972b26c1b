import type { Pair, PolicyObject, PolicyValue } from '../../../../policy/model.ts';
import { isSystemSchema, type Relation } from '../../catalog/model/model.ts';
import type { FunctionClass } from './functions.ts';
import { PG_TEMP } from './name-scope.ts';
import { isSensitive } from './sensitive.ts';

/** Makes the policy entities of one resource: `Resource > Schema > Table`, `Function`; `Setting`. */
export class PolicyObjects {
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

  function(where: string, name: string, functionClass: FunctionClass): PolicyObject {
    const schema = this.#schemaName(where);
    const attrs = { schema, name, class: functionClass };
    return this.#make('Function', `${schema}.${name}`, attrs, this.schema(schema));
  }

  setting(name: string, safe: boolean): PolicyObject {
    return this.#make('Setting', `setting.${name}`, { name, safe }, this.resource);
  }

  #make(type: string, id: string, attrs: Record<string, PolicyValue>, parent: PolicyObject): PolicyObject {
    return { type, id: `${this.resource.id}/${id}`, attrs, parent };
  }
}

/** Distinct pairs in order of appearance. */
export class PairSet {
  readonly #pairs = new Map<string, Pair>();

  /** @param counted Its rows are in the statement's own count; a pair that is added both ways is not. */
  add(action: string, object: PolicyObject, counted = false): void {
    const key = `${action}\0${object.type}\0${object.id}`;
    const known = this.#pairs.get(key);
    if (known === undefined) this.#pairs.set(key, counted ? { action, object, counted } : { action, object });
    else if (known.counted === true && !counted) this.#pairs.set(key, { action, object });
  }

  get size(): number {
    return this.#pairs.size;
  }

  list(): Pair[] {
    return [...this.#pairs.values()];
  }
}

/** The same pair, of which nobody can say how many rows it changes. */
export function uncounted({ action, object }: Pair): Pair {
  return { action, object };
}
