/** A client that says in an exchange of keys what no honest one would. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import type { ConnectConfig } from 'ssh2';
import { sshInside } from '../../support/ssh/raw-client.ts';
import { SshClient } from './client.ts';

/** Of messages, RFC 4250 §4.1.2. */
const [KEXINIT, NEWKEYS] = [20, 21];
/** Before the payload of a packet that is not encrypted. */
const HEAD_BYTES = 5;
const COOKIE_END = 17;
const STRICT = 'kex-strict-c-v00@openssh.com';

export interface HandshakePlan {
  /** Whether the client says that it knows strict key exchange; default true. */
  readonly strict?: boolean;
  /** Messages that are sent before the client's own of these names. */
  readonly before?: Partial<Record<'KEXINIT' | 'first' | 'NEWKEYS', readonly Buffer[]>>;
  /** A guess of the client's, said to follow; `right`: as the client would say it anyway. */
  readonly guess?: 'right' | 'wrong' | 'none';
  /** Behind new keys it counts on, as it does that does not know strict key exchange. */
  readonly countsOn?: boolean;
}

/** The first message of some other exchange. */
const WRONG = Buffer.of(30, 0, 0, 0, 1, 0x42);

/** Logs in by such an exchange. @throws {Error} It was not let in. */
export async function loginBy(config: ConnectConfig, plan: HandshakePlan): Promise<SshClient> {
  const socket = createConnection({ host: '127.0.0.1', port: config.port! });
  await once(socket, 'connect');
  const client = SshClient.begin({ ...config, sock: socket });
  disturb(client, plan);
  await Promise.race([
    once(client.client, 'ready'),
    client.ended.then((why) => Promise.reject(new Error(`no login: ${why}`))),
  ]);
  return client;
}

interface Cipher {
  allocPacket(bytes: number): Buffer;
  encrypt(packet: Buffer): void;
}

interface Inside {
  _cipher: Cipher;
  _kexinit: Buffer | undefined;
  _strictMode: boolean | undefined;
}

/** Of the first exchange, in which nothing is encrypted. */
function disturb(client: SshClient, plan: HandshakePlan): void {
  const inside = sshInside(client.client) as unknown as Inside;
  const cipher = inside._cipher;
  const send = cipher.encrypt.bind(cipher);
  const say = (payload: Buffer) => {
    const packet = cipher.allocPacket(payload.length);
    packet.set(payload, HEAD_BYTES);
    send(packet);
  };
  let first = true;
  cipher.encrypt = (packet) => {
    const type = packet[HEAD_BYTES];
    const name = type === KEXINIT ? 'KEXINIT' : type === NEWKEYS ? 'NEWKEYS' : 'first';
    if (name === 'NEWKEYS' && plan.countsOn === true) inside._strictMode = false;
    for (const payload of plan.before?.[name] ?? []) say(payload);
    if (name !== 'KEXINIT') {
      if (name === 'first' && first && plan.guess === 'wrong') say(WRONG);
      // As if it had gone with the offer.
      if (name === 'first' && plan.guess === 'none') return;
      if (name === 'first') first = false;
      return send(packet);
    }
    const payload = offered(inside._kexinit!, plan);
    // Both sides hash it.
    inside._kexinit = payload;
    return say(payload);
  };
}

/** The client's offer, changed as the plan says. */
function offered(kexinit: Buffer, { strict = true, guess }: HandshakePlan): Buffer {
  const length = kexinit.readUInt32BE(COOKIE_END);
  const listEnd = COOKIE_END + 4 + length;
  const names = kexinit.toString('latin1', COOKIE_END + 4, listEnd).split(',');
  // To be ignored, a guess has to be of another kind than what is agreed on.
  const kept = [
    ...(guess === 'wrong' ? ['x-guessed@example.com'] : []),
    ...names.filter((name) => strict || name !== STRICT),
  ];
  const list = Buffer.from(kept.join(','), 'latin1');
  const size = Buffer.alloc(4);
  size.writeUInt32BE(list.length);
  const payload = Buffer.concat([kexinit.subarray(0, COOKIE_END), size, list, kexinit.subarray(listEnd)]);
  if (guess !== undefined) payload[payload.length - 5] = 1;
  return payload;
}
