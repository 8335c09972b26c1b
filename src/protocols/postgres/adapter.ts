import type { Allowance } from '../../core/allowance.ts';
import { SlabPool, SlabSizes } from '../../core/bytes/slabs.ts';
import type { Clock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import { whenAborted } from '../../core/later.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Turns } from '../../core/turns.ts';
import type { DetectorSet } from '../../masking/detectors/index.ts';
import { resourceObject } from '../../policy/objects.ts';
import { SaltedKeyCache } from '../../wire/scram/index.ts';
import type { Adapter } from '../adapter.ts';
import { Definitions } from './catalog/definitions.ts';
import { SchemaTurns } from './catalog/schema-turns.ts';
import { CatalogService } from './catalog/service.ts';
import type { TargetLogin } from './credentials/lease.ts';
import { CancelRegistry } from './login/cancel.ts';
import { startupParameters } from './login/startup-parameters.ts';
import type { PostgresResource } from './resource.ts';
import { PostgresSession, type SessionParts } from './session.ts';
import { LookupBudgets } from './shown/lookups.ts';
import { RowRewriter } from './shown/rows.ts';
import { NEWEST_MAJOR, OLDEST_MAJOR } from './sql/parse/keywords.ts';
import type { SqlParser } from './sql/parse/parser.ts';
import { SideConnection } from './target/side-connection.ts';
import { connectUpstream, type Upstream } from './target/upstream.ts';
import { Trials } from './trial/trial.ts';

export interface PostgresDeps {
  /** Shared by all resources: one worker thread. Closed by whoever made it. */
  readonly parser: SqlParser;
  /** In force now: asked at the start of each session. */
  readonly detectors: () => { readonly set: DetectorSet; readonly tags: readonly string[] };
  readonly clock: Clock;
  /** Of the whole process. */
  readonly turns: Turns;
  readonly allowance: Allowance;
}

/** What the gateway asks itself must not depend on what users have made. */
const CATALOG_STARTUP = new Map([
  ['application_name', 'hoopd catalog'],
  ['search_path', 'pg_catalog'],
]);
const TRIAL_STARTUP = new Map([
  ['application_name', 'hoopd trial'],
  ['search_path', 'pg_catalog'],
]);
const ADMINISTRATION_STARTUP = new Map([
  ['application_name', 'hoopd credentials'],
  ['search_path', 'pg_catalog'],
  ['lock_timeout', '5s'],
]);
/** What one read of a target may bring: four times what Node would take, and not larger than a slab. */
const READ_BYTES = 256 * 1024;
/** Memory of what is on its way to clients, and how much of each size is kept: a write is done only a turn later. */
const SLABS = [
  { bytes: 8 * 1024, kept: 256 },
  { bytes: READ_BYTES, kept: 16 },
];

/**
 * Speaks PostgreSQL for one resource: ends the client's protocol, logs in at the target with the gateway's own
 * credential, and puts every statement before the enforcer.
 *
 * @see https://www.postgresql.org/docs/current/protocol.html
 */
export function createPostgresAdapter(resource: PostgresResource, deps: PostgresDeps): Adapter {
  const saltedKeys = new SaltedKeyCache();
  const readMemory = Buffer.allocUnsafeSlow(READ_BYTES);
  const connect = async (
    { user, password, settings }: TargetLogin,
    startup: ReadonlyMap<string, string>,
    signal?: AbortSignal,
  ): Promise<Upstream> => {
    const upstream = await connectUpstream({
      host: resource.target.host,
      port: resource.target.port,
      database: resource.target.database,
      user,
      password,
      tls: {
        mode: resource.target.tls,
        ...(resource.target.ca === undefined ? {} : { ca: resource.target.ca }),
      },
      startupParameters: { ...settings, ...startupParameters(startup, resource.searchPaths) },
      timeoutMs: LIMITS.targetConnectMs,
      saltedKeys,
      readMemory,
      ...(signal === undefined ? {} : { signal }),
    });
    assertKnownServer(upstream);
    return upstream;
  };
  const aside = async (login: TargetLogin, startup: ReadonlyMap<string, string>, signal?: AbortSignal) =>
    new SideConnection(await connect(login, startup, signal));
  const credentials = resource.credentials((login) => aside(login, ADMINISTRATION_STARTUP));
  /** Ends with its lease, and its lease with it. */
  const side = async (startup = CATALOG_STARTUP, signal?: AbortSignal) => {
    const lease = await credentials.own();
    try {
      const connection = await aside(lease, startup, signal);
      connection.onClose(() => lease.release());
      whenAborted(lease.ended, () => connection.close());
      return connection;
    } catch (error) {
      lease.release();
      throw error;
    }
  };
  const catalog = new CatalogService({
    connect: () => side(),
    resource: resourceObject(resource.name, 'postgres'),
    tags: resource.classification,
    clock: deps.clock,
  });
  const definitions = new Definitions(
    () => side(),
    () => catalog.invalidate('anything'),
  );
  const trials = new Trials({
    parser: deps.parser,
    catalog: () => catalog.current(),
    definitions: () => definitions.current(),
    connect: (signal) => side(TRIAL_STARTUP, signal),
    resource: resourceObject(resource.name, 'postgres'),
    detectors: deps.detectors,
    plainText: resource.plainText,
  });
  const parts: SessionParts = {
    parser: deps.parser,
    catalog,
    definitions,
    cancels: new CancelRegistry(),
    lookups: new LookupBudgets(deps.clock),
    schemaTurns: new SchemaTurns(),
    detectors: () => deps.detectors().set,
    searchPaths: resource.searchPaths,
    computesMasks: resource.computesMasks,
    plainText: resource.plainText,
    detectorTags: () => deps.detectors().tags,
    connect: async (startup, context) => {
      const lease = await credentials.lease(context);
      try {
        const upstream = await connect(lease, startup, context.signal);
        return { upstream, lease };
      } catch (error) {
        lease.release();
        throw error;
      }
    },
    rows: new RowRewriter(),
    slabs: new SlabSizes(SLABS.map(({ bytes, kept }) => new SlabPool(bytes, kept))),
    turns: deps.turns,
    allowance: deps.allowance,
  };
  return {
    protocol: 'postgres',
    serve: (stream, context) => new PostgresSession(stream, context, parts).serve(),
    formatted: async ({ original, text }) => {
      const shown = original === undefined ? text : original['statement'];
      return typeof shown === 'string' ? deps.parser.inLines(shown) : undefined;
    },
    tryOut: (trial, viewer, signal) => trials.run(trial, viewer, signal),
    close: async () => {
      catalog.close();
      definitions.close();
      await credentials.close();
    },
  };
}

function assertKnownServer(upstream: Upstream): void {
  const major = Math.floor(upstream.serverVersion / 10_000);
  if (major >= OLDEST_MAJOR && major <= NEWEST_MAJOR) return;
  upstream.socket.destroy();
  throw new HoopError(
    'ERR_UNSUPPORTED',
    `the target speaks PostgreSQL ${major}, which the gateway does not know`,
    {
      hint: `use a server of version ${OLDEST_MAJOR} to ${NEWEST_MAJOR}`,
    },
  );
}
