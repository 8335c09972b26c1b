import { SQL_VOCABULARY } from '../../policy/vocabulary/sql.ts';
import type { AdapterDeps, ConfiguredResource, Protocol, ReadDeps } from '../protocol.ts';
import { createPostgresAdapter } from './adapter.ts';
import { type PostgresConfig, postgresConfig } from './config.ts';
import { Administration } from './credentials/administration.ts';
import { configuredCredentials } from './credentials/configured.ts';
import { ExecCredentials } from './credentials/exec-credentials.ts';
import { RoleCredentials } from './credentials/role-credentials.ts';
import { type ConfiguredTags, classifiedColumns } from './entities.ts';
import { readNames } from './read-names.ts';
import { POSTGRES_REFUSALS } from './refusals.ts';
import { replayFrames } from './replay.ts';
import type { PostgresResource } from './resource.ts';
import { SqlParser } from './sql/parse/parser.ts';

const PASSWORD = ['credentials', 'password'];
const CA_FILE = ['target', 'caFile'];

/** PostgreSQL as the gateway sees it. What all its resources share are the threads that parse SQL. */
export const postgres: Protocol<PostgresConfig, SqlParser> = {
  name: 'postgres',
  vocabulary: SQL_VOCABULARY,
  refusals: POSTGRES_REFUSALS,
  session: 'connection',
  localProof: 'scram-sha-256',
  starter: {
    yaml: `  pg-prod:
    protocol: postgres
    target: { host: localhost, port: 5432, database: shop, tls: verify-full }   # replace
    credentials: { user: hoop, password: { file: ./pg-password } }              # replace: the file's content
    session: { max: 8h, idle: 30m }
    classification:
      columns:
        public.customers.email: [pii.email]
`,
    files: { 'pg-password': 'replace-me\n' },
  },
  config: postgresConfig,
  secrets: ({ credentials }) =>
    credentials.kind === 'exec' ? [] : [{ path: PASSWORD, ref: credentials.password }],
  authorities: ({ target: { caFile } }) => (caFile === undefined ? [] : [{ path: CA_FILE, file: caFile }]),
  check({ target, freeText, classification }, complain) {
    if (freeText.show === 'any' && freeText.functions.length > 0)
      complain(['freeText', 'functions'], 'stand beside show: any, under which all are', 'write show: plain');
    for (const [column, members] of Object.entries(classification.fields)) {
      const at = ['classification', 'fields', column];
      if (Object.keys(members).length === 0)
        complain(at, 'names no member', 'write {"$.email": [pii.email]}');
      if (Object.hasOwn(classification.columns, column))
        complain(at, 'is classified as a whole, too, by columns', 'remove one of the two');
    }
    if (target.caFile !== undefined && target.tls === 'disable')
      complain(CA_FILE, 'stands beside tls: disable', 'remove one of the two');
  },
  describe: ({ config, object }) => ({
    connect: { database: config.target.database, ...workingAs(config.credentials) },
    classified: classifiedColumns(object, tagsOf(config)),
  }),
  readNames: (resource, deps) => readNames(resourceOf(resource, readingCredentials(resource, deps)), deps),
  shared: ({ turns }) => new SqlParser({ turns }),
  create: (resource, parser, deps) =>
    createPostgresAdapter(resourceOf(resource, credentialsOf(resource, deps)), { parser, ...deps }),
  replay: replayFrames,
};

/** By column: its tags, or those of its members. */
function tagsOf({ classification: { columns, fields } }: PostgresConfig): PostgresResource['classification'] {
  return new Map<string, ConfiguredTags>([...Object.entries(columns), ...Object.entries(fields)]);
}

/** The role that a session finds itself in, if it is known before there is a session. */
function workingAs(credentials: PostgresConfig['credentials']): { readonly user?: string } {
  const user = credentials.kind === 'configured' ? credentials.user : credentials.role;
  return user === undefined ? {} : { user };
}

function resourceOf(
  resource: ConfiguredResource<PostgresConfig>,
  credentials: PostgresResource['credentials'],
): PostgresResource {
  const { target, session, classification, freeText } = resource.config;
  const { host, port, database, tls } = target;
  const ca = resource.authority(CA_FILE);
  return {
    name: resource.name,
    target: { host, port, database, tls, ...(ca === undefined ? {} : { ca }) },
    credentials,
    settable: { searchPaths: session.searchPaths, settings: session.settings },
    classification: tagsOf(resource.config),
    computesMasks: classification.computed === 'mask',
    ...(freeText.show === 'plain' ? { plainText: { functions: new Set(freeText.functions) } } : {}),
  };
}

function credentialsOf(
  resource: ConfiguredResource<PostgresConfig>,
  deps: AdapterDeps,
): PostgresResource['credentials'] {
  const { name, config, secret } = resource;
  const { credentials } = config;
  if (credentials.kind !== 'role') return readingCredentials(resource, deps);
  const { gateway, clock, log, audit } = deps;
  const login = () => ({ user: credentials.user, password: secret(PASSWORD), settings: {} });
  return (administer) =>
    new RoleCredentials({
      login,
      group: credentials.role,
      mark: { ...gateway, resource: name },
      making: new Administration(() => administer(login())),
      clearing: new Administration(() => administer(login())),
      clock,
      log: log.child({ resource: name }),
      audit,
    });
}

/** For connections of the gateway's own alone: where a role is made for each session, none is made, nor looked for. */
function readingCredentials(
  { name, config, secret }: ConfiguredResource<PostgresConfig>,
  { clock, log, audit }: ReadDeps,
): PostgresResource['credentials'] {
  const { credentials } = config;
  const at = { resource: name, environment: process.env, clock, log: log.child({ resource: name }), audit };
  if (credentials.kind === 'exec') return () => new ExecCredentials({ config: credentials, ...at });
  const settings: Readonly<Record<string, string>> =
    credentials.kind === 'role' ? { role: credentials.role } : {};
  return () =>
    configuredCredentials(() => ({ user: credentials.user, password: secret(PASSWORD), settings }));
}
