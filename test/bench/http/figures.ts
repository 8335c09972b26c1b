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

/** All rooms at work; one group sees no address, and nobody a contact, which is a word that no detector knows. */
const POLICY = `
@id("all") permit (principal, action, resource);
@id("email-is-masked") @mask("partial") forbid (principal in Group::"others", action == Action::"reveal", resource is Field)
when { resource.tags.contains("pii.email") };
@id("contact-is-masked") @mask("partial") forbid (principal, action == Action::"reveal", resource is Field)
when { resource.tags.contains("contact") };
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

/** `masked` by path alone; `looked`: detectors look at every other string as well. */
type Places = Readonly<Record<'direct' | 'pair' | 'hoop' | 'masked' | 'looked' | 'sink', Place>>;

/** Starts everything, measures, and stops everything: two minutes if quick, five if not. */
export async function httpFigures(bench: BenchRun): Promise<void> {
  const servers = await startHttpServers();
  const resource = (name: string, port: number, tag: string) => `
  ${name}:
    protocol: http
    target: { url: 'http://127.0.0.1:${port}' }
    credentials: {}
    classification: { fields: { 'GET /customers': { '$.email': [${tag}] } } }`;
  const stack = await startStack({
    policy: POLICY,
    resources: () =>
      resource('api', servers.api, 'pii.email') +
      resource('contacts', servers.api, 'contact') +
      resource('sink', servers.sink, 'contact'),
  });
  const other = { HOOPCTL_TOKEN: stack.issuer.mint({ sub: 'job', repository: 'org/other' }) };
  const tunnels = {
    hoop: await stack.tunnelTo('api'),
    masked: await stack.tunnelTo('contacts'),
    looked: await stack.tunnelTo('api', [], other),
    sink: await stack.tunnelTo('sink'),
  };
  try {
    const places = placesOf(servers, stack, tunnels);
    const { sink: _, ...answering } = places;
    for (const place of Object.values(answering)) {
      await wrk(place, '/small', WARM_SECONDS);
      await wrk(place, '/customers', WARM_SECONDS);
    }
    await throughput(bench, places);
    await maskedRoutes(bench, places);
    await download(bench, places);
    await upload(bench, places, servers);
  } finally {
    for (const tunnel of Object.values(tunnels)) await tunnel.close();
    await stack.stop();
    await servers.stop();
  }
}

function placesOf(
  servers: HttpServers,
  stack: Stack,
  tunnels: Readonly<Record<'hoop' | 'masked' | 'looked' | 'sink', Tunnel>>,
): Places {
  const through = ({ port, running, token }: Tunnel): Place => ({
    port,
    headers: [`Authorization: Bearer ${token ?? ''}`],
    pids: [stack.hoopd.child.pid ?? 0, running.child.pid ?? 0],
  });
  return {
    direct: { port: servers.api, headers: [], pids: [] },
    pair: { port: servers.pair, headers: [], pids: servers.pairPids },
    hoop: through(tunnels.hoop),
    masked: through(tunnels.masked),
    looked: through(tunnels.looked),
    sink: through(tunnels.sink),
  };
}

async function throughput(bench: BenchRun, places: Places): Promise<void> {
  const names = ['direct', 'pair', 'hoop'] as const;
  const cpu: Record<string, number[][]> = { pair: [], hoop: [] };
  await interleaved(
    bench.quick ? 5 : 9,
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

async function maskedRoutes(bench: BenchRun, places: Places): Promise<void> {
  const names = ['hoop', 'masked', 'looked'] as const;
  const cpu: Record<string, number[]> = { hoop: [], masked: [], looked: [] };
  await interleaved(
    bench.quick ? 5 : 9,
    names,
    async (name) => {
      const load = await measured(places[name], '/customers');
      cpu[name]?.push(load.cpuUs[0] ?? 0);
      return load.perSecond;
    },
    (round) => {
      const told = names.map((name) => `${name} ${Math.round(round[name])}`).join(', ');
      bench.say(`JSON route: ${told} requests per second`);
      note(bench, 'httpMasked', round.masked / round.hoop);
      note(bench, 'httpLooked', round.looked / round.hoop);
    },
  );
  const each = names.map((name) => `${name} ${median(cpu[name] ?? []).toFixed(0)}`);
  bench.notes["hoopd's CPU µs per request of a JSON route"] = each.join(', ');
}

/** MB/s of each place, and what a GiB costs in CPU there. */
async function bulk<T extends string>(
  bench: BenchRun,
  what: string,
  places: Readonly<Record<T, Place>>,
  move: (place: Place) => Promise<number>,
  each: (round: Record<T, number>) => void,
): Promise<void> {
  const names = Object.keys(places) as T[];
  const cpu = new Map(names.map((name) => [name, [] as number[][]]));
  for (const name of names) await move(places[name]);
  await interleaved(
    bench.quick ? 7 : 11,
    names,
    async (name) => {
      const { pids } = places[name];
      const before = pids.map(cpuUs);
      const speed = await move(places[name]);
      cpu.get(name)?.push(pids.map((pid, i) => (cpuUs(pid) - (before[i] ?? 0)) / 1000));
      return speed;
    },
    (round) => {
      const told = names.map((name) => `${name} ${round[name].toFixed(0)}`).join(', ');
      bench.say(`${what} of 1 GiB: ${told} MB/s`);
      each(round);
    },
  );
  for (const name of names) {
    const spent = places[name].pids.map((_, i) =>
      median((cpu.get(name) ?? []).map((one) => one[i] ?? 0)).toFixed(0),
    );
    if (spent.length > 0)
      bench.notes[
        `CPU ms per GiB, ${what}, ${name === 'pair' ? 'near and far haproxy' : 'hoopd and hoopctl'}`
      ] = spent.join(' + ');
  }
}

function download(bench: BenchRun, { direct, pair, hoop }: Places): Promise<void> {
  return bulk(bench, 'download', { direct, pair, hoop }, downloadSpeed, (round) =>
    note(bench, 'httpLarge', round.hoop / round.direct),
  );
}

function upload(bench: BenchRun, { sink }: Places, servers: HttpServers): Promise<void> {
  const direct = { port: servers.sink, headers: [], pids: [] };
  return bulk(
    bench,
    'upload',
    { direct, hoop: sink },
    (place) => uploadSpeed(place, servers.largeFile),
    (round) => note(bench, 'httpUpload', round.hoop / round.direct),
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

/** MB/s. */
async function uploadSpeed({ port, headers }: Place, file: string): Promise<number> {
  const given = headers.flatMap((one) => ['-H', one]);
  const told = ['-w', '%{size_upload} %{time_total}'];
  const url = `http://127.0.0.1:${port}/sink`;
  const { stdout } = await run('curl', ['-sS', '--fail', '-T', file, ...told, ...given, url]);
  const [size = 0, seconds = 0] = stdout.split(' ').map(Number);
  if (size !== LARGE_BYTES) throw new Error(`only ${size} octets went`);
  return size / seconds / 1e6;
}
