import { BulkMemory } from '../../core/bytes/bulk-memory.ts';
import type { Adapter } from '../adapter.ts';
import { HttpConnection } from './relay/connection.ts';
import type { ConnectionParts } from './relay/state.ts';
import { ToldBefore } from './relay/upgrade/told-before.ts';

/**
 * Speaks HTTP for one resource, whatever kind of API it is: ends the client's HTTP/1.1 or HTTP/2, puts every request before the enforcer, and sends what
 * was judged with the gateway's own credential.
 */
export function createHttpAdapter(parts: Omit<ConnectionParts, 'told' | 'bulk'>, protocol = 'http'): Adapter {
  const shared = { ...parts, told: new ToldBefore(), bulk: new BulkMemory() };
  return {
    protocol,
    serve: (stream, context) => new HttpConnection(stream, context, shared).serve(),
    close: () => parts.target.close(),
  };
}
