import type { Asks } from '../../http/relay/meaning.ts';
import type { CanonicalRequest } from '../../http/request/canonical.ts';
import { type Json, listOf, membersOf, textAt } from '../guards/json.ts';
import { readByUs, wholeOf } from '../guards/own-answer.ts';

/** A kind, by its group and its name in paths. */
export interface KindName {
  readonly group: string;
  readonly kind: string;
}

/** Where objects of a kind lie; `unserved`: the cluster has no such kind; `untold`: it does not say. */
export type Scope = 'namespace' | 'cluster' | 'unserved' | 'untold';

/** As paths and answers of discovery have them. */
const GROUP = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const VERSION = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Versions of a group that are looked at: the one that is preferred is the first. */
const MOST_VERSIONS = 4;
const NOT_FOUND = 404;

/**
 * Asks a cluster where objects of a kind lie, by its discovery, with the gateway's own credential.
 *
 * @param beside The request for which it is asked: of it stays what says who asks.
 * @returns Fails as `ask` does, and with `ERR_TARGET_LOST` where the answer is longer than any object.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#unaggregated-discovery
 */
export async function scopeOf(
  { group, kind }: KindName,
  beside: CanonicalRequest,
  ask: Asks,
): Promise<Scope> {
  if (!GROUP.test(group)) return 'unserved';
  const served = await discovered(beside, ask, [group]);
  if (typeof served === 'string') return served;
  for (const version of versionsOf(served)) {
    const resources = await discovered(beside, ask, [group, version]);
    if (resources === 'untold') return 'untold';
    if (resources === 'unserved') continue;
    const found = listOf(resources['resources'])
      .map(membersOf)
      .find((one) => one['name'] === kind);
    if (found !== undefined) return found['namespaced'] === true ? 'namespace' : 'cluster';
  }
  return 'unserved';
}

function versionsOf(group: Readonly<Record<string, Json>>): readonly string[] {
  const [preferred, ...all] = [group['preferredVersion'], ...listOf(group['versions'])].map((one) =>
    textAt(membersOf(one), 'version'),
  );
  return [...new Set([preferred ?? '', ...all])].filter((one) => VERSION.test(one)).slice(0, MOST_VERSIONS);
}

async function discovered(
  beside: CanonicalRequest,
  ask: Asks,
  names: readonly string[],
): Promise<Readonly<Record<string, Json>> | 'unserved' | 'untold'> {
  const segments = ['apis', ...names];
  const answer = await ask(
    {
      ...readByUs(beside),
      ...{ method: 'GET', path: `/${segments.join('/')}`, segments, query: '', parameters: [] },
      ...{ contentType: '', body: 'none' },
    },
    Buffer.alloc(0),
  );
  const octets = await wholeOf(answer);
  if (answer.status === NOT_FOUND) return 'unserved';
  if (answer.status !== 200) return 'untold';
  try {
    return membersOf(JSON.parse(octets.toString()) as Json);
  } catch {
    return 'untold';
  }
}
