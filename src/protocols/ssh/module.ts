import { SSH_VOCABULARY } from '../../policy/vocabulary/ssh.ts';
import type { Protocol, SharedParts } from '../protocol.ts';
import { targetAddresses } from '../stream/addresses.ts';
import { replayed } from '../stream/replay.ts';
import { createSshAdapter } from './adapter.ts';
import { type SshConfig, sshConfig, variableFilter } from './config.ts';
import { configuredCredential, credentialSecrets, waysOf } from './credentials/index.ts';
import { hostKeyLine, makeHostKey } from './host-key.ts';
import { Places } from './places.ts';
import { SSH_REFUSALS } from './refusals.ts';
import { Turns } from './sftp/turns.ts';
import { seenKeys } from './target/seen-keys.ts';
import { SshTarget } from './target/ssh-target.ts';

interface SshShared extends SharedParts {
  readonly hostKey: string;
}

/** Hosts over SSH as the gateway sees them. */
export const ssh: Protocol<SshConfig, SshShared> = {
  name: 'ssh',
  vocabulary: SSH_VOCABULARY,
  refusals: SSH_REFUSALS,
  session: 'connection',
  localProof: 'ssh-key',
  config: sshConfig,
  secrets: ({ credentials }) => credentialSecrets(credentials),
  authorities: () => [],
  check({ target, credentials }, complain) {
    if ((target.host === undefined) === (target.hosts === undefined))
      complain(['target'], 'needs exactly one of host and hosts', 'write host: host-1.internal');
    if (target.hostKeys.length + target.hostCa.length === 0)
      complain(
        ['target', 'hostKeys'],
        'is missing',
        'write the key of the host, as hoopd check --host-keys HOST shows it, or hostCa: nobody is trusted at first sight',
      );
    if (waysOf(credentials).length !== 1)
      complain(['credentials'], 'needs exactly one of key, password and certificate', 'write key: {file: …}');
  },
  describe: ({ config }, ownSecret) => ({
    connect: {
      user: config.credentials.user,
      hostKey: hostKeyLine(ownSecret),
      ...(config.target.hosts === undefined ? {} : { hosts: config.target.hosts.pattern }),
    },
    classified: [],
  }),
  seenKeys,
  shared: ({ ownSecret }) => ({ hostKey: makeHostKey(ownSecret), close: async () => undefined }),
  create: (resource, { hostKey }, { allowance, clock, detectors }) => {
    const { target, session } = resource.config;
    return createSshAdapter({
      target: new SshTarget({
        port: target.port,
        hostKeys: target.hostKeys.map(({ blob }) => blob),
        hostCa: target.hostCa.map(({ blob }) => blob),
        addresses: targetAddresses(target.addresses),
        credential: configuredCredential(resource, clock),
        clock,
      }),
      places: new Places(resource.object, target),
      hostKey,
      mayBeSet: variableFilter(session.variables),
      listens: session.listens,
      allowance,
      turns: new Turns(),
      detectors,
    });
  },
  replay: (items) => replayed(items),
};
