import type { Catalog, CatalogFunction } from '../../../catalog/model/model.ts';
import { FIRST_USER_OID } from '../../../catalog/system/objects.ts';
import type { AnalysisCatalog } from '../../analysis/catalog.ts';
import type { Expr } from '../../analysis/tree.ts';
import { partsOf } from '../../analysis/walk.ts';
import { isUntrusted, resolveOid } from '../functions.ts';
import { ASKS_SAME, CARRIES, CHOOSES, COUNTS, DEFAULTS, FITS, FOLDS, GATHERS, SPREADS } from './lists.ts';
import { chosen, cleared, computed, isMore, type PlainOnly, united, type Value } from './value.ts';

type Call = Extract<Expr, { readonly function: number }>;

type Comparison = { readonly operator: number; readonly function: number; readonly type: number };

/** Operators that ask whether values are the same, whole. */
const SAME: ReadonlySet<string> = new Set(['=', '<>']);

/** What functions and operators make of values. Of one catalog. */
export class PlainCalls {
  readonly #catalog: Catalog;
  readonly #analysis: AnalysisCatalog;
  readonly #plain: PlainOnly;

  constructor(catalog: Catalog, analysis: AnalysisCatalog, plain: PlainOnly) {
    this.#catalog = catalog;
    this.#analysis = analysis;
    this.#plain = plain;
  }

