import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AuditLog } from '../../audit/event.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Enforcer } from '../../enforcement/operation.ts';
import type { CredentialCheck, Principal } from '../../identity/principal.ts';
import type { PseudonymKey } from '../../masking/pseudonyms.ts';
import type { Vocabulary } from '../../policy/vocabulary/index.ts';
import type { RecordingStore } from '../../recording/recorder.ts';
import type { SessionRegistry } from '../sessions/registry.ts';
import type { TunnelRequest } from './request.ts';
import type { GatewayResource, ResourceTable } from './resources.ts';

/** What serving streams needs of the gateway. */
export interface TunnelDeps {
  readonly resources: ResourceTable;
  readonly sessions: SessionRegistry;
  readonly enforcer: Enforcer;
  readonly pseudonyms: PseudonymKey;
  readonly credentials: CredentialCheck;
  readonly recordings: RecordingStore;
  readonly audit: AuditLog;
  readonly vocabulary: Vocabulary;
  readonly clock: Clock;
  readonly log: Log;
  readonly sessionsPerInstance: number;
  /** The connection has a session: it is not closed to make room for others. */
  keep(socket: Duplex): void;
  /** Verifies token and proof of one stream. */
  authenticate(request: IncomingMessage, socket: Duplex): Promise<Principal>;
}

/** One stream that wants to be, of a caller who is known, to a resource that there is. */
export interface StreamRequest {
  readonly principal: Principal;
  readonly resource: GatewayResource;
  readonly tunnel: TunnelRequest;
  readonly socket: Duplex;
  readonly address: string;
}
