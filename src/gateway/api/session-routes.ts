import {
  type Ended,
  PATHS,
  type SessionItem,
  type SessionList,
  type SessionQuery,
} from '../../api/contract.ts';
import type { ReplayFrame } from '../../api/replay.ts';
import { STILL_LIVE } from '../../api/still-live.ts';
import type { AuditLog } from '../../audit/event.ts';
import { HoopError } from '../../core/errors.ts';
import { attenuated } from '../../enforcement/attenuated.ts';
import type { CredentialCheck, Principal } from '../../identity/principal.ts';
import { resourceObject } from '../../policy/objects.ts';
import type { Vocabulary } from '../../policy/vocabulary/index.ts';
import type { Following } from '../../recording/followed.ts';
import type { RecordedItem } from '../../recording/items.ts';
import type { AuditIndex } from '../../search/audit-index.ts';
import type { SessionPage, SessionPlace } from '../../search/sessions.ts';
import { actorOf } from '../actor.ts';
import { type Ask, demandUnattenuated, mayBeyondOwn, ownScope, recordingObject } from '../plane.ts';
import type { SessionRegistry } from '../sessions/registry.ts';
import { Watch, withBeats } from '../sessions/watch.ts';
import type { Routes } from './app.ts';
import { type ApiContext, connectionOf, queryOf } from './context.ts';
import { ndjson, streamed } from './stream.ts';

export interface SessionRouteDeps {
  readonly sessions: SessionRegistry;
  readonly index: AuditIndex;
  readonly audit: AuditLog;
  readonly vocabulary: Vocabulary;
  readonly ask: Ask;
  /** As `RecordingStore.read`. */
  recording(session: string, following?: Following): Promise<AsyncIterable<RecordedItem> | undefined>;
  readonly credentials: CredentialCheck;
  /** Turns them into what a person watches; undefined for a protocol that is no longer known. */
  replay(protocol: string, items: AsyncIterable<RecordedItem>): AsyncIterable<ReplayFrame> | undefined;
}

/** A constant's own text, not a template: routes are typed by it. */
const SESSION_PATH = '/v1/sessions/:id{ses_[0-9A-Z]{26}}';

/** Sessions, live and past: one's own always, others' by `session.list`, `session.kill` and `recording.view`. */
export function sessionRoutes(deps: SessionRouteDeps): Routes {
  return (app) => {
    app.get(PATHS.sessions, async (context) => {
      const { sessions, ...page } = await list(deps, context);
      const items = sessions.map((item) => counted(deps, item));
      return context.json({ schemaVersion: 1, sessions: items, ...page } satisfies SessionList);
    });
    app.get(SESSION_PATH, async (context) => {
      const { item } = await find(deps, context.var.principal, context.req.param('id'), 'session.list');
      return context.json(item);
    });
    app.delete(SESSION_PATH, async (context) => kill(deps, context, context.req.param('id')));
    app.get(`${SESSION_PATH}/recording`, async (context) => replay(deps, context, context.req.param('id')));
  };
}

const FILTERS = [
  'id',
  'live',
  'agent',
  'person',
  'resource',
  'instance',
  'run',
  'limit',
  'cursor',
] as const satisfies (keyof SessionQuery)[];

/** Policy is asked of each resource once, not of each session. */
async function list(deps: SessionRouteDeps, context: ApiContext): Promise<SessionPage> {
  const { principal } = context.var;
  const query = queryOf(context, FILTERS);
  const places = await deps.index.sessionPlaces();
  const objectAt = ({ resource, protocol }: SessionPlace) => resourceObject(resource, protocol);
  return deps.index.sessions(query, {
    own: ownScope(principal),
    ownAt: places.filter((place) => {
      const pair = { action: 'session.list', object: objectAt(place) };
      return attenuated(principal, pair, deps.vocabulary) === undefined;
    }),
    allAt: places.filter((place) => mayBeyondOwn(principal, 'session.list', objectAt(place), deps.ask)),
  });
}

/** The registry counts a live session to the moment; the index may be an operation behind. */
function counted({ sessions }: SessionRouteDeps, item: SessionItem): SessionItem {
  return sessions.find(item.id)?.toItem() ?? item;
}

