import { generateKeyPairSync } from 'node:crypto';
import { publicBlob } from '../../../wire/ssh/keys.ts';
import { writePrivateKey } from '../../../wire/ssh/private-key.ts';
import type { LocalProtocol } from '../protocol.ts';
import { SshDoor } from './door.ts';
import { refuseClient } from './refusal.ts';

/** SSH's clients at the local end of a tunnel: the secret is a key of the tunnel's own, and the gateway has them sign. */
export const localSsh: LocalProtocol = {
  defaultPort: 22,
  alpn: [],
  socketName: (port) => `ssh.${port}.sock`,
  async guard() {
    const { privateKey } = generateKeyPairSync('ed25519');
    return {
      secret: writePrivateKey(privateKey, 'hoopctl tunnel'),
      proof: { kind: 'ssh-key', value: publicBlob(privateKey).toString('base64') },
      door: new SshDoor(),
    };
  },
  refuse: refuseClient,
};
