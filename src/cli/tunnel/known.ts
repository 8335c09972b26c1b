/**
 * Which tunnels there are, and which of them live.
 */

import { configDir } from '../../client/store/private-files.ts';
import { systemClock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import type { Io } from '../io.ts';
import { isOpen } from './control.ts';
import { isOfThisHost, isTunnelId, type TunnelRecord, TunnelRecords } from './records.ts';

export interface KnownTunnel extends TunnelRecord {
  /** `elsewhere`: open when last heard of, on another machine that shares the directory. */
  readonly state: 'open' | 'ended' | 'elsewhere';
}

/** What is on record of one that could not say so itself. */
const KILLED = 'killed, or the machine was restarted';

export function recordsOf({ env }: Pick<Io, 'env'>): TunnelRecords {
  return new TunnelRecords(configDir(env));
}

/** All that are on record, the oldest first; of those that are found dead it is written down. */
export async function knownTunnels(records: TunnelRecords): Promise<readonly KnownTunnel[]> {
  return Promise.all((await records.list()).map((record) => look(records, record)));
}

async function look(records: TunnelRecords, record: TunnelRecord): Promise<KnownTunnel> {
  if (record.endedAt !== undefined) return { ...record, state: 'ended' };
  if (await isOpen(records.socketOf(record.id))) return { ...record, state: 'open' };
  if (!isOfThisHost(record)) return { ...record, state: 'elsewhere' };
  // It may have ended, and said why, since its record was read.
  const since = await records.read(record.id);
  if (since?.endedAt !== undefined) return { ...since, state: 'ended' };
  return { ...(await records.end(record, KILLED, systemClock.now())), state: 'ended' };
}

/**
 * Those that are meant.
 *
 * @param names Ids, or names of resources: every tunnel that has one as a local end.
 * @throws {HoopError} `ERR_USAGE` a name is of none.
 */
export function meant(tunnels: readonly KnownTunnel[], names: readonly string[]): readonly KnownTunnel[] {
  const found = names.flatMap((name) => {
    const byId = isTunnelId(name) ? tunnels.filter(({ id }) => id === name) : [];
    const those =
      byId.length > 0 ? byId : tunnels.filter(({ ends }) => ends.some((end) => end.resource === name));
    if (those.length > 0) return those;
    throw new HoopError('ERR_USAGE', `no tunnel is called "${name}", nor reaches a resource of that name`, {
      hint: 'see: hoopctl tunnel list',
    });
  });
  return [...new Set(found)];
}
