/**
 * What hoopctl itself takes: from its start to its answer, to the first frame of its terminal UI, and from a key to a frame.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PATHS } from '../../../src/api/contract.ts';
import { ContractGateway } from '../../support/contract-gateway.ts';
import { makeCertificates } from '../../support/postgres/certificates.ts';
import { ROOT } from '../../support/source-tree.ts';
import { resource } from '../../support/ui/state.ts';
import { cpuUs, median } from '../processes.ts';
import { type BenchRun, interleaved, note } from '../rounds.ts';
import { Pty } from './pty.ts';

/** As it is installed: the bundle that `npm run build` has made. */
const HOOPCTL = join(ROOT, 'bin/hoopctl.js');
const NODE_ALONE = ['-e', '0'];
/** As many as hoopctl remembers. */
const NAMES = 1000;
const ROWS = 10_000;
/** Details stand beside the list: more is drawn than in any smaller window. */
const WINDOW = { columns: 140, rows: 40 };
const SMALL = { columns: 80, rows: 24 };
/** A key that is held comes so often, ms: twice as often as most keyboards send it. */
const KEY_MS = 15;
const HELD_MS = 3_000;
const SETTLE_MS = 300;
const KEYS = { down: '\x1b[B', pageDown: '\x1b[6~', up: '\x1b[A', pageUp: '\x1b[5~' } as const;
type KeyName = keyof typeof KEYS;

