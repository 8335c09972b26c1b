/** A session of SFTP, packet by packet. */
import { once } from 'node:events';
import type { ClientChannel } from 'ssh2';
import { idOf, PACKET, PacketFramer, packet, typeOf } from '../../../src/protocols/ssh/sftp/packets.ts';
import { FieldReader, string, uint32, uint64 } from '../../../src/wire/ssh/fields.ts';
import { eventually } from '../../support/waiting.ts';
import type { SshClient } from './client.ts';

export const NO_ATTRIBUTES = uint32(0);
export const FLAG = { read: 1, write: 2, append: 4, create: 8, truncate: 16 } as const;

export class Sftp {
  readonly #channel: ClientChannel;
  readonly #framer = new PacketFramer();
  readonly #answers: Buffer[] = [];
  #id = 0;

  private constructor(channel: ClientChannel) {
    this.#channel = channel;
    channel.on('data', (chunk: Buffer) => {
      this.#framer.add(chunk);
      for (let one = this.#framer.next(); one !== undefined; one = this.#framer.next())
        this.#answers.push(one);
    });
  }

  static async open(client: SshClient): Promise<Sftp> {
    const { channel } = await client.subsystem('sftp');
    const sftp = new Sftp(channel);
    channel.write(packet(PACKET.init, 3));
    await eventually('no version came', () => sftp.#answers.some((one) => typeOf(one) === PACKET.version));
    return sftp;
  }

  /** Every octet that came. */
  get received(): Buffer {
    return Buffer.concat(this.#answers);
  }

  async send(type: number, ...fields: readonly Buffer[]): Promise<Buffer> {
    const id = this.#id++;
    this.#channel.write(packet(type, id, ...fields));
    const isAnswer = (one: Buffer) => typeOf(one) !== PACKET.version && idOf(one) === id;
    return (await eventually(`no answer came to ${type}`, () => this.#answers.find(isAnswer), Boolean, {
      everyMs: 2,
    }))!;
  }

  extended(name: string, ...fields: readonly Buffer[]): Promise<Buffer> {
    return this.send(PACKET.extended, string(name), ...fields);
  }

  /** @returns Undefined: it was not opened. */
  async handle(path: string, flags: number, attributes: Buffer = NO_ATTRIBUTES): Promise<Buffer | undefined> {
    const answer = await this.send(PACKET.open, string(path), uint32(flags), attributes);
    return typeOf(answer) === PACKET.handle ? new FieldReader(answer.subarray(9)).string() : undefined;
  }

  /** Opens and reads. */
  async read(path: string, flags: number = FLAG.read): Promise<void> {
    const handle = await this.handle(path, flags);
    if (handle !== undefined) await this.readFrom(handle);
  }

  readFrom(handle: Buffer): Promise<Buffer> {
    return this.send(PACKET.read, string(handle), uint64(0n), uint32(4096));
  }

  async write(path: string, flags: number, text = 'written'): Promise<void> {
    const handle = await this.handle(path, flags);
    if (handle !== undefined) await this.send(PACKET.write, string(handle), uint64(0n), string(text));
  }

  async close(): Promise<void> {
    const closed = once(this.#channel, 'close');
    this.#channel.end();
    await closed;
  }
}

/** Attributes with a mode, and nothing else. */
export function mode(bits: number): Buffer {
  return Buffer.concat([uint32(4), uint32(bits)]);
}
