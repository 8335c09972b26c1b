import type { TLSSocket } from 'node:tls';
import { PROTOCOLS } from '../../../src/protocols/index.ts';
import { adapterConformance } from '../../conformance/adapter.ts';
import type { AdapterClient, Answer } from '../../conformance/trial.ts';
import { echo } from '../../echo/echo.ts';
import { EchoTarget, TOKEN } from '../../echo/target.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"echo.say"], resource);
@id("no") forbid (principal, action == Action::"echo.say", resource == Topic::"it/war");
@id("ask-first") @approval("boss") forbid (principal, action == Action::"echo.say", resource == Topic::"it/launch")
unless { context.approvals.contains("boss") };
@id("show") permit (principal, action == Action::"reveal", resource);
@id("token") @mask("redact") forbid (principal, action == Action::"reveal", resource is Field) when { resource.name == "token" };
`;

/** A client of lines: one answer for each. */
class Client implements AdapterClient {
  readonly #socket: TLSSocket;
  readonly ended: Promise<string>;
  readonly told: string[] = [];
  #rest = '';
  #waiting: ((line: string) => void)[] = [];

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    let last = '';
    socket.on('data', (chunk: Buffer) => {
      const lines = (this.#rest + chunk.toString()).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith('wait ')) {
          this.told.push(line);
          continue;
        }
        last = line;
        this.#waiting.shift()?.(line);
      }
    });
    this.ended = new Promise((resolve) => socket.on('close', () => resolve(last)));
  }

  async ask(say: string): Promise<Answer> {
    const line = await new Promise<string>((resolve) => {
      this.#waiting.push(resolve);
      this.#socket.write(`${say}\n`);
    });
    const [verdict, ...rest] = line.split(' ');
    return { refused: verdict !== 'ok', text: rest.join(' ') };
  }

  async close(): Promise<void> {
    this.#socket.end();
    await this.ended;
  }
}

adapterConformance({
  protocol: 'echo',
  session: 'tunnel',
  protocols: [...PROTOCOLS, echo],
  policy: POLICY,
  words: {
    verb: 'echo.say',
    allowed: { say: 'say tea two cups', answer: 'tea two cups' },
    slow: 'say nothing at all',
    denied: 'say war now',
    held: 'say launch now',
    alike: 'say launch later',
    unread: { say: 'shout tea', rule: 'not-understood' },
    masked: { say: 'say vault open', secret: TOKEN, shown: 'vault open' },
    malformed: Buffer.alloc(10_000, 'x'),
  },
  startTarget: () => EchoTarget.start(),
  connect: async (stream) => new Client(stream),
});
