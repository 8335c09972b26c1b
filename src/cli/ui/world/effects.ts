/** Does what the state wants done, and tells what came of it. Nothing here is waited for by what is drawn. */
import type { OpenGateway } from '../../../client/gateway.ts';
import type { GatewayApi } from '../../../client/gateway-api.ts';
import { HoopError } from '../../../core/errors.ts';
import { type Invocation, textOption } from '../../command.ts';
import { logIn, whomText } from '../../login/run-login.ts';
import { raceInterrupt } from '../../with-gateway.ts';
import { HELD_S } from '../state/loads.ts';
import type { Effect, LoginCode, ScreenName, UiEvent } from '../state/model.ts';
import { failureOf } from './failures.ts';
import { Gateways } from './gateways.ts';
import { OpenTunnels } from './open-tunnels.ts';
import { playSession } from './play.ts';
import { qrModules } from './qr.ts';
import { readTranscript } from './transcripts.ts';

const PAGE = 200;
/** Longest text that terminals take by OSC 52, octets. */
const MAX_COPY_BYTES = 64 * 1024;

export interface World {
  readonly invocation: Invocation;
  tell(event: UiEvent): void;
  /** Columns of the window now. */
  columns(): number;
  /** The terminal is its caller's alone until `task` is done. */
  handOver(task: () => Promise<void>): Promise<void>;
}

export class Effects {
  readonly #world: World;
  readonly #tunnels: OpenTunnels;
  #gateways: Gateways | undefined;
  /** Those of an earlier login. */
  readonly #former: Gateways[] = [];
  #login: AbortController | undefined;
  #transcript: AbortController | undefined;
  #connects = 0;
  readonly #profile: string | undefined;

