/**
 * What HTTP through hoopctl and hoopd costs, beside the API itself and a pair of haproxies with TLS between them.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';
import { cpuUs, median } from '../processes.ts';
import { type BenchRun, interleaved, note } from '../rounds.ts';
import { type HttpServers, LARGE_BYTES, startHttpServers } from './servers.ts';

const run = promisify(execFile);

/** All rooms at work; one group sees no address. */
const POLICY = `
@id("all") permit (principal, action, resource);
@id("email-is-masked") @mask("partial") forbid (principal in Group::"others", action == Action::"reveal", resource is Field)
when { resource.tags.contains("pii.email") };
@id("no-delete") forbid (principal, action == Action::"http.delete", resource) unless { principal in Group::"ai-agents" };
`;

const CONNECTIONS = 8;
const WARM_SECONDS = 4;

interface Place {
  readonly port: number;
  readonly headers: readonly string[];
  /** Processes whose CPU time counts. */
  readonly pids: readonly number[];
}

type Places = Readonly<Record<'direct' | 'pair' | 'hoop' | 'masked', Place>>;

/** Starts everything, measures, and stops everything: under a minute if quick, three if not. */
export async function httpFigures(bench: BenchRun): Promise<void> {
  const servers = await startHttpServers();
  const stack = await startStack({
    policy: POLICY,
    resources: () => `
  api:
    protocol: http
    target: { url: 'http://127.0.0.1:${servers.api}' }
    credentials: {}
    classification: { fields: { 'GET /customers': { '$.email': [pii.email] } } }`,
  });
  const tunnel = await stack.tunnelTo('api');
  const masked = await stack.tunnelTo('api', [], {
    HOOPCTL_TOKEN: stack.issuer.mint({ sub: 'job', repository: 'org/other' }),
  });
  try {
    const places = placesOf(servers, stack, tunnel, masked);
    for (const place of Object.values(places)) {
      await wrk(place, '/small', WARM_SECONDS);
      await wrk(place, '/customers', 1);
    }
    await throughput(bench, places);
    await maskedRoute(bench, places);
    await download(bench, places);
  } finally {
    await tunnel.close();
    await masked.close();
    await stack.stop();
    await servers.stop();
  }
}

function placesOf(servers: HttpServers, stack: Stack, tunnel: Tunnel, masked: Tunnel): Places {
  const through = ({ port, running, token }: Tunnel): Place => ({
    port,
    headers: [`Authorization: Bearer ${token ?? ''}`],
    pids: [stack.hoopd.child.pid ?? 0, running.child.pid ?? 0],
  });
  return {
    direct: { port: servers.api, headers: [], pids: [] },
    pair: { port: servers.pair, headers: [], pids: servers.pairPids },
    hoop: through(tunnel),
    masked: through(masked),
  };
}

async function throughput(bench: BenchRun, places: Places): Promise<void> {
  const names = ['direct', 'pair', 'hoop'] as const;
  const cpu: Record<string, number[][]> = { pair: [], hoop: [] };
  await interleaved(
    bench.quick ? 3 : 7,
    names,
    async (name) => {
      const { perSecond, cpuUs } = await measured(places[name], '/small');
      cpu[name]?.push(cpuUs);
      return perSecond;
    },
    (round) => {
      const told = names.map((name) => `${name} ${Math.round(round[name])}`).join(', ');
      bench.say(`HTTP, ${CONNECTIONS} connections: ${told} requests per second`);
      note(bench, 'httpPair', round.hoop / round.pair);
    },
  );
  for (const [name, rounds] of Object.entries(cpu)) {
    const each = [0, 1].map((at) => median(rounds.map((one) => one[at] ?? 0)).toFixed(0));
    const which = name === 'pair' ? 'near and far haproxy' : 'hoopd and hoopctl';
    bench.notes[`CPU µs per request over HTTP, ${which}`] = each.join(' + ');
  }
}

async function maskedRoute(bench: BenchRun, places: Places): Promise<void> {
  await interleaved(
    bench.quick ? 3 : 7,
    ['hoop', 'masked'] as const,
    async (name) => (await measured(places[name], '/customers')).perSecond,
    (round) => {
      bench.say(
        `JSON route: ${Math.round(round.hoop)}, masked ${Math.round(round.masked)} requests per second`,
      );
      note(bench, 'httpMasked', round.masked / round.hoop);
    },
  );
}

async function download(bench: BenchRun, places: Places): Promise<void> {
  await interleaved(
    bench.quick ? 2 : 5,
    ['direct', 'pair', 'hoop'] as const,
    (name) => downloadSpeed(places[name]),
    (round) => {
      const told = Object.entries(round).map(([name, speed]) => `${name} ${speed.toFixed(0)}`);
      bench.say(`1 GiB: ${told.join(', ')} MB/s`);
      note(bench, 'httpLarge', round.hoop / round.direct);
    },
  );
}

interface Load {
  readonly perSecond: number;
  /** Per request, for each process of the place. */
  readonly cpuUs: number[];
}

async function measured(place: Place, path: string): Promise<Load> {
  const before = place.pids.map(cpuUs);
  const { requests, perSecond } = await wrk(place, path, 3);
  return { perSecond, cpuUs: place.pids.map((pid, i) => (cpuUs(pid) - (before[i] ?? 0)) / requests) };
}

/** @throws {Error} An answer was none of the API's. */
async function wrk({ port, headers }: Place, path: string, seconds: number) {
  const given = headers.flatMap((one) => ['-H', one]);
  const load = ['-t', '1', '-c', String(CONNECTIONS), '-d', `${seconds}s`];
  const { stdout } = await run('wrk', [...load, ...given, `http://127.0.0.1:${port}${path}`]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`not all was answered well: ${stdout}`);
  const figure = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? Number.NaN);
  return { requests: figure(/(\d+) requests in/), perSecond: figure(/Requests\/sec: +([\d.]+)/) };
}

/** MB/s. */
async function downloadSpeed({ port, headers }: Place): Promise<number> {
  const given = headers.flatMap((one) => ['-H', one]);
  const told = ['-w', '%{size_download} %{time_total}'];
  const url = `http://127.0.0.1:${port}/large`;
  const { stdout } = await run('curl', ['-sS', '--fail', '-o', '/dev/null', ...told, ...given, url]);
  const [size = 0, seconds = 0] = stdout.split(' ').map(Number);
  if (size !== LARGE_BYTES) throw new Error(`only ${size} octets came`);
  return size / seconds / 1e6;
}
