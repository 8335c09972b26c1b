import type { Secret } from '../../../core/secret.ts';
import type { TargetCredentials } from './lease.ts';

/** The login that stands in the configuration, the same for every session. */
export function configuredCredentials(user: string, password: () => Secret): TargetCredentials {
  const login = () => ({ user, password: password(), settings: {} });
  return {
    own: async () => login(),
    lease: async () => ({ ...login(), release: () => undefined }),
    close: async () => undefined,
  };
}
