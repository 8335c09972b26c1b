import { isIPv4, isIPv6 } from 'node:net';

/** Where a forwarded connection goes to, in the one form that is judged and sent. */
export interface Endpoint {
  /** A name in lower case, or an address as it is commonly written. */
  readonly host: string;
  readonly port: number;
}

const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*$/;
/** What a resolver may take for a part of an address: `127.1`, `0x7f.1`, `2130706433`. */
const NUMBER_AT_END = /(^|\.)(\d+|0x[0-9a-f]*)$/;

/**
 * Reads a host and a port. Pure; never throws.
 *
 * @returns Undefined: it is none, or one that could be read as another: numbers that are no address, IPv4 within IPv6, a zone.
 */
export function readEndpoint(host: string, port: number): Endpoint | undefined {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  if (isIPv4(host)) return { host, port };
  if (isIPv6(host)) {
    const plain = URL.parse(`http://[${host}]`)?.hostname.slice(1, -1);
    return plain === undefined || plain.startsWith('::ffff:') ? undefined : { host: plain, port };
  }
  const name = host.toLowerCase().replace(/\.$/, '');
  return NAME.test(name) && !NUMBER_AT_END.test(name) ? { host: name, port } : undefined;
}
