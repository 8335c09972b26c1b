import type { Name } from '../../sql/facts/facts.ts';
import { named, of, under } from '../mirror/groups.ts';
import type { CatalogTables } from '../mirror/mirror.ts';
import { CATALOG_OIDS } from '../mirror/tables.ts';
import { isHarmlessBuiltin } from '../system/functions.ts';
import { FIRST_USER_OID } from '../system/objects.ts';
import { schemaOf } from './functions.ts';
import type { CatalogFunction, Relation, TypeGraph } from './model.ts';
import { callsOf, functionsIn } from './parts.ts';

/** What one type is made of, and what the server runs for it. */
interface TypeNode {
  readonly schema: string;
  readonly name: string;
  /** Of a domain; else 0. */
  readonly base: number;
  /** Of an array its element, of a range its subtype, of a multirange its range. */
  readonly inside: readonly number[];
  /** Relation whose row type it is. */
  readonly relation: number;
  /** Input and output, canonical form, default; of a domain its checks too. */
  readonly functions: readonly number[];
}

/** Types that are not PostgreSQL's own. */
interface AllTypes {
  node(oid: number): TypeNode | undefined;
  /** In any schema. */
  named(name: string): readonly number[];
}

const NONE: readonly number[] = [];

class TypesOfTables implements TypeGraph {
  readonly #all: AllTypes;
  /** Functions of operator classes and families, by the type they compare: what sorts or indexes a value of it runs them. */
  readonly #compared: ReadonlyMap<number, readonly number[]>;
  readonly #relations: ReadonlyMap<number, Relation>;
  readonly #made = new Map<string, readonly number[]>();

  constructor(
    all: AllTypes,
    compared: ReadonlyMap<number, readonly number[]>,
    relations: ReadonlyMap<number, Relation>,
  ) {
    this.#all = all;
    this.#compared = compared;
    this.#relations = relations;
  }

  named(name: Name): readonly number[] {
    const found = this.#all.named(name.at(-1) ?? '');
    const schema = name.at(-2);
    return schema === undefined ? found : found.filter((oid) => this.#all.node(oid)?.schema === schema);
  }

  knows(oid: number): boolean {
    return oid < FIRST_USER_OID || this.#all.node(oid) !== undefined;
  }

  within(oid: number): readonly number[] {
    return this.#remember('w', oid, () => {
      const found = new Set<number>();
      this.#visit(oid, false, (one) => void found.add(one));
      return [...found];
    });
  }

  nameOf(oid: number): string {
    const node = this.#all.node(oid);
    return node === undefined ? 'a built-in type' : `${node.schema}.${node.name}`;
  }

  rowOf(oid: number): number | undefined {
    return this.#all.node(oid)?.relation || undefined;
  }

  functions(oid: number): readonly number[] {
    return this.#remember('f', oid, () => this.#run(oid, true));
  }

  shownFunctions(oid: number): readonly number[] {
    return this.#remember('s', oid, () => {
      const found = new Set<number>();
      this.#visit(oid, false, (one) => {
        const node = this.#all.node(one);
        if (node?.base === 0) for (const fn of node.functions) found.add(fn);
      });
      return [...found];
    });
  }

  readFunctions(oid: number): readonly number[] {
    return this.#remember('r', oid, () => this.#run(oid, false));
  }

  #run(oid: number, made: boolean): number[] {
    const found = new Set<number>();
    this.#visit(oid, made, (one, checked) => {
      const node = this.#all.node(one);
      if (node !== undefined && (checked || node.base === 0)) for (const fn of node.functions) found.add(fn);
      for (const fn of this.#compared.get(one) ?? NONE) found.add(fn);
    });
    return [...found];
  }

  #visit(start: number, made: boolean, see: (oid: number, checked: boolean) => void): void {
    const seen = new Set<string>();
    const queue = [{ oid: start, checked: made }];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      const { oid, checked } = at;
      if (seen.has(`${oid}${checked}`)) continue;
      seen.add(`${oid}${checked}`);
      see(oid, checked);
      const node = this.#all.node(oid);
      if (node === undefined) continue;
      if (node.base !== 0) queue.push({ oid: node.base, checked });
      for (const part of node.inside) queue.push({ oid: part, checked: true });
      const fields = this.#relations.get(node.relation)?.columns.values() ?? [];
      for (const { typeOid } of fields) queue.push({ oid: typeOid, checked });
    }
  }

  /** @param oid Most types are PostgreSQL's own and run nothing. */
  #remember(kind: string, oid: number, make: () => readonly number[]): readonly number[] {
    if (this.#all.node(oid) === undefined && !this.#compared.has(oid)) return NONE;
    const known = this.#made.get(kind + oid);
    if (known !== undefined) return known;
    const made = make();
    this.#made.set(kind + oid, made);
    return made;
  }
}

