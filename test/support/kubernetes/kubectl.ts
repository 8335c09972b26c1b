import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Kubectl {
  /** `1.32`; empty where the machine has one alone, of whatever version. */
  readonly version: string;
  readonly path: string;
}

/** How a program ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Default none. */
  readonly input?: string;
  /** Default 60 s; then it is killed. */
  readonly withinMs?: number;
}

/**
 * The oldest kubectl of this machine, the newest and the one in the middle, in that order; with `HOOP_TEST_KUBECTLS=all` every one.
 * Those of several versions lie beside each other.
 */
export function kubectls(): readonly Kubectl[] {
  const every = everyKubectl();
  if (process.env['HOOP_TEST_KUBECTLS'] === 'all') return every;
  return [...new Set([every[0]!, every[every.length >> 1]!, every.at(-1)!])];
}

function everyKubectl(): readonly Kubectl[] {
  const first = execFileSync('sh', ['-c', 'command -v kubectl'], { encoding: 'utf8' }).trim();
  const folder = dirname(realpathSync(first));
  const several = readdirSync(folder).flatMap((name) => {
    const version = /^kubectl\.(1\.\d+)$/.exec(name)?.[1];
    return version === undefined ? [] : [{ version, path: join(folder, name) }];
  });
  const minor = ({ version }: Kubectl) => Number(version.slice(2));
  return several.length === 0 ? [{ version: '', path: first }] : several.sort((a, b) => minor(a) - minor(b));
}

/** The newest one. */
export function newestKubectl(): Kubectl {
  return kubectls().at(-1)!;
}

/** Runs a program to its end, with nothing of what this process knows of clusters. */
export async function runProgram(
  path: string,
  args: readonly string[],
  { env = {}, input = '', withinMs = 60_000 }: RunOptions = {},
): Promise<Ended> {
  const { KUBECONFIG: _own, ...inherited } = process.env;
  const child = spawn(path, args, { stdio: 'pipe', env: { ...inherited, ...env }, timeout: withinMs });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  child.stdin.on('error', () => undefined).end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}
