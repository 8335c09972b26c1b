/** SCRAM-SHA-256 (RFC 5802, RFC 7677) in both roles: towards the target as client, towards the local client as server. */

export { type ChannelBinding, ScramClient } from './client.ts';
export { parseVerifier, SCRAM_SHA_256, SCRAM_SHA_256_PLUS } from './keys.ts';
export { SaltedKeyCache } from './salted-key-cache.ts';
export { ScramServer } from './server.ts';
