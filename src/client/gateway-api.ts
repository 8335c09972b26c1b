/**
 * The gateway's API as a logged-in caller sees it: every request with token and proof.
 */
import type { IncomingMessage } from 'node:http';
import type { ApprovalDecision, ApprovalItem, ApprovalList, ApprovalTrial } from '../api/approvals.ts';
import {
  type AuditChainItem,
  type AuditChainList,
  type AuditEventItem,
  type AuditPage,
  type AuditQuery,
  type Ended,
  type MayItem,
  PATHS,
  type ResourceItem,
  type ResourceList,
  type SessionItem,
  type SessionList,
  type SessionQuery,
  type WhoAmI,
} from '../api/contract.ts';
import type { PolicyReplayItem, PolicyReplayRequest } from '../api/policy-replay.ts';
import type { ReplayFrame } from '../api/replay.ts';
import type { RevocationItem, RevocationList, RevocationRequest } from '../api/revocations.ts';
import { LineSplitter } from '../core/bytes/lines.ts';
import { nearest } from '../core/config/mistake.ts';
import { HoopError } from '../core/errors.ts';
import type { GatewayClient, GatewayRequest } from './gateway-client.ts';
import { timesOf, wholeId } from './item-ids.ts';
import { itemPath } from './item-path.ts';
import { type Credential, withFreshToken } from './login/credential.ts';
import type { InstanceKey } from './login/dpop.ts';
import { notAGateway } from './problem.ts';

/** Ids that are looked at, where only a beginning was given: two would do. */
const SOME = '6';

/** Longest line of a stream, octets: one row of a recording may hold large values. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

interface ApprovalQuery {
  readonly status?: string;
  /** Seconds, 1 … 60. */
  readonly wait?: string;
  /** Of the list that was seen last. */
  readonly cursor?: string;
}

export class GatewayApi {
  readonly #client: GatewayClient;
  readonly #credential: Credential;
  readonly #key: InstanceKey;

  constructor(client: GatewayClient, credential: Credential, key: InstanceKey) {
    this.#client = client;
    this.#credential = credential;
    this.#key = key;
  }

  whoami(): Promise<WhoAmI> {
    return this.#json({ method: 'GET', path: PATHS.whoami });
  }

  /**
   * @param withMay Each with what may be done there, which takes the gateway a moment.
   * @throws {HoopError} `ERR_UNSUPPORTED` a gateway before 0.2, which does not say how to connect.
   */
  async resources(withMay = false): Promise<readonly ResourceItem[]> {
    const path = withMay ? `${PATHS.resources}?may=true` : PATHS.resources;
    const { resources } = await this.#json<ResourceList>({ method: 'GET', path });
    if (resources.every(({ connect }) => typeof connect?.protocol === 'string')) return resources;
    throw new HoopError('ERR_UNSUPPORTED', 'the gateway is older than this hoopctl', {
      hint: 'upgrade hoopd to 0.2 or later, or take hoopctl 0.1',
    });
  }

  /**
   * What may be done at one resource. @returns Undefined: it is not there for us, or the gateway does not say.
   */
  async may(name: string): Promise<readonly MayItem[] | undefined> {
    const path = `${PATHS.resources}?${new URLSearchParams({ may: 'true', name })}`;
    const { resources } = await this.#json<ResourceList>({ method: 'GET', path });
    return resources.find((one) => one.name === name)?.may;
  }

  /**
   * The resources of these names, in this order.
   *
   * @throws {HoopError} `ERR_NO_ACCESS` there is none of a name, or none for us: the gateway does not say which.
   */
  async namedResources(names: readonly string[]): Promise<readonly ResourceItem[]> {
    const all = new Map((await this.resources()).map((item) => [item.name, item]));
    return names.map((name) => {
      const found = all.get(name);
      if (found !== undefined) return found;
      const meant = nearest(name, [...all.keys()], 1);
      const hint =
        meant === undefined
          ? 'see: hoopctl resource list'
          : `did you mean ${meant}? see: hoopctl resource list`;
      throw new HoopError('ERR_NO_ACCESS', `there is no resource "${name}", or no access to it`, {
        hint,
      });
    });
  }

