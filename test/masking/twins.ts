import { type Major, startWorld, type World } from '../attacks/world.ts';
import type { PostgresServer } from '../support/postgres/server.ts';
import type { Tunnel } from '../support/stack.ts';

/** Everything is permitted but to see what is tagged. */
export const POLICY = `
@id("all") permit (principal, action, resource);
@id("hidden") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column) when { resource.tags.contains("pii") };
`;

export interface TwinOptions {
  readonly major: Major;
  /** For psql in the database `shop`; makes `twin`, `shop_bare` and `twin_bare` beside it. */
  readonly sql: string;
  readonly columns: Readonly<Record<string, readonly string[]>>;
  readonly fields?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** As of `StackOptions`. */
  readonly computed?: 'refuse' | 'mask';
}

/** Two databases that differ in what is secret alone, each with a tunnel and with the server itself. */
export class Twins {
  readonly world: World;
  readonly tunnels: readonly [Tunnel, Tunnel];

  constructor(world: World, tunnels: readonly [Tunnel, Tunnel]) {
    this.world = world;
    this.tunnels = tunnels;
  }

  /** Two of the same kind without a gateway. */
  get targets(): readonly [Tunnel, Tunnel] {
    const { target } = this.world;
    return [
      { ...target, database: 'shop_bare' },
      { ...target, database: 'twin_bare' },
    ];
  }

  async stop(): Promise<void> {
    await this.tunnels[1].close();
    await this.world.stop();
  }
}

/** Nothing that a server does by itself may come between: it analyses nothing, and no plan is split between processes. */
const SETTINGS = {
  autovacuum: 'off',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  statement_timeout: '5s',
};

export async function startTwins({
  major,
  sql,
  columns,
  fields = {},
  computed = 'refuse',
}: TwinOptions): Promise<Twins> {
  const world = await startWorld(major, {
    policy: POLICY,
    sql,
    columns,
    fields,
    computed,
    settings: SETTINGS,
    resources: (postgres) => twin(postgres, JSON.stringify({ columns, fields, computed })),
  });
  return new Twins(world, [world.tunnel, await world.stack.tunnelTo('pg-twin')]);
}

const twin = ({ host, port }: PostgresServer, classification: string) => `  pg-twin:
    protocol: postgres
    target: { host: ${host}, port: ${port}, database: twin, tls: disable }
    credentials: { user: hoop, password: { file: ./pg.password } }
    classification: ${classification}
`;
