import { checkLocalProof } from './local-proof.ts';
import { mayConnect, OpenSession } from './open-session.ts';
import type { StreamRequest, TunnelDeps } from './stream-request.ts';

/** How long a session without a stream waits for the tunnel's next, ms: tools open one for each thing they do. */
const LINGER_MS = 2000;

/** Gives each stream its session: one of its own, or the one that its tunnel has at the resource. */
export class JoinableSessions {
  readonly #deps: TunnelDeps;
  /** By instance, resource and tunnel: what another instance names joins nothing. */
  readonly #opening = new Map<string, Promise<OpenSession>>();

  constructor(deps: TunnelDeps) {
    this.#deps = deps;
  }

  /**
   * Serves a stream to its end, in a session that takes it.
   *
   * @throws {RefusedSession | HoopError} What `OpenSession.open` and `serve` throw; of streams that wait for one session
   *   all are told why there is none.
   */
  async serve(request: StreamRequest): Promise<void> {
    const key = keyOf(request);
    if (key === undefined) return this.#serveAlone(request);
    for (;;) {
      const opening = this.#opening.get(key);
      if (opening === undefined) break;
      const session = await opening;
      // One that may not connect any more joins nothing: it asks as the first stream did, and is refused on record.
      if (session.takes(request.resource) && session.admits()) {
        checkLocalProof(request.tunnel.localProof, request.resource.protocol.localProof);
        return session.serve(request);
      }
      if (this.#opening.get(key) === opening) this.#opening.delete(key);
    }
    if (mayConnect(this.#deps, request.principal, request.resource, {}) === 'deny')
      return this.#serveAlone(request);
    const session = await this.#open(key, request);
    return session.serve(request);
  }

  async #serveAlone(request: StreamRequest): Promise<void> {
    const session = await OpenSession.open(this.#deps, request, 0);
    return session.serve(request);
  }

  #open(key: string, request: StreamRequest): Promise<OpenSession> {
    const opening = OpenSession.open(this.#deps, request, LINGER_MS);
    this.#opening.set(key, opening);
    const forget = () => {
      if (this.#opening.get(key) === opening) this.#opening.delete(key);
    };
    opening.then((session) => session.over).then(forget, forget);
    return opening;
  }
}

/** Undefined: the stream is a session of its own. */
function keyOf({ principal, resource, tunnel }: StreamRequest): string | undefined {
  if (resource.protocol.session === 'connection' || tunnel.id === undefined || tunnel.ahead !== undefined)
    return undefined;
  return [principal.instance, resource.name, tunnel.id, tunnel.place ?? ''].join(' ');
}
