import type { SessionRef } from '../../../enforcement/operation.ts';
import type { ClassifiedResult } from './classified-results.ts';
import type { RpcRoutes } from './routes.ts';
import type { McpSessions } from './sessions.ts';

/** What connections of one resource share of JSON-RPC. */
export interface RpcParts {
  readonly routes: RpcRoutes;
  /** Members of results. */
  readonly classified: readonly ClassifiedResult[];
  /** Of each of our sessions. */
  readonly sessions: WeakMap<SessionRef, McpSessions>;
}
