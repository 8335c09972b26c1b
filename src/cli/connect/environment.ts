/**
 * The environment of a child that reaches several resources.
 */
import { HoopError } from '../../core/errors.ts';
import { variableOf } from './clients/variable.ts';
import type { PreparedEnd } from './prepare.ts';

/**
 * A child's whole environment: what it would have had, without what leads astray, and with the tunnel.
 *
 * @param named A variable for the first resource's URL, beside its own.
 * @param more Of all ends alike: the files by which clients know them, the run.
 */
export function childEnvironment(
  env: NodeJS.ProcessEnv,
  ends: readonly PreparedEnd[],
  named?: string,
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string | undefined>> {
  const removed = new Set(ends.flatMap(({ half }) => half.removes));
  const inherited = Object.entries(env).filter(([name]) => !removed.has(name));
  return { ...Object.fromEntries(inherited), ...more, ...tunnelVariables(ends, named) };
}

/**
 * What the clients of each protocol look for, and every resource's URL by its name.
 *
 * Pure. @throws {HoopError} `ERR_USAGE` two resources would have the same variable.
 */
export function tunnelVariables(
  ends: readonly PreparedEnd[],
  named?: string,
): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  const put = (name: string, value: string) => {
    if ((variables[name] ?? value) !== value)
      throw new HoopError('ERR_USAGE', `two of the resources would be ${name}`, {
        hint: 'reach them by one hoopctl connect each',
      });
    variables[name] = value;
  };
  for (const { setup } of ends) for (const [name, value] of Object.entries(setup.variables)) put(name, value);
  for (const { end, setup } of ends) put(variableOf(end.resource.name, 'URL'), setup.url(end));
  const [first] = ends;
  if (named !== undefined && first !== undefined) variables[named] = first.setup.url(first.end);
  return variables;
}
