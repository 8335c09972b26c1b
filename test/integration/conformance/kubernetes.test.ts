import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';
import { adapterConformance } from '../../conformance/adapter.ts';
import { Hearing } from '../../conformance/hearing.ts';
import { HttpClient } from '../../conformance/http-client.ts';
import type { AdapterTarget, Heard } from '../../conformance/trial.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"k8s"], resource);
@id("no") forbid (principal, action == Action::"k8s.delete", resource is KubernetesObject) when { resource.kind == "pods" };
@id("ask-first") @approval("boss") forbid (principal, action == Action::"k8s.create", resource)
unless { context.approvals.contains("boss") };
@id("show") permit (principal, action == Action::"reveal", resource);
@id("pii") @mask("redact") forbid (principal, action == Action::"reveal", resource is Detected) when { resource.tags.contains("pii") };
`;

const PODS = '/api/v1/namespaces/shop/pods';
const CUSTOMER = { kind: 'ConfigMap', data: { name: 'Ann', email: 'ann@example.com' } };

/** A server that counts what it hears, within TLS. */
class Counter implements AdapterTarget {
  readonly resource: string;
  readonly #server: Server;
  readonly #directory: string;
  readonly #hearing = new Hearing();

  private constructor(server: Server, directory: string) {
    this.#server = server;
    this.#directory = directory;
    const { port } = server.address() as AddressInfo;
    this.resource = `{ protocol: kubernetes, target: { url: 'https://127.0.0.1:${port}', caFile: ${directory}/ca.pem },
      credentials: { bearer: { file: password } } }`;
  }

  get heard(): Heard {
    return this.#hearing.heard;
  }

  static async start(): Promise<Counter> {
    const directory = mkdtempSync(join(tmpdir(), 'hoop-cluster-'));
    const { authority, server: own } = await makeLocalCertificates(['127.0.0.1'], Date.now());
    writeFileSync(join(directory, 'ca.pem'), authority);
    const server = createServer({ ...own, keepAliveTimeout: 0, ALPNProtocols: ['http/1.1'] }, (req, res) => {
      if (req.url === `${PODS}/slow`) return;
      req.resume().on('end', () => {
        const answer = req.url?.endsWith('/configmaps/customer') ? CUSTOMER : { kind: 'Pod' };
        res.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const counter = new Counter(server, directory);
    server.on('secureConnection', (socket) => counter.#hearing.of(socket));
    return counter;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

adapterConformance({
  protocol: 'kubernetes',
  session: 'tunnel',
  policy: POLICY,
  words: {
    verb: 'k8s.get',
    allowed: { say: `GET ${PODS}/tea`, answer: '200 {"kind":"Pod"}' },
    slow: `GET ${PODS}/slow`,
    denied: `DELETE ${PODS}/tea`,
    held: `POST ${PODS} {"tea":1}`,
    alike: `POST ${PODS} {"tea":2}`,
    unread: { say: 'GET /api/v1/watch/pods', rule: 'k8s-shape' },
    masked: {
      say: 'GET /api/v1/namespaces/shop/configmaps/customer',
      secret: CUSTOMER.data.email,
      shown: 'Ann',
    },
    malformed: Buffer.from('not a request at all\r\n\r\n'),
  },
  startTarget: () => Counter.start(),
  connect: async (stream) => new HttpClient(stream),
});
