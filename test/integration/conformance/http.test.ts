import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { adapterConformance } from '../../conformance/adapter.ts';
import type { AdapterClient, AdapterTarget, Answer, Heard } from '../../conformance/trial.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"http"], resource);
@id("no") forbid (principal, action == Action::"http.delete", resource);
@id("ask-first") @approval("boss") forbid (principal, action == Action::"http.post", resource)
unless { context.approvals.contains("boss") };
@id("show") permit (principal, action == Action::"reveal", resource);
@id("pii") @mask("redact") forbid (principal, action == Action::"reveal", resource is Field) when { resource.tags.contains("pii") };
`;

const CUSTOMER = { name: 'Ann', ssn: '123-45-6789' };

/** A server of Node's that counts what it hears. */
class Counter implements AdapterTarget {
  readonly resource: string;
  readonly #server: Server;
  heard: Heard = { connections: 0, octets: 0 };

  private constructor(server: Server) {
    this.#server = server;
    const { port } = server.address() as AddressInfo;
    this.resource = `{ protocol: http, target: { url: 'http://127.0.0.1:${port}' }, credentials: {},
      classification: { fields: { "GET /customers/*": { "$.ssn": [pii] } } } }`;
  }

  static async start(): Promise<Counter> {
    const server = createServer({ keepAliveTimeout: 0 }, (req, res) => {
      if (req.url === '/slow') return;
      req.resume().on('end', () => {
        if (req.url === '/tea') res.setHeader('content-type', 'text/plain').end('tea two cups');
        else res.setHeader('content-type', 'application/json').end(JSON.stringify(CUSTOMER));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const counter = new Counter(server);
    server.on('connection', (socket: Socket) => counter.#count(socket));
    return counter;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #count(socket: Socket): void {
    const connections = this.heard.connections + 1;
    this.heard = { connections, octets: 0 };
    // Node's server reads past listeners for octets: what its parser is given is seen here.
    socket.on('data', (chunk: Buffer) => {
      if (connections === this.heard.connections)
        this.heard = { connections, octets: this.heard.octets + chunk.length };
    });
  }
}

/** A client by hand: one request at a time, `GET /path` or `POST /path body`. */
class Client implements AdapterClient {
  readonly #socket: TLSSocket;
  readonly told: string[] = [];
  readonly ended: Promise<string>;
  #received = Buffer.alloc(0);
  #wake = () => {};
  #closed = false;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    let last = '';
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      last = this.#received.toString();
      this.#wake();
    });
    this.ended = new Promise((resolve) =>
      socket.on('close', () => {
        this.#closed = true;
        this.#wake();
        resolve(last);
      }),
    );
  }

  async ask(say: string): Promise<Answer> {
    const [method = '', path = '', ...words] = say.split(' ');
    const body = words.join(' ');
    const fields = ['host: localhost', 'prefer: hoop-approval', `content-length: ${body.length}`];
    const lines = method === 'POST' ? [...fields, 'content-type: application/json'] : fields.slice(0, 2);
    this.#socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
    const { status, text } = await this.#answer();
    return { refused: status >= 400, text: `${status} ${text}` };
  }

  async close(): Promise<void> {
    this.#socket.end();
    await this.ended;
  }

  async #answer(): Promise<{ status: number; text: string }> {
    const head = await this.#until(() => {
      const end = this.#received.indexOf('\r\n\r\n');
      return end === -1 ? undefined : this.#take(end + 4).toString('latin1');
    });
    const status = Number(head.split(' ')[1]);
    if (status < 200) {
      this.told.push(head);
      return this.#answer();
    }
    const length = /^content-length: (\d+)/im.exec(head)?.[1];
    return { status, text: await (length === undefined ? this.#chunks() : this.#octets(Number(length))) };
  }

  #octets(length: number): Promise<string> {
    return this.#until(() => (this.#received.length < length ? undefined : this.#take(length).toString()));
  }

  async #chunks(): Promise<string> {
    let text = '';
    for (;;) {
      const line = await this.#until(() => {
        const end = this.#received.indexOf('\r\n');
        return end === -1 ? undefined : this.#take(end + 2).toString();
      });
      const length = Number.parseInt(line, 16);
      text += (await this.#octets(length + 2)).slice(0, length);
      if (length === 0) return text;
    }
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  async #until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (this.#closed) throw new Error('the connection was closed');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

adapterConformance({
  protocol: 'http',
  session: 'tunnel',
  policy: POLICY,
  words: {
    verb: 'http.get',
    allowed: { say: 'GET /tea', answer: '200 tea two cups' },
    slow: 'GET /slow',
    denied: 'DELETE /tea',
    held: 'POST /orders {"tea":1}',
    alike: 'POST /orders {"tea":2}',
    unread: { say: 'GET /a//b', rule: 'path-ambiguous' },
    masked: { say: 'GET /customers/1', secret: CUSTOMER.ssn, shown: CUSTOMER.name },
    malformed: Buffer.from('not a request at all\r\n\r\n'),
  },
  startTarget: () => Counter.start(),
  connect: async (stream) => new Client(stream),
});
