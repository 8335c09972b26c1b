/**
 * What SSH through hoopctl and hoopd costs OpenSSH's own client, beside the host itself and beside a relay of ssh2 that decides
 * nothing.
 */
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../../support/waiting.ts';
import { cpuUs, median } from '../processes.ts';
import { type BenchRun, interleaved, note } from '../rounds.ts';
import type { TargetName } from '../targets.ts';
import { type Place, type PlaceName, type SshPlaces, startSshPlaces } from './places.ts';

const run = promisify(execFile);

const LARGE_BYTES = 512 * 1024 ** 2;
const QUICK_BYTES = LARGE_BYTES / 4;
const TEXT_BYTES = 64 * 1024 ** 2;

/** How octets go: by a command's output and input, and as files. `$D` has `large`. */
const WAYS = {
  sshCatDown: { name: 'cat, down', args: ['ssh', 'host-1', 'cat', '$D/large'] },
  sshCatUp: {
    name: 'cat, up',
    args: ['ssh', 'host-1', 'cat > /dev/null'],
    input: 'large',
  },
  sshSftpDown: {
    name: 'sftp, down',
    args: ['scp', '-q', 'host-1:$D/large', '$D/copy'],
  },
  sshSftpUp: { name: 'sftp, up', args: ['scp', '-q', '$D/large', 'host-1:$D/copy'] },
} as const satisfies Partial<Record<TargetName, Way>>;

const TEXT: Way = { name: 'text', args: ['ssh', 'host-1', 'cat', '$D/text'] };

interface Way {
  readonly name: string;
  readonly args: readonly string[];
  /** A file for its standard input. */
  readonly input?: string;
}

/** Starts everything, measures, and stops everything: two minutes if quick, ten if not. */
export async function sshFigures(bench: BenchRun): Promise<void> {
  const ssh = await startSshPlaces();
  const bytes = bench.quick ? QUICK_BYTES : LARGE_BYTES;
  try {
    writeFileSync(join(ssh.directory, 'large'), randomBytes(bytes));
    writeFileSync(join(ssh.directory, 'text'), textOf(TEXT_BYTES));
    for (const name of ['relay', 'hoop', 'masked'] as const) await moved(ssh, name, TEXT, TEXT_BYTES);
    for (const [figure, way] of Object.entries(WAYS))
      await throughput(bench, ssh, figure as TargetName, way, bytes);
    await text(bench, ssh);
    await commands(bench, ssh);
    await connections(bench, ssh);
  } finally {
    await ssh.stop();
  }
}

/** Lines of a log, a value in every eighth that a detector finds. */
function textOf(bytes: number): string {
  const lines = Array.from({ length: 2000 }, (_, n) => {
    const who = n % 8 === 0 ? `user${n}@example.com` : 'a visitor';
    return `2026-01-01T12:00:00Z web-1 shop[4711]: GET /customers/${n} by ${who} took ${n % 90} ms and was answered 200\n`;
  }).join('');
  return lines.repeat(Math.ceil(bytes / lines.length)).slice(0, bytes);
}

async function throughput(
  bench: BenchRun,
  ssh: SshPlaces,
  figure: TargetName,
  way: Way,
  bytes: number,
): Promise<void> {
  const cpu: Partial<Record<PlaceName, number[]>> = {};
  await interleaved(
    bench.quick ? 3 : 5,
    ['direct', 'relay', 'hoop'] as const,
    async (name) => {
      const { perSecond, cpuMs } = await moved(ssh, name, way, bytes);
      cpu[name] = [...(cpu[name] ?? []), cpuMs];
      return perSecond;
    },
    (round) => {
      bench.say(`${way.name}: ${told(round)} MB/s`);
      note(bench, figure, round.hoop / round.relay);
    },
  );
  const each = (['relay', 'hoop'] as const).map((name) => `${name} ${median(cpu[name] ?? []).toFixed(1)}`);
  bench.notes[`CPU ms per MB over SSH, ${way.name}`] = each.join(', ');
}

