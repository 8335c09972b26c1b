/** ssh2's client over a tunnel, and what it keeps to itself, so that a test can send what no client sends. */
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import ssh2, { type Client, type ClientChannel, type Connection, type ServerChannel } from 'ssh2';
import { string, uint32 } from '../../../src/wire/ssh/fields.ts';
import type { Caller } from '../running-gateway.ts';

interface Inside {
  readonly _protocol: {
    // biome-ignore lint/suspicious/noExplicitAny: handlers of all kinds of messages.
    readonly _handlers: Record<string, (...about: any[]) => void>;
    session(channel: number, window: number, packetSize: number): void;
    channelOpenConfirm(to: number, from: number, window: number, packetSize: number): void;
    channelClose(channel: number): void;
    channelWindowAdjust(channel: number, bytes: number): void;
    channelData(channel: number, data: Buffer): void;
    ping(): void;
    readonly _packetRW: {
      readonly write: { allocStart: number; alloc(bytes: number): Buffer; finalize(packet: Buffer): Buffer };
    };
    readonly _cipher: { encrypt(packet: Buffer): void };
  };
}

/** A connection through hoopd: nothing is read of the tunnel but by ssh2. */
export async function sshOver(
  caller: Caller,
  resource: string,
): Promise<{ client: Client; socket: TLSSocket }> {
  const { socket } = await caller.tunnel(resource);
  socket.removeAllListeners('data');
  const client = new ssh2.Client().on('error', () => undefined);
  client.connect({ sock: socket, username: 'me' });
  await once(client, 'ready');
  return { client, socket };
}

export function sshInside(client: Client | Connection): Inside['_protocol'] {
  return (client as unknown as Inside)._protocol;
}

/** Sends a request on a channel that asks for no answer. @see RFC 4254 §5.4 */
export function sendRequest(
  client: Client | Connection,
  channel: ClientChannel | ServerChannel,
  name: string,
  ...fields: readonly Uint8Array[]
): void {
  const { outgoing } = channel as unknown as { readonly outgoing: { readonly id: number } };
  sendRaw(client, Buffer.concat([Buffer.of(98), uint32(outgoing.id), string(name), Buffer.of(0), ...fields]));
}

/** Sends one message as it is. */
export function sendRaw(client: Client | Connection, payload: Buffer): void {
  const {
    _packetRW: { write },
    _cipher: cipher,
  } = sshInside(client);
  const packet = write.alloc(payload.length);
  packet.set(payload, write.allocStart);
  cipher.encrypt(write.finalize(packet));
}

export function exec(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) =>
    client.exec(command, (error, channel) => (error === undefined ? resolve(channel) : reject(error))),
  );
}

/** All that a channel says, and how it ends. */
export async function ended(channel: ClientChannel) {
  const said = { stdout: '', stderr: '', exit: [] as unknown[] };
  channel.on('data', (chunk: Buffer) => (said.stdout += chunk.toString('latin1')));
  channel.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString('latin1')));
  channel.on('exit', (...exit: unknown[]) => (said.exit = exit));
  await once(channel, 'close');
  return said;
}
