import { HoopError } from '../../core/errors.ts';
import { whenAborted } from '../../core/later.ts';
import { LIMITS } from '../../core/limits.ts';
import { SaltedKeyCache } from '../../wire/scram/index.ts';
import type { TargetCredentials, TargetLogin } from './credentials/lease.ts';
import { startupParameters } from './login/startup-parameters.ts';
import type { PostgresResource } from './resource.ts';
import { NEWEST_MAJOR, OLDEST_MAJOR } from './sql/parse/keywords.ts';
import { SideConnection } from './target/side-connection.ts';
import { connectUpstream, type Upstream } from './target/upstream.ts';

/** What one read of a target may bring: four times what Node would take, and not larger than a slab. */
export const READ_BYTES = 256 * 1024;

/** Opens connections to one target. @throws {HoopError} `ERR_TARGET_…`, `ERR_UNSUPPORTED` a server of another version. */
type Connector = (
  login: TargetLogin,
  startup: ReadonlyMap<string, string>,
  signal?: AbortSignal,
) => Promise<Upstream>;

/** @returns What opens connections to the resource's target; keys that passwords were made into are kept with it. */
export function connectorTo({ target, settable }: PostgresResource): Connector {
  const saltedKeys = new SaltedKeyCache();
  const readMemory = Buffer.allocUnsafeSlow(READ_BYTES);
  const { host, port, database, tls, ca } = target;
  return async ({ user, password, settings }, startup, signal) => {
    const upstream = await connectUpstream({
      host,
      port,
      database,
      user,
      password,
      tls: { mode: tls, ...(ca === undefined ? {} : { ca }) },
      startupParameters: { ...settings, ...startupParameters(startup, settable) },
      timeoutMs: LIMITS.targetConnectMs,
      saltedKeys,
      readMemory,
      ...(signal === undefined ? {} : { signal }),
    });
    assertKnownServer(upstream);
    return upstream;
  };
}

/** Of a connection of the gateway's own: what it asks must not depend on what users have made. */
export function ownStartup(name: string): Map<string, string> {
  return new Map([
    ['application_name', name],
    ['search_path', 'pg_catalog'],
  ]);
}

export const CATALOG_STARTUP: ReadonlyMap<string, string> = ownStartup('hoopd catalog');

/** A connection of the gateway's own: it ends with its lease, and its lease with it. */
export async function ownConnection(
  credentials: Pick<TargetCredentials, 'own'>,
  connect: (lease: TargetLogin) => Promise<Upstream>,
): Promise<SideConnection> {
  const lease = await credentials.own();
  try {
    const connection = new SideConnection(await connect(lease));
    connection.onClose(() => lease.release());
    whenAborted(lease.ended, () => connection.close());
    return connection;
  } catch (error) {
    lease.release();
    throw error;
  }
}

function assertKnownServer(upstream: Upstream): void {
  const major = Math.floor(upstream.serverVersion / 10_000);
  if (major >= OLDEST_MAJOR && major <= NEWEST_MAJOR) return;
  upstream.socket.destroy();
  throw new HoopError(
    'ERR_UNSUPPORTED',
    `the target speaks PostgreSQL ${major}, which the gateway does not know`,
    {
      hint: `use a server of version ${OLDEST_MAJOR} to ${NEWEST_MAJOR}`,
    },
  );
}
