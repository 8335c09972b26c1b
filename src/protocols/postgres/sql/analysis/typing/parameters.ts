import { OID } from '../oids.ts';
import type { Param } from '../tree.ts';

/** What the text of a function in SQL may call its parameters. */
export interface ParameterNames {
  readonly function: string;
  /** In order; empty where one has none. */
  readonly parameters: readonly string[];
}

/**
 * Parameters (`$1`) whose types a Parse message may leave open: the first use that asks for a type gives it.
 *
 * @see PostgreSQL, parse_param.c (`variable_paramref_hook`, `variable_coerce_param_hook`)
 */
export class Parameters {
  readonly #types: number[];
  readonly #names: ParameterNames | undefined;

  /**
   * @param given By number, from `$1`; 0 for those that are left open.
   * @param names Of the parameters of a function in SQL.
   */
  constructor(given: readonly number[], names?: ParameterNames) {
    this.#types = [...given];
    this.#names = names;
  }

  /**
   * What a name means that is no column's: a parameter of the function, or a field of one. Names of three parts are not looked at.
   *
   * @see PostgreSQL, functions.c (`sql_fn_post_column_ref`)
   */
  named(path: readonly string[]): { readonly param: Param; readonly field?: string } | undefined {
    const [first = '', second, ...more] = path;
    if (this.#names === undefined || more.length > 0) return undefined;
    const own = first === this.#names.function && second !== undefined ? this.#parameter(second) : undefined;
    return own ?? this.#parameter(first, second);
  }

  #parameter(name = '', field?: string): { readonly param: Param; readonly field?: string } | undefined {
    const index = this.#names?.parameters.indexOf(name) ?? -1;
    if (index < 0 || name === '') return undefined;
    return { param: this.refer(index + 1), ...(field === undefined ? {} : { field }) };
  }

  /** @param number From 1. */
  refer(number: number): Param {
    const type = this.#types[number - 1] || OID.unknown;
    return { kind: 'Param', type, modifier: -1, source: 'external', number };
  }

  /** @returns Undefined: it has a type, from which it is cast as anything else. */
  coerce(param: Param, target: number): Param | undefined {
    if (param.source !== 'external' || param.type !== OID.unknown) return undefined;
    this.#types[param.number - 1] = target;
    return { ...param, type: target };
  }
}
