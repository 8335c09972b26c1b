import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventually } from './waiting.ts';

export const HOOPCTL_MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
/** The same with one more protocol, whose gateway's side echoes. */
export const ECHO_HOOPCTL_MAIN = fileURLToPath(new URL('./echo-hoopctl.ts', import.meta.url));

export interface Finished {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running hoopctl, from source, with nothing of this process's HOOPCTL_ or PG settings. */
export class RunningHoopctl {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly finished: Promise<Finished>;

  constructor(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    main: string = HOOPCTL_MAIN,
  ) {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(HOOPCTL_|PG|ACTIONS_|HTTPS?_PROXY|NODE_EXTRA_CA)/i.test(name),
    );
    this.child = spawn(process.execPath, [main, ...args], {
      env: { ...Object.fromEntries(inherited), HOOPCTL_SECRET_STORE: 'file', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.finished = new Promise((resolve) => {
      this.child.once('close', (exitCode, signal) => {
        resolve({ exitCode, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** Resolves with the first match in what was printed so far or will be. */
  async until(
    pattern: RegExp,
    stream: 'stdout' | 'stderr' = 'stdout',
    timeoutMs = 15_000,
  ): Promise<RegExpExecArray> {
    const missing = () => `no ${pattern} in ${stream}\nstdout: ${this.stdout}\nstderr: ${this.stderr}`;
    const look = () => {
      const found = pattern.exec(this[stream]);
      const over = this.child.exitCode !== null || this.child.signalCode !== null;
      if (found === null && over) throw new Error(missing());
      return found;
    };
    return (await eventually(missing, look, Boolean, {
      withinMs: timeoutMs,
      everyMs: 10,
    })) as RegExpExecArray;
  }
}

/** Runs hoopctl to its end. */
export function hoopctl(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  main?: string,
): Promise<Finished> {
  const running = new RunningHoopctl(args, env, main);
  running.child.stdin!.end();
  return running.finished;
}