  constructor(world: World) {
    this.#world = world;
    this.#profile =
      textOption(world.invocation, 'profile') ?? (world.invocation.io.env['HOOPCTL_PROFILE'] || undefined);
    this.#tunnels = new OpenTunnels(world.invocation.io.env, (resource, tunnel) =>
      world.tell({ type: 'tunnel', resource, tunnel }),
    );
  }

  /** Ends tunnels and connections. */
  async close(): Promise<void> {
    this.#login?.abort();
    this.#transcript?.abort();
    await this.#tunnels.closeAll();
    for (const former of this.#former) former.close();
    this.#gateways?.close();
  }

  /** Begins what is to be done. Never throws. */
  start(effect: Exclude<Effect, { do: 'quit' | 'stop' }>): void {
    switch (effect.do) {
      case 'connect':
        return void this.#connect();
      case 'log-in':
        return void this.#logIn();
      case 'stop-log-in':
        return this.#login?.abort(new HoopError('ERR_NOT_LOGGED_IN', 'the login was stopped'));
      case 'copy':
        return this.#copy(effect.text);
      case 'close-tunnel':
        return void this.#tunnels.close(effect.resource);
      default:
        return void this.#atGateway(effect).catch((error: unknown) =>
          this.#world.tell({ type: 'notice', text: failureOf(error).failure.message, tone: 'bad' }),
        );
    }
  }

  async #connect(): Promise<void> {
    const { invocation, tell } = this.#world;
    const turn = ++this.#connects;
    const { signal } = invocation.io;
    try {
      const over = (error: HoopError, instance?: OpenGateway) => {
        if (instance !== undefined) void this.#tunnels.over(instance, error);
        if (turn === this.#connects) tell({ type: 'disconnected', ...failureOf(error, this.#profile) });
      };
      const gateways = await raceInterrupt(signal, Gateways.open(invocation, over));
      if (turn !== this.#connects) return gateways.close();
      // Tunnels are of the instance that opened them: they go on with it for as long as it lives.
      if (this.#gateways !== undefined) this.#former.push(this.#gateways);
      if (this.#tunnels.isEmpty) for (const former of this.#former.splice(0)) former.close();
      this.#gateways = gateways;
      tell({ type: 'connected', me: gateways.me });
    } catch (error) {
      if (turn === this.#connects && !signal.aborted)
        tell({ type: 'disconnected', ...failureOf(error, this.#profile) });
    }
  }

  async #logIn(): Promise<void> {
    const { invocation, tell } = this.#world;
    const stop = new AbortController();
    this.#login = stop;
    // What ends of the login before is no news, and does not take the code from the screen.
    this.#connects++;
    try {
      await logIn(invocation, {
        show: ({ verificationUri, verificationUriComplete, userCode, expiresAt }, profile) => {
          const uri = verificationUriComplete ?? verificationUri;
          const code = { uri, userCode, expiresAt, as: whomText(profile) };
          tell({ type: 'login', code });
          void this.#drawCode(code, stop.signal);
        },
        note: (text) => tell({ type: 'login', note: text }),
        signal: AbortSignal.any([stop.signal, invocation.io.signal]),
      });
      await this.#connect();
    } catch (error) {
      if (!invocation.io.signal.aborted)
        tell({ type: 'disconnected', ...failureOf(error, this.#profile), exit: 67 });
    }
  }

  /** Nobody waits for the QR code: what is to be typed is shown already. */
  async #drawCode(code: LoginCode, signal: AbortSignal): Promise<void> {
    // Without colours nobody knows which of the terminal's two is the light one.
    if (!this.#world.invocation.io.colour) return;
    const qr = await qrModules(code.uri).catch(() => undefined);
    if (qr !== undefined && !signal.aborted) this.#world.tell({ type: 'login', code: { ...code, qr } });
  }

  async #atGateway(effect: AtGateway): Promise<void> {
    const gateways = this.#gateways;
    if (gateways === undefined) return;
    const { api } = gateways.person;
    switch (effect.do) {
      case 'open-tunnel':
        return this.#tunnels.open(gateways.tunnels, effect.resource);
      case 'load-resources':
        return this.#load('resources', effect.asked, async () => ({
          items: await gateways.tunnels.api.resources(),
        }));
      case 'load-may':
        return this.#may(gateways.tunnels.api, effect.resource);
      case 'load-sessions':
        return this.#load('sessions', effect.asked, async () => ({
          items: (await api.sessions()).sessions,
        }));
      case 'load-feed':
        return this.#load('feed', effect.asked, async () => {
          const { events, next } = await api.auditEvents({ ...effect.query, limit: String(PAGE) });
          return { items: events, next, older: effect.older };
        });
      case 'load-approvals':
        return this.#load('approvals', effect.asked, async () => {
          const { cursor } = effect;
          const held = cursor === undefined ? {} : { wait: String(HELD_S), cursor };
          const { approvals, cursor: seen } = await api.approvals(held);
          return { items: approvals, cursor: seen };
        });
      case 'look':
        return this.#look(api, effect.id);
      case 'decide':
        return this.#decide(api, effect);
      case 'transcript':
        return this.#readTranscript(api, effect);
      case 'play':
        return this.#world.handOver(() => playSession(api, effect, this.#world.invocation.io));
    }
  }

  async #load(screen: ScreenName, asked: number, ask: () => Promise<object>): Promise<void> {
    const { tell } = this.#world;
    try {
      tell({ type: 'loaded', screen, asked, ...(await ask()) } as UiEvent);
    } catch (error) {
      tell({ type: 'not-loaded', screen, asked, ...failureOf(error, this.#profile) });
    }
  }

  async #may(api: GatewayApi, resource: string): Promise<void> {
    const { tell } = this.#world;
    try {
      tell({ type: 'may', resource, items: await api.may(resource) });
    } catch (error) {
      tell({ type: 'may', resource, failure: failureOf(error).failure });
    }
  }

  async #look(api: GatewayApi, id: string): Promise<void> {
    const { tell } = this.#world;
    try {
      tell({ type: 'looked', item: await api.approval(id) });
    } catch (error) {
      tell({ type: 'not-decided', id, failure: failureOf(error).failure });
    }
  }

  async #decide(
    api: GatewayApi,
    { id, word, binding, reason }: Extract<Effect, { do: 'decide' }>,
  ): Promise<void> {
    const { tell } = this.#world;
    try {
      const why = word === 'deny' && reason !== '' ? { reason } : {};
      tell({ type: 'decided', item: await api.decideApproval(id, word, { binding, ...why }), word });
    } catch (error) {
      tell({ type: 'not-decided', id, failure: failureOf(error).failure });
      // It may be settled meanwhile: then nothing is asked any more.
      await this.#look(api, id);
    }
  }

  async #readTranscript(
    api: GatewayApi,
    { id, follow }: { readonly id: string; readonly follow: boolean },
  ): Promise<void> {
    const { tell, columns, invocation } = this.#world;
    this.#transcript?.abort();
    const stop = new AbortController();
    this.#transcript = stop;
    try {
      const frames = api.recording(id, stop.signal, follow);
      await readTranscript(
        frames,
        { columns: Math.max(20, columns() - 2), live: follow, charset: invocation.io.charset },
        (part) => tell({ type: 'transcript', id, part }),
      );
    } catch (error) {
      if (stop.signal.aborted) return;
      const { failure } = failureOf(error);
      tell({ type: 'transcript', id, part: { status: 'failed', failure } });
    }
  }

  /** By OSC 52: the terminal at which somebody sits copies it, through ssh and tmux as well. */
  #copy(text: string): void {
    const octets = Buffer.from(text);
    if (octets.length > MAX_COPY_BYTES)
      return this.#world.tell({ type: 'notice', text: 'that is too long to be copied', tone: 'bad' });
    this.#world.invocation.io.streams.stdout.write(`\x1b]52;c;${octets.toString('base64')}\x07`);
  }
}

type AtGateway = Exclude<
  Effect,
  { do: 'quit' | 'stop' | 'connect' | 'log-in' | 'stop-log-in' | 'copy' | 'close-tunnel' }
>;
