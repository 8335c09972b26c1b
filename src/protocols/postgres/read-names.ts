import { resourceObject } from '../../policy/objects.ts';
import type { ReadDeps, TargetNames } from '../protocol.ts';
import { CatalogService } from './catalog/service.ts';
import { CatalogNames } from './catalog/target-names.ts';
import { CATALOG_STARTUP, connectorTo, ownConnection } from './connector.ts';
import type { PostgresResource } from './resource.ts';

/**
 * Reads a database's catalog once, in the role that its sessions have.
 *
 * @throws {HoopError} `ERR_TARGET_…`.
 */
export async function readNames(
  resource: PostgresResource,
  { clock }: Pick<ReadDeps, 'clock'>,
): Promise<TargetNames> {
  const connect = connectorTo(resource);
  const credentials = resource.credentials(() =>
    Promise.reject(new Error('nothing is administered where a catalog is read')),
  );
  const catalog = new CatalogService({
    connect: () => ownConnection(credentials, (lease) => connect(lease, CATALOG_STARTUP)),
    resource: resourceObject(resource.name, 'postgres'),
    tags: resource.classification,
    clock,
    learned: () => undefined,
  });
  try {
    return new CatalogNames(resource, await catalog.current());
  } finally {
    catalog.close();
    await credentials.close();
  }
}
