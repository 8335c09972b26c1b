import { OID } from '../oids.ts';
import type { Param } from '../tree.ts';

/**
 * Parameters (`$1`) whose types a Parse message may leave open: the first use that asks for a type gives it.
 *
 * @see PostgreSQL, parse_param.c (`variable_paramref_hook`, `variable_coerce_param_hook`)
 */
export class Parameters {
  readonly #types: number[];

  /** @param given By number, from `$1`; 0 for those that are left open. */
  constructor(given: readonly number[]) {
    this.#types = [...given];
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
