/** What is promised: a floor under which the work is not done (`must`), and what we want to be known for (`aim`). */
interface Target {
  readonly name: string;
  readonly must: number;
  readonly aim: number;
  /** `min`: at least; `max`: at most. */
  readonly sense: 'min' | 'max';
  /** What each µs of fdatasync on the same disk adds to `must` and `aim`. */
  readonly perSync?: { readonly must: number; readonly aim: number };
}

const TARGETS = {
  p2at8: { name: 'pgbench -S, 8 clients, against pgbouncer→TLS→pgbouncer', must: 0.6, aim: 1, sense: 'min' },
  p1at8: { name: 'pgbench -S, 8 clients, against one pgbouncer', must: 0.35, aim: 0.6, sense: 'min' },
  p2at32: {
    name: 'pgbench -S, 32 clients, against pgbouncer→TLS→pgbouncer',
    must: 0.6,
    aim: 1,
    sense: 'min',
  },
  addedP50: { name: 'added p50 of SELECT 1 against direct, µs', must: 130, aim: 60, sense: 'max' },
  bulk: { name: '1 M rows, all enforcement, MB/s against direct', must: 0.5, aim: 0.8, sense: 'min' },
  bulkHard: { name: '1 M rows that compress badly, MB/s against direct', must: 0.32, aim: 0.6, sense: 'min' },
  masked: { name: 'one column masked against the same gateway unmasked', must: 0.8, aim: 0.95, sense: 'min' },
  detection: { name: 'detection over all text columns, one core, MB/s', must: 200, aim: 500, sense: 'min' },
  strictP50: {
    name: 'added p50 of SELECT 1 with durability strict, µs',
    must: 150,
    aim: 60,
    sense: 'max',
    perSync: { must: 4, aim: 1.5 },
  },
  search: { name: 'audit search over 1 M events, slowest filter, ms', must: 1000, aim: 100, sense: 'max' },
  connects: {
    name: 'new connections per second (pgbench -C) against direct',
    must: 0.25,
    aim: 0.6,
    sense: 'min',
  },
  structure: { name: 'structure file in one psql, time against direct', must: 3, aim: 2, sense: 'max' },
  yesToAnswer: { name: 'from a yes to the answer of what was held, ms', must: 50, aim: 10, sense: 'max' },
  heldOthers: {
    name: "p50 of others' SELECT 1 while 500 statements are held, against none",
    must: 1.15,
    aim: 1.02,
    sense: 'max',
  },
  lineageKept: {
    name: "hoopd's CPU for a join of three tables, planned before: what a mask adds, µs",
    must: 10,
    aim: 5,
    sense: 'max',
  },
  lineageNew: { name: 'CPU to plan such a join anew, ms', must: 1, aim: 0.5, sense: 'max' },
  lineageOthers: {
    name: 'longest wait of another session beside statements made to take long, ms',
    must: 50,
    aim: 20,
    sense: 'max',
  },
  idleGateway: { name: 'resident memory per idle tunnel, gateway, KiB', must: 64, aim: 16, sense: 'max' },
  idleCli: { name: 'resident memory per idle tunnel, CLI, KiB', must: 96, aim: 16, sense: 'max' },
  slowReader: { name: 'resident memory gained under a slow reader, MiB', must: 64, aim: 24, sense: 'max' },
  httpPair: { name: 'wrk, 8 connections, against haproxy→TLS→haproxy', must: 0.5, aim: 1, sense: 'min' },
  httpMasked: {
    name: 'a JSON route masked by path against the same unmasked',
    must: 0.8,
    aim: 0.95,
    sense: 'min',
  },
  httpLooked: {
    name: 'a JSON route masked by path, with detectors on every other string, against the same unmasked',
    must: 0.8,
    aim: 0.95,
    sense: 'min',
  },
  httpLarge: { name: 'a download of 1 GiB against direct', must: 0.5, aim: 0.8, sense: 'min' },
  httpUpload: { name: 'an upload of 1 GiB against direct', must: 0.5, aim: 0.8, sense: 'min' },
  sshCatDown: {
    name: 'output over SSH, against a relay of ssh2',
    must: 0.8,
    aim: 1,
    sense: 'min',
  },
  sshCatUp: { name: 'input over SSH, against a relay of ssh2', must: 0.8, aim: 1, sense: 'min' },
  sshSftpDown: {
    name: 'scp from a host, against a relay of ssh2',
    must: 0.8,
    aim: 1,
    sense: 'min',
  },
  sshSftpUp: { name: 'scp to a host, against a relay of ssh2', must: 0.8, aim: 1, sense: 'min' },
  sshExec: { name: 'added p50 of a command over an open SSH connection, ms', must: 10, aim: 3, sense: 'max' },
  sshExecRelay: { name: 'the same command, time against a relay of ssh2', must: 1.25, aim: 1, sense: 'max' },
  sshConnect: {
    name: 'connection and command, time against a relay of ssh2',
    must: 1.25,
    aim: 1,
    sense: 'max',
  },
  kubernetesList: { name: 'kubectl get pods -A of 5,000, against direct', must: 0.5, aim: 0.9, sense: 'min' },
  kubernetesListMasked: { name: 'the same, where values are masked', must: 0.5, aim: 0.9, sense: 'min' },
  kubernetesWhole: {
    name: 'the same 5,000 whole in JSON, against direct',
    must: 0.5,
    aim: 0.8,
    sense: 'min',
  },
  kubernetesWholeMasked: {
    name: 'the same whole, where values are masked',
    must: 0.25,
    aim: 0.5,
    sense: 'min',
  },
  kubernetesWatch: {
    name: 'events of a watch per second, against direct',
    must: 0.5,
    aim: 0.9,
    sense: 'min',
  },
  kubernetesWatchPerSecond: {
    name: 'events of a masked watch per second',
    must: 1000,
    aim: 10_000,
    sense: 'min',
  },
  kubernetesMemory: {
    name: 'resident memory gained at 1,000 events a second, MiB',
    must: 64,
    aim: 16,
    sense: 'max',
  },
  help: { name: 'hoopctl --help against node -e 0', must: 2, aim: 1.4, sense: 'max' },
  tab: { name: 'Tab in bash with 1,000 resources known, ms', must: 100, aim: 20, sense: 'max' },
  completion: { name: 'hoopctl completion bash, whole process, ms', must: 100, aim: 60, sense: 'max' },
  completionRatio: { name: 'the same against node -e 0', must: 2.5, aim: 1.5, sense: 'max' },
  firstFrame: {
    name: "first frame of hoopctl ui beyond Node's own start, ms",
    must: 400,
    aim: 150,
    sense: 'max',
  },
  frames: {
    name: 'frames a second while 10,000 rows are scrolled by a key that is held, the slowest of four keys',
    must: 30,
    aim: 60,
    sense: 'min',
  },
} as const satisfies Readonly<Record<string, Target>>;

