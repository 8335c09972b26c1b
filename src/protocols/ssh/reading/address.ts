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

/** No destination, but to connect to it leads to the machine itself. @see RFC 1122 §3.2.1.3, RFC 4291 §2.5.2 */
const UNSPECIFIED = /^(?:0\.|::$)/;
/** Mapped, by NAT64, by 6to4, and compatible, of which `::1` is none. @see RFC 4291 §2.5.5, RFC 6052 §2.1, RFC 3056 §2 */
const IPV4_WITHIN = /^(?:::ffff:|64:ff9b:|2002:|::(?!1$)[0-9a-f]+(?::[0-9a-f]+)?$)/;

/** At all addresses, as clients write it. @see RFC 4254 §7.1 */
const EVERYWHERE = new Set(['', '*', '0.0.0.0', '::']);

/**
 * Reads where a host is to listen. Pure; never throws.
 *
 * @returns Its host `*`: everywhere; its port 0: one that the host chooses. Undefined as `readEndpoint`.
 */
export function readBinding(host: string, port: number): Endpoint | undefined {
  if (EVERYWHERE.has(host) && (port === 0 || readEndpoint('localhost', port) !== undefined))
    return { host: '*', port };
  const read = readEndpoint(host, port === 0 ? 1 : port);
  return read && { ...read, port };
}

/** Whether only what runs at the machine itself reaches it. Pure. @param host As it was read. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/**
 * Reads a host and a port. Pure; never throws.
 *
 * @returns Undefined: it is none, or one that could be read as another: numbers that are no address, IPv4 within IPv6, a zone,
 *   the unspecified address.
 */
export function readEndpoint(host: string, port: number): Endpoint | undefined {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  if (isIPv4(host)) return UNSPECIFIED.test(host) ? undefined : { host, port };
  if (isIPv6(host)) {
    const plain = URL.parse(`http://[${host}]`)?.hostname.slice(1, -1);
    if (plain === undefined || UNSPECIFIED.test(plain) || IPV4_WITHIN.test(plain)) return undefined;
    return { host: plain, port };
  }
  const name = host.toLowerCase().replace(/\.$/, '');
  return NAME.test(name) && !NUMBER_AT_END.test(name) ? { host: name, port } : undefined;
}
