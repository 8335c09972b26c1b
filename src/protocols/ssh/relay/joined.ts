import type { ClientChannel, ServerChannel } from 'ssh2';
import type { Guard } from '../../stream/guard.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import type { Source } from '../../stream/outlet.ts';
import type { Stands } from '../../stream/stands.ts';
import { ShownFlow } from '../../stream/terminal/shown-flow.ts';
import { Sink } from './sink.ts';
import type { ConnectionState } from './state.ts';

/** A connection that may be forwarded. */
export interface Allowed {
  readonly connection: ConnectionState;
  readonly guard: Guard;
  readonly operation: OpenOperation;
  readonly stands: Stands;
}

/** How long the host may take what was sent before a client left, ms. */
const GRACE_MS = 2000;

export interface HostSide {
  readonly remote: ClientChannel;
  readonly toHost: Sink;
  readonly window: Source;
}

/** Carries both directions until both have ended; what comes back is masked as output is. */
export function joined(
  { connection, guard, operation, stands }: Allowed,
  local: ServerChannel,
  { remote, toHost, window: hostWindow }: HostSide,
): Promise<void> {
  const goesOn = () => {
    // Nothing can be said in it but that it is over.
    if (!stands.now) local.destroy();
    return stands.now;
  };
  const toClient = new Sink(connection.gate);
  const window = connection.windows.of(local);
  const flow = new ShownFlow(connection.shown(), (bytes) => {
    operation.bytes += bytes.length;
    operation.answered = true;
    guard.output(bytes, operation);
    toClient.send(local, bytes, hostWindow);
  });
  local
    .on('error', () => undefined)
    .on('data', (chunk: Buffer) => {
      if (!goesOn()) return;
      connection.moved();
      toHost.send(remote, chunk, window);
    });
  remote.on('data', (chunk: Buffer) => {
    if (!goesOn()) return;
    connection.moved();
    flow.push(chunk);
  });
  local.once('end', () => toHost.emptied(() => remote.end()));
  remote.once('end', () => {
    flow.end();
    operation.maskedValues += flow.maskedValues;
    // ssh2's end of a channel of a server's closes it, while its client may have more to say.
    toClient.emptied(() => local.eof());
  });
  for (const one of [window, hostWindow]) one.resume();
  return new Promise((resolve) => {
    remote.once('close', () => toClient.emptied(() => local.end()));
    local.once('close', () => {
      flow.end();
      for (const one of [window, hostWindow]) one.resume();
      // Behind what the client had sent before, if the host takes it.
      const left = () => {
        clearTimeout(late);
        remote.close();
        toHost.close();
      };
      const late = setTimeout(left, GRACE_MS);
      toHost.emptied(left);
      toClient.close();
      resolve();
    });
  });
}
