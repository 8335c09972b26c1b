import { shellQuote, visible } from '../render/text.ts';
import type { LocalEnd } from './environment.ts';
import { postgresUrl, postgresVariables } from './postgres-environment.ts';

export interface ReadyFacts extends LocalEnd {
  /** The only one: its variables can be exported. */
  readonly alone: boolean;
  /** RFC 3339. */
  readonly deadline: string;
}

/** What a person types next, for stderr. Every value is quoted for the shell: it will be pasted. */
export function readyText({ resource, protocol, login, alone, deadline }: ReadyFacts): string {
  const { address } = login;
  const where = address.kind === 'port' ? `${address.host}:${address.port}` : address.path;
  const lines = [
    `hoopctl: ${visible(resource)} is ready on ${visible(where)} until ${deadline}; Ctrl-C ends it`,
  ];
  if (protocol === 'postgres') {
    const { DATABASE_URL: _, ...variables } = postgresVariables(login);
    const words = Object.entries(variables).map(([name, value]) => `${name}=${shellQuote(value)}`);
    lines.push(...(alone ? [`  export ${words.join(' ')}`, '  psql'] : [`  ${words.join(' ')} psql`]));
  }
  return `${lines.join('\n')}\n`;
}

/** The same for programs, for stdout. */
export function readyValue({ resource, protocol, login, deadline }: ReadyFacts): object {
  const { address } = login;
  const place =
    address.kind === 'port'
      ? { host: address.host, port: address.port }
      : { host: address.directory, port: address.port, socket: address.path };
  const postgres = {
    user: login.user,
    database: login.database,
    ...(login.password === undefined ? {} : { password: login.password }),
    url: postgresUrl(login),
  };
  const known = protocol === 'postgres' ? postgres : {};
  return { kind: 'listening', resource, protocol, ...place, ...known, deadline };
}
