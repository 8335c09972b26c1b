/**
 * What PostgreSQL's clients are told so that they go through the tunnel.
 */
import type { ResourceItem } from '../../../api/contract.ts';
import type { Address } from '../../../client/listener.ts';
import { askAhead } from '../../../client/local/postgres/asking.ts';
import { localPostgres } from '../../../client/local/postgres/index.ts';
import type { SessionNames } from '../../../client/local/postgres/statement.ts';
import { HoopError } from '../../../core/errors.ts';
import { shellQuote } from '../../render/text.ts';
import type { ClientHalf, LocalEnd } from './half.ts';

const REMOVES = [
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

export const postgres: ClientHalf = {
  local: localPostgres,
  removes: REMOVES,
  askAhead: (remote, resource, question) => askAhead(remote, namesOf(resource), question),
  prepare([first], _files, { bearer }) {
    if (bearer)
      throw new HoopError('ERR_USAGE', 'PostgreSQL takes a password and no token: leave --bearer away');
    return {
      variables: first === undefined ? {} : { ...libpqVariables(first), DATABASE_URL: urlOf(first) },
      url: urlOf,
      steps(end, alone) {
        const words = Object.entries(libpqVariables(end)).map(
          ([name, value]) => `${name}=${shellQuote(value)}`,
        );
        return alone ? [`export ${words.join(' ')}`, 'psql'] : [`${words.join(' ')} psql`];
      },
      facts(end) {
        const password = end.secret === undefined ? {} : { password: end.secret };
        return { ...namesOf(end.resource), ...password, url: urlOf(end) };
      },
    };
  },
};

/** The gateway knows who the caller is; these are the names that clients insist on. */
export function namesOf(resource: ResourceItem): SessionNames {
  const { user, database } = resource.connect;
  return {
    user: typeof user === 'string' && user !== '' ? user : 'hoop',
    database: typeof database === 'string' && database !== '' ? database : resource.name,
  };
}

/**
 * `PGSSLMODE=disable` because the local end never leaves this machine; encryption begins in hoopctl.
 *
 * @see https://www.postgresql.org/docs/current/libpq-envars.html
 */
function libpqVariables(end: LocalEnd): Readonly<Record<string, string>> {
  const { user, database } = namesOf(end.resource);
  return {
    PGHOST: hostOf(end.address),
    PGPORT: String(end.address.port),
    PGUSER: user,
    ...(end.secret === undefined ? {} : { PGPASSWORD: end.secret }),
    PGDATABASE: database,
    PGSSLMODE: 'disable',
  };
}

/**
 * A connection URI. Every part is encoded on its own: none can add a parameter.
 *
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
function urlOf(end: LocalEnd): string {
  const { address, secret } = end;
  const { user, database } = namesOf(end.resource);
  const who = secret === undefined ? encodeURIComponent(user) : `${encodeURIComponent(user)}:${secret}`;
  const path = `/${encodeURIComponent(database)}`;
  if (address.kind === 'port')
    return `postgresql://${who}@${address.host}:${address.port}${path}?sslmode=disable`;
  const host = encodeURIComponent(address.directory);
  return `postgresql://${who}@${path}?host=${host}&port=${address.port}&sslmode=disable`;
}

function hostOf(address: Address): string {
  return address.kind === 'port' ? address.host : address.directory;
}
