/**
 * The one way of all tools to the gateway: opened when the first tool needs it, and anew when a login has ended.
 */
import type { ResourceItem } from '../../api/contract.ts';
import { type GatewayChoice, type OpenGateway, openGateway } from '../../client/gateway.ts';
import type { AheadAnswer, AheadQuestion } from '../../client/local/protocol.ts';
import { InstanceKey } from '../../client/login/dpop.ts';
import { Tunnel, type TunnelOptions } from '../../client/tunnel.ts';
import { systemClock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import { askedOver } from '../ahead.ts';
import { CLIENTS } from '../connect/clients/index.ts';

/**
 * One instance at the gateway for as long as the process lives, whatever happens to login and gateway: its key stays. So a yes
 * survives a new login of the same person's as far as the gateway lets it, and who ends the instance has ended this process's.
 */
export class GatewayDesk {
  readonly #choice: GatewayChoice;
  readonly #env: NodeJS.ProcessEnv;
  /** Of what was asked ahead here, by what was asked. */
  readonly asked = new Map<string, string>();
  #key: Promise<InstanceKey> | undefined;
  #opening: Promise<OpenGateway> | undefined;
  #open: OpenGateway | undefined;

  constructor(choice: GatewayChoice, env: NodeJS.ProcessEnv) {
    this.#choice = choice;
    this.#env = env;
  }

  /** @throws {HoopError} As `openGateway`; the next call tries again. */
  gateway(): Promise<OpenGateway> {
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** @throws {HoopError} `ERR_NO_ACCESS` none of that name for us; `ERR_USAGE` it speaks something else. */
  async resource(name: string, protocol: string): Promise<ResourceItem> {
    const { api } = await this.gateway();
    const [item] = await api.namedResources([name]);
    if (item?.protocol === protocol) return item;
    throw new HoopError('ERR_USAGE', `${name} speaks ${item?.protocol}, and this tool is for ${protocol}`, {
      hint: 'list_resources names the tools of each resource',
    });
  }

  /** A tunnel to a resource, as `hoopctl connect --stdio` has one: no port is opened for it. */
  async tunnel(resource: string): Promise<Tunnel> {
    const { client, credential, key } = await this.gateway();
    return new Tunnel(client, credential, key, { resource });
  }

  /** @throws {HoopError} As `askedOver`. */
  async ahead(
    options: TunnelOptions,
    question: AheadQuestion | undefined,
    signal: AbortSignal,
  ): Promise<AheadAnswer> {
    return askedOver(await this.gateway(), options, question, CLIENTS, signal);
  }

  close(): void {
    this.#open?.close();
  }

  async #connect(): Promise<OpenGateway> {
    this.#key ??= InstanceKey.create(systemClock);
    const key = await this.#key;
    const ended = (_error: HoopError, final: boolean) => {
      if (final) this.#forget();
    };
    this.#open = await openGateway({ ...this.#choice, key }, this.#env, ended);
    return this.#open;
  }

  /** A credential that is dead stays so: whoever comes next learns from a new one what is the matter now. */
  #forget(): void {
    this.close();
    this.#open = undefined;
    this.#opening = undefined;
  }
}
