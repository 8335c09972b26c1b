import type { AnalysisOperator } from '../catalog.ts';
import { BTREE, OID, POLYMORPHIC } from '../oids.ts';
import { explicitNamespace, pathPosition, type QualifiedName } from '../scope/names.ts';
import type { Expr, OpExpr, ScalarArrayOpExpr } from '../tree.ts';
import { Uncertain } from '../uncertain.ts';
import { type Candidate, matching, selectCandidate } from './candidates.ts';
import { type Casts, IMPLICIT } from './casts.ts';
import { resolvePolymorphic } from './polymorphic.ts';
import type { Types } from './types.ts';

interface OperatorCandidate extends Candidate {
  readonly operator: AnalysisOperator;
}

/**
 * Operators by name and operands.
 *
 * @see https://www.postgresql.org/docs/current/typeconv-oper.html and PostgreSQL, parse_oper.c
 */
export class Operators {
  readonly #types: Types;
  readonly #casts: Casts;
  #strategies: ReadonlyMap<number, ReadonlySet<number>> | undefined;

  constructor(types: Types, casts: Casts) {
    this.#types = types;
    this.#casts = casts;
  }

  /** `make_op` */
  make(name: QualifiedName, left: Expr | undefined, right: Expr): OpExpr {
    const operator =
      left === undefined ? this.prefix(name, right.type) : this.binary(name, left.type, right.type);
    const args = left === undefined ? [right] : [left, right];
    const takes = left === undefined ? [operator.right] : [operator.left, operator.right];
    const { declared, result } = resolvePolymorphic(
      this.#types,
      args.map(({ type }) => type),
      takes,
      operator.result,
    );
    return {
      kind: 'OpExpr',
      type: result,
      modifier: -1,
      operator: operator.oid,
      function: operator.function,
      returnsSet: this.#types.catalog.function(operator.function)?.returnsSet === true,
      args: args.map((arg, index) => this.#casts.toType(arg, declared[index] as number, -1, IMPLICIT)),
    };
  }

  /** `make_scalar_array_op` */
  makeArray(name: QualifiedName, any: boolean, left: Expr, right: Expr): ScalarArrayOpExpr {
    const types = this.#types;
    const element = right.type === OID.unknown ? OID.unknown : types.baseElement(right.type);
    if (element === 0) throw new Uncertain('ANY or ALL of what is no array');
    const operator = this.binary(name, left.type, element);
    const { declared } = resolvePolymorphic(
      types,
      [left.type, element],
      [operator.left, operator.right],
      operator.result,
    );
    const [first = 0, second = 0] = declared;
    const array = POLYMORPHIC.has(second) ? right.type : types.arrayOf(second);
    return {
      kind: 'ScalarArrayOpExpr',
      type: OID.bool,
      modifier: -1,
      operator: operator.oid,
      function: operator.function,
      any,
      args: [this.#casts.toType(left, first, -1, IMPLICIT), this.#casts.toType(right, array, -1, IMPLICIT)],
    };
  }

  /** `oper` */
  binary(name: QualifiedName, left: number, right: number): AnalysisOperator {
    const { operators } = this.#types.catalog.found;
    // No name holds a NUL.
    const key = `${name.join('\0')}\0${left} ${right}`;
    const known = operators.get(key);
    if (known !== undefined) return known;
    const found = this.#binary(name, left, right);
    operators.set(key, found);
    return found;
  }

  #binary(name: QualifiedName, left: number, right: number): AnalysisOperator {
    const all = this.#candidates(name, ({ left: own }) => own !== 0);
    const found = this.#exact(all, left, right) ?? this.#select(all, [left, right]);
    return required(found);
  }

  /** Strategies of btree that it stands for; of `<>`, which is in no family, 6: `get_op_btree_interpretation`. */
  strategiesOf(operator: number): ReadonlySet<number> {
    this.#strategies ??= strategies(this.#types);
    const found = this.#strategies.get(operator);
    if (found !== undefined) return found;
    return new Set(this.#types.operator(operator).name.endsWith('<>') ? [NOT_EQUAL] : []);
  }

  /** The equality that goes with an order: `get_equality_op_for_ordering_op`. */
  equalityOf(order: number): number {
    const { family, type } = this.orderOf(order);
    const equal = this.#types.familyOperator(family, type, EQUAL);
    if (equal === 0) throw new Uncertain('an order by an operator that is none');
    return equal;
  }

  /** The family of btree that an operator sorts by, and the type of what it sorts: `get_ordering_op_properties`. */
  orderOf(order: number): { readonly family: number; readonly type: number } {
    const { catalog } = this.#types;
    for (const { family } of catalog.operatorClasses(BTREE)) {
      const own = catalog
        .familyOperators(family)
        .find(
          ({ operator, strategy, left, right }) =>
            operator === order && left === right && (strategy === LESS || strategy === GREATER),
        );
      if (own !== undefined) return { family, type: own.left };
    }
    throw new Uncertain('an order by an operator that is none');
  }

  /** `compatible_oper`: the operands are taken as they are. */
  compatible(name: QualifiedName, left: number, right: number): AnalysisOperator {
    const operator = this.binary(name, left, right);
    const fits =
      this.#types.isBinaryCoercible(left, operator.left) &&
      this.#types.isBinaryCoercible(right, operator.right);
    return required(fits ? operator : undefined);
  }

  /** `left_oper` */
  prefix(name: QualifiedName, right: number): AnalysisOperator {
    const all = this.#candidates(name, ({ left }) => left === 0).map((one) => ({
      ...one,
      takes: one.takes.slice(1),
    }));
    const exact = all.find(({ takes }) => takes[0] === right);
    return required(exact?.operator ?? this.#select(all, [right]));
  }

