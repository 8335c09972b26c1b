import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import ssh2, { type Connection } from 'ssh2';
import { adapterConformance } from '../../conformance/adapter.ts';
import type { AdapterClient, AdapterTarget, Answer, Heard } from '../../conformance/trial.ts';
import { freshKey } from '../../support/ssh/fresh-key.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"ssh"], resource);
@id("no") forbid (principal, action == Action::"ssh.exec", resource) when { resource.program == "rm" };
@id("ask-first") @approval("boss") forbid (principal, action == Action::"ssh.exec", resource)
when { resource.program == "printf" } unless { context.approvals.contains("boss") };
@id("show") permit (principal, action == Action::"reveal", resource);
@id("pii") @mask("redact") forbid (principal, action == Action::"reveal", resource is Detected) when { resource.tags.contains("pii") };
`;

/** What is at the host. */
const CUSTOMERS = 'Ann ann@example.com\n';

/** A host of ssh2's that counts what it is asked for: on the wire a channel's last messages come when they come. */
class Counter implements AdapterTarget {
  readonly resource: string;
  readonly #stop: () => void;
  heard: Heard = { connections: 0, octets: 0 };

  private constructor(port: number, key: string, stop: () => void) {
    const target = `{ host: 127.0.0.1, port: ${port}, hostKeys: ["${key}"] }`;
    this.resource = `{ protocol: ssh, target: ${target}, credentials: { user: hoop, password: { file: password } } }`;
    this.#stop = stop;
  }

  static async start(): Promise<Counter> {
    const key = freshKey();
    const sockets = new Set<Connection>();
    const server = new ssh2.Server({ hostKeys: [key.text] }, (client) => {
      sockets.add(client.on('error', () => undefined));
      counter.#serve(client);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const counter: Counter = new Counter(port, key.line, () => {
      server.close();
      for (const client of sockets) client.end();
    });
    return counter;
  }

  async stop(): Promise<void> {
    this.#stop();
  }

  #serve(client: Connection): void {
    const connections = this.heard.connections + 1;
    this.heard = { connections, octets: 0 };
    const hears = (octets: number) => {
      if (connections === this.heard.connections)
        this.heard = { connections, octets: this.heard.octets + octets };
    };
    client.on('authentication', (asked) =>
      asked.method === 'password' && asked.password === 'hunter2'
        ? asked.accept()
        : asked.reject(['password']),
    );
    client.on('session', (accept) => {
      hears(1);
      accept().on('exec', (run, _reject, { command }) => {
        hears(command.length);
        const channel = run();
        channel.on('error', () => undefined).on('data', (chunk: Buffer) => hears(chunk.length));
        if (command.startsWith('sleep')) return;
        channel.write(
          command === 'cat customers' ? CUSTOMERS : `${command.slice(command.indexOf(' ') + 1)}\n`,
        );
        channel.exit(0);
        channel.end();
      });
    });
  }
}

/** One connection, and a channel for each command. */
class Client implements AdapterClient {
  readonly #client = new ssh2.Client();
  readonly #chunks: Buffer[] = [];
  readonly told: string[] = [];
  readonly ended: Promise<string>;
  #last = '';

  private constructor(stream: TLSSocket) {
    this.#client.on('error', (error) => (this.#last = error.message));
    this.ended = new Promise((resolve) => stream.once('close', () => resolve(this.#last)));
  }

  static async over(stream: TLSSocket): Promise<Client> {
    const client = new Client(stream);
    client.#client.connect({ sock: stream, username: 'me' });
    await once(client.#client, 'ready');
    return client;
  }

  ask(say: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#client.exec(say, (error, channel) => {
        if (error !== undefined) return reject(error);
        const texts = { output: '', stderr: '' };
        channel.on('data', (chunk: Buffer) => (texts.output += this.#got(chunk)));
        channel.stderr.on('data', (chunk: Buffer) => {
          const text = this.#got(chunk);
          texts.stderr += text;
          this.#last = text;
          if (text.includes('waits until')) this.told.push(text);
        });
        return channel.once('close', (code: number | undefined) => {
          const refused = code === 126 || code === 255;
          resolve({ refused, text: `${texts.output}${texts.stderr}`.trim() });
        });
      });
    });
  }

  received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  async close(): Promise<void> {
    this.#client.end();
    await this.ended;
  }

  #got(chunk: Buffer): string {
    this.#chunks.push(chunk);
    return chunk.toString();
  }
}

adapterConformance({
  protocol: 'ssh',
  session: 'connection',
  policy: POLICY,
  words: {
    verb: 'ssh.exec',
    allowed: { say: 'echo tea two cups', answer: 'tea two cups' },
    slow: 'sleep 15',
    denied: 'rm -rf /nowhere',
    held: 'printf one',
    alike: 'printf two',
    unread: { say: 'ls \0', rule: 'command-unreadable' },
    masked: { say: 'cat customers', secret: 'ann@example.com', shown: 'Ann' },
    malformed: Buffer.from('not a message at all'.repeat(4)),
  },
  startTarget: () => Counter.start(),
  connect: (stream) => Client.over(stream),
});
