/**
 * `hoopctl ssh-config`: what makes OpenSSH's own clients go through the gateway.
 */
import type { ResourceItem } from '../../api/contract.ts';
import { HoopError } from '../../core/errors.ts';
import { type Invocation, textOption } from '../command.ts';
import { shellQuote } from '../render/text.ts';
import { withGateway } from '../with-gateway.ts';
import { knownHost, userOf } from './facts.ts';

/** Of a name, or a pattern of names, that may stand behind `Host`: no second word. */
const HOST = /^[A-Za-z0-9_.*][A-Za-z0-9_.*-]{0,252}$/;

/** @throws {HoopError} `ERR_NO_ACCESS` no such resource; `ERR_USAGE` one is no host. */
export async function runSshConfig(invocation: Invocation): Promise<number> {
  const hosts = await withGateway(invocation, async ({ api }) => {
    const { args } = invocation;
    return args.length > 0 ? api.namedResources(args) : (await api.resources()).filter(isHost);
  });
  const other = hosts.find((one) => !isHost(one));
  if (other !== undefined)
    throw new HoopError('ERR_USAGE', `${other.name} is no host: it speaks ${other.protocol}`);
  const { io } = invocation;
  if (io.json) await io.value({ hosts: hosts.map((one) => factsOf(one, invocation)) });
  else await io.write(hosts.map((one) => blockOf(one, invocation)).join('\n'));
  return 0;
}

function isHost(resource: ResourceItem): boolean {
  return resource.protocol === 'ssh' && HOST.test(hostOf(resource));
}

/** Behind a pattern of names each host is called by its own. */
function hostOf({ name, connect: { hosts } }: ResourceItem): string {
  return typeof hosts === 'string' ? hosts : name;
}

interface HostFacts {
  readonly host: string;
  readonly user: string;
  readonly hostKey: string;
  readonly proxyCommand: string;
}

function factsOf(resource: ResourceItem, invocation: Invocation): HostFacts {
  const words = ['hoopctl', 'connect', resource.name, '--stdio', ...chosen(invocation)];
  // A percent sign is a token of OpenSSH's.
  const command = words.map(shellQuote).join(' ').replaceAll('%', '%%');
  const host = hostOf(resource);
  return {
    host,
    user: userOf(resource),
    hostKey: knownHost(resource),
    proxyCommand: host === resource.name ? command : `${command} --host %h`,
  };
}

/** How the gateway was chosen here is how it is chosen there. */
function chosen(invocation: Invocation): readonly string[] {
  return ['profile', 'gateway', 'ca', 'agent'].flatMap((name) => {
    const value = textOption(invocation, name);
    return value === undefined ? [] : [`--${name}`, value];
  });
}

/** The key is told by a command, so that no file has to be written; OpenSSH 8.5 and later ask it. */
function blockOf(resource: ResourceItem, invocation: Invocation): string {
  const { host, user, hostKey, proxyCommand } = factsOf(resource, invocation);
  const settings = [
    `ProxyCommand ${proxyCommand}`,
    `User ${user}`,
    `HostKeyAlias ${resource.name}`,
    `KnownHostsCommand /bin/echo ${resource.name} ${hostKey}`,
    'UserKnownHostsFile /dev/null',
    'GlobalKnownHostsFile /dev/null',
    'StrictHostKeyChecking yes',
    'UpdateHostKeys no',
    'ForwardAgent no',
    'ForwardX11 no',
  ];
  return [`Host ${host}`, ...settings.map((one) => `  ${one}`), ''].join('\n');
}
