/**
 * What hoopctl and hoopd say to each other over HTTPS. Types and names only: no logic, nothing to import.
 *
 * Every JSON answer has `schemaVersion: 1`; every error is `Problem` (RFC 9457) with one of our codes.
 */
import type { ErrorCode } from '../core/errors.ts';

export const PATHS = {
  discovery: '/.well-known/hoop-gateway',
  token: '/v1/token',
  revokeSelf: '/v1/logout',
  whoami: '/v1/whoami',
  resources: '/v1/resources',
  sessions: '/v1/sessions',
  revocations: '/v1/revocations',
  approvals: '/v1/approvals',
  auditEvents: '/v1/audit/events',
  auditChains: '/v1/audit/chains',
  policyReplay: '/v1/policy/replay',
  tunnel: '/v1/tunnels',
} as const;

export const TUNNEL_PROTOCOL = 'hoop-tunnel/1';

/** Of `TUNNEL_HEADERS.approval`: streams on which nothing runs, and what becomes of what is sent. */
export const AHEAD_WORDS = { asks: 'ask-only', explains: 'explain-only' } as const;
export type Ahead = keyof typeof AHEAD_WORDS;

/** Header names of a tunnel's opening request. */
export const TUNNEL_HEADERS = {
  /** `KIND VALUE`, see `LocalProof`; absent for an owner-only socket or standard input. */
  localProof: 'hoop-local-proof',
  /** The tunnel that the stream is part of: 128 random bits, base64url. Streams of one tunnel may share a session. */
  tunnel: 'hoop-tunnel',
  /** Why, in the caller's words, percent-encoded UTF-8, at most 1 KiB. */
  reason: 'hoop-reason',
  /**
   * `ask`: if an approval is needed it is asked for, and the refusal names the request. `ask-only`: so is it for what is
   * sent over the stream, of which nothing is run. `explain-only`: nothing is run, nobody is asked, and what policy would say of it
   * is told. The answer 101 says either word again, or the gateway does not know it.
   */
  approval: 'hoop-approval',
  /**
   * Beside `approval`: a string (RFC 9651) or token of 1 to 255 characters that the caller makes up. What is asked again under it
   * is the request that was made, whatever has become of it; something else under it is refused (422).
   *
   * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
   */
  idempotency: 'idempotency-key',
  /** Which of many places behind the resource is meant, by its name; absent where there is one. */
  place: 'hoop-place',
  /** Of the answer 101: the gateway session's id. */
  session: 'hoop-session',
} as const;

/**
 * What the gateway is shown of the tunnel's own secret, so that it can have whoever speaks at the local end prove the
 * secret; the proof does not tell it. Each protocol takes one kind.
 *
 * - `scram-sha-256`: a verifier as PostgreSQL stores it, `SCRAM-SHA-256$4096:SALT$STORED:SERVER`, base64 (RFC 5803).
 * - `bearer-sha256`: the SHA-256 of a token with 256 bits of chance, base64url.
 * - `ssh-key`: an Ed25519 key, as SSH writes one (RFC 8709 §4), base64; whoever speaks must sign with it.
 */
export const LOCAL_PROOF_KINDS = ['scram-sha-256', 'bearer-sha256', 'ssh-key'] as const;
export type LocalProofKind = (typeof LOCAL_PROOF_KINDS)[number];

export interface LocalProof {
  readonly kind: LocalProofKind;
  readonly value: string;
}

/** Private claim of a stream's DPoP proof: base64url of the TLS connection's exporter value (RFC 9266). */
export const EXPORTER_CLAIM = 'hoop_exp';
export const EXPORTER_LABEL = 'EXPORTER-Channel-Binding';
export const EXPORTER_BYTES = 32;

export const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const TOKEN_TYPES = {
  idToken: 'urn:ietf:params:oauth:token-type:id_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
  /** hoopd's own token, handed in again to renew where the issuer cannot. */
  accessToken: 'urn:ietf:params:oauth:token-type:access_token',
} as const;

export interface Discovery {
  readonly schemaVersion: 1;
  readonly gateway: string;
  readonly version: string;
  /** Device-grant clients, in the order of the configuration. */
  readonly issuers: readonly DiscoveryIssuer[];
  /** How machines get a token that this gateway takes; absent before version 0.2. */
  readonly machines?: readonly DiscoveryMachine[];
}

