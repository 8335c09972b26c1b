import { join } from 'node:path';
import { openAuditLog } from '../audit/log.ts';
import { TextSeal } from '../audit/text-seal.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { HoopError, toHoopError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Principal } from '../identity/principal.ts';
import { PseudonymKey } from '../masking/pseudonyms.ts';
import { openRecordingStore } from '../recording/file-store.ts';
import { openAuditIndex } from '../search/audit-index.ts';
import { SqliteApprovalStore } from '../storage/approvals.ts';
import { composeApi } from './compose/api.ts';
import { GatewayIdentity } from './compose/identity.ts';
import { GatewayRules, prepareRules } from './compose/rules.ts';
import { composeVocabulary } from './compose/vocabulary.ts';
import type { LoadedConfig } from './config/load.ts';
import { type Gateway, RunningGateway } from './running.ts';
import { Frontdoor } from './server/frontdoor.ts';
import { SessionRegistry } from './sessions/registry.ts';
import { keepMemorySpare } from './spare-memory.ts';
import { openState } from './state/state.ts';
import { Tunnels } from './tunnel/tunnels.ts';
import { packageVersion } from './version.ts';

export interface GatewayDeps {
  readonly log: Log;
  /** Default the system's. */
  readonly clock?: Clock;
}

/**
 * Starts everything and resolves when streams are taken.
 *
 * @param loaded From `loadConfig`, with secrets.
 * @throws {HoopError} `ERR_CONFIG` state, keys, policies or the address cannot be used; `ERR_AUDIT_UNAVAILABLE`.
 *   Nothing is left open.
 */
export async function startGateway(loaded: LoadedConfig, deps: GatewayDeps): Promise<Gateway> {
  const closers: Closer[] = [];
  try {
    return await compose(loaded, deps, closers);
  } catch (error) {
    await closeAll(closers, deps.log);
    throw toHoopError(error);
  }
}

async function compose(loaded: LoadedConfig, deps: GatewayDeps, closers: Closer[]): Promise<Gateway> {
  const { config, materials, protocols } = loaded;
  const { log, clock = systemClock } = deps;
  const version = packageVersion();
  if (materials.sealKey === undefined) throw new HoopError('ERR_CONFIG', 'the seal key was not loaded');
  const vocabulary = composeVocabulary(protocols);
  const prepared = prepareRules(loaded, { vocabulary, clock, log });
  const door = await Frontdoor.open(config.listen, materials.tls, config.limits, log);
  closers.push(() => door.close());
  const state = await openState(config.state);
  closers.push(() => state.close());
  for (const file of state.wereOpen)
    log.warn('a file of state could be read by others, and no longer can', { file });
  const audit = await openAuditLog({
    dir: state.auditDir,
    instance: state.instance,
    durability: config.audit.durability,
    sealKey: materials.sealKey,
    signingKey: state.auditKey,
    clock,
    log,
  });
  closers.push(() => audit.close());
  const index = openAuditIndex({ dir: state.auditDir, file: join(state.indexDir, 'audit.db') });
  closers.push(() => index.close());
  const url = config.publicUrl ?? `https://localhost:${door.port}`;
  const mayReach = (principal: Principal, name: string) => rules.mayReach(principal, name);
  const identity = new GatewayIdentity(
    {
      publicUrl: url,
      tokenLifetimeMs: config.tokens.lifetime,
      state,
      vocabulary,
      clock,
      log,
      mayReach,
      resourceNames: () => rules.resources.list().map(({ name }) => name),
    },
    prepared.identity,
  );
  closers.push(() => identity.close());
  const sessions = new SessionRegistry();
  const rules: GatewayRules = new GatewayRules(
    {
      ...deps,
      vocabulary,
      audit,
      instance: state.instance,
      clock,
      credentials: identity.instances,
      ownSecret: state.ownSecret,
      approvals: new SqliteApprovalStore(state.database),
      seal: new TextSeal(materials.sealKey, materials.formerSealKeys),
      sessionLives: (id) => sessions.find(id) !== undefined,
    },
    prepared,
  );
  closers.push(() => rules.close());
  closers.push(keepMemorySpare());
  const recordings = openRecordingStore(config.recordings, clock);
  const tunnels = new Tunnels({
    resources: rules.resources,
    sessions,
    enforcer: rules.enforcer,
    pseudonyms: new PseudonymKey(materials.sealKey.key),
    credentials: identity.instances,
    recordings,
    audit,
    vocabulary,
    clock,
    log,
    sessionsPerInstance: config.limits.sessionsPerInstance,
    keep: (socket) => door.keep(socket),
    authenticate: (request, socket) => identity.authenticateStream(request, socket),
  });
  const { auditDir, instance } = state;
  const parts = {
    publicUrl: url,
    version,
    auditDir,
    audit,
    vocabulary,
    index,
    identity,
    rules,
    protocols,
    sessions,
    recordings,
    clock,
    log,
  };
  const policyVersion = rules.policyVersion();
  const facts = { version, publicUrl: url, resources: Object.keys(config.resources).length };
  await audit.append({ type: 'gateway.started', policyVersion, facts });
  door.serve(composeApi(parts), tunnels);
  log.info('serving', { url, port: door.port, instance, policyVersion });
  const release = () => closeAll(closers, log);
  return new RunningGateway({
    url,
    instance,
    loaded,
    vocabulary,
    clock,
    door,
    identity,
    rules,
    sessions,
    tunnels,
    audit,
    log,
    release,
  });
}

type Closer = () => unknown;

/** Last opened, first closed; one that fails keeps no other from closing. */
async function closeAll(closers: Closer[], log: Log): Promise<void> {
  for (const close of closers.splice(0).reverse()) {
    try {
      await close();
    } catch (error) {
      log.error('a part could not be closed', {
        error: error instanceof Error ? error.message : String(error),
      });
    }
  }
}
