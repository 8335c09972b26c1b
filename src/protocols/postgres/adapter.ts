import type { Allowance } from '../../core/allowance.ts';
import { SlabPool, SlabSizes } from '../../core/bytes/slabs.ts';
import type { Clock } from '../../core/clock.ts';
import type { Turns } from '../../core/turns.ts';
import type { DetectorSet } from '../../masking/detectors/index.ts';
import { resourceObject } from '../../policy/objects.ts';
import type { Adapter } from '../adapter.ts';
import type { TargetNames } from '../protocol.ts';
import { Definitions } from './catalog/definitions.ts';
import { SchemaTurns } from './catalog/schema-turns.ts';
import { CatalogService } from './catalog/service.ts';
import { CatalogNames } from './catalog/target-names.ts';
import { CATALOG_STARTUP, connectorTo, ownConnection, ownStartup, READ_BYTES } from './connector.ts';
import { CancelRegistry } from './login/cancel.ts';
import type { PostgresResource } from './resource.ts';
import { PostgresSession, type SessionParts } from './session.ts';
import { LookupBudgets } from './shown/lookups.ts';
import { RowRewriter } from './shown/rows.ts';
import type { SqlParser } from './sql/parse/parser.ts';
import { SideConnection } from './target/side-connection.ts';
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
  readonly learned: (names: TargetNames) => void;
}

const TRIAL_STARTUP = ownStartup('hoopd trial');
const ADMINISTRATION_STARTUP = new Map([...ownStartup('hoopd credentials'), ['lock_timeout', '5s']]);
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
  const connect = connectorTo(resource);
  const credentials = resource.credentials(
    async (login) => new SideConnection(await connect(login, ADMINISTRATION_STARTUP)),
  );
  const side = (startup = CATALOG_STARTUP, signal?: AbortSignal) =>
    ownConnection(credentials, (lease) => connect(lease, startup, signal));
  const catalog = new CatalogService({
    connect: () => side(),
    resource: resourceObject(resource.name, 'postgres'),
    tags: resource.classification,
    clock: deps.clock,
    learned: (known) => deps.learned(new CatalogNames(resource, known)),
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
    settable: resource.settable,
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
