/** H29: a target that is not who it should be. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer as createPlain, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TlsOptions } from 'node:tls';
import { makeLocalCertificates } from '../../../../src/gateway/init/certificates.ts';
import { LocalEnd } from '../../../support/http/local-end.ts';
import { json } from '../../../support/http/messages.ts';
import { RawHttp, statusOf } from '../../../support/http/raw-http.ts';
import { RunningGateway } from '../../../support/running-gateway.ts';
import { ALLOW_ALL } from '../../../support/stack.ts';
import { must } from '../../attack.ts';
import type { AnyAttack, AnyWorld } from '../../trials.ts';
import { type Trials, trials } from '../../trials.ts';
import { get } from '../attack.ts';

const LONG_AGO = 20 * 365 * 86_400_000;

/** A target that answers whoever comes, and keeps what it was told. */
class Impostor {
  readonly server: Server;
  heard = Buffer.alloc(0);

  constructor(tls: TlsOptions | undefined) {
    this.server = tls === undefined ? createPlain() : createServer(tls);
    this.server.on(tls === undefined ? 'connection' : 'secureConnection', (socket) => {
      socket
        .on('error', () => undefined)
        .on('data', (chunk: Buffer) => {
          this.heard = Buffer.concat([this.heard, chunk]);
          if (tls === undefined || this.heard.includes('\r\n\r\n')) socket.end(json({ served: true }));
        });
    });
    this.server.on('tlsClientError', () => undefined);
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }
}

/** Each as the gateway meets it: its certificate, and the authority that the resource names. */
async function impostors(): Promise<
  Readonly<Record<string, { readonly tls: TlsOptions | undefined; readonly ca: string | undefined }>>
> {
  const make = async (names: readonly string[], now = Date.now()) => {
    const { authority, server } = await makeLocalCertificates([...names], now);
    return { ca: authority, tls: { cert: server.cert, key: server.key } as TlsOptions };
  };
  const right = await make(['127.0.0.1']);
  const other = await make(['127.0.0.1']);
  return {
    right,
    'wrong-name': await make(['api.example']),
    expired: await make(['127.0.0.1'], Date.now() - LONG_AGO),
    'other-authority': { tls: other.tls, ca: right.ca },
    'no-authority': { tls: right.tls, ca: undefined },
    'old-tls': { ca: right.ca, tls: { ...right.tls, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } },
    'no-tls': { ca: right.ca, tls: undefined },
  };
}

class TlsWorld implements AnyWorld {
  readonly #gateway: RunningGateway;
  readonly #targets: ReadonlyMap<string, Impostor>;
  readonly #directory: string;
  #ends: LocalEnd[] = [];
  #clients: RawHttp[] = [];

  private constructor(gateway: RunningGateway, targets: ReadonlyMap<string, Impostor>, directory: string) {
    this.#gateway = gateway;
    this.#targets = targets;
    this.#directory = directory;
  }

  static async start(): Promise<TlsWorld> {
    const directory = mkdtempSync(join(tmpdir(), 'hoop-impostors-'));
    const targets = new Map<string, Impostor>();
    const resources: string[] = [];
    for (const [name, { tls, ca }] of Object.entries(await impostors())) {
      const target = new Impostor(tls);
      targets.set(name, target);
      const caFile = join(directory, `${name}.pem`);
      if (ca !== undefined) writeFileSync(caFile, ca);
      const url = `url: 'https://127.0.0.1:${await target.listen()}'`;
      resources.push(`
  ${name}:
    protocol: http
    target: { ${ca === undefined ? url : `${url}, caFile: ${caFile}`} }
    credentials: { bearer: { file: password } }`);
    }
    const gateway = await RunningGateway.start({
      policy: ALLOW_ALL,
      adapter: null,
      resources: resources.join(''),
    });
    return new TlsWorld(gateway, targets, directory);
  }

  /** What is answered to a harmless request, and what the target was told. */
  async ask(resource: string): Promise<{ readonly status: number; readonly heard: Buffer }> {
    const end = await LocalEnd.open(await this.#gateway.machine(), resource);
    this.#ends.push(end);
    const client = await RawHttp.connect(end.port);
    this.#clients.push(client);
    const basic = Buffer.from(`hoop:${end.secret}`).toString('base64');
    client.send(get('/', `Authorization: Basic ${basic}`));
    const [answer] = await client.answered();
    const { heard } = this.#targets.get(resource)!;
    return { status: answer === undefined ? 0 : statusOf(answer), heard };
  }

  closeClients(): void {
    for (const client of this.#clients) client.close();
    for (const end of this.#ends) end.close();
    this.#clients = [];
    this.#ends = [];
  }

  async stop(): Promise<void> {
    this.closeClients();
    await this.#gateway.remove();
    for (const { server } of this.#targets.values()) server.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

const CASES: Readonly<Record<string, string>> = {
  'wrong-name': 'a certificate for another name',
  expired: 'a certificate that has expired',
  'other-authority': 'a certificate of another authority',
  'no-authority': 'a certificate of an authority that nobody named',
  'old-tls': 'TLS 1.1',
  'no-tls': 'no TLS',
};

const attacks = Object.entries(CASES).map(
  ([resource, what]): AnyAttack<TlsWorld> => ({
    case: what,
    run: async (world) => {
      const right = await world.ask('right');
      must(
        right.status === 200 && right.heard.includes('Bearer '),
        `dead: the right target answers ${right.status}`,
      );
      const { status, heard } = await world.ask(resource);
      must(status === 502, `answered with ${status}`);
      must(!heard.includes('HTTP/1.1') && !heard.includes('Bearer'), 'the target was sent a request');
    },
  }),
);

export const H29: Trials = trials<TlsWorld, AnyAttack<TlsWorld>>('H29', attacks, [
  { name: 'HTTP', live: () => true, start: () => TlsWorld.start() },
]);