export interface DiscoveryMachine {
  readonly issuer: string;
  /** `aud` that a machine's token must have. */
  readonly audience: string;
  /** The vendor, as in `hoopd.yaml`: `github-actions`, `oidc`, … */
  readonly preset: string;
  /** Absent where machines have no client of their own. */
  readonly clientCredentials?: DiscoveryClientCredentials;
}

export interface DiscoveryClientCredentials {
  readonly scope?: string;
  /** The token request names the audience, by `resource` (RFC 8707) if it is a URI, and by `audience`. */
  readonly namesAudience?: boolean;
  /** `aud` of private_key_jwt; the issuer where absent. */
  readonly assertionAudience?: 'token-endpoint';
}

export interface DiscoveryIssuer {
  readonly issuer: string;
  readonly clientId: string;
  /** Only where the provider wants one of a public client; not a secret in the sense of RFC 8252 §8.5. */
  readonly clientSecret?: string;
  readonly scope: string;
}

/** Form fields of `POST /v1/token` (RFC 8693 §2.1); the proof is in the `DPoP` header. */
export interface TokenRequest {
  readonly grant_type: typeof TOKEN_EXCHANGE_GRANT;
  readonly subject_token: string;
  readonly subject_token_type: (typeof TOKEN_TYPES)[keyof typeof TOKEN_TYPES];
  /** Name in `agents:`; absent: as the person, or the one agent that the token matches. */
  readonly agent?: string;
  readonly model?: string;
  readonly model_version?: string;
  /** Seconds; shortens the deadline, never lengthens it. */
  readonly ttl?: string;
  /** Actions, groups of actions and resources, separated by commas: the instance may use only these. */
  readonly only?: string;
  /** The instance may only read. */
  readonly read_only?: 'true';
  /** The run that the instance is part of, as the caller names it; kept from the first request on. */
  readonly run?: string;
}

/** What an instance gave up of its rights. Absent where nothing was. */
export interface AttenuationItem {
  readonly readOnly: boolean;
  /** Resources and actions, groups folded; absent: all. `[]`: nothing is left. */
  readonly resources?: readonly string[];
  readonly actions?: readonly string[];
}

export interface TokenResponse {
  readonly access_token: string;
  readonly issued_token_type: typeof TOKEN_TYPES.accessToken;
  readonly token_type: 'DPoP';
  /** Seconds. */
  readonly expires_in: number;
  readonly instance: string;
  readonly login: string;
  /** RFC 3339: nothing outlives it. */
  readonly deadline: string;
}

export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail?: string;
  readonly hint?: string;
  readonly rule?: string;
  /** With `ERR_APPROVAL_REQUIRED`: the request that people decide (`apr_…`). */
  readonly approval?: string;
}

export interface WhoAmI {
  readonly schemaVersion: 1;
  readonly gateway: string;
  readonly kind: 'agent' | 'person';
  readonly name: string;
  readonly person?: string;
  readonly groups: readonly string[];
  readonly issuer: string;
  readonly instance: string;
  readonly login: string;
  readonly attested: Readonly<Record<string, string>>;
  readonly declared: Readonly<Record<string, string>>;
  readonly signedInAt: string;
  readonly deadline: string;
  readonly attenuation?: AttenuationItem;
}

export interface ResourceItem {
  readonly name: string;
  readonly protocol: string;
  readonly connect: ConnectFacts;
  /** What `connect` would answer now. */
  readonly access: 'allow' | 'hold';
  /** Whether anything would be masked: what is classified there, or what detectors find. */
  readonly masks: boolean;
  /** What may be done there, where it was asked for (`?may=true`). Absent before 0.2. */
  readonly may?: readonly MayItem[];
}

/** Actions of one answer, before it is known what exactly they would be done to. */
export interface MayItem {
  /** Sorted; a group in the place of all its actions. */
  readonly actions: readonly string[];
  /** `depends`: on the object, or on what is asked of it. */
  readonly effect: 'allow' | 'hold' | 'deny' | 'depends';
  /** Where it depends: what it may come to. */
  readonly among?: readonly ('allow' | 'hold' | 'deny')[];
  /** Where it is held, or may be: the names under which people say yes. */
  readonly approvals?: readonly string[];
}

