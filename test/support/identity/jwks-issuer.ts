/**
 * The smallest issuer there can be: discovery, a key set, and tokens. Real HTTP on loopback, with the ways to misbehave
 * that a real provider would not offer on demand.
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type JWK } from 'jose';

interface JwksAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface JwksIssuer {
  /** `http://127.0.0.1:PORT` and the path, if any. */
  readonly issuer: string;
  /** Requests for the key set so far. */
  readonly keyFetches: () => number;
  readonly requests: () => number;
  /** Replaces an answer, by path; `undefined` restores it, 'hang' never answers. */
  answer(path: 'discovery' | 'jwks', answer: JwksAnswer | 'hang' | undefined): void;
  /** Changes the signing key; the old one leaves the set. */
  rotate(): Promise<void>;
  /** Signs with the current key. Defaults: `iss`, `sub` ci, `aud` hoop, `iat` now, `exp` in 5 minutes; undefined removes. */
  mint(claims?: Readonly<Record<string, unknown>>, options?: MintOptions): string;
  stop(): Promise<void>;
}

export interface MintOptions {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly key?: KeyObject;
  /** ms since the epoch, default now. */
  readonly now?: number;
}

export async function startJwksIssuer(path = ''): Promise<JwksIssuer> {
  let key = await newKey(1);
  let serial = 1;
  let keyFetches = 0;
  let requests = 0;
  const answers = new Map<string, JwksAnswer | 'hang'>();
  const server = createServer((request, response) => {
    requests += 1;
    const isKeys = request.url?.endsWith('jwks') === true;
    if (isKeys) keyFetches += 1;
    const body = isKeys ? { keys: [key.jwk] } : { issuer, jwks_uri: `${issuer}/jwks` };
    // Only the proper addresses misbehave: whoever is lured elsewhere would be served well.
    const misbehaviour = request.url?.includes('elsewhere')
      ? undefined
      : answers.get(isKeys ? 'jwks' : 'discovery');
    // As API servers of Kubernetes do.
    const named = /application\/jwk-set\+json|\*\/\*/.test(request.headers.accept ?? '*/*');
    const answer =
      isKeys && !named ? { status: 406, body: '{}' } : { status: 200, body: JSON.stringify(body) };
    send(response, misbehaviour ?? answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  return {
    issuer,
    keyFetches: () => keyFetches,
    requests: () => requests,
    answer: (what, answer) => {
      if (answer === undefined) answers.delete(what);
      else answers.set(what, answer);
    },
    rotate: async () => {
      serial += 1;
      key = await newKey(serial);
    },
    mint: (claims = {}, { header, key: other, now = Date.now() } = {}) => {
      const iat = Math.floor(now / 1000);
      const body = { iss: issuer, sub: 'ci', aud: 'hoop', iat, exp: iat + 300, ...claims };
      const head = { alg: 'ES256', kid: key.jwk.kid, typ: 'JWT', ...header };
      return signRaw(head, body, other ?? key.privateKey);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function newKey(serial: number): Promise<{ privateKey: KeyObject; jwk: JWK }> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privateKey,
    jwk: { ...(await exportJWK(publicKey)), kid: `key-${serial}`, alg: 'ES256', use: 'sig' },
  };
}

function send(response: ServerResponse, answer: JwksAnswer | 'hang'): void {
  if (answer === 'hang') return;
  response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
  response.end(answer.body);
}

/** By hand: a library would not sign the malformed tokens that tests need. */
function signRaw(header: object, payload: object, key: KeyObject): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part(header)}.${part(payload)}`;
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}
