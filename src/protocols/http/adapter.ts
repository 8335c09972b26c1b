import type { Adapter } from '../adapter.ts';
import { HttpConnection } from './relay/connection.ts';
import type { ConnectionParts } from './relay/state.ts';

/**
 * Speaks HTTP for one resource, whatever kind of API it is: ends the client's HTTP/1.1 or HTTP/2, puts every request before the enforcer, and sends what
 * was judged with the gateway's own credential.
 */
export function createHttpAdapter(parts: ConnectionParts, protocol = 'http'): Adapter {
  return {
    protocol,
    serve: (stream, context) => new HttpConnection(stream, context, parts).serve(),
    close: () => parts.target.close(),
  };
}
