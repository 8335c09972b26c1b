/**
 * What others feel while eight hostile sessions do their worst: a real PostgreSQL, hoopd and hoopctl in processes of
 * their own, one attack after the other and then all of them together, beside honest load.
 *
 *   npm run stress [-- --minutes N] [--seconds N] [--only ATTACK] [--json]
 *
 * `--seconds` is the time for each attack (default 5), `--minutes` that of all together (default 0.5). Prints how long
 * another session's `SELECT 1` takes (and beside it one without a gateway: what the machine itself adds), hoopd's memory,
 * how long a revocation takes, and whether the audit chain verifies. Exits 1 if a bound does not hold: p99 at most 100 ms
 * above the idle one over the time that all attack, memory under 1 GiB, revocations under a second, no honest statement failed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { type OpenGateway, openGateway } from '../../src/client/gateway.ts';
import { Tunnel as ClientTunnel } from '../../src/client/tunnel.ts';
import { rssKiB } from '../bench/processes.ts';
import {
  ATTACK_COLUMNS,
  ATTACK_FIXTURE,
  GUARDED,
  type Stack,
  startStack,
  type Tunnel,
} from '../support/stack.ts';
import { type HonestLoad, honest, type Latency, latencyOf, round, timesOf } from './figures.ts';
import { ATTACKS, type AttackName, type Target } from './hostile.ts';

const SESSIONS = 8;
const HONEST = 4;
const ABOVE_IDLE_MS = 100;
const MEMORY_MIB = 1024;
const REVOKED_MS = 1000;
const FIXTURE = `${ATTACK_FIXTURE}
CREATE TABLE honest (worker int, t text); CREATE INDEX ON honest (worker, t); GRANT ALL ON honest TO hoop;`;

interface Phase {
  readonly phase: string;
  readonly through: Latency;
  readonly direct: Latency;
  readonly memoryMiB: number;
  readonly revokedMs: number;
  /** Of each `SELECT 1` through the tunnel, ms. */
  readonly times: readonly number[];
}

class Stress {
  readonly #stack: Stack;
  readonly #tunnel: Tunnel;
  readonly #hostile: Tunnel;
  readonly load: HonestLoad = { statements: 0, failed: [] };

  constructor(stack: Stack, tunnel: Tunnel, hostile: Tunnel) {
    this.#stack = stack;
    this.#tunnel = tunnel;
    this.#hostile = hostile;
  }

