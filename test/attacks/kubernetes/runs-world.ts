/** What an attack on a command that runs is tried in: a cluster that speaks WebSocket by hand, hoopd before it, and a client. */
import { systemClock } from '../../../src/core/clock.ts';
import { openRecordingStore } from '../../../src/recording/file-store.ts';
import {
  ASKS,
  type RawPeer,
  RawWebSocket,
  RawWebSocketTarget,
  switching,
} from '../../support/http/raw-websocket.ts';
import { RawCluster } from '../../support/kubernetes/raw-cluster.ts';
import { eventually } from '../../support/waiting.ts';
import type { AnyAttack, AnyWorld, Trials } from '../trials.ts';
import { trials } from '../trials.ts';

/** What no client may be shown. */
export const MAIL = 'ann@example.com';
const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"k8s"], resource);
@id("see") permit (principal, action == Action::"reveal", resource) unless { resource.tags.contains("pii.email") };
`;

/** Both ends of one command. */
export interface Run {
  readonly client: RawWebSocket;
  readonly target: RawPeer;
}

export class RunWorld implements AnyWorld {
  readonly cluster: RawCluster;
  readonly #target: RawWebSocketTarget;
  readonly #clients = new Set<RawWebSocket>();

  private constructor(target: RawWebSocketTarget, cluster: RawCluster) {
    this.#target = target;
    this.cluster = cluster;
  }

  static async start(): Promise<RunWorld> {
    const target = await RawWebSocketTarget.start();
    return new RunWorld(target, await RawCluster.start(target.port, POLICY));
  }

  /** A command that is taken up. @param query Of its request. */
  async run(query: string, version: 4 | 5 = 5): Promise<Run> {
    const spoken = `Sec-WebSocket-Protocol: v${version}.channel.k8s.io`;
    this.#target.takes = (key) => switching(key, spoken);
    const lines = [`Authorization: ${this.cluster.local.authorization}`, ...ASKS, spoken];
    const path = `/api/v1/namespaces/shop/pods/box/exec?${query}&stdout=true`;
    const client = await RawWebSocket.open(this.cluster.local.port, path, lines);
    this.#clients.add(client);
    if (client.status !== 101) throw new Error(`dead: it is not taken up: ${client.answer?.start}`);
    return { client, target: this.#target.peer };
  }

  /** What the last session has on record, once there is enough of it. */
  async recorded(enough: (items: readonly Recorded[]) => boolean): Promise<readonly Recorded[]> {
    const { running } = this.cluster;
    const store = openRecordingStore(`${running.dir}/recordings`, systemClock);
    const { ref } = running.gateway.sessions.list().at(-1)!;
    const read = async () => {
      const items: Recorded[] = [];
      for await (const item of (await store.read(ref.id)) ?? [])
        items.push({ kind: item.kind, text: 'bytes' in item ? item.bytes.toString() : JSON.stringify(item) });
      return items;
    };
    return eventually('it is on record', read, enough);
  }

  closeClients(): void {
    for (const { socket } of this.#clients) socket.destroy();
    this.#clients.clear();
    this.#target.clear();
  }

  async stop(): Promise<void> {
    this.closeClients();
    await this.cluster.stop();
    await this.#target.stop();
  }
}

export interface Recorded {
  readonly kind: string;
  readonly text: string;
}

export type RunAttack = AnyAttack<RunWorld>;

export function ofRuns(id: string, attacks: readonly RunAttack[]): Trials {
  return trials(id, attacks, [{ name: 'cluster', live: () => true, start: () => RunWorld.start() }]);
}
