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

/** Aborted when nobody listens any more. */
export function connectionOf(context: ApiContext): AbortSignal {
  const gone = new AbortController();
  const { outgoing } = context.env;
  if (outgoing.destroyed) gone.abort();
  outgoing.once('close', () => gone.abort());
  return gone.signal;
}