  /** Why it may not be called, whatever with: it is of users, and nobody has named it. */
  unlisted({ function: oid }: { readonly function: number }): string | undefined {
    if (oid < FIRST_USER_OID) return undefined;
    const fn = resolveOid(oid, this.#catalog);
    const trusted = this.#catalog.functions.get(oid)?.trusted === true;
    if (fn === undefined || !isUntrusted({ ...fn, trusted })) return undefined;
    const name = `${fn.schema}.${fn.name}`;
    return this.#plain.functions.has(name) ? undefined : name;
  }

  /** Why it may not be called with such values: it does something, or it is only trusted with values as they are. */
  misused({ function: oid }: { readonly function: number }, args: readonly Value[]): Value | undefined {
    const fn = this.#catalog.functions.get(oid);
    const given = united(args);
    if (fn === undefined || given.kind === 'clear') return undefined;
    if (this.#isListed(fn)) return given.kind === 'computed' ? given : undefined;
    const does = fn.schema === 'pg_catalog' && resolveOid(oid, this.#catalog)?.class === 'session';
    return does ? computed(args, nameOf(fn)) : undefined;
  }

  /** A function's result. Of one that gives rows the rows are not said. */
  result(call: Call, args: readonly Value[]): Value {
    const fn = this.#catalog.functions.get(call.function);
    const given = united(args);
    if (fn === undefined) return computed(args, 'a function');
    if (this.#isListed(fn)) return this.#plain.holdsText(call.type) ? listed(given, fn) : cleared(args);
    const own = fn.schema === 'pg_catalog';
    if (given.kind === 'clear') {
      const isWritten = !this.varies(call) || this.#isSpread(call, fn);
      return isWritten ? given : { ...given, origin: 'made' };
    }
    if (!own || given.kind === 'computed') return computed(args, nameOf(fn));
    if (FOLDS.has(fn.name) && args.length === 1) return { ...chosen(args), kind: 'folded', by: nameOf(fn) };
    if (given.kind === 'folded') return COUNTS.has(fn.name) ? cleared(args) : computed(args, nameOf(fn));
    if (COUNTS.has(fn.name)) return { ...cleared(args), origin: 'made' };
    const [first] = args;
    if (first === undefined || first.kind !== 'whole') return computed(args, nameOf(fn));
    if (FITS.has(fn.name) && cutsNothing(call)) return first;
    const isCarried = CARRIES.has(fn.name) && (!CHOOSES.has(fn.name) || first.origin === 'column');
    return isCarried ? { ...carried(fn.name, args), rows: given.rows } : computed(args, nameOf(fn));
  }

  /** What is written out, one by one: no series that something else gives of it. */
  #isSpread({ args }: Call, { schema, name }: CatalogFunction): boolean {
    if (schema !== 'pg_catalog' || !SPREADS.has(name)) return false;
    const isWritten = (one: Expr): boolean => {
      if (one.kind === 'FuncExpr') {
        const fn = this.#catalog.functions.get(one.function);
        return fn?.schema === 'pg_catalog' && fn.name === 'string_to_array' && one.args.every(isWritten);
      }
      const parts = partsOf(one);
      return LITERAL.has(one.kind) && parts.every((part) => part === undefined || isWritten(part));
    };
    return args.every((one) => isWritten('expr' in one ? one.expr : one));
  }

  /** It is no matter of one row: it gives rows, is of several, or another each time. */
  varies(call: Call): boolean {
    const many =
      call.kind === 'FuncExpr' ? call.returnsSet : call.kind === 'Aggref' || call.kind === 'WindowFunc';
    return many || this.#catalog.functions.get(call.function)?.volatility === 'volatile';
  }

  /** What an operator makes of values: whether they are the same, or more. */
  compared(call: Comparison, args: readonly Value[]): Value {
    const fn = this.#catalog.functions.get(call.function);
    const by = `operator ${this.#analysis.operator(call.operator)?.name ?? ''}`;
    if (fn !== undefined && this.#isListed(fn) && args.every(({ kind }) => !isMore(kind, 'whole')))
      return this.#plain.holdsText(call.type) ? listed(united(args), fn) : cleared(args);
    return this.#asksSame(call) && args.every(isComparable)
      ? { ...cleared(args), origin: 'made' }
      : computed(args, by);
  }

  #asksSame({ operator, function: oid }: Comparison): boolean {
    const fn = this.#catalog.functions.get(oid);
    const own = fn?.schema === 'pg_catalog';
    const known = own || fn?.trusted === true;
    return (
      (known && SAME.has(this.#analysis.operator(operator)?.name ?? '')) || (own && ASKS_SAME.has(fn.name))
    );
  }

  #isListed({ schema, name }: CatalogFunction): boolean {
    return this.#plain.functions.has(`${schema}.${name}`);
  }
}

/** Whatever it was given may be in it. */
function listed(given: Value, fn: CatalogFunction): Value {
  return { ...given, kind: 'whole', origin: 'made', bundle: true, column: given.column ?? nameOf(fn) };
}

/** Values of what is written, and what becomes of their types. */
const LITERAL: ReadonlySet<Expr['kind']> = new Set([
  'Const',
  'Param',
  'RelabelType',
  'CoerceViaIO',
  'CoerceToDomain',
  'CollateExpr',
  'ArrayCoerceExpr',
  'CaseTestExpr',
  'ArrayExpr',
  'RowExpr',
]);

/** `isExplicit` of a cast to a length: what was cast by somebody is cut, what only has to fit fails. */
function cutsNothing({ args }: Call): boolean {
  const isExplicit = args[2];
  return args.length === 1 || (isExplicit !== undefined && 'value' in isExplicit && isExplicit.value === 'f');
}

/** As it is, and what may stand for it where there is none. */
function carried(name: string, args: readonly Value[]): Value {
  const all = chosen(DEFAULTS.has(name) ? args.filter((_, index) => index !== 1) : args.slice(0, 1));
  return GATHERS.has(name) ? { ...all, bundle: true } : all;
}

/** As a whole, with what was written or stands in a column: not with a series, in which everything stands. */
function isComparable({ kind, origin }: Value): boolean {
  return !isMore(kind, 'folded') && origin !== 'made';
}

function nameOf({ schema, name }: CatalogFunction): string {
  return `function ${schema === 'pg_catalog' ? name : `${schema}.${name}`}`;
}
