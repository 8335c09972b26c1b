import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { rawLogin } from '../support/postgres/raw-client.ts';
import { pgEnv, type Stack, startStack, type Tunnel } from '../support/stack.ts';
import { cliFigures } from './cli/figures.ts';
import { detectionSpeeds } from './detection.ts';
import { heldFigures } from './held.ts';
import { httpFigures } from './http/figures.ts';
import { kubernetesFigures } from './kubernetes/figures.ts';
import { lineageFigures } from './lineage.ts';
import { type Peers, type Place, startPeers } from './peers.ts';
import { cpuUs, median, rssKiB } from './processes.ts';
import { bulkBytes, p50Us } from './reader.ts';
import { type BenchOptions, type BenchResult, type BenchRun, interleaved, note } from './rounds.ts';
import { searchTimes } from './search.ts';
import { sshFigures } from './ssh/figures.ts';
import { strictRounds } from './strict.ts';
import { structure, structureMs } from './structure.ts';

/** As a server that is used keeps what it is told; the tests' own servers do not. */
const DURABLE = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' };

const start = promisify(execFile);

/** All rooms at work: every statement is judged, recorded and audited; one group sees one column masked. */
const POLICY = `
@id("all") permit (principal, action, resource);
@id("email-is-masked") @mask("partial") forbid (principal in Group::"others", action == Action::"reveal", resource is Column)
when { resource.tags.contains("pii.email") && !resource.detected };
@id("no-drop") forbid (principal, action == Action::"sql.drop", resource) unless { principal in Group::"ai-agents" };
`;

const ROWS = `CREATE TABLE people AS SELECT g AS id, 'Name ' || (g % 997) AS name, 'user' || g || '@example.com' AS email,
  '+3161' || lpad((g::bigint * 7919 % 1000000)::text, 7, '0') AS phone, 'note ' || repeat('likes tea and long walks ', 2) || g AS note
  FROM generate_series(1, 1000000) g;
CREATE TABLE noise AS SELECT g AS id, md5(g::text) || md5((g::bigint * 31)::text) || md5((g::bigint * 77)::text) AS junk FROM generate_series(1, 1000000) g;`;

const WARM_STATEMENTS = 20_000;

interface Bench extends BenchRun {
  readonly stack: Stack;
  readonly tunnel: Tunnel;
  readonly masked: Tunnel;
  readonly peers: Peers;
  readonly direct: Place;
}

const PARTS: Readonly<Record<string, (run: BenchRun) => Promise<void>>> = {
  session,
  strict,
  held,
  lineage: lineageFigures,
  http: httpFigures,
  ssh: sshFigures,
  kubernetes: kubernetesFigures,
  cli: cliFigures,
  detection: async (run) => {
    for (const speed of detectionSpeeds(run.quick ? 5 : 9)) note(run, 'detection', speed);
  },
  search: async (run) => {
    if (run.quick) run.notes['audit search over 1 M events'] = 'measured in the full run only';
    else note(run, 'search', Math.max(...(await searchTimes(run.say))));
  },
};

/**
 * Measures one part after the other: under 6 minutes if quick, 28 if not.
 *
 * @param only Names of the parts that are wanted; undefined: all.
 * @throws {Error} There is no such part.
 */
export async function measure(
  options: BenchOptions & { readonly only: readonly string[] | undefined },
): Promise<BenchResult> {
  const { only = Object.keys(PARTS), quick, say } = options;
  const unknown = only.find((name) => PARTS[name] === undefined);
  if (unknown !== undefined)
    throw new Error(`no part is called ${unknown}: ${Object.keys(PARTS).join(', ')}`);
  const run: BenchRun = { quick, say, values: {}, notes: {}, fdatasyncUs: 0 };
  for (const name of only) await PARTS[name]?.(run);
  return run;
}

/** PostgreSQL's sessions: starts everything, measures one thing after the other, and stops everything. */
async function session(run: BenchRun): Promise<void> {
  const stack = await startStack({
    policy: POLICY,
    superuser: true,
    targetTls: 'disable',
    sql: ROWS,
    columns: { 'public.people.email': ['pii.email'] },
    settings: { max_connections: '400', shared_buffers: '256MB', ...DURABLE },
  });
  const direct: Place = {
    host: '127.0.0.1',
    port: stack.postgres.port,
    user: 'hoop',
    password: readFileSync(join(stack.directory, 'pg.password'), 'utf8'),
    database: 'shop',
  };
  const peers = await startPeers(direct);
  const tunnel = await stack.tunnel();
  const masked = await stack.tunnel([], {
    HOOPCTL_TOKEN: stack.issuer.mint({ sub: 'job', repository: 'org/other' }),
  });
  const bench: Bench = Object.assign(run, { stack, tunnel, masked, peers, direct });
  try {
    await pgbench(direct, ['-i', '-q', '-s', '10']);
    await warmUp(bench);
    await throughput(bench, 8);
    await throughput(bench, 32);
    await latency(bench);
    await bulk(bench);
    await connects(bench);
    await structures(bench);
    await slowReader(bench);
    await idle(bench);
    await proveEnforcement(bench);
  } finally {
    await tunnel.close();
    await masked.close();
    await peers.stop();
    await stack.stop();
  }
}

