import { localHttp } from '../http/index.ts';
import type { LocalProtocol } from '../protocol.ts';

/** Clients of Kubernetes at the local end of a tunnel: they show a token by TLS alone. */
export const localKubernetes: LocalProtocol = {
  ...localHttp,
  needsTls: true,
  defaultPort: 443,
  socketName: (port) => `kubernetes.${port}.sock`,
};
