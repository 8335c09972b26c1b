/** One side of `transport.ts`: a process that serves or loads when its parent says so. */
import { type ClientHttp2Session, connect as connectH2, createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';

interface Certificate {
  readonly certPem: string;
  readonly keyPem: string;
  readonly caPem: string;
}
export type Variant = 'raw' | 'h2';

export type Job =
  | { readonly kind: 'collect' }
  | ({ readonly kind: 'serve'; readonly variant: Variant } & Certificate)
  | ({
      readonly kind: 'echo';
      readonly variant: Variant;
      readonly port: number;
      readonly streams: number;
      readonly seconds: number;
      readonly bulk: boolean;
    } & Certificate)
  | ({
      readonly kind: 'bulk';
      readonly variant: Variant;
      readonly port: number;
      readonly bytes: number;
    } & Certificate)
  | ({
      readonly kind: 'idle';
      readonly variant: Variant;
      readonly port: number;
      readonly streams: number;
    } & Certificate);

export interface Answer {
  readonly port?: number;
  readonly count?: number;
  readonly seconds?: number;
  readonly p50Us?: number;
}

/** About what a small statement and its answer take. */
const MESSAGE = Buffer.alloc(80, 1);
const SLAB = Buffer.alloc(64 * 1024, 2);
const WINDOW_BYTES = 1024 * 1024;
const ENDLESS = Number.MAX_SAFE_INTEGER;

/** `/echo` sends back what comes; `/bulk/N` sends N octets. */
function serveStream(path: string, stream: Duplex): void {
  stream.on('error', () => stream.destroy());
  const bytes = /^\/bulk\/(\d+)$/.exec(path)?.[1];
  if (bytes === undefined) {
    stream.on('data', (chunk: Buffer) => stream.write(chunk));
    return;
  }
  let left = Number(bytes);
  const push = () => {
    while (left > 0 && !stream.destroyed) {
      const size = Math.min(left, SLAB.length);
      left -= size;
      if (!stream.write(size === SLAB.length ? SLAB : SLAB.subarray(0, size))) return;
    }
  };
  stream.on('drain', push);
  stream.resume();
  push();
}

async function serve(variant: Variant, { certPem, keyPem }: Certificate): Promise<number> {
  const options = { cert: certPem, key: keyPem, minVersion: 'TLSv1.3' } as const;
  if (variant === 'raw') {
    const server = createServer(options);
    server.on('upgrade', (request, socket) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: hoop-tunnel/1\r\n\r\n',
      );
      serveStream(request.url ?? '/', socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }
  const server = createSecureServer({ ...options, settings: { maxConcurrentStreams: 10_000 } });
  server.on('stream', (stream, headers) => {
    stream.respond({ ':status': 200 });
    serveStream(String(headers[':path']), stream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

type Opener = (path: string) => Promise<Duplex>;

function opener(variant: Variant, port: number, ca: string): Opener {
  if (variant === 'raw') return (path) => openRaw(port, ca, path);
  // Windows as large as a fast local link needs: with the default 64 KiB, bulk would be at a quarter of this.
  const settings = { initialWindowSize: WINDOW_BYTES };
  const session = connectH2(`https://127.0.0.1:${port}`, { ca, minVersion: 'TLSv1.3', settings });
  session.once('connect', () => session.setLocalWindowSize(16 * WINDOW_BYTES));
  return (path) => openH2(session, path);
}

function openRaw(port: number, ca: string, path: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, ca, minVersion: 'TLSv1.3' });
    socket.setNoDelay(true);
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: hoop-tunnel/1\r\n\r\n`,
      );
    });
    const onHead = (chunk: Buffer) => {
      const end = chunk.indexOf('\r\n\r\n') + 4;
      socket.off('data', onHead);
      socket.pause();
      if (end < chunk.length) socket.unshift(chunk.subarray(end));
      resolve(socket);
    };
    socket.on('data', onHead);
  });
}

function openH2(session: ClientHttp2Session, path: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, ':method': 'POST' }, { endStream: false });
    stream.once('error', reject);
    stream.once('response', () => resolve(stream));
  });
}

/** One message out, one back, again: what a client that waits for each answer does. */
function pingPong(stream: Duplex, until: number, latenciesUs: number[]): Promise<void> {
  return new Promise((resolve) => {
    let sentAt = process.hrtime.bigint();
    let missing = MESSAGE.length;
    stream.on('data', (chunk: Buffer) => {
      missing -= chunk.length;
      if (missing > 0) return;
      const now = process.hrtime.bigint();
      latenciesUs.push(Number(now - sentAt) / 1000);
      if (performance.now() >= until) return resolve();
      missing = MESSAGE.length;
      sentAt = now;
      stream.write(MESSAGE);
    });
    stream.resume();
    stream.write(MESSAGE);
  });
}

async function echo(job: Extract<Job, { kind: 'echo' }>): Promise<Answer> {
  const open = opener(job.variant, job.port, job.caPem);
  const streams = await Promise.all(Array.from({ length: job.streams }, () => open('/echo')));
  const noise = job.bulk ? await open(`/bulk/${ENDLESS}`) : undefined;
  if (noise !== undefined) readLikeForwarder(noise);
  const latencies: number[] = [];
  const until = performance.now() + job.seconds * 1000;
  await Promise.all(streams.map((stream) => pingPong(stream, until, latencies)));
  for (const stream of [...streams, noise]) stream?.destroy();
  latencies.sort((a, b) => a - b);
  return { count: latencies.length, p50Us: latencies[Math.floor(latencies.length / 2)] ?? 0 };
}

/** Takes one chunk per turn of the event loop, as somebody does who writes each onward and minds backpressure. */
function readLikeForwarder(stream: Duplex): void {
  stream.on('data', () => {
    stream.pause();
    setImmediate(() => stream.resume());
  });
  stream.resume();
}

async function bulk(job: Extract<Job, { kind: 'bulk' }>): Promise<Answer> {
  const stream = await opener(job.variant, job.port, job.caPem)(`/bulk/${job.bytes}`);
  const start = performance.now();
  let got = 0;
  await new Promise<void>((resolve) => {
    stream.on('data', (chunk: Buffer) => {
      got += chunk.length;
      if (got >= job.bytes) resolve();
    });
    stream.resume();
  });
  return { seconds: (performance.now() - start) / 1000 };
}

/** Streams stay open, and are kept here, until the process ends. */
const held: Duplex[] = [];

async function idle(job: Extract<Job, { kind: 'idle' }>): Promise<Answer> {
  const open = opener(job.variant, job.port, job.caPem);
  const start = performance.now();
  for (let i = 0; i < job.streams; i++) held.push(await open('/echo'));
  return { seconds: (performance.now() - start) / 1000 };
}

async function collect(): Promise<Answer> {
  await new Promise((resolve) => setTimeout(resolve, 300));
  (globalThis as { gc?: () => void }).gc?.();
  return {};
}

async function perform(job: Job): Promise<Answer> {
  switch (job.kind) {
    case 'serve':
      return { port: await serve(job.variant, job) };
    case 'echo':
      return echo(job);
    case 'bulk':
      return bulk(job);
    case 'idle':
      return idle(job);
    case 'collect':
      return collect();
  }
}

process.on('message', (job: Job) => {
  perform(job).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