/** A process that was just started compiles as it goes: each variant serves some ten thousand statements first. */
async function warmUp(bench: Bench): Promise<void> {
  for (const at of [bench.peers.p1, bench.peers.p2, bench.tunnel, bench.masked]) {
    await pgbench(at, ['-S', '-n', '-c', '8', '-t', String(WARM_STATEMENTS / 8)]);
  }
  for (const at of [bench.direct, bench.tunnel, bench.masked]) await bulkBytes(at, 'SELECT * FROM people');
}

async function held(bench: BenchRun): Promise<void> {
  const { yesToAnswerMs, others } = await heldFigures({ held: 500, rounds: bench.quick ? 3 : 7 });
  note(bench, 'yesToAnswer', median(yesToAnswerMs));
  for (const ratio of others) note(bench, 'heldOthers', ratio);
  bench.notes['from a yes to the answer, slowest of all, ms'] = Math.max(...yesToAnswerMs).toFixed(1);
}

async function strict(bench: BenchRun): Promise<void> {
  const rounds = await strictRounds(bench.quick ? 3 : 7, bench.quick ? 800 : 3000);
  for (const { addedUs, fdatasyncUs } of rounds) {
    bench.say(`strict: +${addedUs.toFixed(0)} µs, fdatasync ${fdatasyncUs.toFixed(0)} µs`);
    note(bench, 'strictP50', addedUs);
  }
  bench.fdatasyncUs = median(rounds.map((round) => round.fdatasyncUs));
  bench.notes['fdatasync of the same disk, µs'] = bench.fdatasyncUs.toFixed(0);
}

