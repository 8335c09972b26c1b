/**
 * What SSH's clients are told so that they go through the tunnel: a configuration for OpenSSH's, which all others can read
 * or be told from.
 */
import { askAhead } from '../../../client/local/ssh/asking.ts';
import { localSsh } from '../../../client/local/ssh/index.ts';
import { HoopError } from '../../../core/errors.ts';
import { shellQuote } from '../../render/text.ts';
import { knownHost, quoted, userOf } from '../../ssh/facts.ts';
import type { TunnelFiles } from '../tunnel-files.ts';
import type { ClientHalf, LocalEnd } from './half.ts';

const CONFIG = 'ssh_config';
const KNOWN_HOSTS = 'known_hosts';
/** Those of hoopd's end, the cheapest first for both: OpenSSH's own order begins with a cipher and a MAC apart. */
const CIPHERS = 'Ciphers aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr';
/** What Ansible would say by itself: what is told replaces it. */
const ANSIBLE_OWN = '-o ControlMaster=auto -o ControlPersist=60s';

export const ssh: ClientHalf = {
  local: localSsh,
  // An agent's keys are of no use here, and would be tried first.
  removes: ['GIT_SSH', 'GIT_SSH_VARIANT', 'SSH_ASKPASS', 'SSH_ASKPASS_REQUIRE'],
  askAhead: (remote, resource, question) => askAhead(remote, knownHost(resource), question),
  prepare(ends, files, { bearer }) {
    if (bearer) throw new HoopError('ERR_USAGE', 'SSH takes a key and no token: leave --bearer away');
    const knownHosts = files.write(
      KNOWN_HOSTS,
      ends.map((end) => `${nameOf(end)} ${knownHost(end.resource)}\n`).join(''),
    );
    const keys = new Map(ends.map((end) => [end, keyFile(end, files)]));
    const block = (end: LocalEnd) => hostBlock(end, keys.get(end), knownHosts);
    const config = files.write(CONFIG, [...ends.map(block), othersBlock(ends)].join('\n'));
    const command = `ssh -F ${shellQuote(config)}`;
    return {
      variables: {
        HOOP_SSH_CONFIG: config,
        GIT_SSH_COMMAND: command,
        RSYNC_RSH: command,
        ANSIBLE_SSH_ARGS: `-F ${shellQuote(config)} ${ANSIBLE_OWN}`,
      },
      url: urlOf,
      steps: (end) => [`${command} ${shellQuote(nameOf(end))}`],
      facts(end) {
        const identityFile = keys.get(end);
        return {
          user: userOf(end.resource),
          url: urlOf(end),
          config,
          knownHosts,
          ...(identityFile === undefined ? {} : { identityFile }),
        };
      },
    };
  },
};

function keyFile({ resource, secret }: LocalEnd, files: TunnelFiles): string | undefined {
  return secret === undefined ? undefined : files.write(`${resource.name}.key`, secret);
}

/** What the host is called in the tunnel. @throws {HoopError} `ERR_USAGE` there are many, and none was named. */
function nameOf({ resource: { name, connect }, place }: LocalEnd): string {
  if (place !== undefined) return place;
  if (connect['hosts'] === undefined) return name;
  throw new HoopError('ERR_USAGE', `${name} stands for many hosts`, {
    hint: `name one that fits ${String(connect['hosts'])}: --host`,
  });
}

/** The user at the local end means nothing; who one is on the host, hoopd decides. */
function hostBlock(end: LocalEnd, key: string | undefined, knownHosts: string): string {
  const { resource, address } = end;
  const where =
    address.kind === 'port'
      ? [`HostName ${address.host}`, `Port ${address.port}`, 'ProxyCommand none']
      : [`ProxyCommand nc -U ${shellQuote(address.path)}`];
  return lines(`Host ${nameOf(end)}`, [
    ...where,
    `User ${userOf(resource)}`,
    `HostKeyAlias ${nameOf(end)}`,
    `UserKnownHostsFile ${quoted(knownHosts)}`,
    'GlobalKnownHostsFile /dev/null',
    'StrictHostKeyChecking yes',
    'CheckHostIP no',
    CIPHERS,
    'UpdateHostKeys no',
    ...(key === undefined ? [] : [`IdentityFile ${quoted(key)}`, 'IdentitiesOnly yes']),
    'IdentityAgent none',
    'ForwardAgent no',
    'ForwardX11 no',
  ]);
}

/** Other hosts are reached as ever. */
function othersBlock(ends: readonly LocalEnd[]): string {
  const others = ends.map((end) => `!${nameOf(end)}`).join(' ');
  return lines(`Host * ${others}`, ['Include ~/.ssh/config', 'Include /etc/ssh/ssh_config']);
}

function lines(head: string, settings: readonly string[]): string {
  return [head, ...settings.map((one) => `  ${one}`), ''].join('\n');
}

function urlOf({ resource, address }: LocalEnd): string {
  const where = address.kind === 'port' ? `${address.host}:${address.port}` : resource.name;
  return `ssh://${userOf(resource)}@${where}`;
}
