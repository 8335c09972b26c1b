import {
  type Discovery,
  type Ended,
  type MayItem,
  PATHS,
  type ResourceItem,
  type ResourceList,
  type WhoAmI,
} from '../../api/contract.ts';
import type { AuditLog } from '../../audit/event.ts';
import type { InstanceRegistry } from '../../identity/instances.ts';
import type { IssuerRegistry } from '../../identity/issuers/issuer.ts';
import type { Principal } from '../../identity/principal.ts';
import type { Vocabulary } from '../../policy/vocabulary/index.ts';
import { actorOf, attenuationItem, saidOf } from '../actor.ts';
import type { SessionRegistry } from '../sessions/registry.ts';
import type { GatewayResource, ResourceTable } from '../tunnel/resources.ts';
import type { Routes } from './app.ts';

export interface SelfRouteDeps {
  readonly publicUrl: string;
  readonly version: string;
  readonly resources: ResourceTable;
  readonly instances: InstanceRegistry;
  readonly sessions: SessionRegistry;
  readonly audit: AuditLog;
  readonly vocabulary: Vocabulary;
  issuers(): IssuerRegistry;
  /** What `connect` would answer now, and whether anything would be masked; undefined: not reachable. */
  access(principal: Principal, resource: GatewayResource): Pick<ResourceItem, 'access' | 'masks'> | undefined;
  /** What may be done at a resource that is reachable. */
  may(principal: Principal, resource: GatewayResource): Promise<readonly MayItem[]>;
}

/** What anyone may ask: who this gateway is, and whether it lives. */
export function openRoutes(deps: SelfRouteDeps): Routes {
  return (app) => {
    app.get('/healthz', (context) => context.json({ status: 'ok' }));
    app.get(PATHS.discovery, async (context) =>
      context.json({
        schemaVersion: 1,
        gateway: deps.publicUrl,
        version: deps.version,
        issuers: await deps.issuers().discovery(),
        machines: deps.issuers().machines(),
      } satisfies Discovery),
    );
  };
}

/** What each principal may ask about itself. */
export function selfRoutes(deps: SelfRouteDeps): Routes {
  return (app) => {
    app.get(PATHS.whoami, (context) => context.json(whoAmI(deps, context.var.principal)));
    app.get(PATHS.resources, async (context) => {
      const { principal } = context.var;
      const asksMay = context.req.query('may') === 'true';
      const name = context.req.query('name');
      const resources: ResourceItem[] = [];
      for (const resource of deps.resources.list()) {
        if (name !== undefined && resource.name !== name) continue;
        const item = itemOf(deps, principal, resource);
        if (item === undefined) continue;
        resources.push(asksMay ? { ...item, may: await deps.may(principal, resource) } : item);
      }
      return context.json({ schemaVersion: 1, resources } satisfies ResourceList);
    });
    app.post(PATHS.revokeSelf, async (context) => {
      const { principal } = context.var;
      // One that gave up rights must not end its siblings: it ends itself.
      const kind = principal.attenuation === undefined ? 'login' : 'instance';
      const value = principal[kind];
      await deps.audit.append({
        type: 'credential.revoked',
        actor: actorOf(principal, deps.vocabulary),
        reason: 'logout',
        facts: { kind, value },
      });
      const sessions = deps.sessions.list().filter(({ ref }) => ref.principal[kind] === value).length;
      deps.instances.revoke({ [kind]: value });
      return context.json({ schemaVersion: 1, sessions } satisfies Ended);
    });
  };
}

function itemOf(
  deps: SelfRouteDeps,
  principal: Principal,
  resource: GatewayResource,
): ResourceItem | undefined {
  const access = deps.access(principal, resource);
  if (access === undefined) return undefined;
  const { name, protocol, facts } = resource;
  const connect = { protocol: protocol.name, ...facts.connect };
  return { name, protocol: protocol.name, connect, ...access };
}

function whoAmI({ publicUrl: gateway, vocabulary }: SelfRouteDeps, principal: Principal): WhoAmI {
  const { kind, name, groups, issuer, instance, login, attested, person, attenuation } = principal;
  return {
    schemaVersion: 1,
    gateway,
    kind,
    name,
    ...(person === undefined ? {} : { person: person.name }),
    groups,
    issuer,
    instance,
    login,
    attested,
    declared: saidOf(principal),
    signedInAt: new Date(principal.signedInAt).toISOString(),
    deadline: new Date(principal.deadline).toISOString(),
    ...(attenuation === undefined ? {} : { attenuation: attenuationItem(attenuation, vocabulary) }),
  };
}
