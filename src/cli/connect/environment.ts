/**
 * The environment of a child that reaches several resources.
 */
import { HoopError } from '../../core/errors.ts';
import type { PreparedEnd } from './prepare.ts';

/** A child's whole environment: what it would have had, without what leads astray, and with the tunnel. */
export function childEnvironment(
  env: NodeJS.ProcessEnv,
  ends: readonly PreparedEnd[],
): Readonly<Record<string, string | undefined>> {
  const removed = new Set(ends.flatMap(({ half }) => half.removes));
  const inherited = Object.entries(env).filter(([name]) => !removed.has(name));
  return { ...Object.fromEntries(inherited), ...tunnelVariables(ends) };
}

/**
 * What the clients of each protocol look for, and every resource's URL by its name.
 *
 * Pure. @throws {HoopError} `ERR_USAGE` two resources would have the same variable.
 */
export function tunnelVariables(ends: readonly PreparedEnd[]): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  const put = (name: string, value: string) => {
    if ((variables[name] ?? value) !== value)
      throw new HoopError('ERR_USAGE', `two of the resources would be ${name}`, {
        hint: 'reach them by one hoopctl connect each',
      });
    variables[name] = value;
  };
  for (const { setup } of ends) for (const [name, value] of Object.entries(setup.variables)) put(name, value);
  for (const { end, setup } of ends) put(urlVariable(end.resource.name), setup.url(end));
  return variables;
}

/**
 * `PG_PROD_URL` for `pg-prod`: upper case, `_` for everything but letters and digits, and before a digit that would be
 * the first, because no shell could name it.
 */
function urlVariable(resource: string): string {
  const name = resource.toUpperCase().replace(/[^A-Z0-9]/g, '_');
  return `${/^[0-9]/.test(name) ? '_' : ''}${name}_URL`;
}
