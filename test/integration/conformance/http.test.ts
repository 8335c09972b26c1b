import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { adapterConformance } from '../../conformance/adapter.ts';
import { Hearing } from '../../conformance/hearing.ts';
import { HttpClient } from '../../conformance/http-client.ts';
import type { AdapterTarget, Heard } from '../../conformance/trial.ts';

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
  readonly #hearing = new Hearing();

  private constructor(server: Server) {
    this.#server = server;
    const { port } = server.address() as AddressInfo;
    this.resource = `{ protocol: http, target: { url: 'http://127.0.0.1:${port}' }, credentials: {},
      classification: { fields: { "GET /customers/*": { "$.ssn": [pii] } } } }`;
  }

  get heard(): Heard {
    return this.#hearing.heard;
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
    server.on('connection', (socket) => counter.#hearing.of(socket));
    return counter;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
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
  connect: async (stream) => new HttpClient(stream),
});
