import type {
  AnalysisCast,
  AnalysisColumn,
  AnalysisFunction,
  AnalysisOperator,
  AnalysisOperatorClass,
  AnalysisRelation,
  AnalysisType,
  FamilyOperator,
  InRangeFunction,
} from '../../../src/protocols/postgres/sql/analysis/catalog.ts';
import type { Rows } from './queries.ts';

type Row = readonly (string | null)[];

/** Rows of the catalog, found by OID and by name: those that came with the server, or the database's own. */
export interface Layer {
  readonly types: ReadonlyMap<number, AnalysisType>;
  readonly typesNamed: ReadonlyMap<string, readonly AnalysisType[]>;
  readonly functions: ReadonlyMap<number, AnalysisFunction>;
  readonly functionsNamed: ReadonlyMap<string, readonly AnalysisFunction[]>;
  readonly operators: ReadonlyMap<number, AnalysisOperator>;
  readonly operatorsNamed: ReadonlyMap<string, readonly AnalysisOperator[]>;
  readonly casts: ReadonlyMap<string, AnalysisCast>;
  readonly relations: ReadonlyMap<number, AnalysisRelation>;
  readonly relationsNamed: ReadonlyMap<string, readonly AnalysisRelation[]>;
  readonly parents: ReadonlyMap<number, readonly number[]>;
  readonly keys: ReadonlyMap<number, readonly number[]>;
  /** By access method. */
  readonly classes: ReadonlyMap<number, readonly AnalysisOperatorClass[]>;
  readonly members: ReadonlyMap<number, readonly FamilyOperator[]>;
  readonly inRange: ReadonlyMap<number, readonly InRangeFunction[]>;
  /** By the type that they are over. */
  readonly ranges: ReadonlyMap<number, readonly number[]>;
}

export function layerOf(rows: Rows): Layer {
  const types = rows.types.map(typeOf);
  const functions = rows.functions.map(functionOf);
  const operators = rows.operators.map(operatorOf);
  const columns = grouped(rows.columns.map((row) => [number(row, 0), columnOf(row)]));
  const relations = rows.relations.map((row) => relationOf(row, columns));
  return {
    types: byOid(types),
    typesNamed: byName(types),
    functions: byOid(functions),
    functionsNamed: byName(functions),
    operators: byOid(operators),
    operatorsNamed: byName(operators),
    casts: new Map(rows.casts.map((row) => [castKey(number(row, 0), number(row, 1)), castOf(row)])),
    relations: byOid(relations),
    relationsNamed: byName(relations),
    parents: grouped(rows.parents.map((row) => [number(row, 0), number(row, 1)])),
    keys: new Map(rows.keys.map((row) => [number(row, 0), numbers(row, 1)])),
    classes: grouped(rows.classes.map((row) => [number(row, 6), classOf(row)])),
    members: grouped(rows.members.map((row) => [number(row, 0), memberOf(row)])),
    inRange: grouped(rows.inRange.map((row) => [number(row, 0), inRangeOf(row)])),
    ranges: grouped(types.flatMap(({ kind, bound, oid }) => (kind === 'r' ? [[bound, oid] as const] : []))),
  };
}

export function castKey(source: number, target: number): string {
  return `${source} ${target}`;
}

function typeOf(row: Row): AnalysisType {
  return {
    oid: number(row, 0),
    namespace: number(row, 1),
    name: text(row, 2),
    kind: text(row, 3) as AnalysisType['kind'],
    category: text(row, 4),
    preferred: flag(row, 5),
    subscript: number(row, 6),
    element: number(row, 7),
    array: number(row, 8),
    relation: number(row, 9),
    base: number(row, 10),
    baseModifier: number(row, 11),
    bound: number(row, 12),
    multirange: number(row, 13),
    modifierInput: number(row, 14),
    collatable: flag(row, 15),
  };
}

function functionOf(row: Row): AnalysisFunction {
  const takes = numbers(row, 4);
  const aggregate = row[12] ?? null;
  return {
    oid: number(row, 0),
    namespace: number(row, 1),
    name: text(row, 2),
    kind: text(row, 3) as AnalysisFunction['kind'],
    takes,
    all: row[5] === null ? takes : numbers(row, 5),
    modes: text(row, 6),
    names: JSON.parse(row[7] ?? '[]') as string[],
    variadic: number(row, 8),
    defaults: number(row, 9),
    returns: number(row, 10),
    returnsSet: flag(row, 11),
    ...(aggregate === null
      ? {}
      : { aggregate: { kind: aggregate as 'n' | 'o' | 'h', direct: number(row, 13) } }),
  };
}

function operatorOf(row: Row): AnalysisOperator {
  return {
    oid: number(row, 0),
    namespace: number(row, 1),
    name: text(row, 2),
    left: number(row, 3),
    right: number(row, 4),
    result: number(row, 5),
    function: number(row, 6),
  };
}

function castOf(row: Row): AnalysisCast {
  return {
    source: number(row, 0),
    target: number(row, 1),
    function: number(row, 2),
    context: text(row, 3) as AnalysisCast['context'],
    method: text(row, 4) as AnalysisCast['method'],
  };
}

function relationOf(row: Row, columns: ReadonlyMap<number, readonly AnalysisColumn[]>): AnalysisRelation {
  return {
    oid: number(row, 0),
    namespace: number(row, 1),
    name: text(row, 2),
    kind: text(row, 3),
    rowType: number(row, 4),
    columns: columns.get(number(row, 0)) ?? [],
    width: number(row, 5),
  };
}

function columnOf(row: Row): AnalysisColumn {
  return {
    attnum: number(row, 1),
    name: text(row, 2),
    type: number(row, 3),
    modifier: number(row, 4),
    generated: flag(row, 5),
    hasDefault: flag(row, 6),
  };
}

function classOf(row: Row): AnalysisOperatorClass {
  return {
    oid: number(row, 0),
    namespace: number(row, 1),
    name: text(row, 2),
    family: number(row, 3),
    type: number(row, 4),
    isDefault: flag(row, 5),
  };
}

function memberOf(row: Row): FamilyOperator {
  return {
    operator: number(row, 1),
    left: number(row, 2),
    right: number(row, 3),
    strategy: number(row, 4),
  };
}

function inRangeOf(row: Row): InRangeFunction {
  return { left: number(row, 1), right: number(row, 2), function: number(row, 3) };
}

function byOid<T extends { readonly oid: number }>(all: readonly T[]): Map<number, T> {
  return new Map(all.map((one) => [one.oid, one]));
}

function byName<T extends { readonly name: string }>(all: readonly T[]): Map<string, T[]> {
  return grouped(all.map((one) => [one.name, one]));
}

function grouped<K, V>(pairs: readonly (readonly [K, V])[]): Map<K, V[]> {
  const map = new Map<K, V[]>();
  for (const [key, value] of pairs) {
    const known = map.get(key);
    if (known === undefined) map.set(key, [value]);
    else known.push(value);
  }
  return map;
}

const text = (row: Row, index: number) => row[index] ?? '';
const number = (row: Row, index: number) => Number(row[index] ?? '0');
const flag = (row: Row, index: number) => row[index] === 't';
const numbers = (row: Row, index: number) => (text(row, index).match(/\d+/g) ?? []).map(Number);