/** Half a minute if quick, one and a half if not; beside a gateway that only lists. */
export async function cliFigures(bench: BenchRun): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'hoop-bench-cli-'));
  const env = { HOOPCTL_CONFIG_DIR: directory, HOOPCTL_SECRET_STORE: 'file' };
  try {
    await answers(bench, env);
    tab(bench, directory);
    await firstFrame(bench, env);
    await scrolling(bench, env, directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function answers(bench: BenchRun, env: Readonly<Record<string, string>>): Promise<void> {
  const runs = { node: NODE_ALONE, help: [HOOPCTL, '--help'], completion: [HOOPCTL, 'completion', 'bash'] };
  const once = async (name: keyof typeof runs) => {
    const startedAt = performance.now();
    const { status } = spawnSync(process.execPath, runs[name], {
      stdio: 'ignore',
      env: { ...process.env, ...env },
    });
    if (status !== 0) throw new Error(`${name} ended with ${status}`);
    return performance.now() - startedAt;
  };
  // The first start reads the files.
  for (const name of ['node', 'help', 'completion'] as const) await once(name);
  await interleaved(
    bench.quick ? 15 : 40,
    ['node', 'help', 'completion'] as const,
    once,
    ({ node, help, completion }) => {
      note(bench, 'help', help / node);
      note(bench, 'completion', completion);
      note(bench, 'completionRatio', completion / node);
    },
  );
}

/** One press of Tab behind `hoopctl connect r`, in a bash that has the completion: nothing is started for it. */
function tab(bench: BenchRun, directory: string): void {
  mkdirSync(join(directory, 'names'));
  const names = Array.from({ length: NAMES }, (_, i) => `resource-${String(i).padStart(4, '0')}\n`);
  writeFileSync(join(directory, 'names', 'default.resources'), names.join(''));
  const presses = bench.quick ? 15 : 40;
  const script = `
    source <("$0" "$1" completion bash)
    for ((press = 0; press < ${presses}; press++)); do
      COMP_WORDS=(hoopctl connect r) COMP_CWORD=2 startedAt=$EPOCHREALTIME
      _hoopctl
      echo "$startedAt $EPOCHREALTIME \${#COMPREPLY[@]}"
    done`;
  const { stdout } = spawnSync('bash', ['--norc', '-c', script, process.execPath, HOOPCTL], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', HOOPCTL_CONFIG_DIR: directory, HOOPCTL_SECRET_STORE: 'file' },
  });
  const told = stdout.trim().split('\n');
  for (const line of told) {
    const [from = Number.NaN, to = Number.NaN, found] = line.split(' ').map(Number);
    if (found !== NAMES) throw new Error(`${found} names were offered, not ${NAMES}`);
    note(bench, 'tab', (to - from) * 1000);
  }
  if (told.length !== presses) throw new Error(`Tab answered ${told.length} times, not ${presses}`);
}

/** The first whole frame, less the start and the end of a Node that does nothing on the same kind of terminal. */
async function firstFrame(bench: BenchRun, env: Readonly<Record<string, string>>): Promise<void> {
  const once = async (name: 'node' | 'ui') => {
    const startedAt = performance.now();
    const pty = new Pty([process.execPath, ...(name === 'node' ? NODE_ALONE : [HOOPCTL])], env, SMALL);
    if (name === 'node') {
      await pty.ended();
      return performance.now() - startedAt;
    }
    await pty.frame('Resources');
    const took = performance.now() - startedAt;
    await pty.stop();
    return took;
  };
  for (const name of ['node', 'ui'] as const) await once(name);
  await interleaved(bench.quick ? 7 : 21, ['node', 'ui'] as const, once, ({ node, ui }) => {
    bench.say(`first frame: node ${node.toFixed(0)} ms, hoopctl ui ${ui.toFixed(0)} ms`);
    note(bench, 'firstFrame', ui - node);
  });
}

async function scrolling(
  bench: BenchRun,
  env: Readonly<Record<string, string>>,
  directory: string,
): Promise<void> {
  const certificates = await makeCertificates(directory);
  const gateway = await ContractGateway.start({ certificates });
  const resources = Array.from({ length: ROWS }, (_, i) =>
    resource(`resource-${String(i).padStart(5, '0')}`, { connect: { protocol: 'echo', database: 'shop' } }),
  );
  gateway.answers.set(PATHS.resources, { body: JSON.stringify({ schemaVersion: 1, resources }) });
  const pty = new Pty(
    [process.execPath, HOOPCTL],
    {
      ...env,
      HOOPCTL_GATEWAY: gateway.origin,
      HOOPCTL_TOKEN: 'a.token.of-nobody',
      NODE_EXTRA_CA_CERTS: certificates.caFile,
    },
    WINDOW,
  );
  try {
    await pty.frame(`of ${ROWS}`);
    const cpu: number[] = [];
    await interleaved(
      bench.quick ? 2 : 5,
      ['down', 'pageDown', 'up', 'pageUp'] as const,
      async (name) => {
        const { perSecond, cpuMs } = await held(pty, name);
        cpu.push(cpuMs);
        return perSecond;
      },
      (round) => {
        const told = Object.entries(round).map(([name, rate]) => `${name} ${rate.toFixed(0)}`);
        bench.say(`${ROWS} rows, frames a second: ${told.join(', ')}`);
        note(bench, 'frames', Math.min(...Object.values(round)));
      },
    );
    bench.notes['CPU ms per frame'] = median(cpu).toFixed(1);
  } finally {
    await pty.stop();
    await gateway.stop();
  }
}

/** Frames a second while a key is held. Each moves the cursor: none is drawn for nothing. */
async function held(pty: Pty, key: KeyName): Promise<{ readonly perSecond: number; readonly cpuMs: number }> {
  // Room in the direction that is gone.
  pty.press(key.endsWith('own') ? 'g' : 'G');
  await passed(SETTLE_MS);
  const { pid, frames: before } = pty;
  const cpuBefore = cpuUs(pid);
  const startedAt = performance.now();
  const keys = setInterval(() => pty.press(KEYS[key]), KEY_MS);
  await passed(HELD_MS);
  clearInterval(keys);
  const frames = pty.frames - before;
  const perSecond = (frames * 1000) / (performance.now() - startedAt);
  return { perSecond, cpuMs: (cpuUs(pid) - cpuBefore) / 1000 / frames };
}

function passed(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