  /** Measures for so long while these attack, each in a session of its own. */
  async phase(name: string, attacks: readonly AttackName[], ms: number): Promise<Phase> {
    const hostile = attacks.length === 0 ? undefined : this.#attack(attacks);
    await sleep(Math.min(1000, ms / 4));
    const end = Date.now() + ms;
    const over = () => Date.now() >= end;
    const [through, direct, memoryMiB, revokedMs] = await Promise.all([
      timesOf(urlOf(this.#tunnel), over, (why) => this.load.failed.push(`SELECT 1: ${why}`)),
      timesOf(this.#directUrl(), over, (why) => process.stderr.write(`without a gateway: ${why}\n`)),
      this.#peakMemory(over),
      this.#revocations(over),
      ...Array.from({ length: HONEST }, (_, i) => honest(urlOf(this.#tunnel), i, over, this.load)),
    ]);
    if (hostile !== undefined) await ended(hostile);
    return {
      phase: name,
      through: latencyOf(through),
      direct: latencyOf(direct),
      memoryMiB,
      revokedMs,
      times: through,
    };
  }

  #attack(attacks: readonly AttackName[]): ChildProcess {
    const { hostname, port } = new URL(this.#stack.url);
    const { running: _, close: __, ...tunnel } = this.#hostile;
    const target = { tunnel, gateway: { host: hostname, port: Number(port) } } as unknown as Target;
    const file = fileURLToPath(new URL('./hostile.ts', import.meta.url));
    return spawn(process.execPath, [file, 'run', JSON.stringify(target), ...attacks], { stdio: 'inherit' });
  }

  async #peakMemory(over: () => boolean): Promise<number> {
    let peak = 0;
    while (!over()) {
      peak = Math.max(peak, rssKiB(this.#stack.hoopd.child.pid ?? 0));
      await sleep(50);
    }
    return Math.round(peak / 1024);
  }

  /** The longest time from asking for an instance's end to the end of its session. */
  async #revocations(over: () => boolean): Promise<number> {
    let slowest = 0;
    const killer = await this.#instance();
    while (!over()) {
      try {
        slowest = Math.max(slowest, await this.#revocation(killer));
      } catch (error) {
        this.load.failed.push(`a revocation: ${error instanceof Error ? error.message : String(error)}`);
      }
      await sleep(500);
    }
    killer.close();
    return round(slowest);
  }

  /** From asking for an instance's end to the end of its session, ms. */
  async #revocation(killer: OpenGateway): Promise<number> {
    const victim = await this.#instance();
    try {
      const client = await streamed(victim);
      const ended = new Promise<number>((resolve) => client.once('end', () => resolve(performance.now())));
      const before = performance.now();
      await killer.api.revoke({ instance: victim.credential.facts.instance });
      return (await ended) - before;
    } finally {
      victim.close();
    }
  }

  #instance() {
    return openGateway({ ca: this.#stack.caFile }, this.#stack.env());
  }

  #directUrl(): string {
    const { host, port, database } = this.#stack.postgres;
    const password = readFileSync(join(this.#stack.directory, 'pg.password'), 'utf8');
    return `postgres://hoop:${password}@${host}:${port}/${database}`;
  }

  async verified(): Promise<boolean> {
    const otto = await this.#stack.person('otto');
    return (await this.#stack.hoopctl(['audit', 'verify'], otto)).exitCode === 0;
  }

  /** What hoopd's log says of sessions that did not end well, each reason once. */
  sessionFailures(): string {
    const lines = this.#stack.hoopd.log.split('\n').filter((line) => line.includes('session failed'));
    const reasons = new Map<string, number>();
    for (const line of lines) {
      const { code, reason } = JSON.parse(line) as { code: string; reason: string };
      reasons.set(`${code} ${reason}`, (reasons.get(`${code} ${reason}`) ?? 0) + 1);
    }
    return [...reasons].map(([reason, count]) => `${count} × ${reason}\n`).join('');
  }

  memoryMiB(): number {
    return Math.round(rssKiB(this.#stack.hoopd.child.pid ?? 0) / 1024);
  }
}

async function streamed(gateway: OpenGateway): Promise<pg.Client> {
  const socket = await new ClientTunnel(gateway.client, gateway.credential, gateway.key, {
    resource: 'pg',
  }).open();
  // The library hands its streams out paused.
  const connect = () => setImmediate(() => socket.emit('connect') && socket.resume());
  const stream = Object.assign(socket, { connect }).once('end', () => socket.end());
  const client = new pg.Client({ stream: () => stream, user: 'hoop', database: 'shop', ssl: false });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function urlOf({ user, password, host, port, database }: Tunnel): string {
  return `postgres://${user}:${password}@${host}:${port}/${database}`;
}

/** As many sessions as `SESSIONS`, of these attacks in turn, shifted by `from`. */
function sessionsOf(attacks: readonly AttackName[], from = 0): AttackName[] {
  return Array.from({ length: SESSIONS }, (_, i) => attacks[(from + i) % attacks.length] as AttackName);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '0.5' },
      seconds: { type: 'string', default: '5' },
      only: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
    },
  });
  const all = Object.keys(ATTACKS) as AttackName[];
  const chosen = values.only === undefined ? all : all.filter((name) => values.only?.includes(name));
  const say = ({ times: _, ...phase }: Phase) =>
    process.stdout.write(`${values.json ? JSON.stringify(phase) : plain(phase)}\n`);
  const stack = await startStack({
    policy: GUARDED,
    sql: FIXTURE,
    columns: ATTACK_COLUMNS,
    targetTls: 'disable',
    settings: { max_connections: '400' },
  });
  const [tunnel, hostile] = [await stack.tunnel(), await stack.tunnel()];
  try {
    const stress = new Stress(stack, tunnel, hostile);
    await stress.phase('warming up', [], 2000);
    const idle = await stress.phase('idle', [], 5000);
    say(idle);
    for (const name of Number(values.seconds) > 0 ? chosen : [])
      say(await stress.phase(name, sessionsOf([name]), Number(values.seconds) * 1000));
    const together: Phase[] = [];
    const slices = Math.max(1, Math.round((Number(values.minutes) * 60) / 30));
    for (let i = 0; i < slices && Number(values.minutes) > 0; i++) {
      const ms = (Number(values.minutes) * 60_000) / slices;
      together.push(await stress.phase('all together', sessionsOf(chosen, i * SESSIONS), ms));
      say(together.at(-1) as Phase);
    }
    await sleep(3000);
    return conclude(stress, idle, together, await stress.verified(), values.json);
  } finally {
    await Promise.all([tunnel.close(), hostile.close()]);
    await stack.stop();
  }
}

function conclude(
  stress: Stress,
  idle: Phase,
  together: readonly Phase[],
  verified: boolean,
  json: boolean,
): number {
  const { statements, failed } = stress.load;
  const aboveIdle = ({ p99Ms }: Latency) => Math.max(0, p99Ms - idle.through.p99Ms);
  const above = aboveIdle(latencyOf(together.flatMap(({ times }) => times)));
  const worst = Math.max(0, ...together.map(({ through }) => aboveIdle(through)));
  const memoryMiB = Math.max(0, ...together.map((phase) => phase.memoryMiB));
  const revokedMs = Math.max(0, ...together.map((phase) => phase.revokedMs));
  const unmet = [
    ...(above > ABOVE_IDLE_MS ? ['latency'] : []),
    ...(memoryMiB >= MEMORY_MIB ? ['memory'] : []),
    ...(revokedMs >= REVOKED_MS ? ['revocation'] : []),
    ...(failed.length > 0 ? ['failures'] : []),
    ...(verified ? [] : ['audit chain']),
  ];
  const after = stress.memoryMiB();
  const summary = {
    p99AboveIdleMs: round(above),
    worstHalfMinuteMs: round(worst),
    memoryMiB,
    afterMiB: after,
    revokedMs,
    statements,
    failed,
    verified,
  };
  if (json) process.stdout.write(`${JSON.stringify({ summary, unmet })}\n`);
  else
    process.stdout.write(
      `all together: p99 ${summary.p99AboveIdleMs} ms above idle (${summary.worstHalfMinuteMs} in the worst half minute), hoopd at most ${memoryMiB} MiB (${after} MiB after), ` +
        `revoked within ${revokedMs} ms; ${statements} honest statements, ${failed.length} failed; ` +
        `audit chain ${verified ? 'verified' : 'NOT VERIFIED'}\n${unmet.length === 0 ? 'all bounds hold' : `NOT MET: ${unmet.join(', ')}`}\n`,
    );
  for (const failure of new Set(failed)) process.stderr.write(`failed: ${failure}\n`);
  if (failed.length > 0) process.stderr.write(stress.sessionFailures());
  return unmet.length === 0 ? 0 : 1;
}

function plain({ phase, through, direct, memoryMiB, revokedMs }: Omit<Phase, 'times'>): string {
  const of = ({ p50Ms, p99Ms, maxMs }: Latency) => `${p50Ms}/${p99Ms}/${maxMs}`;
  return `${phase.padEnd(36)} SELECT 1 p50/p99/max ${of(through)} ms (direct ${of(direct)}), hoopd ${memoryMiB} MiB, revoked ${revokedMs} ms`;
}

process.exitCode = await main();
