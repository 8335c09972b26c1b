import type { Adapter } from '../adapter.ts';
import { SshConnection } from './relay/connection.ts';
import type { ConnectionParts } from './relay/state.ts';

/**
 * Speaks SSH for one resource: ends the client's connection, puts whatever is to run or to be forwarded before the enforcer,
 * and has it done at the host over a connection with the gateway's own credential.
 */
export function createSshAdapter(parts: ConnectionParts): Adapter {
  return {
    protocol: 'ssh',
    serve: (stream, context) => new SshConnection(stream, context, parts).serve(),
    close: async () => undefined,
  };
}
