import type { Adapter } from '../adapter.ts';
import { HttpConnection } from './relay/connection.ts';
import { Http1Server } from './relay/servers.ts';
import type { ConnectionParts } from './relay/state.ts';

/**
 * Speaks HTTP for one resource, whatever kind of API it is: ends the client's HTTP/1.1 or HTTP/2, puts every request before the enforcer, and sends what
 * was judged with the gateway's own credential.
 */
export function createHttpAdapter(parts: Omit<ConnectionParts, 'server'>, protocol = 'http'): Adapter {
  const server = new Http1Server();
  return {
    protocol,
    serve: (stream, context) => new HttpConnection(stream, context, { ...parts, server }).serve(),
    close: async () => {
      server.close();
      await parts.target.close();
    },
  };
}
