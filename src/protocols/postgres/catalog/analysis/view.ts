import { TextCache } from '../../../../core/text-cache.ts';
import type {
  AnalysisCast,
  AnalysisCatalog,
  AnalysisFunction,
  AnalysisOperator,
  AnalysisOperatorClass,
  AnalysisRelation,
  AnalysisType,
  FamilyOperator,
  InRangeFunction,
} from '../../sql/analysis/catalog.ts';
import { between, named, of, over } from '../mirror/groups.ts';
import type { CatalogTables } from '../mirror/mirror.ts';
import { PG_TEMP } from '../system/objects.ts';
import type { RowDecoder } from './decode.ts';

/** Where one session looks names up: as in `SearchPath`. */
export interface AnalysisPath {
  /** Schemas in order, with those that are searched unasked. */
  readonly schemas: readonly string[];
  /** The session's own schema of temporary objects, once it has one. */
  readonly temp?: string;
}

type Shared = Omit<AnalysisCatalog, 'path' | 'temporary' | 'found'>;

/** What parse analysis asks of one catalog, whoever asks. Immutable; what was found is remembered. */
export class AnalysisLookups implements Shared {
  readonly major: number;
  readonly #tables: CatalogTables;
  readonly #decoder: RowDecoder;
  readonly #found = {
    types: new Map<string, readonly AnalysisType[]>(),
    functions: new Map<string, readonly AnalysisFunction[]>(),
    operators: new Map<string, readonly AnalysisOperator[]>(),
    relations: new Map<string, readonly AnalysisRelation[]>(),
    byOid: new Map<number, AnalysisRelation>(),
    classes: new Map<number, readonly AnalysisOperatorClass[]>(),
    families: new Map<number, readonly FamilyOperator[]>(),
    ranges: new Map<number, readonly InRangeFunction[]>(),
  };

  /** @param decoder Shared by the catalogs of one target, one after the other. */
  constructor(tables: CatalogTables, serverVersion: number, decoder: RowDecoder) {
    this.#tables = tables;
    this.major = Math.floor(serverVersion / 10_000);
    this.#decoder = decoder;
  }

  readonly namespace = (name: string): number | undefined =>
    this.#tables.pg_namespace.in(named(name))[0]?.oid;

  readonly type = (oid: number): AnalysisType | undefined => {
    const row = this.#tables.pg_type.get(`${oid}`);
    return row === undefined ? undefined : this.#decoder.type(row);
  };

  readonly typesNamed = (name: string): readonly AnalysisType[] =>
    remembered(this.#found.types, name, () => this.#tables.pg_type.in(named(name)).map(this.#decoder.type));

  readonly function = (oid: number): AnalysisFunction | undefined => {
    const row = this.#tables.pg_proc.get(`${oid}`);
    return row === undefined ? undefined : this.#decoder.function(row);
  };

  readonly functionsNamed = (name: string): readonly AnalysisFunction[] =>
    remembered(this.#found.functions, name, () =>
      this.#tables.pg_proc.in(named(name)).map(this.#decoder.function),
    );

  readonly operator = (oid: number): AnalysisOperator | undefined => {
    const row = this.#tables.pg_operator.get(`${oid}`);
    return row === undefined ? undefined : this.#decoder.operator(row);
  };

  readonly operatorsNamed = (name: string): readonly AnalysisOperator[] =>
    remembered(this.#found.operators, name, () =>
      this.#tables.pg_operator.in(named(name)).map(this.#decoder.operator),
    );

  readonly cast = (source: number, target: number): AnalysisCast | undefined => {
    const [row] = this.#tables.pg_cast.in(between(source, target));
    return row === undefined ? undefined : this.#decoder.cast(row);
  };

  readonly relation = (oid: number): AnalysisRelation | undefined => {
    const known = this.#found.byOid.get(oid);
    const row = known === undefined ? this.#tables.pg_class.get(`${oid}`) : undefined;
    if (row === undefined) return known;
    const made = this.#decoder.relation(row, this.#tables.pg_attribute.in(of(oid)));
    this.#found.byOid.set(oid, made);
    return made;
  };

  readonly relationsNamed = (name: string): readonly AnalysisRelation[] =>
    remembered(this.#found.relations, name, () =>
      this.#tables.pg_class.in(named(name)).flatMap(({ oid }) => this.relation(oid) ?? []),
    );

  readonly parentsOf = (relation: number): readonly number[] =>
    this.#tables.pg_inherits.in(of(relation)).map(({ parent }) => parent);

  readonly rangesOf = (subtype: number): readonly number[] =>
    this.#tables.pg_type.in(over(subtype)).map(({ oid }) => oid);

  readonly operatorClasses = (method: 403 | 405): readonly AnalysisOperatorClass[] =>
    remembered(this.#found.classes, method, () =>
      this.#tables.pg_opclass.in(of(method)).map(this.#decoder.operatorClass),
    );

  readonly familyOperators = (family: number): readonly FamilyOperator[] =>
    remembered(this.#found.families, family, () =>
      this.#tables.pg_amop.in(of(family)).map(this.#decoder.familyOperator),
    );

  readonly inRangeFunctions = (family: number): readonly InRangeFunction[] =>
    remembered(this.#found.ranges, family, () =>
      this.#tables.pg_amproc.in(of(family)).map(this.#decoder.inRangeFunction),
    );

  readonly primaryKey = (relation: number): readonly number[] | undefined => {
    const keys = this.#tables.pg_constraint.in(of(relation));
    return keys.find(({ type, columns }) => type === 'p' && columns.length > 0)?.columns;
  };
}

/** What is not there is not remembered: anybody may ask for any name. */
function remembered<K, T>(found: Map<K, readonly T[]>, key: K, find: () => readonly T[]): readonly T[] {
  const known = found.get(key);
  if (known !== undefined) return known;
  const made = find();
  if (made.length > 0) found.set(key, made);
  return made;
}

/** Views that are kept: sessions of one role have the same path, but for those with a temporary schema. */
const VIEWS = { entries: 32, chars: 32_000, textChars: 4_000 } as const;

/** Operators that one view remembers: more than the statements of an application have. */
const OPERATORS = { entries: 1_000, chars: 100_000, textChars: 200 } as const;

/** @returns A session's sight of the catalog, by its path: what is shared, and the same for the same path. */
export function analysisViews(lookups: AnalysisLookups): (path: AnalysisPath) => AnalysisCatalog {
  const views = new TextCache<AnalysisCatalog>(VIEWS);
  return (path) => {
    // No name holds a NUL.
    const key = `${path.schemas.join('\0')}\0\0${path.temp ?? ''}`;
    const known = views.get(key);
    if (known !== undefined) return known;
    const view = viewOf(lookups, path);
    views.set(key, view);
    return view;
  };
}

/** Schemas that are not known are left out of the path. */
function viewOf(lookups: AnalysisLookups, { schemas, temp }: AnalysisPath): AnalysisCatalog {
  const temporary = temp === undefined ? undefined : lookups.namespace(temp);
  const namespace = (name: string) => (name === PG_TEMP ? temporary : lookups.namespace(name));
  const path = schemas.flatMap((name) => namespace(name) ?? []);
  const found = { sorting: new Map(), operators: new TextCache<AnalysisOperator>(OPERATORS) };
  return { ...lookups, namespace, temporary, path, found };
}