  /** `binary_oper_exact` */
  #exact(all: readonly OperatorCandidate[], left: number, right: number): AnalysisOperator | undefined {
    const isUnknown = left === OID.unknown || right === OID.unknown;
    const first = left === OID.unknown ? right : left;
    const second = right === OID.unknown ? first : right;
    const exactly = (one: number, other: number) =>
      all.find(({ takes }) => takes[0] === one && takes[1] === other)?.operator;
    const found = exactly(first, second);
    if (found !== undefined || !isUnknown) return found;
    const base = this.#types.base(first);
    return base === first ? undefined : exactly(base, base);
  }

  #select(all: readonly OperatorCandidate[], given: readonly number[]): AnalysisOperator | undefined {
    const fitting = matching(this.#types, given, all);
    const one = fitting.length > 1 ? selectCandidate(this.#types, given, fitting) : fitting[0];
    return one?.operator;
  }

  /** `OpernameGetCandidates`: of two with the same operands that which comes first in the path. */
  #candidates(name: QualifiedName, is: (operator: AnalysisOperator) => boolean): OperatorCandidate[] {
    const { catalog } = this.#types;
    const namespace = explicitNamespace(catalog, name);
    const found = new Map<string, { readonly position: number; readonly candidate: OperatorCandidate }>();
    for (const operator of catalog.operatorsNamed(name.at(-1) as string)) {
      if (!is(operator)) continue;
      const position =
        namespace === undefined
          ? pathPosition(catalog, operator.namespace)
          : operator.namespace === namespace
            ? 0
            : -1;
      const key = `${operator.left} ${operator.right}`;
      if (position < 0 || (found.get(key)?.position ?? Infinity) < position) continue;
      const candidate = { oid: operator.oid, takes: [operator.left, operator.right], operator };
      found.set(key, { position, candidate });
    }
    return [...found.values()].map(({ candidate }) => candidate);
  }
}

/** Strategies of btree (stratnum.h), and `ROWCOMPARE_NE`. */
const LESS = 1;
const EQUAL = 3;
const GREATER = 5;
const NOT_EQUAL = 6;

function strategies({ catalog }: Types): ReadonlyMap<number, ReadonlySet<number>> {
  const found = new Map<number, Set<number>>();
  const families = new Set(catalog.operatorClasses(BTREE).map(({ family }) => family));
  for (const { operator, strategy } of [...families].flatMap((one) => catalog.familyOperators(one)))
    found.set(operator, (found.get(operator) ?? new Set()).add(strategy));
  return found;
}

function required(operator: AnalysisOperator | undefined): AnalysisOperator {
  if (operator === undefined) throw new Uncertain('an operator that is not known');
  return operator;
}
