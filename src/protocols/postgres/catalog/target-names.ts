import { nearest } from '../../../core/config/mistake.ts';
import type { RuleName, StrangeName, StrangeSetting, TargetNames } from '../../protocol.ts';
import { type ConfiguredTags, isWhole } from '../entities.ts';
import type { Catalog, Relation, RelationKind } from './model/model.ts';
import type { KnownCatalog } from './service.ts';
import { isSystemSchema, PG_TEMP } from './system/objects.ts';

/** What a resource's configuration names. */
interface Configured {
  readonly name: string;
  readonly classification: ReadonlyMap<string, ConfiguredTags>;
  readonly plainText?: { readonly functions: ReadonlySet<string> } | undefined;
}

/** What can be read and written by name. */
const TABLES: ReadonlySet<RelationKind> = new Set(['table', 'partitioned', 'view', 'matview', 'foreign']);
/** With more than these no name is looked for that may have been meant: that takes some 20 ms. */
const MOST_CANDIDATES = 2_000;
/** Whoever removes what was renamed shows it. */
const NOT_NEAR = 'correct the name, if only it was renamed, or remove it';

/** What a database has, for names in its resource's configuration and in rules. Pure. */
export class CatalogNames implements TargetNames {
  readonly #resource: Configured;
  readonly #known: KnownCatalog;

  constructor(resource: Configured, known: KnownCatalog) {
    this.#resource = resource;
    this.#known = known;
  }