/** Makes the graph of a catalog's tables. Pure. */
export function typesOf(
  tables: CatalogTables,
  functions: ReadonlyMap<number, CatalogFunction>,
  relations: ReadonlyMap<number, Relation>,
): TypeGraph {
  const known = new Map<number, TypeNode | undefined>();
  const node = (oid: number) => {
    if (!known.has(oid)) known.set(oid, nodeOf(oid, tables, functions));
    return known.get(oid);
  };
  const inAnySchema = (name: string) =>
    tables.pg_type
      .in(named(name))
      .map(({ oid }) => oid)
      .filter((oid) => node(oid) !== undefined);
  return new TypesOfTables({ node, named: inAnySchema }, comparedBy(tables, functions), relations);
}

function nodeOf(
  oid: number,
  tables: CatalogTables,
  functions: ReadonlyMap<number, CatalogFunction>,
): TypeNode | undefined {
  const row = oid < FIRST_USER_OID ? undefined : tables.pg_type.get(`${oid}`);
  const schema = row === undefined ? undefined : schemaOf(row, tables);
  if (row === undefined || schema === undefined) return undefined;
  const { name, base, relation } = row;
  const inside = [row.element, row.bound, row.range].filter((one) => one !== 0);
  return { schema, name, base, inside, relation, functions: ownFunctions(oid, tables, functions) };
}

/** Functions that a type itself uses. */
function ownFunctions(
  oid: number,
  tables: CatalogTables,
  functions: ReadonlyMap<number, CatalogFunction>,
): readonly number[] {
  const constraints = tables.pg_constraint.in(under(oid));
  const checks = constraints.flatMap((row) =>
    tables.pg_depend.in(of(row.oid)).filter((used) => used.class === CATALOG_OIDS.pg_constraint),
  );
  const own = tables.pg_depend.in(of(oid)).filter((used) => used.class === CATALOG_OIDS.pg_type);
  const type = tables.pg_type.get(`${oid}`);
  const called = [...constraints, ...(type === undefined ? [] : [type])].flatMap((row) =>
    callsOf(row, tables),
  );
  return [...functionsIn([...own, ...checks], tables), ...called].filter(
    (fn) => !isHarmless(functions.get(fn)),
  );
}

function comparedBy(
  tables: CatalogTables,
  functions: ReadonlyMap<number, CatalogFunction>,
): Map<number, number[]> {
  const compared = new Map<number, number[]>();
  const add = (type: number, fn: number) => {
    if (!isHarmless(functions.get(fn))) compared.set(type, [...(compared.get(type) ?? []), fn]);
  };
  for (const { oid, type, function: fn } of tables.pg_amproc.values())
    if (oid >= FIRST_USER_OID) add(type, fn);
  for (const { left, right, operator } of tables.pg_amop.values()) {
    const fn = tables.pg_operator.get(`${operator}`)?.function;
    // PostgreSQL's own compare and do no more, some of them by the session's time zone.
    if (fn === undefined || functions.get(fn)?.schema === 'pg_catalog') continue;
    add(left, fn);
    if (right !== left) add(right, fn);
  }
  return compared;
}

function isHarmless(fn: CatalogFunction | undefined): boolean {
  return fn === undefined || fn.trusted || isHarmlessBuiltin(fn);
}
