import { constant, isWholeRow, nullConstant } from '../make.ts';
import { OID } from '../oids.ts';
import type { CoercionForm, Const, Expr, Row } from '../tree.ts';
import { Uncertain } from '../uncertain.ts';
import type { Parameters } from './parameters.ts';
import { type CoercionContext, canCoerce, findPathway, type Pathway } from './pathways.ts';
import { commonType } from './polymorphic.ts';
import type { Types } from './types.ts';

/** What is said of a cast besides its type. */
export interface Coercion {
  readonly context: CoercionContext;
  readonly form: CoercionForm;
}

export const IMPLICIT: Coercion = { context: 'i', form: 'implicit' };
export const ASSIGNMENT: Coercion = { context: 'a', form: 'implicit' };
export const EXPLICIT: Coercion = { context: 'e', form: 'cast' };

/** Types that take a value as it is: what is exposed is its own type. */
const TAKES_ANY: ReadonlySet<number> = new Set([
  OID.any,
  OID.anyelement,
  OID.anynonarray,
  OID.anycompatible,
  OID.anycompatiblenonarray,
]);
const TAKES_CONTAINERS: ReadonlySet<number> = new Set([
  OID.anyarray,
  OID.anyenum,
  OID.anyrange,
  OID.anymultirange,
  OID.anycompatiblearray,
  OID.anycompatiblerange,
  OID.anycompatiblemultirange,
]);

/** Writes the casts into expressions, as parse_coerce.c does. */
export class Casts {
  readonly #types: Types;
  readonly #parameters: Parameters;
  /** Columns of a whole row of the innermost query that knows it. */
  readonly #fieldsOfRow: (row: Expr) => readonly Expr[];

  constructor(types: Types, parameters: Parameters, fieldsOfRow: (row: Expr) => readonly Expr[]) {
    this.#types = types;
    this.#parameters = parameters;
    this.#fieldsOfRow = fieldsOfRow;
  }

  /** `coerce_type`: to a type that `canCoerce` has said yes to. */
  toType(expr: Expr, target: number, modifier: number, how: Coercion): Expr {
    const types = this.#types;
    if (target === expr.type || TAKES_ANY.has(target)) return expr;
    if (TAKES_CONTAINERS.has(target) && expr.type !== OID.unknown) {
      const base = types.base(expr.type);
      return base === expr.type
        ? expr
        : { kind: 'RelabelType', type: base, modifier: -1, arg: expr, form: how.form };
    }
    if (expr.type === OID.unknown && expr.kind === 'Const') return this.#literal(expr, target, modifier, how);
    if (expr.kind === 'Param') {
      const resolved = this.#parameters.coerce(expr, target);
      if (resolved !== undefined) return resolved;
    }
    if (expr.kind === 'CollateExpr') {
      const arg = this.toType(expr.arg, target, modifier, how);
      return types.get(target).collatable ? { ...expr, type: arg.type, modifier: arg.modifier, arg } : arg;
    }
    const pathway = findPathway(types, expr.type, target, how.context);
    if (pathway !== undefined) return this.#along(expr, pathway, target, modifier, how);
    return this.#row(expr, target, how);
  }