/** @throws {HoopError} `ERR_DENIED` its own, and the instance gave that up; `ERR_NO_ACCESS` there is none, or none for this principal: the answer does not say which. */
async function find(
  deps: SessionRouteDeps,
  principal: Principal,
  id: string,
  action: 'session.list' | 'session.kill' | 'recording.view',
): Promise<{ item: SessionItem; own: boolean }> {
  const objectOf = (item: SessionItem) =>
    action === 'recording.view' ? recordingObject(item) : resourceObject(item.resource, item.protocol);
  const own = await deps.index.session(id, { own: ownScope(principal) });
  if (own !== undefined) {
    demandUnattenuated(principal, action, objectOf(own), deps.vocabulary);
    return { item: counted(deps, own), own: true };
  }
  const any = principal.kind === 'person' ? await deps.index.session(id) : undefined;
  if (any !== undefined && mayBeyondOwn(principal, action, objectOf(any), deps.ask))
    return { item: counted(deps, any), own: false };
  throw new HoopError('ERR_NO_ACCESS', 'no such session, or no access to it', {
    hint: 'see: hoopctl session list',
  });
}

async function kill(deps: SessionRouteDeps, context: ApiContext, id: string): Promise<Response> {
  const { principal } = context.var;
  const { item, own } = await find(deps, principal, id, 'session.kill');
  const live = deps.sessions.find(id);
  await deps.audit.append({
    type: 'session.killed',
    actor: actorOf(principal, deps.vocabulary),
    session: id,
    resource: item.resource,
    outcome: live === undefined ? 'failure' : 'success',
  });
  live?.end(
    new HoopError('ERR_SESSION_ENDED', `the session was ended by ${own ? 'its own user' : 'an operator'}`),
  );
  return context.json({ schemaVersion: 1, sessions: live === undefined ? 0 : 1 } satisfies Ended);
}

/** With `?follow=true` a session that lives is watched: what comes is sent as it is recorded, until the session ends. */
async function replay(deps: SessionRouteDeps, context: ApiContext, id: string): Promise<Response> {
  const { principal } = context.var;
  const { item, own } = await find(deps, principal, id, 'recording.view');
  const follows = context.req.query('follow') === 'true';
  const watch = follows ? watchOf(deps, context, item, own) : undefined;
  const items = unfinished(await deps.recording(id, watch), item);
  const frames = items === undefined ? undefined : deps.replay(item.protocol, items);
  if (frames === undefined) throw new HoopError('ERR_NO_ACCESS', 'the session has no recording');
  await deps.audit.append({
    type: 'recording.viewed',
    actor: actorOf(principal, deps.vocabulary),
    session: id,
    resource: item.resource,
    ...(follows ? { facts: { follow: true } } : {}),
  });
  const lines = watch === undefined ? ndjson(frames) : withBeats(ndjson(watch.frames(frames)));
  return streamed(lines, 'application/x-ndjson');
}

/** A session that lives has no end mark yet, and was not interrupted. */
function unfinished(
  items: AsyncIterable<RecordedItem> | undefined,
  { endedAt }: SessionItem,
): AsyncIterable<RecordedItem> | undefined {
  if (items === undefined || endedAt !== undefined) return items;
  return (async function* () {
    for await (const item of items)
      yield item.kind === 'end' && !item.complete ? { ...item, reason: STILL_LIVE } : item;
  })();
}

/** Whoever watches must be let to at every moment, as policy and their own standing are then. */
function watchOf(deps: SessionRouteDeps, context: ApiContext, item: SessionItem, own: boolean): Watch {
  const { principal } = context.var;
  const { credentials, sessions } = deps;
  const object = recordingObject(item);
  return new Watch({
    isLive: () => sessions.find(item.id) !== undefined,
    demand: () => {
      credentials.assertLive(principal);
      const now = credentials.current(principal);
      if (own) demandUnattenuated(now, 'recording.view', object, deps.vocabulary);
      else if (!mayBeyondOwn(now, 'recording.view', object, deps.ask))
        throw new HoopError('ERR_NO_ACCESS', 'you may not view this recording any more');
    },
    gone: connectionOf(context),
  });
}
