import type { Adapter } from '../adapter.ts';
import { HttpConnection } from './relay/connection.ts';
import type { ConnectionParts } from './relay/state.ts';
import { ToldBefore } from './relay/upgrade/told-before.ts';

/**
 * Speaks HTTP for one resource, whatever kind of API it is: ends the client's HTTP/1.1 or HTTP/2, puts every request before the enforcer, and sends what
 * was judged with the gateway's own credential.
 */
export function createHttpAdapter(parts: Omit<ConnectionParts, 'told'>, protocol = 'http'): Adapter {
  const told = new ToldBefore();
  return {
    protocol,
    serve: (stream, context) => new HttpConnection(stream, context, { ...parts, told }).serve(),
    close: () => parts.target.close(),
  };
}
