/**
 * `hoopctl ssh-config`: what makes OpenSSH's own clients go through the gateway.
 */
import type { ResourceItem } from '../../api/contract.ts';
import { HoopError } from '../../core/errors.ts';
import { type Invocation, textOption } from '../command.ts';
import { shellQuote } from '../render/text.ts';
import { withGateway } from '../with-gateway.ts';
import { knownHost, userOf } from './facts.ts';

/** Of a name that may stand behind `Host`: no pattern, no second word. */
const HOST = /^[a-z0-9][a-z0-9._-]{0,62}$/;

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

function isHost({ protocol, name }: ResourceItem): boolean {
  return protocol === 'ssh' && HOST.test(name);
}

interface HostFacts {
  readonly host: string;
  readonly user: string;
  readonly hostKey: string;
  readonly proxyCommand: string;
}

function factsOf(resource: ResourceItem, invocation: Invocation): HostFacts {
  const words = ['hoopctl', 'connect', resource.name, '--stdio', ...chosen(invocation)];
  return {
    host: resource.name,
    user: userOf(resource),
    hostKey: knownHost(resource),
    // A percent sign is a token of OpenSSH's.
    proxyCommand: words.map(shellQuote).join(' ').replaceAll('%', '%%'),
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
    `HostKeyAlias ${host}`,
    `KnownHostsCommand /bin/echo ${host} ${hostKey}`,
    'UserKnownHostsFile /dev/null',
    'GlobalKnownHostsFile /dev/null',
    'StrictHostKeyChecking yes',
    'UpdateHostKeys no',
    'ForwardAgent no',
    'ForwardX11 no',
  ];
  return [`Host ${host}`, ...settings.map((one) => `  ${one}`), ''].join('\n');
}
