import type { PostgresRefusal } from '../../refusals.ts';

/** Holds for whoever may do everything too: what policy and audit name must be what is read. */
export const UNCERTAIN_NAME = 'uncertain-name';

/** @param either The relations of which the name may stand for one. */
export function uncertainName(name: string, [one, other]: readonly string[]): PostgresRefusal {
  return {
    code: 'ERR_DENIED',
    rule: UNCERTAIN_NAME,
    reason: `"${name}" may stand for ${one} or ${other} here: what runs before it can change where names are looked up`,
    hint: 'name its schema, or send what runs before it by itself',
  };
}

/** The server did not say where it looks names up, so nobody knows what any of them stands for. */
export const UNKNOWN_PATH: PostgresRefusal = {
  code: 'ERR_DENIED',
  rule: UNCERTAIN_NAME,
  reason: 'the server does not say where it looks up names, so what is named here is not known',
  hint: 'try again; if it lasts, connect anew',
};

/** What was prepared is run where names may be looked up elsewhere than when the string was read. */
export function uncertainExecute(): PostgresRefusal {
  return {
    code: 'ERR_DENIED',
    rule: UNCERTAIN_NAME,
    reason: 'what runs before EXECUTE here can change what the names of the prepared statement stand for',
    hint: 'send what runs before it by itself',
  };
}
