import type { CanonicalRequest } from '../request/canonical.ts';
import { matchesRoute, parseRoute, type RoutePattern } from '../request/route-pattern.ts';
import type { Dialect } from './asked.ts';

/** As configured: routes that speak the Model Context Protocol, and others with the methods of JSON-RPC they have. */
export interface ConfiguredRpc {
  readonly mcp: readonly string[];
  readonly rpc: Readonly<Record<string, readonly string[]>>;
}

/** Which routes of one API speak JSON-RPC. */
export class RpcRoutes {
  readonly #routes: readonly { readonly pattern: RoutePattern; readonly dialect: Dialect }[];

  /** @param configured Checked: every route can be read. */
  constructor({ mcp, rpc }: ConfiguredRpc) {
    const routes: (readonly [string, Dialect])[] = [
      ...mcp.map((route) => [route, { methods: undefined }] as const),
      ...Object.entries(rpc).map(([route, methods]) => [route, { methods: new Set(methods) }] as const),
    ];
    this.#routes = routes.map(([route, dialect]) => ({ pattern: parseRoute(route)!, dialect }));
  }

  /** What a request's path speaks; undefined: it is no JSON-RPC. Of two that fit the first. */
  of({ method, segments }: CanonicalRequest): Dialect | undefined {
    return this.#routes.find(({ pattern }) => matchesRoute(pattern, method, segments))?.dialect;
  }
}
