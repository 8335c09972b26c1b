/** A channel of which ssh2 knows nothing: whatever is asked of it is what a case says. */
import { string, uint32 } from '../../../src/wire/ssh/fields.ts';
import type { Received, SshClient } from './client.ts';

/** Of messages, RFC 4250 §4.1.2. */
const [ADJUST, DATA, EOF, CLOSE, REQUEST] = [93, 94, 96, 97, 98];

export class RawChannel {
  readonly #client: SshClient;
  /** As the other side calls it. */
  readonly id: number;
  readonly #own: number;

  private constructor(client: SshClient, id: number, own: number) {
    this.#client = client;
    this.id = id;
    this.#own = own;
  }

  /**
   * @param window What the other side may send, octets.
   * @returns Undefined: it was not opened.
   */
  static async open(client: SshClient, window?: number): Promise<RawChannel | undefined> {
    const { name, fields } = await client.openWith(window, 'session');
    if (name !== 'CHANNEL_OPEN_CONFIRMATION') return undefined;
    const { sender, recipient } = fields[0] as { readonly sender: number; readonly recipient: number };
    return new RawChannel(client, sender, recipient);
  }

  request(name: string, wantReply: boolean, ...fields: readonly Buffer[]): void {
    const head = [Buffer.of(REQUEST), uint32(this.id), string(name), Buffer.of(wantReply ? 1 : 0)];
    this.#client.say(Buffer.concat([...head, ...fields]));
  }

  exec(command: string, wantReply = true): void {
    this.request('exec', wantReply, string(command));
  }

  data(bytes: Buffer | string): void {
    this.#client.say(Buffer.concat([Buffer.of(DATA), uint32(this.id), string(bytes)]));
  }

  /** The other side may send so many octets more. */
  window(bytes: number): void {
    this.#client.say(Buffer.concat([Buffer.of(ADJUST), uint32(this.id), uint32(bytes)]));
  }

  eof(): void {
    this.#client.say(Buffer.concat([Buffer.of(EOF), uint32(this.id)]));
  }

  close(): void {
    this.#client.say(Buffer.concat([Buffer.of(CLOSE), uint32(this.id)]));
  }

  /** What the other side said of this channel. */
  get received(): readonly Received[] {
    return this.#client.received.filter(({ fields: [to] }) => to === this.#own);
  }

  /** How many requests were done, and how many were not. */
  get answers(): { readonly done: number; readonly failed: number } {
    const count = (name: string) => this.received.filter((one) => one.name === name).length;
    return { done: count('CHANNEL_SUCCESS'), failed: count('CHANNEL_FAILURE') };
  }
}