  get #catalog(): Catalog {
    return this.#known.catalog;
  }

  configured(): readonly StrangeSetting[] {
    const { classification, plainText } = this.#resource;
    const columns = [...classification].flatMap(([name, tags]) => {
      const strange = this.#classified(name);
      const key = isWhole(tags) ? 'columns' : 'fields';
      return strange === undefined ? [] : [{ ...strange, path: ['classification', key, name] }];
    });
    const functions = [...(plainText?.functions ?? [])].flatMap((name) => {
      if (this.#hasFunction(name)) return [];
      const problem = `the database has no function ${name}: what it was to show is withheld`;
      return [{ path: ['freeText', 'functions'], problem, cure: () => this.#meant(name, this.#functions()) }];
    });
    return [...columns, ...functions];
  }

  named({ type, id, hides }: RuleName): StrangeName | undefined {
    const name = id.slice(this.#resource.name.length + 1);
    if (isOfNoCatalog(name)) return undefined;
    switch (type) {
      case 'Schema':
        return this.#hasSchema(name) ? undefined : this.#lacking(name, () => this.#schemas());
      case 'Table':
        return this.#table(name, hides);
      case 'Column':
        return this.#column(name, id, hides);
      case 'Function':
        return this.#hasFunction(name) ? undefined : this.#lacking(name, () => this.#functions());
      default:
        return undefined;
    }
  }

  #classified(name: string): StrangeName | undefined {
    const [schema = '', table = '', column = ''] = name.split('.');
    const own = `${schema}.${table}`;
    const relation = this.#catalog.lookupRelation(schema, table);
    if (relation === undefined)
      return {
        problem: `the database has no ${own}: this masks nothing`,
        cure: () => this.#meant(own, this.#tables()),
      };
    if (relation.columns.has(column)) return undefined;
    return {
      problem: `the database's ${own} has no column ${column}: all of its columns are taken for that`,
      cure: () => this.#meant(column, [...relation.columns.keys()]),
    };
  }

  #table(name: string, hides: boolean): StrangeName | undefined {
    const found = this.#relationsNamed(name);
    if (found.length === 0) return this.#lacking(name, () => this.#tables());
    const { classification } = this.#known;
    if (!hides || found.some(({ oid }) => classification.ofRelation(oid).length > 0)) return undefined;
    return this.#unclassified('of which no column is classified');
  }

  #column(name: string, id: string, hides: boolean): StrangeName | undefined {
    const places = splits(name).flatMap(([table, column]) =>
      this.#relationsNamed(table).map((relation) => ({ relation, column })),
    );
    if (places.length === 0) return this.#lacking(name, () => this.#columns());
    if (!places.some(({ relation, column }) => hasColumn(relation, column)))
      return this.#lacking(name, () => places.flatMap(({ relation }) => columnsOf(relation)));
    if (!hides || this.#isAskedAbout(id)) return undefined;
    return this.#unclassified('which is not classified');
  }

  /** Policy is asked about what is classified, and about nothing else. */
  #isAskedAbout(id: string): boolean {
    return this.#known.classification.columns.some(({ object, members }) =>
      members === undefined ? object.id === id : members.some((member) => member.object.id === id),
    );
  }

  #unclassified(problem: string): StrangeName {
    const { name } = this.#resource;
    return {
      problem: `${problem}: the rule hides nothing there`,
      cure: () => `classify it in resources.${name}.classification`,
    };
  }

  /** @param candidates Names without the resource's. */
  #lacking(name: string, candidates: () => readonly string[]): StrangeName {
    return {
      problem: 'which the database does not have: the rule does not apply to it',
      cure: () => this.#meant(name, candidates()),
    };
  }

  #meant(name: string, candidates: readonly string[]): string {
    if (candidates.length > MOST_CANDIDATES) return NOT_NEAR;
    const meant = nearest(name, candidates) ?? inOtherSchema(name, candidates);
    return meant === undefined ? NOT_NEAR : `did you mean ${meant}?`;
  }

  /** Of a name that may have dots within its parts. */
  #relationsNamed(name: string): Relation[] {
    return splits(name).flatMap(([schema, table]) => this.#catalog.lookupRelation(schema, table) ?? []);
  }

  #hasSchema(name: string): boolean {
    return this.#catalog.mayUse(name) || this.#schemas().includes(name);
  }

  #hasFunction(name: string): boolean {
    const parts = splits(name);
    return [...this.#catalog.functions.values()].some((one) =>
      parts.some(([schema, own]) => one.schema === schema && one.name === own),
    );
  }

  #own(): Relation[] {
    return [...this.#catalog.relations.values()].filter(
      ({ kind, schema }) => TABLES.has(kind) && !isSystemSchema(schema),
    );
  }

  #tables(): string[] {
    return this.#own().map(({ schema, name }) => `${schema}.${name}`);
  }

  #columns(): string[] {
    return this.#own().flatMap(columnsOf);
  }

  #functions(): string[] {
    const all = [...this.#catalog.functions.values()].filter(({ schema }) => !isSystemSchema(schema));
    return all.map(({ schema, name }) => `${schema}.${name}`);
  }

  #schemas(): string[] {
    const { relations, functions } = this.#catalog;
    return [...new Set([...relations.values(), ...functions.values()].map(({ schema }) => schema))];
  }
}

/** What detectors find, and what sessions have of their own, is in no catalog. */
function isOfNoCatalog(name: string): boolean {
  return [PG_TEMP, 'detected'].includes(name.split(/[./]/, 1)[0]!);
}

/** `a.b.c` → `a` and `b.c`, `a.b` and `c`. */
function splits(name: string): (readonly [string, string])[] {
  return [...name.matchAll(/\./g)].map(({ index }) => [name.slice(0, index), name.slice(index + 1)] as const);
}

/** As a whole, or a member of its documents: `profile$.email`. */
function hasColumn({ columns }: Relation, name: string): boolean {
  return (
    columns.has(name) || [...name.matchAll(/\$/g)].some(({ index }) => columns.has(name.slice(0, index)))
  );
}

function columnsOf({ schema, name, columns }: Relation): string[] {
  return [...columns.keys()].map((column) => `${schema}.${name}.${column}`);
}

/** The only one of that name, whatever its schema: `customers`, or `sales.customers`, for `public.customers`. */
function inOtherSchema(name: string, candidates: readonly string[]): string | undefined {
  const [last, ...more] = candidates.filter((one) => one.endsWith(`.${name.split('.').at(-1)}`));
  return more.length === 0 ? last : undefined;
}
