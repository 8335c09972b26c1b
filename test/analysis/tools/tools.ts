import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { nodePackages, pythonPackages } from '../packages.ts';
import type { Server as Any } from '../servers.ts';

type Server = Pick<Any, 'postgres'>;

/** Whom the tools log in as, to a database of that name. */
export const TOOL = { user: 'tool', password: 'tool-secret', database: 'tools' } as const;

interface Tool {
  readonly name: string;
  run(server: Server): Promise<void>;
}

const COMMANDS = new URL('commands.psql', import.meta.url).pathname;
const INTROSPECT = new URL('introspect.py', import.meta.url).pathname;
const NODE_TOOLS = new URL('introspect.mjs', import.meta.url).pathname;
const JAVA = new URL('Introspect.java', import.meta.url).pathname;
const DRIVER = '/usr/share/java/postgresql.jar';
const TIMEOUT_MS = 240_000;
/** Each of them is a function of `introspect.py`. */
const PYTHON = ['sqlalchemy', 'sqlacodegen', 'alembic', 'django', 'peewee', 'pgcli', 'migra'];
const PACKAGES = [
  ...['sqlalchemy==2.1.9', 'psycopg2-binary==2.9.13', 'django==5.2.19', 'peewee==4.5.3', 'pgcli==4.7.1'],
  ...['sqlacodegen==4.0.4', 'alembic==1.20.1', 'migra==3.0.1663481299', 'setuptools==80.9.0'],
];

/** Each of them is a function of `introspect.mjs`. */
const NODE = ['kysely', 'typeorm', 'sequelize', 'knex', 'graphile', 'extract', 'prisma'];
const NODE_PACKAGES = [
  ...['kysely@0.29.9', 'typeorm@1.1.1', 'sequelize@6.37.8', 'knex@3.3.0', 'knex-schema-inspector@3.1.0'],
  ...[
    'pg-introspection@1.0.1',
    'extract-pg-schema@5.8.2',
    'pg@8.23.1',
    'pg-hstore@2.3.4',
    'reflect-metadata@0.2.2',
    '@prisma/schema-engine-wasm@8.1.0-2.59be4fda12412a79eeb9c2ae727b6aa723593323',
    '@prisma/adapter-pg@7.10.1',
    '@prisma/driver-adapter-utils@7.10.1',
  ],
];

/** Programs that people look at databases with, each run as its users run it. */
export const TOOLS: readonly Tool[] = [
  { name: 'psql', run: (server) => program(server, 'psql', ['-X', '-w', '-f', COMMANDS]) },
  { name: 'pg_dump', run: (server) => program(server, 'pg_dump', ['-w', '--create', '--inserts']) },
  {
    name: 'pg_dumpall',
    run: (server) => program(server, 'pg_dumpall', ['-w', '--globals-only', '--no-role-passwords']),
  },
  { name: 'jdbc', run: (server) => program(server, 'java', ['-cp', DRIVER, JAVA, ...jdbc(server)]) },
  ...PYTHON.map((name) => ({ name, run: (server: Server) => python(server, name) })),
  ...NODE.map((name) => ({ name, run: (server: Server) => node(server, name) })),
];

async function python(server: Server, name: string): Promise<void> {
  await program(server, 'python3', [INTROSPECT, pythonPackages('tools', PACKAGES), name]);
}

async function node(server: Server, name: string): Promise<void> {
  await program(server, process.execPath, [NODE_TOOLS, nodePackages('node-tools-2', NODE_PACKAGES), name]);
}

async function program({ postgres }: Server, file: string, args: readonly string[]): Promise<void> {
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    PGHOST: dirname(postgres.logFile),
    PGPORT: String(postgres.port),
    PGUSER: TOOL.user,
    PGDATABASE: TOOL.database,
  };
  await promisify(execFile)(file, args, { env, timeout: TIMEOUT_MS, maxBuffer: 1 << 28 });
}

function jdbc({ postgres }: Server): string[] {
  return [
    `jdbc:postgresql://127.0.0.1:${postgres.port}/${TOOL.database}?sslmode=require`,
    TOOL.user,
    TOOL.password,
  ];
}
