/**
 * The way out of networks that only let a proxy through: HTTPS_PROXY, NO_PROXY and CONNECT.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { HoopError } from '../../core/errors.ts';
import { readResponseHead } from './response-head.ts';

/**
 * Which proxy an https address is reached through.
 *
 * @param env `HTTPS_PROXY` or `https_proxy`; `NO_PROXY` or `no_proxy`: names, `.suffixes`, `host:port`, `*`, separated
 *   by commas. Loopback addresses never go through a proxy.
 * @returns The proxy's URL, or `undefined` for the direct way.
 * @throws {HoopError} `ERR_CONFIG` the proxy's URL is not an http(s) one.
 */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): URL | undefined {
  const text = env['HTTPS_PROXY'] || env['https_proxy'];
  if (!text || isLoopback(url.hostname) || isExempt(url, env['NO_PROXY'] || env['no_proxy'] || ''))
    return undefined;
  const proxy = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (proxy === null || !['http:', 'https:'].includes(proxy.protocol)) {
    throw new HoopError('ERR_CONFIG', 'HTTPS_PROXY is not the URL of an http or https proxy');
  }
  return proxy;
}

/** True for `localhost`, 127.0.0.0/8 and ::1, as URL writes them. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  );
}

function isExempt(url: URL, noProxy: string): boolean {
  const host = url.hostname.toLowerCase();
  const port = url.port || '443';
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [name = '', onlyPort] = entry.startsWith('[') ? [entry] : entry.split(':');
      if (onlyPort !== undefined && onlyPort !== port) return false;
      const bare = name.replace(/^\*?\./, '');
      return host === bare || host.endsWith(`.${bare}`);
    });
}

/**
 * Opens a TCP connection to `url`'s host through a proxy.
 *
 * @returns A socket on which the target speaks first-hand; nothing was read beyond the proxy's answer.
 * @throws {HoopError} `ERR_GATEWAY_UNREACHABLE` the proxy refuses or cannot be reached.
 * @see RFC 9110 §9.3.6
 */
export async function connectThroughProxy(proxy: URL, url: URL, signal: AbortSignal): Promise<Socket> {
  const where = `the proxy ${proxy.host}`;
  const socket = await openSocket(proxy, signal).catch((error: unknown) => {
    throw new HoopError('ERR_GATEWAY_UNREACHABLE', `${where} cannot be reached`, {
      hint: 'check HTTPS_PROXY and NO_PROXY',
      cause: error,
    });
  });
  const authority = `${url.hostname}:${url.port || '443'}`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization(proxy)}\r\n`);
  const head = await readResponseHead(socket, signal);
  if (head.status === 200 && head.rest.length === 0) return socket;
  socket.destroy();
  throw new HoopError(
    'ERR_GATEWAY_UNREACHABLE',
    `${where} refused the way to ${authority} (${head.status})`,
    {
      hint: head.status === 407 ? 'put user:password into HTTPS_PROXY' : 'check HTTPS_PROXY and NO_PROXY',
    },
  );
}

function openSocket(proxy: URL, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const host = proxy.hostname.replace(/^\[|\]$/g, '');
    const secure = proxy.protocol === 'https:';
    const port = Number(proxy.port || (secure ? 443 : 80));
    const socket = secure ? connectTls({ host, port, servername: host }) : connectTcp({ host, port });
    const abort = () => socket.destroy(new Error('no answer in time'));
    signal.addEventListener('abort', abort, { once: true });
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      signal.removeEventListener('abort', abort);
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

function authorization(proxy: URL): string {
  if (!proxy.username) return '';
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return `Proxy-Authorization: Basic ${Buffer.from(pair).toString('base64')}\r\n`;
}