async function text(bench: BenchRun, ssh: SshPlaces): Promise<void> {
  const speeds: number[] = [];
  await interleaved(
    bench.quick ? 2 : 5,
    ['relay', 'hoop', 'masked'] as const,
    async (name) => (await moved(ssh, name, TEXT, TEXT_BYTES)).perSecond,
    (round) => {
      bench.say(`text: ${told(round)} MB/s`);
      speeds.push(round.masked);
    },
  );
  bench.notes['text of which detectors look at all, MB/s'] = median(speeds).toFixed(0);
}

/** Commands one after the other, over a connection that is open. */
async function commands(bench: BenchRun, ssh: SshPlaces): Promise<void> {
  const count = bench.quick ? 100 : 300;
  await interleaved(
    bench.quick ? 3 : 7,
    ['direct', 'relay', 'hoop'] as const,
    (name) => overOneConnection(ssh, name, count),
    (round) => {
      bench.say(`a command over an open connection: ${told(round, 1)} ms`);
      note(bench, 'sshExec', round.hoop - round.direct);
      note(bench, 'sshExecRelay', round.hoop / round.relay);
    },
  );
}

async function connections(bench: BenchRun, ssh: SshPlaces): Promise<void> {
  await interleaved(
    bench.quick ? 3 : 7,
    ['direct', 'relay', 'hoop'] as const,
    (name) => p50Ms(10, () => run('ssh', ['-F', ssh.places[name].config, 'host-1', 'true'])),
    (round) => {
      bench.say(`a connection and a command: ${told(round, 0)} ms`);
      note(bench, 'sshConnect', round.hoop / round.relay);
    },
  );
}

/** Median of one command's time, ms: of OpenSSH's client, which shares a connection that is opened for it. */
async function overOneConnection({ places, directory }: SshPlaces, name: PlaceName, count: number) {
  const shared = ['-F', places[name].config, '-o', `ControlPath=${directory}/control-${name}`];
  const master = spawn('ssh', [...shared, '-o', 'ControlMaster=yes', '-N', 'host-1'], { stdio: 'ignore' });
  const answers = () => run('ssh', [...shared, '-O', 'check', 'host-1']).then(Boolean, () => false);
  try {
    await eventually(`${name} is connected to`, answers);
    return await p50Ms(count, () => run('ssh', [...shared, 'host-1', 'true']));
  } finally {
    master.kill();
  }
}

async function p50Ms(count: number, once: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const startedAt = process.hrtime.bigint();
    await once();
    times.push(Number(process.hrtime.bigint() - startedAt) / 1e6);
  }
  return median(times);
}

interface Moved {
  /** MB. */
  readonly perSecond: number;
  /** Of the place's processes, per MB. */
  readonly cpuMs: number;
}

/** @throws {Error} The program failed. */
async function moved(
  { places, directory }: SshPlaces,
  name: PlaceName,
  way: Way,
  bytes: number,
): Promise<Moved> {
  const { config, pids }: Place = places[name];
  const [program = '', ...args] = way.args.map((arg) => arg.replace('$D', directory));
  const input = way.input === undefined ? 'ignore' : openSync(join(directory, way.input), 'r');
  const before = total(pids);
  const startedAt = process.hrtime.bigint();
  const child = spawn(program, ['-F', config, ...args], { stdio: [input, 'pipe', 'inherit'] });
  let came = 0;
  child.stdout?.on('data', (chunk: Buffer) => (came += chunk.length));
  const [code] = (await once(child, 'close')) as [number | null];
  const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
  if (typeof input === 'number') closeSync(input);
  if (code !== 0) throw new Error(`${program} at ${name} ended with ${code}`);
  if (args.includes('cat') && came < bytes * 0.9) throw new Error(`only ${came} octets came from ${name}`);
  return { perSecond: bytes / seconds / 1e6, cpuMs: (total(pids) - before) / 1000 / (bytes / 1e6) };
}

function total(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuUs(pid), 0);
}

function told(round: Readonly<Record<string, number>>, digits = 0): string {
  return Object.entries(round)
    .map(([name, value]) => `${name} ${value.toFixed(digits)}`)
    .join(', ');
}
