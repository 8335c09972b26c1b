/**
 * What PostgreSQL's clients expect in their environment.
 */

import type { ResourceItem } from '../../api/contract.ts';
import type { Address } from '../../client/listener.ts';

export interface LocalLogin {
  readonly address: Address;
  readonly user: string;
  readonly database: string;
  /** Of the local port; none for an owner-only socket. */
  readonly password: string | undefined;
}

/** Inherited settings that would send a client past the tunnel, or make it want what a loopback end does not have. */
const REMOVED = [
  'PGHOSTADDR',
  'PGSERVICE',
  'PGSERVICEFILE',
  'PGPASSFILE',
  'PGREQUIREAUTH',
  'PGCHANNELBINDING',
  'PGREQUIRESSL',
  'PGSSLNEGOTIATION',
  'PGGSSENCMODE',
  'PGTARGETSESSIONATTRS',
  'PGLOADBALANCEHOSTS',
  'PGPASSWORD',
];

/** Who one is at the local end. The gateway knows who the caller is; these are the names that clients insist on. */
export function localLogin(
  resource: ResourceItem,
  address: Address,
  password: string | undefined,
): LocalLogin {
  return {
    address,
    user: resource.user || 'hoop',
    database: resource.database || resource.name,
    password,
  };
}

/**
 * The variables that lead a client into the tunnel.
 *
 * `PGSSLMODE=disable` because the local end never leaves this machine; encryption begins in hoopctl.
 *
 * @see https://www.postgresql.org/docs/current/libpq-envars.html
 */
export function postgresVariables(login: LocalLogin): Record<string, string> {
  return {
    PGHOST: hostOf(login.address),
    PGPORT: String(login.address.port),
    PGUSER: login.user,
    ...(login.password === undefined ? {} : { PGPASSWORD: login.password }),
    PGDATABASE: login.database,
    PGSSLMODE: 'disable',
    DATABASE_URL: postgresUrl(login),
  };
}

/** A child's whole environment: what it would have had, minus what leads astray, plus the tunnel. */
export function childEnvironment(
  env: NodeJS.ProcessEnv,
  variables: Record<string, string>,
): NodeJS.ProcessEnv {
  const inherited = Object.entries(env).filter(([name]) => !REMOVED.includes(name));
  return { ...Object.fromEntries(inherited), ...variables };
}

/**
 * A connection URI. Every part is encoded on its own: none can add a parameter.
 *
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
export function postgresUrl({ address, user, database, password }: LocalLogin): string {
  const who = password === undefined ? encodeURIComponent(user) : `${encodeURIComponent(user)}:${password}`;
  const path = `/${encodeURIComponent(database)}`;
  if (address.kind === 'port')
    return `postgresql://${who}@${address.host}:${address.port}${path}?sslmode=disable`;
  const host = encodeURIComponent(address.directory);
  return `postgresql://${who}@${path}?host=${host}&port=${address.port}&sslmode=disable`;
}

function hostOf(address: Address): string {
  return address.kind === 'port' ? address.host : address.directory;
}
