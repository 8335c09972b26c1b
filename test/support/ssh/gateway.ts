import { RunningGateway } from '../running-gateway.ts';
import type { Sshd } from './sshd.ts';

/**
 * hoopd before a host, which is the resource `host-1` there, with the host's own user and key.
 *
 * @param more More top-level YAML.
 * @param session Of the resource, as YAML.
 */
export function gatewayBefore(
  sshd: Sshd,
  policy: string,
  more?: string,
  session = '{}',
): Promise<RunningGateway> {
  return RunningGateway.start({
    policy,
    resources: `
  host-1:
    protocol: ssh
    target: { host: 127.0.0.1, port: ${sshd.port}, hostKeys: ["${sshd.publicKey('host')}"] }
    credentials: { user: ${sshd.user}, key: { file: user } }
    session: ${session}`,
    files: { user: sshd.text('user') },
    adapter: null,
    ...(more === undefined ? {} : { more }),
  });
}
