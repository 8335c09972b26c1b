import { objectIn, type ProblemIn } from '../http/asking.ts';
import { bearerGuard, localHttp } from '../http/index.ts';
import type { LocalProtocol } from '../protocol.ts';

/** Clients of Kubernetes at the local end of a tunnel: they show a token by TLS alone. */
export const localKubernetes: LocalProtocol = {
  ...localHttp,
  needsTls: true,
  guard: () => bearerGuard('use the kubeconfig that hoopctl gives, with the token in it'),
  defaultPort: 443,
  socketName: (port) => `kubernetes.${port}.sock`,
};

/** A `Status` of the gateway's own has its word to machines under `hoop`. */
export const problemInStatus: ProblemIn = (_type, body) => {
  const { hoop } = (objectIn(body) ?? {}) as { readonly hoop?: unknown };
  return typeof hoop === 'object' && hoop !== null ? hoop : undefined;
};
