import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createListener,
  type Server,
  type Socket,
} from 'node:net';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { adapterConformance } from '../../conformance/adapter.ts';
import type { AdapterClient, AdapterTarget, Answer, Heard } from '../../conformance/trial.ts';

const SECRET = '123-45-6789';
const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"http"], resource);
@id("no") forbid (principal, action == Action::"http.delete", resource);
@id("ask-first") @approval("boss") forbid (principal, action == Action::"http.put", resource)
unless { context.approvals.contains("boss") };
@id("show") permit (principal, action == Action::"reveal", resource);
@id("pii") @mask("redact") forbid (principal, action == Action::"reveal", resource is Field) when { resource.tags.contains("pii") };
`;

/** A server of Node behind a listener that counts what it is sent, over all its connections. */
class Target implements AdapterTarget {
  readonly resource: string;
  readonly #servers: readonly { close(): unknown }[];
  readonly #sockets = new Set<Socket>();
  #octets = 0;

  private constructor(port: number, servers: readonly { close(): unknown }[]) {
    this.resource = `{ protocol: http, target: { url: 'http://127.0.0.1:${port}' }, credentials: { bearer: { file: password } },
      classification: { fields: { "GET /customer": { $.ssn: [pii] } } } }`;
    this.#servers = servers;
  }

  static async start(): Promise<Target> {
    const server = createServer(answer);
    await listening(server);
    const { port } = server.address() as AddressInfo;
    const counter = createListener((socket) => target.#carry(socket, connect(port, '127.0.0.1')));
    await listening(counter);
    const target: Target = new Target((counter.address() as AddressInfo).port, [counter, server]);
    return target;
  }

  /** Connections are kept and shared: that there are several tells nothing. */
  get heard(): Heard {
    return { connections: 1, octets: this.#octets };
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #carry(from: Socket, to: Socket): void {
    from.on('data', (chunk: Buffer) => {
      this.#octets += chunk.length;
    });
    from.pipe(to).pipe(from);
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      this.#sockets.add(one.on('error', () => undefined));
      one.on('close', () => other.destroy());
    }
  }
}

async function listening(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

function answer(asked: IncomingMessage, response: ServerResponse): void {
  const { url } = asked;
  asked.resume();
  if (url === '/slow') return;
  if (url === '/customer') {
    const customer = JSON.stringify({ name: 'Ann', ssn: SECRET });
    return void response.writeHead(200, { 'content-type': 'application/json' }).end(customer);
  }
  asked.on('end', () => {
    response.writeHead(200, { 'content-type': 'text/plain' }).end(`${asked.method} ${url}`);
  });
}

/** Node's client, over the one stream. */
class Client implements AdapterClient {
  readonly #agent: Agent;
  readonly told: string[] = [];
  readonly ended: Promise<string>;
  readonly #socket: TLSSocket;
  #last = '';

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, maxTotalSockets: 1 });
    this.#agent.createConnection = () => socket;
    // What comes where nothing was asked is no answer to Node's client; it is told all the same.
    socket.on('data', (chunk: Buffer) => {
      this.#last = chunk.toString();
    });
    this.ended = new Promise((resolve) => socket.on('close', () => resolve(this.#last)));
  }

  ask(say: string): Promise<Answer> {
    const [method = '', path = '', body] = say.split(' ');
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const headers = {
      prefer: 'hoop-approval',
      ...(body === undefined ? {} : { 'content-length': body.length }),
    };
    const call = request({ agent: this.#agent, host: 'localhost', method, path, headers });
    call.on('error', reject);
    call.on('information', ({ headers: fields }) => this.told.push(JSON.stringify(fields)));
    call.on('response', async (response) => {
      const refused = (response.statusCode ?? 0) >= 400;
      text(response).then((all) => resolve({ refused, text: all }), reject);
    });
    call.end(body);
    return promise;
  }

  async close(): Promise<void> {
    this.#socket.end();
    await this.ended;
  }
}

adapterConformance({
  protocol: 'http',
  session: 'tunnel',
  policy: POLICY,
  words: {
    verb: 'http.get',
    allowed: { say: 'GET /tea', answer: 'GET /tea' },
    slow: 'GET /slow',
    denied: 'DELETE /tea',
    held: 'PUT /launch now',
    alike: 'PUT /launch never',
    unread: { say: 'GET /tea/../customer', rule: 'path-ambiguous' },
    masked: { say: 'GET /customer', secret: SECRET, shown: 'Ann' },
    malformed: Buffer.from('not a request at all\r\n\r\n'),
  },
  muteWhenIdle: true,
  startTarget: () => Target.start(),
  connect: async (stream) => new Client(stream),
});
