import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import ssh2, { type AuthContext, type ServerChannel } from 'ssh2';
import { publicBlob } from '../wire/ssh/keys.ts';
import { lineOf } from '../wire/ssh/named-key.ts';
import { writePrivateKey } from '../wire/ssh/private-key.ts';

/** The host that the shop runs on, as far as the demo needs one: a few commands, and nothing of this machine behind them. */
export interface ShopHost {
  readonly port: number;
  /** Its public key, `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** The one login that it takes: a user, and a private key in OpenSSH's format. */
  readonly user: string;
  readonly userKey: string;
  stop(): Promise<void>;
}

export const HOST = 'host-demo';
const USER = 'shop';
const LOG = '/var/log/shop.log';

/** What an application writes that was not told otherwise: with people's addresses in it. */
export function shopLog(secrets: readonly string[]): string {
  const addresses = secrets.filter((one) => one.includes('@')).slice(0, 4);
  return addresses
    .map((one, i) => `2026-01-01T12:0${i}:00Z order ${i + 1} confirmed, mail sent to ${one}\n`)
    .join('');
}

/**
 * Starts it on any free port of 127.0.0.1.
 *
 * @param log What stands in its log.
 */
export async function startShopHost(log: string): Promise<ShopHost> {
  const hostKey = generateKeyPairSync('ed25519').privateKey;
  const userKey = generateKeyPairSync('ed25519').privateKey;
  const known = publicBlob(userKey);
  // ssh2 tells of a connection only once it has said what it is, and its close() waits for those that never do.
  const open = new Set<Socket>();
  const ssh = new ssh2.Server({ hostKeys: [writePrivateKey(hostKey, 'demo')] }, (client) => {
    client.on('error', () => undefined);
    client.on('authentication', (asked) => {
      if (isKnown(asked, known)) asked.accept();
      else asked.reject(['publickey']);
    });
    client.on('session', (accept) => {
      accept().on('exec', (take, _refuse, { command }) => run(take(), command, log));
    });
  });
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket)).on('error', () => undefined);
    ssh.injectSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    hostKey: lineOf(publicBlob(hostKey)),
    user: USER,
    userKey: writePrivateKey(userKey, 'demo'),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** Whether it is the one login, or asks whether its key would do. */
function isKnown(asked: AuthContext, known: Buffer): boolean {
  if (asked.method !== 'publickey' || asked.username !== USER || !asked.key.data.equals(known)) return false;
  const { blob, signature } = asked;
  if (blob === undefined || signature === undefined) return true;
  const [key] = [ssh2.utils.parseKey(lineOf(known))].flat();
  return key !== undefined && !(key instanceof Error) && key.verify(blob, signature) === true;
}

function run(channel: ServerChannel, command: string, log: string): void {
  const answers: Readonly<Record<string, string>> = {
    uptime: ' up 12 days,  3:04,  1 user,  load average: 0.08, 0.03, 0.01\n',
    [`cat ${LOG}`]: log,
    'systemctl status shop': '● shop.service - the shop\n     Active: active (running)\n',
  };
  const answer = answers[command.trim()];
  if (answer === undefined) channel.stderr.write(`${command.slice(0, 200)}: not found on this host\n`);
  else channel.write(answer);
  channel.exit(answer === undefined ? 127 : 0);
  channel.end();
}
