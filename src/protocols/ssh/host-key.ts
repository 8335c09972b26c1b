import ssh2 from 'ssh2';

/** A key by which clients know hoopd, in OpenSSH's format: another one with each start. */
export function makeHostKey(): string {
  return ssh2.utils.generateKeyPairSync('ed25519').private;
}
