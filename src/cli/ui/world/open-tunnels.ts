import type { ApprovalItem } from '../../../api/approvals.ts';
import type { ResourceItem } from '../../../api/contract.ts';
import type { OpenGateway } from '../../../client/gateway.ts';
import { systemClock } from '../../../core/clock.ts';
import { HoopError, isHoopError } from '../../../core/errors.ts';
import { settled } from '../../approval/settled.ts';
import { CLIENTS } from '../../connect/clients/index.ts';
import { LocalEnds, openTunnel } from '../../connect/local-ends.ts';
import type { ConnectPlan } from '../../connect/plan.ts';
import { prepareEnds, withHalves } from '../../connect/prepare.ts';
import { TunnelFiles } from '../../connect/tunnel-files.ts';
import { makeTunnelTls } from '../../connect/tunnel-tls.ts';
import type { TunnelState } from '../state/model.ts';
import { failureOf } from './failures.ts';

type Tell = (resource: string, tunnel: TunnelState | undefined) => void;
type OpenState = Extract<TunnelState, { kind: 'open' }>;

/** How long a session may take to tell its client why it ends, ms. */
const LAST_WORDS_MS = 500;

/** The tunnels that were opened in the terminal UI, each with a local end and a secret of its own. They end with it. */
export class OpenTunnels {
  readonly #env: NodeJS.ProcessEnv;
  readonly #tell: Tell;
  readonly #tunnels = new Map<string, OneTunnel>();

  /** @param tell What becomes of each. */
  constructor(env: NodeJS.ProcessEnv, tell: Tell) {
    this.#env = env;
    this.#tell = tell;
  }

  /** Whether none is open, or on its way. */
  get isEmpty(): boolean {
    return this.#tunnels.size === 0;
  }

  /** Opens one on any free port; where it needs an approval it is asked for and waited for. Never throws. */
  async open(gateway: OpenGateway, resource: ResourceItem): Promise<void> {
    const { name } = resource;
    const tunnel = new OneTunnel(gateway, resource, this.#env);
    this.#tunnels.set(name, tunnel);
    const tell = (state: TunnelState) => {
      if (this.#tunnels.get(name) === tunnel) this.#tell(name, state);
    };
    try {
      await tunnel.open(tell);
    } catch (error) {
      tell({ kind: 'failed', failure: failureOf(error).failure });
      await tunnel.close();
    }
  }

  async close(resource: string): Promise<void> {
    const tunnel = this.#tunnels.get(resource);
    this.#tunnels.delete(resource);
    await tunnel?.close();
  }

  /** The instance that opened them may do nothing any more: they are told as failed, and end. */
  async over(gateway: OpenGateway, error: HoopError): Promise<void> {
    const its = [...this.#tunnels].filter(([, tunnel]) => tunnel.gateway === gateway);
    for (const [name] of its) this.#tell(name, { kind: 'failed', failure: failureOf(error).failure });
    await Promise.all(its.map(([name]) => this.close(name)));
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#tunnels.keys()].map((name) => this.close(name)));
  }
}

class OneTunnel {
  /** The instance that it is of. */
  readonly gateway: OpenGateway;
  readonly #resource: ResourceItem;
  readonly #env: NodeJS.ProcessEnv;
  readonly #plan: ConnectPlan;
  #ends: LocalEnds | undefined;
  #files: TunnelFiles | undefined;
  /** The request that is waited for. */
  #asked: string | undefined;
  #closed = false;

  constructor(gateway: OpenGateway, resource: ResourceItem, env: NodeJS.ProcessEnv) {
    this.gateway = gateway;
    this.#resource = resource;
    this.#env = env;
    this.#plan = {
      resources: [resource.name],
      local: { kind: 'port', port: 0 },
      bearer: false,
      tls: false,
      keep: false,
    };
  }

  async open(tell: (state: TunnelState) => void): Promise<void> {
    if (this.#resource.access === 'hold') await this.#approved(tell);
    if (this.#closed) return;
    const [known] = await withHalves([this.#resource], CLIENTS);
    const { facts } = this.gateway.credential;
    const files = new TunnelFiles();
    this.#files = files;
    const tls = known!.half.local.needsTls
      ? await makeTunnelTls(files, this.#env, systemClock.now(), facts.deadline)
      : undefined;
    let state: OpenState | undefined;
    const refused = (error: HoopError) => {
      if (state === undefined) return;
      state = { ...state, refused: failureOf(error).failure };
      tell(state);
    };
    this.#ends = new LocalEnds(this.gateway, this.#plan, refused, tls);
    const opened = await this.#ends.open(known!);
    const [prepared] = await prepareEnds([opened], files, { bearer: false, env: this.#env });
    if (this.#closed) return this.close();
    const { end, setup } = prepared!;
    const { address } = end;
    state = {
      kind: 'open',
      where: address.kind === 'port' ? `${address.host}:${address.port}` : address.path,
      url: setup.url(end),
      steps: setup.steps(end, true),
      deadline: new Date(facts.deadline).toISOString(),
    };
    tell(state);
  }

  /** Takes back what was asked and not decided, and ends every connection. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    const asked = this.#asked;
    this.#asked = undefined;
    // A yes that came later would be for nobody.
    if (asked !== undefined) await this.gateway.api.cancelApproval(asked).catch(() => undefined);
    await this.#ends?.close(LAST_WORDS_MS);
    this.#files?.dispose();
  }

  async #approved(tell: (state: TunnelState) => void): Promise<void> {
    const id = await this.#ask();
    if (id === undefined) return;
    this.#asked = id;
    const { api } = this.gateway;
    const asked = await api.approval(id);
    tell({ kind: 'waiting', approval: id, needs: asked.needs.map(({ name }) => name).join(' and ') });
    const item = await settled(api, id, Number.POSITIVE_INFINITY, systemClock);
    this.#asked = undefined;
    if (item.status !== 'approved' && !this.#closed) throw notApproved(item);
  }

  /** @returns The request; undefined: it is approved already. */
  async #ask(): Promise<string | undefined> {
    try {
      (await openTunnel(this.gateway, this.#plan, this.#resource.name, { asks: 'ask' }).open()).destroy();
      return undefined;
    } catch (error) {
      if (isHoopError(error) && error.approval !== undefined) return error.approval;
      throw error;
    }
  }
}

function notApproved({ status, endedBy, endReason }: ApprovalItem): HoopError {
  if (status === 'denied')
    return new HoopError('ERR_APPROVAL_DENIED', `${endedBy ?? 'an approver'} did not approve it`, {
      hint: endReason ?? 'no reason was given',
    });
  return new HoopError('ERR_APPROVAL_EXPIRED', `nobody approved it in time: it is ${status}`, {
    hint: 'it is not a no: o asks again',
  });
}
