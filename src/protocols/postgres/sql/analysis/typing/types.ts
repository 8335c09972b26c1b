import type {
  AnalysisCatalog,
  AnalysisColumn,
  AnalysisOperator,
  AnalysisType,
  SortOperators,
} from '../catalog.ts';
import { ARRAY_OPERATORS, BTREE, HASH, OID, RECORD_OPERATORS, SUBSCRIPT } from '../oids.ts';
import { Uncertain } from '../uncertain.ts';

/** Strategies of the access methods (stratnum.h). */
const LESS = 1;
const BTREE_EQUAL = 3;
const GREATER = 5;
const HASH_EQUAL = 1;

/**
 * What is asked of types everywhere: of what they are made, and how they are compared.
 *
 * @see PostgreSQL, src/backend/utils/cache/lsyscache.c, typcache.c
 */
export class Types {
  readonly catalog: AnalysisCatalog;

  constructor(catalog: AnalysisCatalog) {
    this.catalog = catalog;
  }

  /** @throws {Uncertain} It is not known. */
  get(oid: number): AnalysisType {
    const type = this.catalog.type(oid);
    if (type === undefined) throw new Uncertain('a type that is not known');
    return type;
  }

  /** `getBaseType` */
  base(oid: number): number {
    return this.baseAndModifier(oid, -1)[0];
  }

  /** `getBaseTypeAndTypmod` */
  baseAndModifier(oid: number, modifier: number): readonly [type: number, modifier: number] {
    let [type, own] = [oid, modifier];
    for (let one = this.catalog.type(type); one?.kind === 'd'; one = this.catalog.type(type))
      [type, own] = [one.base, one.baseModifier];
    return [type, own];
  }

  category(oid: number): string {
    return this.get(oid).category;
  }

  /** `IsPreferredType` */
  isPreferred(category: string, oid: number): boolean {
    const type = this.get(oid);
    return type.preferred && type.category === category;
  }

  /** Of an array its element, else 0: `get_element_type`. */
  element(oid: number): number {
    const type = this.catalog.type(oid);
    return type !== undefined && isTrueArray(type) ? type.element : 0;
  }

  /** The same, where a domain counts as what it is over: `get_base_element_type`. */
  baseElement(oid: number): number {
    return this.element(this.base(oid));
  }

  /** `get_array_type` */
  arrayOf(oid: number): number {
    return this.get(oid).array;
  }

  /** 0 where it is no range. */
  rangeSubtype(oid: number): number {
    const type = this.get(oid);
    return type.kind === 'r' ? type.bound : 0;
  }

  /** 0 where it is no multirange. */
  multirangeRange(oid: number): number {
    const type = this.get(oid);
    return type.kind === 'm' ? type.bound : 0;
  }

  multirangeOf(range: number): number {
    return this.get(range).multirange;
  }

  /** The relation whose rows are of that type, or of what the domain is over; 0: none (`typeOrDomainTypeRelid`). */
  relationOf(oid: number): number {
    const type = this.catalog.type(this.base(oid));
    return type?.kind === 'c' ? type.relation : 0;
  }

  isComposite(oid: number): boolean {
    return this.relationOf(oid) !== 0;
  }

  isCompositeArray(oid: number): boolean {
    const element = this.element(oid);
    return element !== 0 && this.isComposite(element);
  }

  /** Live columns of a composite type, or of a domain over one. */
  fieldsOf(oid: number): readonly AnalysisColumn[] {
    const relation = this.catalog.relation(this.relationOf(oid));
    if (relation === undefined) throw new Uncertain('a row of a relation that is not known');
    return relation.columns;
  }

