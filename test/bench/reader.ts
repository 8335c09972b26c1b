import { type RawClient, rawLogin } from '../support/postgres/raw-client.ts';
import type { Tunnel } from '../support/stack.ts';
import type { Place } from './peers.ts';
import { median } from './processes.ts';

const SELECT_1 = Buffer.from('510000000d53454c454354203100', 'hex');

async function login(at: Place | Tunnel): Promise<RawClient> {
  const client = await rawLogin(at as Tunnel);
  client.socket.removeAllListeners('data');
  return client;
}

/** Median time of `SELECT 1` there and back, µs, one after the other on one connection. */
export async function p50Us(at: Place | Tunnel, count: number): Promise<number> {
  const client = await login(at);
  const times: number[] = [];
  await new Promise<void>((resolve, reject) => {
    let startedAt = process.hrtime.bigint();
    const ask = () => {
      startedAt = process.hrtime.bigint();
      client.socket.write(SELECT_1);
    };
    client.socket.on('data', (chunk: Buffer) => {
      if (chunk.at(-6) !== 0x5a) return;
      times.push(Number(process.hrtime.bigint() - startedAt) / 1000);
      if (times.length < count) ask();
      else resolve();
    });
    client.socket.once('error', reject);
    ask();
  });
  client.close();
  return median(times.slice(count / 10));
}

/** Runs one query and counts what comes back, without looking at it. */
export async function bulkBytes(at: Place | Tunnel, sql: string): Promise<number> {
  const client = await login(at);
  const body = Buffer.from(`${sql}\0`);
  const head = Buffer.from([0x51, 0, 0, 0, 0]);
  head.writeInt32BE(body.length + 4, 1);
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    client.socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (chunk.at(-6) === 0x5a && chunk.readInt32BE(chunk.length - 5) === 5) resolve();
    });
    client.socket.once('error', reject);
    client.socket.write(Buffer.concat([head, body]));
  });
  client.close();
  return bytes;
}
