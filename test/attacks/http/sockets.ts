/** What an attack on upgrades is tried in: a target that takes up WebSockets, hoopd before it, and both ways to reach it. */
import { RawHttp } from '../../support/http/raw-http.ts';
import { ASKS, type RawPeer, RawWebSocket, RawWebSocketTarget } from '../../support/http/raw-websocket.ts';
import { RunningGateway } from '../../support/running-gateway.ts';
import { eventually } from '../../support/waiting.ts';
import { must } from '../attack.ts';
import { disguiseOf } from '../leak.ts';
import { type AnyAttack, type AnyWorld, type Trials, trials } from '../trials.ts';
import { connected, keptIn, type LocalEnd, SSN } from './world.ts';

/** What the target is shown for a credential, which nobody else may see. */
export const SECRET = 'upstream-token-4711';

/** Agents listen to users and may say what is no order; nobody else's feed is theirs. */
const POLICY = `
@id("connect") permit (principal, action == Action::"connect", resource);
@id("read") permit (principal, action == Action::"http.get", resource is Endpoint) when { resource.path == "/users" };
@id("listen") permit (principal, action == Action::"http.connect", resource is Endpoint)
when { resource.path == "/users" || resource.path == "/rpc" || resource.path == "/feed" };
@id("no-orders") forbid (principal, action == Action::"http.connect", resource)
when { context.fields.contains("$..op=order") };
@id("show") permit (principal, action == Action::"reveal", resource);
@id("pii-is-masked") @mask("redact") forbid (principal, action == Action::"reveal", resource)
when { resource.tags.contains("pii.national-id") };
`;

export class SocketWorld implements AnyWorld {
  readonly target: RawWebSocketTarget;
  readonly #gateway: RunningGateway;
  readonly #local: LocalEnd;
  readonly #sockets = new Set<{ destroy(): void }>();

  private constructor(target: RawWebSocketTarget, gateway: RunningGateway, local: LocalEnd) {
    this.target = target;
    this.#gateway = gateway;
    this.#local = local;
  }

  static async start(): Promise<SocketWorld> {
    const target = await RawWebSocketTarget.start();
    const gateway = await RunningGateway.start({
      policy: POLICY,
      adapter: null,
      files: { token: SECRET },
      resources: `
  api:
    protocol: http
    target: { url: 'http://127.0.0.1:${target.port}', upgrades: [websocket] }
    credentials: { bearer: { file: token } }
    api: { fields: { 'GET /rpc': [$..op] } }
    classification: { fields: { 'GET /users': { '$..ssn': [pii.national-id] } } }`,
    });
    return new SocketWorld(target, gateway, await connected(gateway));
  }

  get authorization(): string {
    return `Authorization: Basic ${Buffer.from(`hoop:${this.#local.token}`).toString('base64')}`;
  }

  kept(): Promise<Buffer> {
    return keptIn(this.#gateway);
  }

  /** Asks for a WebSocket of the tunnel. */
  async through(path: string, lines: readonly string[] = ASKS, early?: Buffer): Promise<RawWebSocket> {
    const client = await RawWebSocket.open(this.#local.port, path, [this.authorization, ...lines], early);
    this.#sockets.add(client.socket);
    return client;
  }

  /** Asks where no gateway stands. */
  async direct(path: string): Promise<RawWebSocket> {
    const client = await RawWebSocket.open(this.target.port, path, ASKS);
    this.#sockets.add(client.socket);
    return client;
  }

  async raw(): Promise<RawHttp> {
    const client = await RawHttp.connect(this.#local.port);
    this.#sockets.add({ destroy: () => client.close() });
    return client;
  }

  /** Everything that the target was sent, over all its connections. */
  get heard(): string {
    return Buffer.concat(this.target.octets).toString('latin1');
  }

  closeClients(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    this.target.clear();
  }

  async stop(): Promise<void> {
    this.closeClients();
    this.#local.hoopctl.child.kill('SIGTERM');
    await this.#local.hoopctl.finished;
    await this.#gateway.remove();
    await this.target.stop();
  }
}

export type SocketAttack = AnyAttack<SocketWorld>;

export function ofSockets(id: string, attacks: readonly SocketAttack[]): Trials {
  const ground = { name: 'WebSocket', live: () => true, start: () => SocketWorld.start() };
  return trials<SocketWorld, SocketAttack>(id, attacks, [ground]);
}

/** The gateway serves others, and this target, as before. */
export async function servesOn(world: SocketWorld): Promise<void> {
  world.closeClients();
  const client = await world.through('/users');
  must(client.status === 101, `an honest WebSocket is not opened any more: ${client.answer?.start}`);
  client.text('are you there');
  await world.target.peer.hears(/^text are you there$/);
  world.target.peer.text('{"yes":true}');
  await client.hears(/^text \{"yes":true\}$/);
}

/** In which disguise a client was sent a secret: in octets, or in messages put together. */
function shownTo({ received, said, answer }: RawWebSocket, secret: string): string | undefined {
  const head = Buffer.from(JSON.stringify(answer?.headers ?? []));
  return [received, Buffer.from(said.join('\n'), 'latin1'), head]
    .map((octets) => disguiseOf(octets, secret))
    .find((one) => one !== undefined);
}

/** The target says a secret that must reach the client in no disguise, though it does where no gateway stands. */
export function leaksNothing(what: string, says: (peer: RawPeer) => void, secret = SSN): SocketAttack {
  return {
    case: what,
    run: async (world) => {
      const direct = await world.direct('/users');
      says(world.target.peer);
      await eventually('dead: it shows nothing itself', () => shownTo(direct, secret) !== undefined);
      const client = await world.through('/users');
      must(client.status === 101, `answered with ${client.answer?.start}`);
      const { peer } = world.target;
      says(peer);
      peer.text('{"end":"7c1d"}');
      await eventually('its end', () => client.closed || client.said.some((one) => one.includes('7c1d')));
      const found = shownTo(client, secret);
      must(found === undefined, `leaked, ${found}: ${client.said.join(' / ').slice(0, 500)}`);
      await servesOn(world);
    },
  };
}

/** The client says what policy denies, and the target never hears it, though it does where no gateway stands. */
export function saysNothing(what: string, says: (client: RawPeer) => void, never = /order/): SocketAttack {
  return {
    case: what,
    run: async (world) => {
      const heard = (one: RawPeer) =>
        never.test(one.said.join('\n')) || never.test(one.received.toString('latin1'));
      const direct = await world.direct('/rpc');
      says(direct);
      await eventually('dead: the target hears nothing itself', () => heard(world.target.peer));
      const client = await world.through('/rpc');
      const { peer } = world.target;
      says(client);
      await eventually('the socket is closed', () => client.closed);
      await eventually('the target is told', () => peer.closed);
      must(!heard(peer), `the target heard ${peer.said.join(' / ').slice(0, 500)}`);
      await servesOn(world);
    },
  };
}
