import type { LocalProof } from '../../api/contract.ts';
import type { OpenGateway } from '../../client/gateway.ts';
import { Listener, type ListenerOptions } from '../../client/listener.ts';
import { Tunnel, type TunnelOptions } from '../../client/tunnel.ts';
import { HoopError } from '../../core/errors.ts';
import type { HeldNotices } from './held-notices.ts';
import type { ConnectPlan } from './plan.ts';
import type { KnownResource, OpenEnd } from './prepare.ts';
import type { TunnelTls } from './tunnel-tls.ts';

/** The local ends of one `connect`: each resource has its own, with a secret of its own. */
export class LocalEnds {
  readonly #gateway: OpenGateway;
  readonly #plan: ConnectPlan;
  readonly #onRefused: (error: HoopError, resource: string) => void;
  readonly #tls: TunnelTls | undefined;
  readonly #held: HeldNotices | undefined;
  readonly #listeners: Listener[] = [];

  constructor(
    gateway: OpenGateway,
    plan: ConnectPlan,
    onRefused: (error: HoopError, resource: string) => void,
    tls: TunnelTls | undefined,
    held?: HeldNotices,
  ) {
    this.#gateway = gateway;
    this.#plan = plan;
    this.#onRefused = onRefused;
    this.#tls = tls;
    this.#held = held;
  }

  /** @throws {HoopError} As `Listener.onPort` and `onSocket`: what is open by then stays open until `close`. */
  async open({ resource, half }: KnownResource): Promise<OpenEnd> {
    const { local } = half;
    const tls = this.#plan.tls || local.needsTls === true ? this.#tls : undefined;
    const guard = this.#plan.local.kind === 'port' ? await local.guard() : undefined;
    const tunnel = openTunnel(this.#gateway, this.#plan, resource.name, proven(guard?.proof));
    const listener = await this.#listen(local.defaultPort, {
      protocol: local,
      ...(guard === undefined ? {} : { door: guard.door }),
      ...(tls === undefined ? {} : { tls: tls.local }),
      open: async (signal) => {
        const stream = await tunnel.open(signal);
        this.#held?.opened(resource.protocol, stream);
        return stream;
      },
      onRefused: (error) => this.#onRefused(error, resource.name),
    });
    this.#listeners.push(listener);
    return {
      half,
      end: {
        resource,
        place: this.#plan.place,
        address: listener.address,
        secret: guard?.secret,
        caFile: tls?.caFile,
      },
    };
  }

  /** @param graceMs As of `Listener.close`. */
  async close(graceMs: number): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close(graceMs)));
  }

  #listen(defaultPort: number, options: ListenerOptions): Promise<Listener> {
    const { local } = this.#plan;
    const index = this.#listeners.length;
    if (local.kind === 'port') return Listener.onPort(local.port === 0 ? 0 : local.port + index, options);
    if (local.kind === 'socket')
      return Listener.onSocket(local.directory, (local.port || defaultPort) + index, options);
    throw new HoopError('ERR_INTERNAL', undefined, { detail: 'standard input is no listener' });
  }
}

function proven(localProof: LocalProof | undefined): Pick<TunnelOptions, 'localProof'> {
  return localProof === undefined ? {} : { localProof };
}

/** @param more The proof of the local end's secret; whether an approval is asked for. */
export function openTunnel(
  gateway: OpenGateway,
  plan: ConnectPlan,
  resource: string,
  more: Pick<TunnelOptions, 'localProof' | 'asks'> = {},
): Tunnel {
  return new Tunnel(gateway.client, gateway.credential, gateway.key, {
    resource,
    ...more,
    ...(plan.reason === undefined ? {} : { reason: plan.reason }),
    ...(plan.place === undefined ? {} : { place: plan.place }),
  });
}