/** What clients are told to connect with. Each protocol has facts of its own beside its name; none is a secret. */
export interface ConnectFacts {
  readonly protocol: string;
  readonly [fact: string]: string | number | boolean;
}

export interface ResourceList {
  readonly schemaVersion: 1;
  readonly resources: readonly ResourceItem[];
}

export interface SessionItem {
  readonly id: string;
  readonly resource: string;
  readonly protocol: string;
  readonly actor: string;
  readonly person?: string;
  readonly instance: string;
  readonly startedAt: string;
  /** Absent while live; `interrupted` if the gateway died under it. */
  readonly endedAt?: string;
  readonly endReason?: string;
  readonly operations: number;
  readonly denied: number;
  /** Of the instance, when the session started. */
  readonly attenuation?: AttenuationItem;
  /** Names of the run that it is part of: what the caller said, then what its issuer attests. Absent: none. */
  readonly runs?: readonly string[];
}

/** Query of `GET /v1/sessions`, newest first. */
export interface SessionQuery {
  /** What their ids begin with: `ses_…`. */
  readonly id?: string;
  /** `true`: only those that run now. */
  readonly live?: string;
  readonly agent?: string;
  /** Of this person, or of an agent on their behalf. */
  readonly person?: string;
  readonly resource?: string;
  readonly instance?: string;
  /** By any name of the run: declared, or attested. */
  readonly run?: string;
  /** 1 … 1000, default 1000. */
  readonly limit?: string;
  /** From the previous page's `next`. */
  readonly cursor?: string;
}

export interface SessionList {
  readonly schemaVersion: 1;
  readonly sessions: readonly SessionItem[];
  /** Absent on the last page. */
  readonly next?: string;
}

/** So many `GET /v1/sessions` tells at once. */
export const MOST_SESSIONS = 1000;

/** Query of `GET /v1/audit/events`; times RFC 3339, newest first. */
export interface AuditQuery {
  readonly q?: string;
  readonly agent?: string;
  readonly person?: string;
  readonly model?: string;
  readonly resource?: string;
  readonly session?: string;
  readonly instance?: string;
  /** By any name of the run: declared, or attested. */
  readonly run?: string;
  /** What belongs to a request for approval (`apr_…`): asked, looked at, decided, used, and what came of it. */
  readonly approval?: string;
  /** Any of an object's names: `public.orders`, `orders`. `table` is taken for the same. */
  readonly object?: string;
  readonly action?: string;
  readonly decision?: string;
  readonly outcome?: string;
  /** `approval.granted`, `approval.*`; several by commas: any of them. */
  readonly type?: string;
  readonly since?: string;
  readonly until?: string;
  /** 1 … 1000, default 100. */
  readonly limit?: string;
  /** From the previous page's `next`. */
  readonly cursor?: string;
}

/**
 * One event as it is stored, without what is sealed; what an earlier version stored has the present names. Named here
 * are the fields that every event has; the rest are those of `docs/audit.md`, each present only where it means something.
 */
export interface AuditEventItem {
  readonly schemaVersion: 2;
  readonly id: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** `GET /v1/audit/events`: newest first. */
export interface AuditPage {
  readonly schemaVersion: 1;
  readonly events: readonly AuditEventItem[];
  /** Hand it in as `cursor` for what is older; absent on the last page. */
  readonly next?: string;
  /** What each action in these events does with data. Absent: an earlier gateway. */
  readonly kinds?: Readonly<Record<string, ActionKind>>;
}

/** It reads, it changes, or what it does is told by its object and its text: a command, a transaction. */
export type ActionKind = 'read' | 'change' | 'other';

/** `GET /v1/audit/chains`; the chain itself is `GET /v1/audit/chains/{id}`, its octets as stored (NDJSON). */
export interface AuditChainList {
  readonly schemaVersion: 1;
  readonly chains: readonly AuditChainItem[];
}

export interface AuditChainItem {
  /** Safe in a URL. */
  readonly id: string;
  /** `instance/boot/worker`. */
  readonly chain: string;
  readonly segments: number;
  /** Octets. */
  readonly bytes: number;
}

/** Answer of `POST /v1/revocations`, `POST /v1/logout` and `DELETE /v1/sessions/{id}`. */
export interface Ended {
  readonly schemaVersion: 1;
  /** Live sessions told to end. */
  readonly sessions: number;
}
