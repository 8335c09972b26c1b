/**
 * From resources to what their clients are told, whatever they speak.
 */
import type { ResourceItem } from '../../api/contract.ts';
import { HoopError } from '../../core/errors.ts';
import type { ClientHalf, ClientSetup, ClientWishes, LocalEnd } from './clients/half.ts';
import type { KnownClients } from './clients/index.ts';
import type { TunnelFiles } from './tunnel-files.ts';

/** A resource that this hoopctl can offer clients. */
export interface KnownResource {
  readonly resource: ResourceItem;
  readonly half: ClientHalf;
}

/** One whose local end is open. */
export interface OpenEnd {
  readonly end: LocalEnd;
  readonly half: ClientHalf;
}

/** One whose clients can begin. */
export interface PreparedEnd extends OpenEnd {
  readonly setup: ClientSetup;
}

/** The gateway would only say that nothing is there. @throws {HoopError} `ERR_USAGE` there is one host, and none to choose. */
export function demandMany(resource: ResourceItem | undefined, place: string | undefined): void {
  if (place === undefined || resource === undefined || resource.connect['hosts'] !== undefined) return;
  throw new HoopError('ERR_USAGE', `${resource.name} does not stand for many hosts`, {
    hint: 'leave --host away',
  });
}

/**
 * Finds the half of each resource's protocol; each is loaded once.
 *
 * @throws {HoopError} `ERR_UNSUPPORTED` a resource speaks what this hoopctl does not know.
 */
export async function withHalves(
  resources: readonly ResourceItem[],
  clients: readonly KnownClients[],
): Promise<readonly KnownResource[]> {
  const halves = new Map<string, ClientHalf>();
  const found: KnownResource[] = [];
  for (const resource of resources) {
    const { name, protocol } = resource;
    const known = clients.find((one) => one.protocol === protocol);
    if (known === undefined)
      throw new HoopError(
        'ERR_UNSUPPORTED',
        `this hoopctl does not know the protocol of ${name}: ${protocol}`,
        {
          hint: 'upgrade hoopctl: the gateway speaks more than it does',
        },
      );
    const half = halves.get(protocol) ?? (await known.load());
    halves.set(protocol, half);
    found.push({ resource, half });
  }
  return found;
}

/**
 * Makes ready for the clients of all ends, protocol by protocol.
 *
 * @throws {HoopError} What a half throws: nobody has been told of any end yet.
 */
export async function prepareEnds(
  opened: readonly OpenEnd[],
  files: TunnelFiles,
  wishes: ClientWishes,
): Promise<readonly PreparedEnd[]> {
  const prepared: PreparedEnd[] = [];
  for (const [half, ends] of Map.groupBy(opened, (one) => one.half)) {
    const setup = await half.prepare(
      ends.map(({ end }) => end),
      files,
      wishes,
    );
    prepared.push(...ends.map((one) => ({ ...one, setup })));
  }
  return opened.map((one) => prepared.find(({ end }) => end === one.end)!);
}
