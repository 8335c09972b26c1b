/**
 * The variables of a child that reaches several resources.
 */
import { HoopError } from '../../core/errors.ts';
import { type LocalLogin, postgresUrl, postgresVariables } from './postgres-environment.ts';

/** One resource with its local end. */
export interface LocalEnd {
  readonly resource: string;
  readonly protocol: string;
  readonly login: LocalLogin;
}

/**
 * `PG_PROD_URL` for `pg-prod`: upper case, `_` for everything but letters and digits, and before a digit that would be
 * the first, because no shell could name it.
 */
function urlVariable(resource: string): string {
  const name = resource.toUpperCase().replace(/[^A-Z0-9]/g, '_');
  return `${/^[0-9]/.test(name) ? '_' : ''}${name}_URL`;
}

/**
 * The first PostgreSQL resource gets what its clients look for, and every one its URL by name.
 *
 * Pure. @throws {HoopError} `ERR_USAGE` two resources would have the same variable.
 */
export function tunnelVariables(ends: readonly LocalEnd[]): Record<string, string> {
  const postgres = ends.filter(({ protocol }) => protocol === 'postgres');
  const [first] = postgres;
  const variables: Record<string, string> = first === undefined ? {} : postgresVariables(first.login);
  for (const { resource, login } of postgres) {
    const name = urlVariable(resource);
    const url = postgresUrl(login);
    if ((variables[name] ?? url) !== url) {
      throw new HoopError('ERR_USAGE', `two of the resources would be ${name}`, {
        hint: 'reach them by one hoopctl connect each',
      });
    }
    variables[name] = url;
  }
  return variables;
}
