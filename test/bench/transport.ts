/**
 * Measures two ways to carry streams from hoopctl to hoopd, side by side on loopback with TLS 1.3:
 *
 *   raw  HTTP/1.1 Upgrade, then raw bytes: one TLS connection per stream
 *   h2   HTTP/2 streams on one TLS connection
 *
 * Run on a quiet machine: `node test/bench/transport.ts [rounds] [seconds]`. Variants are interleaved and the median of
 * the rounds is printed with its extremes; CPU is read from /proc, of a server and a client process of their own.
 */
import { fork } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { makeLocalCertificates } from '../../src/gateway/init/certificates.ts';
import type { Answer, Job, Variant } from './transport-peer.ts';

const VARIANTS = ['raw', 'h2'] as const;
const IDLE_STREAMS = 1_000;
const BULK_BYTES = 256 * 1024 * 1024;

interface Peer {
  readonly pid: number;
  ask(job: Job): Promise<Answer>;
  end(): void;
}

function startPeer(): Peer {
  const child = fork(new URL('./transport-peer.ts', import.meta.url), { execArgv: ['--expose-gc'] });
  return {
    pid: child.pid ?? 0,
    ask: (job) =>
      new Promise((resolve, reject) => {
        child.once('message', (answer) => resolve(answer as Answer));
        child.once('exit', (code) => reject(new Error(`peer ended with ${code}`)));
        child.send(job);
      }),
    end: () => child.kill(),
  };
}

/** Time on a CPU so far, microseconds: the first field of every thread's schedstat is nanoseconds. */
function cpuUs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const spent = threads.map((id) =>
    Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]),
  );
  return spent.reduce((sum, ns) => sum + ns, 0) / 1000;
}

function rssKiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

const results = new Map<string, number[]>();
function note(name: string, value: number): void {
  results.set(name, [...(results.get(name) ?? []), value]);
}

async function withPeers(variant: Variant, run: (server: Peer, client: Peer, port: number) => Promise<void>) {
  const server = startPeer();
  const client = startPeer();
  try {
    const { port = 0 } = await server.ask({ kind: 'serve', variant, ...certificate });
    await run(server, client, port);
  } finally {
    server.end();
    client.end();
  }
}

async function echoes(variant: Variant, streams: number, seconds: number, bulk: boolean): Promise<void> {
  await withPeers(variant, async (server, client, port) => {
    const name = `${variant} ${streams} streams${bulk ? ' beside a bulk stream' : ''}`;
    const base = { variant, port, streams, ...certificate } as const;
    await client.ask({ kind: 'echo', seconds: 0.5, bulk: false, ...base }); // warm up
    const before = [cpuUs(server.pid), cpuUs(client.pid)] as const;
    const answer = await client.ask({ kind: 'echo', seconds, bulk, ...base });
    const count = answer.count ?? 1;
    note(`${name}: round trips/s`, count / seconds);
    note(`${name}: p50 us`, answer.p50Us ?? 0);
    if (bulk) return;
    note(`${name}: server CPU us`, (cpuUs(server.pid) - before[0]) / count);
    note(`${name}: client CPU us`, (cpuUs(client.pid) - before[1]) / count);
  });
}

async function bulk(variant: Variant): Promise<void> {
  await withPeers(variant, async (_server, client, port) => {
    const answer = await client.ask({ kind: 'bulk', variant, port, bytes: BULK_BYTES, ...certificate });
    note(`${variant}: bulk MB/s`, BULK_BYTES / 1e6 / (answer.seconds ?? 1));
  });
}

async function idle(variant: Variant): Promise<void> {
  await withPeers(variant, async (server, client, port) => {
    const base = { variant, port, ...certificate } as const;
    await client.ask({ kind: 'idle', streams: 20, ...base });
    await server.ask({ kind: 'collect' });
    const before = [rssKiB(server.pid), rssKiB(client.pid)] as const;
    const answer = await client.ask({ kind: 'idle', streams: IDLE_STREAMS, ...base });
    await server.ask({ kind: 'collect' });
    await client.ask({ kind: 'collect' });
    note(`${variant}: idle server KiB/stream`, (rssKiB(server.pid) - before[0]) / IDLE_STREAMS);
    note(`${variant}: idle client KiB/stream`, (rssKiB(client.pid) - before[1]) / IDLE_STREAMS);
    note(`${variant}: open one stream ms`, ((answer.seconds ?? 0) * 1000) / IDLE_STREAMS);
  });
}

const rounds = Number(process.argv[2] ?? 7);
const seconds = Number(process.argv[3] ?? 3);
const { authority, server } = await makeLocalCertificates(['127.0.0.1'], Date.now());
const certificate = { certPem: server.cert, keyPem: server.key, caPem: authority };

for (let round = 0; round < rounds; round++) {
  for (const variant of round % 2 === 0 ? VARIANTS : VARIANTS.toReversed()) {
    await echoes(variant, 8, seconds, false);
    await echoes(variant, 32, seconds, false);
    await echoes(variant, 8, seconds, true);
    await bulk(variant);
    await idle(variant);
  }
  process.stderr.write(`round ${round + 1} of ${rounds}\n`);
}
for (const [name, values] of [...results].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
  const sorted = values.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const range = `${sorted[0]?.toFixed(1)} … ${sorted.at(-1)?.toFixed(1)}`;
  process.stdout.write(`${name.padEnd(52)} ${median.toFixed(1).padStart(9)}   (${range})\n`);
}
