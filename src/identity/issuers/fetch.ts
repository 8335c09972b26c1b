import { readFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import type { IssuerConfig } from './config.ts';
import type { Fetch } from './fetch-json.ts';

/** Largest bearer token that is read from a file, octets. */
const MAX_BEARER_BYTES = 64 * 1024;

/**
 * Makes the `fetch` with which one issuer's documents are fetched.
 *
 * @param config `ca`: trust these authorities and no others. `tokenFile`: send what stands there as a bearer token, to
 *   https addresses only; read at each request, because platforms rotate it.
 * @returns The platform's own `fetch` if neither is set.
 * @see https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
 */
export function issuerFetch(config: Pick<IssuerConfig, 'ca' | 'tokenFile'>): Fetch {
  const { ca, tokenFile } = config;
  const plain: Fetch = ca === undefined ? globalThis.fetch : (url, init) => fetchTrusting(ca, url, init);
  if (tokenFile === undefined) return plain;
  return async (url, init) => {
    if (url.protocol !== 'https:') throw new Error(`${url.origin} is not https: it gets no bearer token`);
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${await readBearer(tokenFile)}`);
    return plain(url, { ...init, headers });
  };
}

async function readBearer(file: string): Promise<string> {
  const text = (await readFile(file, 'utf8')).trim();
  if (text.length > MAX_BEARER_BYTES || !/^[\w.~+/=-]+$/.test(text))
    throw new Error(`${file} holds no token`);
  return text;
}

/** A request over TLS with given authorities: the platform's `fetch` cannot be told them. Follows no redirect. */
function fetchTrusting(ca: string, url: URL, init: RequestInit): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  if (url.protocol !== 'https:') {
    reject(new Error(`${url.origin} is not https: its authorities cannot be checked`));
    return promise;
  }
  const headers = Object.fromEntries(new Headers(init.headers));
  const { method = 'GET', body } = init;
  const options = { ca, headers, method, agent: false, rejectUnauthorized: true } as const;
  const outgoing = httpsRequest(url, { ...options, ...(init.signal ? { signal: init.signal } : {}) });
  outgoing.once('response', (answer) => {
    const status = answer.statusCode ?? 500;
    resolve(
      new Response(status === 204 || status === 304 ? null : (Readable.toWeb(answer) as ReadableStream), {
        status,
        headers: { 'content-type': answer.headers['content-type'] ?? '' },
      }),
    );
  });
  outgoing.on('error', reject);
  outgoing.end(typeof body === 'string' ? body : undefined);
  return promise;
}
