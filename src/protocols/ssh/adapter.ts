import { BulkMemory } from '../../core/bytes/bulk-memory.ts';
import type { Adapter } from '../adapter.ts';
import type { Places } from './places.ts';
import { SshConnection } from './relay/connection.ts';
import type { ConnectionParts } from './relay/state.ts';

interface AdapterParts extends Omit<ConnectionParts, 'hostName' | 'host' | 'bulk'> {
  readonly places: Places;
}

/**
 * Speaks SSH for one resource: ends the client's connection, puts whatever is to run or to be forwarded before the enforcer,
 * and has it done at the host over a connection with the gateway's own credential.
 */
export function createSshAdapter({ places, ...shared }: AdapterParts): Adapter {
  const bulk = new BulkMemory();
  return {
    protocol: 'ssh',
    checkPlace: (place) => void places.find(place),
    serve(stream, context) {
      const { name: hostName, object: host } = places.find(context.place);
      return new SshConnection(stream, context, { ...shared, bulk, hostName, host }).serve();
    },
    close: async () => undefined,
  };
}