async function pgbench(at: Place | Tunnel, args: readonly string[]): Promise<number> {
  const env = pgEnv(at);
  const { stdout } = await start('pgbench', args, { env, maxBuffer: 1 << 24 });
  return Number(/tps = ([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN);
}

async function throughput(bench: Bench, clients: 8 | 32): Promise<void> {
  const seconds = 3;
  const places = { direct: bench.direct, p1: bench.peers.p1, p2: bench.peers.p2, hoop: bench.tunnel };
  const pids = {
    direct: [],
    p1: bench.peers.pids.p1,
    p2: bench.peers.pids.p2,
    hoop: [bench.stack.hoopd.child.pid ?? 0, bench.tunnel.running.child.pid ?? 0],
  };
  const cpu: Record<string, number[]> = {};
  await interleaved(
    bench.quick ? 5 : 7,
    ['direct', 'p1', 'p2', 'hoop'] as const,
    async (name) => {
      const before = pids[name].map(cpuUs);
      const tps = await pgbench(places[name], ['-S', '-n', '-c', String(clients), '-T', String(seconds)]);
      const spent = pids[name].map((pid, i) => (cpuUs(pid) - (before[i] ?? 0)) / (tps * seconds));
      if (spent.length > 0) cpu[name] = [...(cpu[name] ?? []), spent.reduce((a, b) => a + b, 0)];
      return tps;
    },
    (round) => {
      bench.say(
        `${clients} clients: ${Object.entries(round)
          .map(([name, tps]) => `${name} ${Math.round(tps)}`)
          .join(', ')} tps`,
      );
      note(bench, clients === 8 ? 'p2at8' : 'p2at32', round.hoop / round.p2);
      if (clients === 8) note(bench, 'p1at8', round.hoop / round.p1);
    },
  );
  bench.notes[`CPU µs per transaction, ${clients} clients`] = Object.entries(cpu)
    .map(([name, all]) => `${name} ${median(all).toFixed(0)}`)
    .join(', ');
}

async function latency(bench: Bench): Promise<void> {
  const count = bench.quick ? 1500 : 5000;
  const places = { direct: bench.direct, hoop: bench.tunnel };
  await interleaved(
    bench.quick ? 3 : 7,
    ['direct', 'hoop'] as const,
    (name) => p50Us(places[name], count),
    (round) => {
      bench.say(`SELECT 1: direct ${round.direct.toFixed(0)} µs, hoop ${round.hoop.toFixed(0)} µs`);
      note(bench, 'addedP50', round.hoop - round.direct);
    },
  );
}

async function bulk(bench: Bench): Promise<void> {
  const once = async (at: Place | Tunnel, sql: string) => {
    const startedAt = process.hrtime.bigint();
    const bytes = await bulkBytes(at, sql);
    return bytes / (Number(process.hrtime.bigint() - startedAt) / 1000);
  };
  const [people, noise] = ['SELECT * FROM people', 'SELECT * FROM noise'];
  await interleaved(
    bench.quick ? 2 : 5,
    ['direct', 'hoop', 'masked', 'noiseDirect', 'noiseHoop'] as const,
    (name) =>
      once(
        name.toLowerCase().includes('direct')
          ? bench.direct
          : name === 'masked'
            ? bench.masked
            : bench.tunnel,
        name.startsWith('noise') ? noise : people,
      ),
    (round) => {
      bench.say(
        `1 M rows: ${Object.entries(round)
          .map(([name, speed]) => `${name} ${speed.toFixed(0)}`)
          .join(', ')} MB/s`,
      );
      note(bench, 'bulk', round.hoop / round.direct);
      note(bench, 'masked', round.masked / round.hoop);
      note(bench, 'bulkHard', round.noiseHoop / round.noiseDirect);
    },
  );
}

async function connects(bench: Bench): Promise<void> {
  const places = { direct: bench.direct, hoop: bench.tunnel };
  await interleaved(
    bench.quick ? 2 : 5,
    ['direct', 'hoop'] as const,
    (name) => pgbench(places[name], ['-S', '-n', '-C', '-c', '4', '-T', bench.quick ? '2' : '4']),
    (round) => {
      bench.say(`new connections: direct ${round.direct.toFixed(0)}/s, hoop ${round.hoop.toFixed(0)}/s`);
      note(bench, 'connects', round.hoop / round.direct);
    },
  );
}

/** A structure file in one psql: each statement of it changes the schema, and is judged by what the last one made of it. */
async function structures(bench: Bench): Promise<void> {
  const text = structure(250);
  const places = { direct: bench.direct, hoop: bench.tunnel };
  await interleaved(
    bench.quick ? 2 : 3,
    ['direct', 'hoop'] as const,
    (name) => structureMs(places[name], bench.direct, bench.stack.directory, text),
    (round) => {
      bench.say(`structure file: direct ${round.direct.toFixed(0)} ms, hoop ${round.hoop.toFixed(0)} ms`);
      note(bench, 'structure', round.hoop / round.direct);
    },
  );
}

/** 4 MB/s out of a result of 185 MB, for ten seconds. */
async function slowReader(bench: Bench): Promise<void> {
  const pid = bench.stack.hoopd.child.pid ?? 0;
  const client = await rawLogin(bench.tunnel);
  const before = rssKiB(pid);
  let peak = before;
  client.socket.removeAllListeners('data');
  client.socket.pause();
  client.socket.write(
    Buffer.concat([Buffer.from('51', 'hex'), length('SELECT * FROM people, generate_series(1, 2)\0')]),
  );
  for (let i = 0; i < 100; i++) {
    client.socket.read(400_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    peak = Math.max(peak, rssKiB(pid));
  }
  client.close();
  note(bench, 'slowReader', (peak - before) / 1024);
}

function length(text: string): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.alloc(4);
  head.writeInt32BE(body.length + 4);
  return Buffer.concat([head, body]);
}

/** Streams that are open and say nothing: a client has connected and not logged in. */
async function idle(bench: Bench): Promise<void> {
  // As many as one instance may have; at an owner's own socket a stream is opened before a word is said.
  const count = 500;
  const directory = mkdtempSync(join(tmpdir(), 'hoop-idle-'));
  const tunnel = await bench.stack.tunnel(['--socket', directory]);
  const pids = [bench.stack.hoopd.child.pid ?? 0, tunnel.running.child.pid ?? 0] as const;
  const before = pids.map(rssKiB);
  const sockets = [];
  for (let i = 0; i < count; i++) {
    const socket = connect(join(directory, '.s.PGSQL.5432'));
    socket.on('error', () => undefined);
    sockets.push(socket);
    if (i % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 150));
  }
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const [gateway = 0, cli = 0] = pids.map((pid, i) => (rssKiB(pid) - (before[i] ?? 0)) / count);
  for (const socket of sockets) socket.destroy();
  await tunnel.close();
  rmSync(directory, { recursive: true, force: true });
  bench.say(`${count} idle streams: gateway ${gateway.toFixed(1)} KiB, CLI ${cli.toFixed(1)} KiB each`);
  note(bench, 'idleGateway', gateway);
  note(bench, 'idleCli', cli);
}

/** The counters that show policy, audit and recording were at work in every transaction measured. */
async function proveEnforcement(bench: Bench): Promise<void> {
  const auditor = await bench.stack.person('otto');
  const sessions = await bench.stack.hoopctl(['session', 'list', '--json'], auditor);
  const listed = sessions.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { operations: number });
  bench.notes['operations judged and audited (sessions listed)'] = String(
    listed.reduce((sum, one) => sum + one.operations, 0),
  );
  const verified = await bench.stack.hoopctl(['audit', 'verify', '--json'], auditor);
  bench.notes['audit chain'] = verified.exitCode === 0 ? 'verifies' : `exit ${verified.exitCode}`;
}