export type TargetName = keyof typeof TARGETS;

/** Ratios or figures, one per round. */
export type Measured = Readonly<Partial<Record<TargetName, readonly number[]>>>;

export interface Entry {
  readonly name: string;
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
  readonly must: number;
  readonly aim: number;
  readonly met: boolean;
}

/**
 * Sets what was measured against what was promised.
 *
 * @param fdatasyncUs Of the disk that was measured on.
 */
export function judged(measured: Measured, fdatasyncUs: number): Entry[] {
  return Object.entries(measured).map(([key, rounds]) => {
    const target: Target = TARGETS[key as TargetName];
    const { name, sense, perSync } = target;
    const must = Math.round((target.must + (perSync?.must ?? 0) * fdatasyncUs) * 100) / 100;
    const aim = Math.round((target.aim + (perSync?.aim ?? 0) * fdatasyncUs) * 100) / 100;
    const sorted = [...rounds].sort((a, b) => a - b);
    const value = rounded(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN);
    const met = sense === 'min' ? value >= must : value <= must;
    const range = rounds.length > 1 ? { low: rounded(sorted[0]), high: rounded(sorted.at(-1)) } : {};
    return { name, value, ...range, must, aim, met };
  });
}

function rounded(value: number | undefined): number {
  return Number((value ?? Number.NaN).toPrecision(3));
}
