import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import pg from 'pg';
import { REFUSED_QUERY } from '../../../src/protocols/postgres/relay/stand-in.ts';
import { adapterConformance } from '../../conformance/adapter.ts';
import type { AdapterClient, AdapterHarness, AdapterTarget, Answer, Heard } from '../../conformance/trial.ts';
import { sync, terminate } from '../../support/postgres/raw-client.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres/server.ts';

const SQL = `
CREATE ROLE hoop LOGIN PASSWORD 'hunter2';
CREATE TABLE customers (id int PRIMARY KEY, name text, ssn text);
INSERT INTO customers VALUES (1, 'Ann', '123-45-6789');
GRANT SELECT, INSERT, DELETE ON customers TO hoop;
`;

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"sql"], resource);
@id("no") forbid (principal, action == Action::"sql.delete", resource);
@id("ask-first") @approval("boss") forbid (principal, action == Action::"sql.insert", resource)
unless { context.approvals.contains("boss") };
@id("show") permit (principal, action == Action::"reveal", resource);
@id("pii") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column) when { resource.tags.contains("pii") };
`;

const postgres: AdapterHarness = {
  protocol: 'postgres',
  session: 'connection',
  policy: POLICY,
  words: {
    verb: 'sql.select',
    allowed: { say: 'select name from customers', answer: 'Ann' },
    slow: 'select pg_sleep(60), name from customers',
    denied: 'delete from customers',
    held: "insert into customers select max(id) + 1, 'Bob', 'x' from customers",
    alike: "insert into customers select max(id) + 1, 'Eve', 'x' from customers",
    unread: { say: "select 'zebra", rule: 'syntax-error' },
    masked: { say: 'select name, ssn from customers', secret: '123-45-6789', shown: 'Ann' },
    malformed: Buffer.from('not a message at all'),
  },
  startTarget: async () => {
    const server = await startPostgres({
      database: 'shop',
      sql: SQL,
      hba: ['host all hoop 127.0.0.1/32 scram-sha-256'],
    });
    return Counter.before(server);
  },
  connect: (stream) => Client.over(stream),
};

/** PostgreSQL behind a listener that counts. */
class Counter implements AdapterTarget {
  readonly resource: string;
  readonly #stop: () => Promise<void>;
  #connections = 0;
  #newest = '';

  private constructor(port: number, stop: () => Promise<void>) {
    this.resource = `{ protocol: postgres,
      target: { host: 127.0.0.1, port: ${port}, database: shop, tls: disable },
      credentials: { user: hoop, password: { file: password } },
      classification: { columns: { public.customers.ssn: [pii] } } }`;
    this.#stop = stop;
  }

  static async before(server: PostgresServer): Promise<Counter> {
    const listener = createServer((socket) => counter.#carry(socket, connect(server.port, server.host)));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const counter: Counter = new Counter((listener.address() as AddressInfo).port, async () => {
      listener.close();
      await server.stop();
    });
    return counter;
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  /** What hoopd says of its own is left out: in the place of a denied message, for the path, and its goodbye. */
  get heard(): Heard {
    const asked = this.#newest.replaceAll(STAND_IN, '').replaceAll(PATH_QUESTION, '').replaceAll(GOODBYE, '');
    return { connections: this.#connections, octets: asked.length };
  }

  #carry(from: Socket, to: Socket): void {
    let mine: number | undefined;
    from.on('data', (chunk: Buffer) => {
      mine ??= isSession(chunk) ? this.#next() : -1;
      if (mine === this.#connections) this.#newest += chunk.toString('latin1');
      to.write(chunk);
    });
    to.on('data', (chunk: Buffer) => from.write(chunk));
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
  }

  #next(): number {
    this.#newest = '';
    return ++this.#connections;
  }
}

/** From its Parse to its Sync. */
const PATH_QUESTION = new RegExp(
  `P.{4}hoopd:[0-9a-f]{24}:\\d+\\0SELECT pg_catalog\\..+?${sync.toString('latin1')}`,
  'gs',
);
const GOODBYE = terminate.toString('latin1');
const STAND_IN = REFUSED_QUERY.toString('latin1');

/** Neither a look into the catalogs nor a request to cancel. */
function isSession(startup: Buffer): boolean {
  return startup.includes('user\0') && !startup.includes('hoopd catalog');
}

/** node-postgres. */
class Client implements AdapterClient {
  readonly #client: pg.Client;
  #last = '';
  readonly told: string[] = [];
  readonly ended: Promise<string>;

  private constructor(client: pg.Client) {
    this.#client = client;
    client.on('notice', ({ message }) => this.told.push(String(message)));
    // The driver adds that the connection has ended, which tells nothing.
    client.on('error', (error) => {
      if (error instanceof pg.DatabaseError) this.#last = error.message;
    });
    this.ended = new Promise((resolve) => client.on('end', () => resolve(this.#last)));
  }

  static async over(socket: TLSSocket): Promise<Client> {
    const stream = Object.assign(socket, { connect: () => setImmediate(() => socket.emit('connect')) });
    const client = new pg.Client({ stream: () => stream, user: 'hoop', database: 'shop', ssl: false });
    const over = new Client(client);
    await client.connect();
    return over;
  }

  async ask(say: string): Promise<Answer> {
    try {
      const { rows } = await this.#client.query({ text: say, rowMode: 'array' });
      return { refused: false, text: rows.map((row: unknown[]) => row.join(' ')).join('\n') };
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      this.#last = error.message;
      return { refused: true, text: `${error.code} ${error.message} ${error.hint}` };
    }
  }

  close(): Promise<void> {
    return this.#client.end();
  }
}

adapterConformance(postgres);