  /** Reads a literal as a value of the type: of a domain, of what it is over. */
  #literal(expr: Const, target: number, modifier: number, how: Coercion): Expr {
    const [base, baseModifier] = this.#types.baseAndModifier(target, modifier);
    const literal: Expr = { ...expr, type: base, modifier: base === OID.interval ? baseModifier : -1 };
    return base === target ? literal : this.toDomain(literal, base, baseModifier, target, how);
  }

  #along(expr: Expr, pathway: Pathway, target: number, modifier: number, how: Coercion): Expr {
    const [base, baseModifier] = this.#types.baseAndModifier(target, modifier);
    if (pathway.kind !== 'relabel') {
      const made = this.#apply(expr, pathway, base, baseModifier, how);
      return base === target ? made : this.toDomain(hidden(made), base, baseModifier, target, how);
    }
    if (base !== target) {
      const [, own] = this.#types.baseAndModifier(target, -1);
      return this.toDomain(expr, base, own, target, how);
    }
    return { kind: 'RelabelType', type: target, modifier: -1, arg: expr, form: how.form };
  }

  /** `build_coercion_expression` */
  #apply(expr: Expr, pathway: Pathway, target: number, modifier: number, how: Coercion): Expr {
    if (pathway.kind === 'function') return this.#call(expr, pathway.function, target, modifier, how);
    if (pathway.kind === 'io')
      return { kind: 'CoerceViaIO', type: target, modifier: -1, arg: expr, form: how.form };
    const [source, sourceModifier] = this.#types.baseAndModifier(expr.type, expr.modifier);
    const each: Expr = { kind: 'CaseTestExpr', type: this.#types.element(source), modifier: sourceModifier };
    const element = this.toTarget(each, this.#types.element(target), modifier, how);
    if (element === undefined) throw new Uncertain('a cast of elements');
    return {
      kind: 'ArrayCoerceExpr',
      type: target,
      modifier: element.modifier,
      arg: expr,
      element,
      form: how.form,
    };
  }

  #call(expr: Expr, oid: number, target: number, modifier: number, { context, form }: Coercion): Expr {
    const takes = this.#types.catalog.function(oid)?.takes.length;
    if (takes === undefined) throw new Uncertain('the function of a cast');
    const isExplicit = { ...constant(OID.bool), value: context === 'e' ? 't' : 'f' };
    const more = [constant(OID.int4), isExplicit].slice(0, takes - 1);
    return {
      kind: 'FuncExpr',
      type: target,
      // A function that is told the modifier gives what has it.
      modifier: takes > 1 ? modifier : -1,
      function: oid,
      returnsSet: false,
      args: [expr, ...more],
      form,
    };
  }

  /** `coerce_to_domain` */
  toDomain(expr: Expr, base: number, baseModifier: number, domain: number, how: Coercion): Expr {
    const sized = this.toModifier(expr, base, baseModifier, { context: how.context, form: 'implicit' });
    return { kind: 'CoerceToDomain', type: domain, modifier: -1, arg: sized, form: how.form };
  }

  /** `coerce_type_typmod`: cuts or rounds what has the type already. */
  toModifier(given: Expr, type: number, modifier: number, how: Coercion, hides = false): Expr {
    if (modifier === given.modifier) return given;
    const expr = hides ? hidden(given) : given;
    const pathway = modifier < 0 ? undefined : this.#sizing(type);
    if (pathway !== undefined) return this.#apply(expr, pathway, type, modifier, how);
    return relabelled(expr, type, modifier, how.form);
  }

  /** `find_typmod_coercion_function` */
  #sizing(type: number): Pathway | undefined {
    const element = this.#types.element(type);
    const one = element || type;
    const oid = this.#types.catalog.cast(one, one)?.function ?? 0;
    if (oid === 0) return undefined;
    return element === 0 ? { kind: 'function', function: oid } : { kind: 'array' };
  }

  #row(expr: Expr, target: number, how: Coercion): Expr {
    const types = this.#types;
    if (expr.type === OID.record && types.isComposite(target)) return this.#recordTo(expr, target, how);
    if (target === OID.record && types.isComposite(expr.type)) return expr;
    if (target === OID.recordArray && types.isCompositeArray(expr.type)) return expr;
    if (!types.inherits(expr.type, target)) throw new Uncertain('a cast that is not known');
    const base = types.base(expr.type);
    const arg: Expr =
      base === expr.type
        ? expr
        : { kind: 'RelabelType', type: base, modifier: -1, arg: expr, form: 'implicit' };
    return { kind: 'ConvertRowtypeExpr', type: target, modifier: -1, arg, form: how.form };
  }

  /** `coerce_record_to_complex` */
  #recordTo(expr: Expr, target: number, how: Coercion): Expr {
    const fields =
      expr.kind === 'RowExpr' ? expr.args : isWholeRow(expr) ? this.#fieldsOfRow(expr) : undefined;
    const [base, modifier] = this.#types.baseAndModifier(target, -1);
    const relation = this.#types.catalog.relation(this.#types.relationOf(base));
    if (fields === undefined || relation === undefined || relation.columns.length !== fields.length)
      throw new Uncertain('a row cast to a type of its own');
    const live = new Map(relation.columns.map((column, index) => [column.attnum, { column, index }]));
    const args = Array.from({ length: relation.width }, (_, index) => {
      const one = live.get(index + 1);
      if (one === undefined) return nullConstant(OID.int4);
      const cast = this.toTarget(fields[one.index] as Expr, one.column.type, one.column.modifier, {
        context: how.context,
        form: 'implicit',
      });
      if (cast === undefined) throw new Uncertain('a field of a row');
      return cast;
    });
    const row: Row = { kind: 'RowExpr', type: base, modifier: -1, args, names: [] };
    return base === target ? row : this.toDomain(row, base, modifier, target, how);
  }

  /**
   * `coerce_to_target_type`
   *
   * @returns Undefined: not in that context.
   */
  toTarget(expr: Expr, target: number, modifier: number, how: Coercion): Expr | undefined {
    if (!canCoerce(this.#types, expr.type, target, how.context)) return undefined;
    let plain = expr;
    while (plain.kind === 'CollateExpr') plain = plain.arg;
    const typed = this.toType(plain, target, modifier, how);
    const hides = typed !== plain && typed.kind !== 'Const';
    const sized = this.toModifier(typed, target, modifier, how, hides);
    if (plain === expr || !this.#types.get(target).collatable) return sized;
    return { kind: 'CollateExpr', type: sized.type, modifier: sized.modifier, arg: sized };
  }

  /** @throws {Uncertain} The server would say so too. */
  required(expr: Expr, target: number, modifier: number, how: Coercion): Expr {
    const cast = this.toTarget(expr, target, modifier, how);
    if (cast === undefined) throw new Uncertain('a value of a type that does not fit');
    return cast;
  }

  /** `coerce_to_specific_type`, and with it `coerce_to_boolean`. */
  toSpecific(expr: Expr, target: number, modifier = -1): Expr {
    return expr.type === target ? expr : this.required(expr, target, modifier, ASSIGNMENT);
  }

  /** `coerce_to_common_type` */
  toCommon(expr: Expr, type: number): Expr {
    if (expr.type === type) return expr;
    if (!canCoerce(this.#types, expr.type, type, 'i'))
      throw new Uncertain('values of types that do not go together');
    return this.toType(expr, type, -1, IMPLICIT);
  }

  /** `select_common_type` */
  common(exprs: readonly Expr[]): number {
    const type = commonType(
      this.#types,
      exprs.map((one) => one.type),
    );
    if (type === undefined) throw new Uncertain('values of types that do not go together');
    return type;
  }
}

/** `hide_coercion_node`: one cast of several counts as written. */
function hidden(expr: Expr): Expr {
  return 'form' in expr ? { ...expr, form: 'implicit' } : expr;
}

/** Types from here on are of users. */
const FIRST_USER_OID = 16_384;

/** `applyRelabelType` */
function relabelled(expr: Expr, type: number, modifier: number, form: CoercionForm): Expr {
  let arg = expr;
  while (arg.kind === 'RelabelType') arg = arg.arg;
  // Of a type of users nobody knows what it makes of a text.
  const isOwn = arg.kind === 'Const' && (arg.type < FIRST_USER_OID || arg.value === null);
  if (arg.kind === 'Const') return { ...arg, type, modifier, ...(isOwn ? {} : { value: undefined }) };
  if (arg.type === type && arg.modifier === modifier) return arg;
  return { kind: 'RelabelType', type, modifier, arg, form };
}
