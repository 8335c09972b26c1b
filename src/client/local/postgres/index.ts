import { randomBytes } from 'node:crypto';
import { scramVerifier } from '../../../wire/scram/verifier.ts';
import type { LocalProtocol } from '../protocol.ts';
import { PostgresDoor } from './door.ts';
import { refuseClient } from './refusal.ts';

const SECRET_BYTES = 32;

/** PostgreSQL's clients at the local end of a tunnel: the secret is a password that they log in with by SCRAM. */
export const localPostgres: LocalProtocol = {
  defaultPort: 5432,
  alpn: [],
  socketName: (port) => `.s.PGSQL.${port}`,
  async guard() {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const verifier = await scramVerifier(secret);
    return {
      secret,
      proof: { kind: 'scram-sha-256', value: verifier },
      door: new PostgresDoor(secret, verifier),
    };
  },
  refuse: refuseClient,
};