  sessions(query: SessionQuery = {}): Promise<SessionList> {
    return this.#json({ method: 'GET', path: withQuery(PATHS.sessions, { ...query }) });
  }

  async session(id: string): Promise<SessionItem> {
    return this.#json({ method: 'GET', path: await this.#itemPath(PATHS.sessions, id) });
  }

  async killSession(id: string): Promise<Ended> {
    return this.#json({ method: 'DELETE', path: await this.#itemPath(PATHS.sessions, id) });
  }

  /** Ends all sessions of what is named, and keeps it out. */
  revoke(target: RevocationRequest): Promise<Ended> {
    return this.#json({ method: 'POST', path: PATHS.revocations, json: target });
  }

  async revocations(): Promise<readonly RevocationItem[]> {
    return (await this.#json<RevocationList>({ method: 'GET', path: PATHS.revocations })).revocations;
  }

  async liftRevocation(id: string): Promise<Ended> {
    return this.#json({ method: 'DELETE', path: await this.#itemPath(PATHS.revocations, id) });
  }

  /**
   * Frames as the gateway sends them, one at a time: a recording may be larger than memory.
   *
   * @param follow Where the session lives, what is still to come as well, until it ends.
   */
  async *recording(id: string, signal?: AbortSignal, follow = false): AsyncGenerator<ReplayFrame> {
    const session = await this.#itemPath(PATHS.sessions, id);
    const path = withQuery(`${session}/recording`, follow ? { follow: 'true' } : {});
    const request = { method: 'GET', path, ...(signal ? { signal } : {}) };
    for await (const line of this.#lines(request)) yield JSON.parse(line) as ReplayFrame;
  }

  approvals(query: ApprovalQuery = {}): Promise<ApprovalList> {
    return this.#json({ method: 'GET', path: withQuery(PATHS.approvals, { ...query }) });
  }

  /** @param wait Seconds until the answer comes at the latest, if the request is still pending: 1 … 60. */
  async approval(id: string, wait?: number): Promise<ApprovalItem> {
    const query = wait === undefined ? {} : { wait: `${wait}` };
    return this.#json({ method: 'GET', path: withQuery(await this.#itemPath(PATHS.approvals, id), query) });
  }

  /** @param id The whole one: who decides has seen the request. */
  decideApproval(id: string, word: 'approve' | 'deny', decision: ApprovalDecision): Promise<ApprovalItem> {
    return this.#json({ method: 'POST', path: `${itemPath(PATHS.approvals, id)}/${word}`, json: decision });
  }

  /** @param id The whole one. */
  tryApproval(id: string, binding: string): Promise<ApprovalTrial> {
    return this.#json({ method: 'POST', path: `${itemPath(PATHS.approvals, id)}/try`, json: { binding } });
  }

  async cancelApproval(id: string): Promise<ApprovalItem> {
    return this.#json({ method: 'POST', path: `${await this.#itemPath(PATHS.approvals, id)}/cancel` });
  }

  auditEvents(query: AuditQuery): Promise<AuditPage> {
    return this.#json({ method: 'GET', path: withQuery(PATHS.auditEvents, { ...query }) });
  }

  async auditEvent(id: string): Promise<AuditEventItem> {
    return this.#json({ method: 'GET', path: await this.#itemPath(PATHS.auditEvents, id) });
  }

  /** The ids that a query names by their beginnings, whole. @throws {HoopError} As `wholeId`. */
  async wholeIds(query: AuditQuery): Promise<AuditQuery> {
    const { session, approval } = query;
    return {
      ...query,
      ...(session === undefined ? {} : { session: await this.#wholeId(PATHS.sessions, session) }),
      ...(approval === undefined ? {} : { approval: await this.#wholeId(PATHS.approvals, approval) }),
    };
  }

  async auditChains(): Promise<readonly AuditChainItem[]> {
    return (await this.#json<AuditChainList>({ method: 'GET', path: PATHS.auditChains })).chains;
  }

  /** The octets of one chain as they are stored. */
  async auditChain(id: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const request = { method: 'GET', path: itemPath(PATHS.auditChains, id), accept: 'application/x-ndjson' };
    return this.#fetch({ ...request, ...(signal ? { signal } : {}) });
  }

  /** What other policies would have decided: progress, then the report, or the policies' mistakes. */
  async *policyReplay(request: PolicyReplayRequest, signal?: AbortSignal): AsyncGenerator<PolicyReplayItem> {
    const asked = { method: 'POST', path: PATHS.policyReplay, json: request, ...(signal ? { signal } : {}) };
    for await (const line of this.#lines(asked)) yield JSON.parse(line) as PolicyReplayItem;
  }

  /** Logs out: the login that this instance came from ends at the gateway, with all its instances and sessions. */
  revokeSelf(): Promise<Ended> {
    return this.#json({ method: 'POST', path: PATHS.revokeSelf });
  }

  async #itemPath(path: string, id: string): Promise<string> {
    return itemPath(path, await this.#wholeId(path, id));
  }

  #wholeId(path: string, id: string): Promise<string> {
    return wholeId(path, id, async (beginning) => {
      const items = await this.#beginning(path, beginning);
      return items.map((item) => item.id);
    });
  }

  /** Things of one kind whose ids may begin so. */
  async #beginning(path: string, id: string): Promise<readonly { readonly id: string }[]> {
    if (path === PATHS.sessions) return (await this.sessions({ id, limit: SOME })).sessions;
    if (path === PATHS.approvals) return (await this.approvals()).approvals;
    if (path === PATHS.revocations) return this.revocations();
    return this.#eventsBeginning(id);
  }

  /** An event is found by the moment that its id names. */
  async #eventsBeginning(id: string): Promise<readonly AuditEventItem[]> {
    const found: AuditEventItem[] = [];
    let cursor: { readonly cursor?: string } = {};
    do {
      const { events, next } = await this.auditEvents({ ...timesOf(id), ...cursor, limit: '1000' });
      found.push(...events.filter((event) => event.id.startsWith(id)));
      cursor = next === undefined || events.length === 0 ? {} : { cursor: next };
    } while (cursor.cursor !== undefined && found.length < Number(SOME));
    return found;
  }

  async *#lines(request: GatewayRequest): AsyncGenerator<string> {
    const answer = await this.#fetch({ ...request, accept: 'application/x-ndjson' });
    const type = String(answer.headers['content-type'] ?? '');
    if (!type.includes('json')) throw notAGateway(this.#client.origin.origin, type, answer.statusCode ?? 0);
    const splitter = new LineSplitter(MAX_LINE_BYTES);
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      for (const line of splitter.push(chunk)) if (line.length > 0) yield Buffer.from(line).toString('utf8');
      if (splitter.overflow) throw new HoopError('ERR_LIMIT', 'a line of the answer is too long');
    }
    const rest = Buffer.from(splitter.end()).toString('utf8').trim();
    if (rest !== '') yield rest;
  }

  #json<T>(request: GatewayRequest): Promise<T> {
    return withFreshToken(this.#credential, (token) =>
      this.#client.json<T>(request, (method, url, nonce) => this.#sign(token, method, url, nonce)),
    );
  }

  #fetch(request: GatewayRequest): Promise<IncomingMessage> {
    return withFreshToken(this.#credential, (token) =>
      this.#client.fetch(request, (method, url, nonce) => this.#sign(token, method, url, nonce)),
    );
  }

  async #sign(
    accessToken: string,
    method: string,
    url: URL,
    nonce: string | undefined,
  ): Promise<Record<string, string>> {
    const dpop = await this.#key.proof({
      method,
      url,
      accessToken,
      ...(nonce === undefined ? {} : { nonce }),
    });
    return { authorization: `DPoP ${accessToken}`, dpop };
  }
}

function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const entries = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return entries.length === 0 ? path : `${path}?${new URLSearchParams(entries)}`;
}
