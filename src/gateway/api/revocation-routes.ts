import { z } from 'zod';
import { type Ended, PATHS } from '../../api/contract.ts';
import type { RevocationItem, RevocationList } from '../../api/revocations.ts';
import type { AuditLog } from '../../audit/event.ts';
import { HoopError } from '../../core/errors.ts';
import { runIdsOf } from '../../core/ids/runs.ts';
import type { InstanceRegistry } from '../../identity/instances.ts';
import type { Principal } from '../../identity/principal.ts';
import type { RevokeTarget } from '../../identity/revoke-target.ts';
import type { Vocabulary } from '../../policy/vocabulary/index.ts';
import type { AuditScope } from '../../search/query.ts';
import type { Revocation } from '../../storage/revocations.ts';
import { actorOf } from '../actor.ts';
import {
  type Ask,
  demandAdministrator,
  demandUnattenuated,
  GATEWAY,
  mayBeyondOwn,
  scopeOf,
} from '../plane.ts';
import type { SessionRegistry } from '../sessions/registry.ts';
import type { Routes } from './app.ts';
import { readJson } from './body.ts';
import type { ApiContext } from './context.ts';

export interface RevocationRouteDeps {
  readonly instances: InstanceRegistry;
  readonly sessions: SessionRegistry;
  readonly audit: AuditLog;
  readonly vocabulary: Vocabulary;
  readonly ask: Ask;
}

const name = z.string().min(1).max(256).optional();
const KINDS = ['instance', 'login', 'run', 'agent', 'person', 'model'] as const;
const body = z
  .strictObject({
    instance: name,
    login: name,
    run: name,
    agent: name,
    person: name,
    model: name,
    modelVersion: name,
    reason: z.string().max(500).optional(),
  })
  .refine((target) => KINDS.filter((kind) => target[kind] !== undefined).length === 1)
  .refine((target) => target.modelVersion === undefined || target.model !== undefined);

/** Kill switches: persons whom policy permits `session.kill` on the gateway; for one's own instances and runs, everyone. */
export function revocationRoutes(deps: RevocationRouteDeps): Routes {
  return (app) => {
    app.get(PATHS.revocations, (context) => {
      demandAdministrator(context.var.principal, 'session.kill', GATEWAY, deps.ask);
      const revocations = deps.instances.revocations().map(itemOf);
      return context.json({ schemaVersion: 1, revocations } satisfies RevocationList);
    });
    app.post(PATHS.revocations, (context) => revoke(deps, context));
    app.delete(`${PATHS.revocations}/:id{rev_[0-9A-Z]{26}}`, async (context) => {
      const { principal } = context.var;
      demandAdministrator(principal, 'session.kill', GATEWAY, deps.ask);
      const id = context.req.param('id');
      await deps.audit.append({
        type: 'credential.revoked',
        actor: actorOf(principal, deps.vocabulary),
        reason: 'lifted',
        facts: { id },
      });
      if (!deps.instances.lift(id)) throw new HoopError('ERR_NO_ACCESS', 'there is no such revocation');
      return context.json({ schemaVersion: 1, sessions: 0 } satisfies Ended);
    });
  };
}

async function revoke(deps: RevocationRouteDeps, context: ApiContext): Promise<Response> {
  const { principal } = context.var;
  const parsed = body.safeParse(await readJson(context));
  if (!parsed.success)
    throw new HoopError('ERR_USAGE', 'the revocation is not valid JSON of the documented shape');
  const { reason, ...target } = parsed.data;
  const owner = demandMayRevoke(deps, principal, target);
  const kind = KINDS.find((one) => target[one] !== undefined)!;
  await deps.audit.append({
    type: 'credential.revoked',
    actor: actorOf(principal, deps.vocabulary),
    ...(reason === undefined ? {} : { reason }),
    facts: {
      kind,
      value: target[kind]!,
      ...(target.modelVersion ? { modelVersion: target.modelVersion } : {}),
      ...(owner === undefined ? {} : { scope: 'own' }),
    },
  });
  const instances = new Set(deps.instances.list().map((live) => live.instance));
  deps.instances.revoke({ ...target, owner });
  for (const live of deps.instances.list()) instances.delete(live.instance);
  const sessions = deps.sessions.list().filter(({ ref }) => instances.has(ref.principal.instance)).length;
  return context.json({ schemaVersion: 1, sessions } satisfies Ended);
}

/**
 * An instance belongs to whoever its login is of, as its sessions do: a person's agents' too, an agent's its own alone. So
 * does of a run what is theirs.
 *
 * @returns Whose run ends, where it is only one's own.
 * @throws {HoopError} `ERR_DENIED` not permitted; `ERR_NO_ACCESS` no such instance or run of one's own, and no right to others'.
 */
function demandMayRevoke(
  deps: RevocationRouteDeps,
  principal: Principal,
  { instance, run }: RevokeTarget,
): AuditScope | undefined {
  if (instance === undefined && run === undefined) {
    demandAdministrator(principal, 'session.kill', GATEWAY, deps.ask);
    return undefined;
  }
  if (run !== undefined && mayBeyondOwn(principal, 'session.kill', GATEWAY, deps.ask)) return undefined;
  const own = scopeOf(principal, false);
  if (deps.instances.list().some((one) => isOwn(one, own) && isMeant(one, instance, run))) {
    demandUnattenuated(principal, 'session.kill', GATEWAY, deps.vocabulary);
    return run === undefined ? undefined : own;
  }
  if (run === undefined && mayBeyondOwn(principal, 'session.kill', GATEWAY, deps.ask)) return undefined;
  throw new HoopError(
    'ERR_NO_ACCESS',
    `no such ${run === undefined ? 'instance' : 'run'}, or no access to it`,
    {
      hint: 'see: hoopctl session list --live',
    },
  );
}

function isMeant(one: Principal, instance: string | undefined, run: string | undefined): boolean {
  return run === undefined ? one.instance === instance : runIdsOf(one.attested, one.run).includes(run);
}

function isOwn(live: Principal, scope: AuditScope | undefined): boolean {
  const { issuer, subject, agent } = scope ?? {};
  const sameAgent = agent === undefined || (live.kind === 'agent' && live.name === agent);
  return live.issuer === issuer && live.subject === subject && sameAgent;
}

function itemOf({ id, kind, value, modelVersion, owner, at }: Revocation): RevocationItem {
  return {
    id,
    kind,
    value,
    ...(modelVersion === undefined ? {} : { modelVersion }),
    ...(owner === undefined ? {} : { owner }),
    at: new Date(at).toISOString(),
  };
}
