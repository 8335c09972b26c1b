import type { TargetCredentials, TargetLogin } from './lease.ts';

/** The login that stands in the configuration, the same for every session. */
export function configuredCredentials(login: () => TargetLogin): TargetCredentials {
  return {
    own: async () => login(),
    lease: async () => ({ ...login(), release: () => undefined }),
    close: async () => undefined,
  };
}
