/** What an attack on streams into pods is tried in: a cluster that keeps every octet, hoopd before it, and both ways to reach it. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { head, type Message, readMessage } from '../../support/http/messages.ts';
import { RawCluster } from '../../support/kubernetes/raw-cluster.ts';
import { eventually } from '../../support/waiting.ts';
import { person } from '../../unit/policy/support.ts';
import { type AnyAttack, type AnyWorld, type Trials, trials } from '../trials.ts';

const ADA = { ...person('ada', ['sre']), subject: 'ada' };

/** One command, another that people are asked for, and two ports. */
const POLICY = `
@id("connect") permit (principal, action in [Action::"connect", Action::"reveal"], resource);
@id("pods") permit (principal, action in Action::"k8s.read", resource);
@id("one-command") permit (principal, action == Action::"k8s.exec", resource)
when { context.argv == ["0=ls", "1=-l"] && !context.stdin };
@id("cat") permit (principal, action == Action::"k8s.exec", resource) when { context.program == "cat" && !context.stdin };
@id("cat-is-asked-for") @approval("sre") forbid (principal, action == Action::"k8s.exec", resource)
when { context.program == "cat" } unless { context.approvals.contains("sre") };
@id("ports") permit (principal, action == Action::"k8s.port-forward", resource) when { [8080, 8443].containsAll(context.ports) };
`;

/** A client's end: what came back, octet for octet. */
export class StreamClient {
  readonly socket: Socket;
  octets = Buffer.alloc(0);

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket
      .on('error', () => undefined)
      .on('data', (chunk: Buffer) => {
        this.octets = Buffer.concat([this.octets, chunk]);
      });
  }

  get closed(): boolean {
    return this.socket.destroyed || this.socket.readableEnded;
  }

  /** @returns Undefined: it was closed without an answer. */
  async answer(): Promise<Message | undefined> {
    const read = () =>
      readMessage(this.octets, 0, { response: true, ended: this.closed, bodiless: /^HTTP\/1\.1 101/ });
    await eventually('it is answered', () => read() !== undefined || this.closed);
    return read();
  }
}

export class StreamWorld implements AnyWorld {
  readonly cluster: RawCluster;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #clients = new Set<StreamClient>();
  /** All that the cluster was sent since it was cleared. */
  heard: Buffer;
  /** What it answers a head with. */
  answers: (request: Message) => string | Buffer;

  private constructor(server: Server, sockets: Set<Socket>, cluster: RawCluster) {
    this.#server = server;
    this.#sockets = sockets;
    this.cluster = cluster;
    this.heard = Buffer.alloc(0);
    this.answers = () => head('HTTP/1.1 500 Internal Server Error', 'Content-Length: 0');
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(): Promise<StreamWorld> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const cluster = await RawCluster.start(port, POLICY, 'approvals: { wait: 10s }');
    return new StreamWorld(server, new Set(), cluster);
  }

  /** Ids of what people are asked for. */
  get pending(): readonly string[] {
    const all = this.cluster.running.gateway.approvals.list();
    return all.filter(({ state }) => state === 'pending').map(({ id }) => id);
  }

  /** Somebody who may says yes. */
  async approve(id: string): Promise<void> {
    await this.cluster.running.gateway.approvals.approve(id, ADA, ['sre']);
  }

  /** Past the gateway. */
  direct(octets: string): StreamClient {
    return this.#sent((this.#server.address() as AddressInfo).port, octets);
  }

  through(octets: string): StreamClient {
    return this.#sent(this.cluster.local.port, octets);
  }

  /** Nothing is left of what was before: of its streams no end is heard any more. */
  clear(): void {
    this.closeClients();
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    this.heard = Buffer.alloc(0);
  }

  closeClients(): void {
    for (const { socket } of this.#clients) socket.destroy();
    this.#clients.clear();
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #sent(port: number, octets: string): StreamClient {
    const client = new StreamClient(port);
    this.#clients.add(client);
    client.socket.write(octets);
    return client;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket.on('error', () => undefined));
    socket.on('close', () => this.#sockets.delete(socket));
    let unread = Buffer.alloc(0);
    let answered = false;
    socket.on('data', (chunk: Buffer) => {
      this.heard = Buffer.concat([this.heard, chunk]);
      if (answered) return;
      unread = Buffer.concat([unread, chunk]);
      const request = readMessage(unread, 0);
      if (request === undefined) return;
      answered = true;
      socket.write(this.answers(request));
    });
  }
}

export type StreamAttack = AnyAttack<StreamWorld>;

export function ofStreams([id, attacks]: readonly [id: string, attacks: readonly StreamAttack[]]): Trials {
  return trials(id, attacks, [{ name: 'cluster', live: () => true, start: () => StreamWorld.start() }]);
}
