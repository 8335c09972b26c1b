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
} from '../../sql/analysis/catalog.ts';
import type {
  AttributeRow,
  CastRow,
  ClassRow,
  FamilyOperatorRow,
  OperatorClassRow,
  OperatorRow,
  ProcRow,
  SupportRow,
  TypeRow,
} from '../mirror/records.ts';

interface DecodedRelation {
  readonly columns: readonly AttributeRow[];
  readonly relation: AnalysisRelation;
}

const NO_OIDS: readonly number[] = [];
const NO_NAMES: readonly string[] = [];

/**
 * Makes of rows what parse analysis asks for: of each row once, for as long as it is known, whichever catalogs it is in.
 */
export class RowDecoder {
  readonly #made = new WeakMap<object, unknown>();
  readonly #relations = new WeakMap<ClassRow, DecodedRelation>();

  readonly type = (row: TypeRow): AnalysisType => this.#once(row, typeOf);
  readonly function = (row: ProcRow): AnalysisFunction => this.#once(row, functionOf);
  readonly operator = (row: OperatorRow): AnalysisOperator => this.#once(row, operatorOf);
  readonly cast = (row: CastRow): AnalysisCast => this.#once(row, castOf);
  readonly operatorClass = (row: OperatorClassRow): AnalysisOperatorClass => this.#once(row, operatorClassOf);
  readonly inRangeFunction = (row: SupportRow): InRangeFunction => this.#once(row, inRangeOf);
  readonly familyOperator = (row: FamilyOperatorRow): FamilyOperator => this.#once(row, familyOperatorOf);

  /** @param columns All of its columns, in the same order each time. */
  relation(row: ClassRow, columns: readonly AttributeRow[]): AnalysisRelation {
    const known = this.#relations.get(row);
    if (known !== undefined && sameRows(known.columns, columns)) return known.relation;
    const relation = relationOf(row, columns);
    this.#relations.set(row, { columns, relation });
    return relation;
  }

  #once<R extends object, T>(row: R, make: (row: R) => T): T {
    const known = this.#made.get(row) as T | undefined;
    if (known !== undefined) return known;
    const made = make(row);
    this.#made.set(row, made);
    return made;
  }
}

function sameRows<R>(one: readonly R[], other: readonly R[]): boolean {
  return one.length === other.length && one.every((row, index) => row === other[index]);
}

function typeOf({ kind, bound, range, calls: _, delimiter: __, ...row }: TypeRow): AnalysisType {
  // An array is a base type to the server.
  return { ...row, kind: (kind === 'a' ? 'b' : kind) as AnalysisType['kind'], bound: bound || range };
}

function functionOf(row: ProcRow): AnalysisFunction {
  const { oid, namespace, name, variadic, defaults, returns, returnsSet } = row;
  const takes = oids(row.takes);
  return {
    oid,
    namespace,
    name,
    kind: row.kind as AnalysisFunction['kind'],
    takes,
    all: row.all === null ? takes : oids(row.all),
    modes: row.modes ?? '',
    names: row.names === null ? NO_NAMES : (JSON.parse(row.names) as string[]),
    variadic,
    defaults,
    returns,
    returnsSet,
    ...(row.aggregate === null ? {} : { aggregate: aggregateOf(row.aggregate) }),
  };
}

function aggregateOf(text: string): NonNullable<AnalysisFunction['aggregate']> {
  return { kind: text.charAt(0) as 'n' | 'o' | 'h', direct: Number(text.slice(1)) };
}

function oids(list: string): readonly number[] {
  return list === '' ? NO_OIDS : list.split(' ').map(Number);
}

function operatorOf({ commutator: _, negator: __, ...row }: OperatorRow): AnalysisOperator {
  return row;
}

function castOf({ context, method, ...row }: CastRow): AnalysisCast {
  return {
    ...row,
    context: context as AnalysisCast['context'],
    method: method as AnalysisCast['method'],
  };
}

function operatorClassOf({ method: _, ...row }: OperatorClassRow): AnalysisOperatorClass {
  return row;
}

function familyOperatorOf({ family: _, ...row }: FamilyOperatorRow): FamilyOperator {
  return row;
}

function inRangeOf({ type: left, right, function: oid }: SupportRow): InRangeFunction {
  return { left, right, function: oid };
}

function relationOf(
  { oid, namespace, name, kind, rowType, width }: ClassRow,
  columns: readonly AttributeRow[],
): AnalysisRelation {
  const made = columns.map(columnOf).sort((a, b) => a.attnum - b.attnum);
  return { oid, namespace, name, kind, rowType, width, columns: made };
}

function columnOf(row: AttributeRow): AnalysisColumn {
  const { attnum, name, typeOid: type, modifier, generated, hasDefault } = row;
  return { attnum, name, type, modifier, generated, hasDefault };
}
