import type { TLSSocket } from 'node:tls';
import type { AdapterClient, Answer } from './trial.ts';

/** A client by hand: one request at a time, `GET /path` or `POST /path body`. */
export class HttpClient implements AdapterClient {
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
