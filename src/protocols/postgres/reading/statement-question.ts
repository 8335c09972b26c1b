import { FIRST_USER_OID } from '../catalog/system/objects.ts';
import type { PostgresRefusal } from '../refusals.ts';

/** A text, with the types of its parameters that are not PostgreSQL's own: by these it may do something else. */
export interface Question {
  readonly text: string;
  readonly types: readonly number[];
  /** All of its types: what only some texts depend on, see `StatementPlan.typed`. */
  readonly all: readonly number[];
}

export const NO_TYPES: readonly number[] = [];

export function question(text: string, types: readonly number[]): Question {
  return {
    text,
    types: types.length === 0 ? types : types.filter((oid) => oid >= FIRST_USER_OID),
    all: types,
  };
}

/** A text has no NUL in it. */
export function keyOf({ text, types }: Pick<Question, 'text' | 'types'>): string {
  return `${text}\0${types.join()}`;
}

export const UNKNOWN_TYPE: PostgresRefusal = {
  code: 'ERR_DENIED',
  rule: 'unknown-type',
  reason: 'a parameter is given a type that the gateway does not know',
  hint: 'commit what makes the type first, or leave the types of parameters to the server',
};
