import type { Algorithms } from 'ssh2';

/**
 * What hoopd agrees on with hosts; their keys aside. Left out: SHA-1, CBC, 64-bit tags, groups of 2048
 * bits and, because a server may not know strict key exchange, ChaCha20-Poly1305, which is not safe without it
 * (CVE-2023-48795). Where the other side knows strict key exchange it is used.
 */
export const ALGORITHMS = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
  ],
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes128-ctr', 'aes192-ctr', 'aes256-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
} satisfies Algorithms;

/** The same for hoopd's own end: every client knows Curve25519 or groups of 4096 bits. Those of 8192 keep all others waiting. */
export const LOCAL_ALGORITHMS = {
  ...ALGORITHMS,
  kex: ALGORITHMS.kex.filter((name) => !/^ecdh-|-group18-/.test(name)),
} satisfies Algorithms;
