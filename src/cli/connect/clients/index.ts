import type { ClientHalf, ClientHelp } from './half.ts';
import { HTTP_HELP } from './http-help.ts';
import { KUBERNETES_HELP } from './kubernetes-help.ts';
import { POSTGRES_HELP } from './postgres-help.ts';
import { SSH_HELP } from './ssh-help.ts';

/** A protocol that this hoopctl knows. Its half is loaded when a tunnel is opened, its help with every start. */
export interface KnownClients {
  /** As the gateway names it. */
  readonly protocol: string;
  readonly help: ClientHelp;
  load(): Promise<ClientHalf>;
}

/** What hoopctl speaks at the local end of a tunnel. */
export const CLIENTS: readonly KnownClients[] = [
  { protocol: 'postgres', help: POSTGRES_HELP, load: async () => (await import('./postgres.ts')).postgres },
  { protocol: 'http', help: HTTP_HELP, load: async () => (await import('./http.ts')).http },
  { protocol: 'ssh', help: SSH_HELP, load: async () => (await import('./ssh.ts')).ssh },
  {
    protocol: 'kubernetes',
    help: KUBERNETES_HELP,
    load: async () => (await import('./kubernetes.ts')).kubernetes,
  },
];
