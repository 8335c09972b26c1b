import { randomBytes } from 'node:crypto';
import { bearerProof } from '../../../wire/http/local-check.ts';
import type { LocalProtocol } from '../protocol.ts';
import { HttpDoor } from './door.ts';
import { refuseClient } from './refusal.ts';

const SECRET_BYTES = 32;

/** HTTP's clients at the local end of a tunnel: the secret is the password in the URL, or a bearer token. */
export const localHttp: LocalProtocol = {
  defaultPort: 80,
  alpn: ['h2', 'http/1.1'],
  socketName: (port) => `http.${port}.sock`,
  guard: () => bearerGuard(),
  refuse: refuseClient,
};

/** @param cure How clients show the secret, where it is not by a URL. */
export async function bearerGuard(cure?: string): ReturnType<LocalProtocol['guard']> {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const proof = bearerProof(secret);
  return { secret, proof: { kind: 'bearer-sha256', value: proof }, door: new HttpDoor(proof, cure) };
}
