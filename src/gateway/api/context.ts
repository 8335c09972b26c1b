import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { HoopError } from '../../core/errors.ts';
import type { Principal } from '../../identity/principal.ts';

/** What travels with one API request. */
export interface ApiEnv {
  readonly Bindings: HttpBindings;
  readonly Variables: { principal: Principal };
}

export type ApiContext = Context<ApiEnv>;

/**
 * The one value of a request field that must not be given twice: two proofs or two tokens could be read differently
 * by us and by whatever stands before us.
 *
 * @throws {HoopError} `ERR_USAGE` it stands twice.
 */
export function singleField(context: ApiContext, name: string): string | undefined {
  const values = context.env.incoming.headersDistinct[name];
  if (values !== undefined && values.length > 1) throw new HoopError('ERR_USAGE', `${name} is given twice`);
  return values?.[0];
}

/**
 * The parameters of a request, each of them known and there once: none is dropped silently.
 *
 * @param former What older versions of hoopctl call one.
 * @throws {HoopError} `ERR_USAGE` an unknown or repeated parameter.
 */
export function queryOf<Name extends string>(
  context: ApiContext,
  names: readonly Name[],
  former: Readonly<Record<string, Name>> = {},
): { readonly [K in Name]?: string } {
  const query: { [K in Name]?: string } = {};
  for (const [given, values] of Object.entries(context.req.queries())) {
    const name =
      names.find((known) => known === given) ?? (Object.hasOwn(former, given) ? former[given] : undefined);
    if (name === undefined) throw new HoopError('ERR_USAGE', `unknown parameter ${given.slice(0, 64)}`);
    if (values.length !== 1 || name in query) throw new HoopError('ERR_USAGE', `${name} is given twice`);
    query[name] = values[0]!;
  }
  return query;
}

/** Aborted when nobody listens any more. */
export function connectionOf(context: ApiContext): AbortSignal {
  const gone = new AbortController();
  const { outgoing } = context.env;
  if (outgoing.destroyed) gone.abort();
  outgoing.once('close', () => gone.abort());
  return gone.signal;
}
