import type { Hono } from 'hono';
import type { ChainLog } from '../../audit/log.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Principal } from '../../identity/principal.ts';
import type { Vocabulary } from '../../policy/vocabulary/index.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import type { RecordingStore } from '../../recording/recorder.ts';
import type { AuditIndex } from '../../search/audit-index.ts';
import { createApp } from '../api/app.ts';
import { approvalRoutes } from '../api/approval-routes.ts';
import { auditRoutes } from '../api/audit-routes.ts';
import type { ApiEnv } from '../api/context.ts';
import { replayRoutes } from '../api/replay-routes.ts';
import { revocationRoutes } from '../api/revocation-routes.ts';
import { openRoutes, selfRoutes } from '../api/self-routes.ts';
import { sessionRoutes } from '../api/session-routes.ts';
import { tokenRoutes } from '../api/token-routes.ts';
import { ApprovalOffice } from '../approvals/office.ts';
import { ApprovalTrials } from '../approvals/trials.ts';
import { SignInAttempts } from '../pages/attempts.ts';
import { pageRoutes } from '../pages/routes.ts';
import { SignIn } from '../pages/sign-in.ts';
import { PAGES } from '../pages/views.ts';
import { WebSessions } from '../pages/web-sessions.ts';
import type { Ask } from '../plane.ts';
import { PolicyReplays } from '../replay/replays.ts';
import type { SessionRegistry } from '../sessions/registry.ts';
import { RefusalBudget } from '../tunnel/refusal-budget.ts';
import type { GatewayResource } from '../tunnel/resources.ts';
import type { GatewayIdentity } from './identity.ts';
import type { GatewayRules } from './rules.ts';

export interface ApiParts {
  readonly publicUrl: string;
  readonly version: string;
  readonly auditDir: string;
  readonly audit: ChainLog;
  readonly vocabulary: Vocabulary;
  readonly index: AuditIndex;
  readonly identity: GatewayIdentity;
  readonly rules: GatewayRules;
  readonly protocols: readonly Protocol[];
  readonly sessions: SessionRegistry;
  readonly recordings: RecordingStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** Puts the routes together over the real rooms. */
export function composeApi(parts: ApiParts): Hono<ApiEnv> {
  const { identity, rules, protocols, clock, log } = parts;
  const { instances, nonces } = identity;
  const ask: Ask = (principal, action, object) => rules.ask(principal, action, object);
  const self = {
    ...parts,
    instances,
    resources: rules.resources,
    issuers: () => identity.issuers,
    access: accessBy(rules),
    may: (principal: Principal, resource: GatewayResource) => rules.may(principal, resource),
  };
  const { desk, approvalChanges: changes } = rules;
  const office = new ApprovalOffice({
    ...parts,
    desk,
    ask,
    trials: new ApprovalTrials({ ...parts, adapter: (resource) => heldAdapter(rules, resource) }),
    viewer: (principal) => rules.viewer(principal),
    formatted: async (resource, asked) => rules.resources.find(resource)?.adapter.formatted?.(asked),
  });
  const replays = new PolicyReplays({
    index: parts.index,
    schema: parts.vocabulary.cedarSchema(),
    timeZone: () => rules.timeZone,
  });
  const budget = new RefusalBudget(clock);
  const exchange = () => identity.exchange;
  const token = { ...parts, nonces, budget, exchange };
  const signIn = new SignIn({
    redirectUri: parts.publicUrl + PAGES.signedIn,
    issuers: () => identity.issuers.forPages(),
    exchange,
    signedInMs: () => desk.terms.signedInMs,
    clock,
  });
  const pages = {
    ...parts,
    office,
    changes,
    budget,
    signIn,
    sessions: new WebSessions(instances),
    instances,
    attempts: new SignInAttempts(clock),
  };
  return createApp(
    {
      log,
      nonce: () => nonces.current(clock.now()),
      authenticate: (context) => identity.authenticateApi(context),
    },
    [openRoutes(self), tokenRoutes(token), pageRoutes(pages)],
    [
      selfRoutes(self),
      sessionRoutes({
        ...parts,
        ask,
        credentials: instances,
        recording: (session, following) => parts.recordings.read(session, following),
        replay: (protocol, items) => protocols.find((one) => one.name === protocol)?.replay(items),
      }),
      revocationRoutes({ ...parts, instances, ask }),
      approvalRoutes({ office, desk, changes, clock }),
      auditRoutes({ ...parts, ask }),
      replayRoutes({ ...parts, ask, replays }),
    ],
  );
}

function heldAdapter({ resources }: GatewayRules, name: string) {
  const resource = resources.find(name);
  return resource === undefined
    ? undefined
    : { adapter: resource.adapter, release: resources.hold(resource) };
}

function accessBy(rules: GatewayRules): Parameters<typeof selfRoutes>[0]['access'] {
  return (principal, resource) => {
    const { effect } = rules.connect(principal, resource);
    if (effect === 'deny') return undefined;
    return { access: effect, masks: rules.masks(principal, resource) };
  };
}
