import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { EventInput } from '../../audit/event.ts';
import { HoopError, isHoopError, toHoopError } from '../../core/errors.ts';
import { rescued } from '../../core/later.ts';
import type { Principal } from '../../identity/principal.ts';
import { actorOf } from '../actor.ts';
import { refuseTunnel } from './answer.ts';
import { JoinableSessions } from './joinable-sessions.ts';
import { RefusalBudget } from './refusal-budget.ts';
import { LIST_HINT, RefusedSession } from './refused-session.ts';
import { addressOf, parseTunnelRequest, pathOf } from './request.ts';
import type { TunnelDeps } from './stream-request.ts';

/** Takes streams: identity, then policy, then evidence, then the protocol. */
export class Tunnels {
  readonly #deps: TunnelDeps;
  readonly #budget: RefusalBudget;
  readonly #sessions: JoinableSessions;
  #closed: HoopError | undefined;

  constructor(deps: TunnelDeps) {
    this.#deps = deps;
    this.#budget = new RefusalBudget(deps.clock);
    this.#sessions = new JoinableSessions(deps);
  }

  /** From now on every new stream is refused with this error. */
  refuseAll(reason: HoopError): void {
    this.#closed = reason;
  }

  /**
   * Serves one stream to its end, or refuses it with an HTTP answer. Never throws, never rejects: what goes wrong
   * here concerns this stream alone.
   *
   * @param head What arrived behind the request's head: the protocol's first octets.
   */
  async accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => undefined);
    let principal: Principal | undefined;
    try {
      if (this.#closed !== undefined) throw this.#closed;
      principal = await this.#deps.authenticate(request, socket);
      const tunnel = parseTunnelRequest(request);
      const resource = this.#deps.resources.find(tunnel.resource);
      if (resource === undefined) throw new HoopError('ERR_NO_ACCESS', undefined, { hint: LIST_HINT });
      if (this.#closed !== undefined) throw this.#closed;
      if (head.length > 0) socket.unshift(head);
      const address = addressOf(request);
      await this.#sessions.serve({ principal, resource, tunnel, socket, address });
    } catch (error) {
      await this.#refuse(request, socket, principal, error);
    }
  }

  async #refuse(request: IncomingMessage, socket: Duplex, principal: Principal | undefined, thrown: unknown) {
    const refused = thrown instanceof RefusedSession ? thrown : undefined;
    const error = refused?.error ?? toHoopError(thrown);
    await this.#record(request, principal, error, refused?.operation);
    refuseTunnel(socket, error, refused ?? {});
  }

  /** A refusal stands whether or not it could be recorded: nothing was forwarded. */
  async #record(
    request: IncomingMessage,
    principal: Principal | undefined,
    error: HoopError,
    operation: string | undefined,
  ) {
    const suppressed = principal === undefined ? this.#budget.spend() : 0;
    if (suppressed === undefined) return;
    const address = addressOf(request);
    this.#deps.log[error.code === 'ERR_INTERNAL' ? 'error' : 'info']('stream refused', {
      code: error.code,
      detail: error.detail,
      actor: principal?.name,
      address,
    });
    const event: EventInput = {
      type: 'session.refused',
      ...(principal === undefined ? {} : { actor: actorOf(principal, this.#deps.vocabulary) }),
      resource: pathOf(request).split('/').at(-1)!.slice(0, 64),
      reason: error.code,
      outcome: 'failure',
      // What was asked and decided stands in the operation's own event; of a stranger nothing was asked.
      ...(operation === undefined ? { actions: ['connect'], decision: 'deny' } : { operation }),
      facts: { address, ...(suppressed > 0 ? { suppressed } : {}) },
    };
    await rescued(
      () => this.#deps.audit.append(event),
      (failure) => {
        const code = isHoopError(failure) ? failure.code : 'ERR_INTERNAL';
        this.#deps.log.error('a refusal could not be recorded', { code });
      },
    );
  }
}