  /** `typeInheritsFrom`: rows of one are rows of the other. */
  inherits(oid: number, from: number): boolean {
    const [child, parent] = [this.relationOf(oid), this.catalog.type(from)?.relation ?? 0];
    if (child === 0 || parent === 0) return false;
    const seen = new Set<number>();
    const queue = [...this.catalog.parentsOf(child)];
    for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
      if (one === parent) return true;
      if (seen.has(one)) continue;
      seen.add(one);
      queue.push(...this.catalog.parentsOf(one));
    }
    return false;
  }

  /** `IsBinaryCoercible` */
  isBinaryCoercible(from: number, target: number): boolean {
    if (from === target) return true;
    if (target === OID.any || target === OID.anyelement || target === OID.anycompatible) return true;
    const source = this.base(from);
    if (source === target) return true;
    const kind = this.get(source).kind;
    const isArray = this.element(source) !== 0;
    if (target === OID.anyarray || target === OID.anycompatiblearray) return isArray;
    if (target === OID.anynonarray || target === OID.anycompatiblenonarray) return !isArray;
    if (target === OID.anyenum) return kind === 'e';
    if (target === OID.anyrange || target === OID.anycompatiblerange) return kind === 'r';
    if (target === OID.anymultirange || target === OID.anycompatiblemultirange) return kind === 'm';
    if (target === OID.record && this.isComposite(source)) return true;
    if (target === OID.recordArray && this.isCompositeArray(source)) return true;
    const cast = this.catalog.cast(source, target);
    return cast?.method === 'b' && cast.context === 'i';
  }

  /** `get_sort_group_operators`, by the type cache. */
  sortOperators(oid: number): SortOperators {
    const { sorting } = this.catalog.found;
    const known = sorting.get(oid);
    if (known !== undefined) return known;
    const found = this.#findSortOperators(oid);
    sorting.set(oid, found);
    return found;
  }

  #findSortOperators(oid: number): SortOperators {
    const btree = this.#defaultClass(oid, BTREE);
    const hash = this.#defaultClass(oid, HASH);
    const member = (one: ReturnType<Types['defaultClassFor']>, strategy: number) =>
      one === undefined ? 0 : this.familyOperator(one.family, one.type, strategy);
    const eq = member(btree, BTREE_EQUAL) || member(hash, HASH_EQUAL);
    const found = { lt: member(btree, LESS), eq, gt: member(btree, GREATER) };
    if (eq === ARRAY_OPERATORS.eq) return this.#asOf(found, [this.baseElement(oid)]);
    if (eq === RECORD_OPERATORS.eq && oid !== OID.record)
      return this.#asOf(
        found,
        this.fieldsOf(oid).map(({ type }) => type),
      );
    return found;
  }

  /** Only as far as each of what it is made of can be. */
  #asOf(found: SortOperators, parts: readonly number[]): SortOperators {
    const all = parts.map((part) => this.sortOperators(part));
    const has = (which: keyof SortOperators) => (all.every((one) => one[which] !== 0) ? found[which] : 0);
    return { lt: has('lt'), eq: has('eq'), gt: has('gt') };
  }

  defaultClassFor(oid: number, method: typeof BTREE | typeof HASH) {
    return this.#defaultClass(oid, method);
  }

  /** `GetDefaultOpClass` */
  #defaultClass(oid: number, method: typeof BTREE | typeof HASH) {
    const type = this.base(oid);
    const classes = this.catalog.operatorClasses(method).filter(({ isDefault }) => isDefault);
    const exact = classes.find((one) => one.type === type);
    if (exact !== undefined) return exact;
    const compatible = classes.filter((one) => this.isBinaryCoercible(type, one.type));
    const category = this.category(type);
    const preferred = compatible.filter((one) => this.isPreferred(category, one.type));
    const [first, ...more] = preferred.length > 0 ? preferred : compatible;
    return more.length === 0 ? first : undefined;
  }

  /** `get_opfamily_member`, of one type on both sides; 0: none. */
  familyOperator(family: number, type: number, strategy: number): number {
    const found = this.catalog
      .familyOperators(family)
      .find((one) => one.left === type && one.right === type && one.strategy === strategy);
    return found?.operator ?? 0;
  }

  operator(oid: number): AnalysisOperator {
    const operator = this.catalog.operator(oid);
    if (operator === undefined) throw new Uncertain('an operator that is not known');
    return operator;
  }
}

/** `IsTrueArrayType`: not one of fixed length that can be subscripted, such as a point. */
function isTrueArray({ subscript, element }: AnalysisType): boolean {
  return subscript === SUBSCRIPT.array && element !== 0;
}
