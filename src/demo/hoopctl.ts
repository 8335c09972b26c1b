import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { HoopError } from '../core/errors.ts';

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A hoopctl that goes on, such as a tunnel: what it says, and how to end it. */
export interface Running {
  /** The next line of JSON on stdout that `wanted` accepts. Rejects if hoopctl ends or says nothing for 60 s. */
  answer(wanted: (value: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  readonly finished: Promise<Finished>;
  /** SIGINT, as Ctrl-C sends it; resolves when it has ended. */
  stop(): Promise<Finished>;
}

const PATIENCE_MS = 60_000;

/**
 * The real hoopctl, as another person on this machine would run it: own configuration directory, own process, nothing
 * shared with hoopd but the network.
 */
export class Hoopctl {
  readonly #env: NodeJS.ProcessEnv;

  /** @param configDir Where this user's profile and login are kept. */
  constructor(configDir: string) {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(HOOPCTL_|PG[A-Z]+$)/.test(name));
    this.#env = {
      ...Object.fromEntries(inherited),
      HOOPCTL_CONFIG_DIR: configDir,
      HOOPCTL_SECRET_STORE: 'file',
      NO_COLOR: '1',
    };
  }

  /** Runs to the end. Never rejects for an exit code: the caller looks at it. */
  run(...args: string[]): Promise<Finished> {
    return collect(this.#spawn(args)).finished;
  }

  start(...args: string[]): Running {
    const child = this.#spawn(args);
    const { finished, lines } = collect(child);
    return {
      finished,
      answer: (wanted) => nextAnswer(lines, finished, wanted),
      stop: () => {
        if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
        return finished;
      },
    };
  }

  #spawn(args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [entry(), ...args], { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
  }
}

/** `bin/hoopctl.js` of the package; from sources, the source of the same program, so that no build is needed. */
function entry(): string {
  const here = fileURLToPath(import.meta.url);
  if (here.endsWith('.ts')) return join(dirname(here), '..', 'cli', 'main.ts');
  return join(dirname(here), '..', 'bin', 'hoopctl.js');
}

interface Lines {
  readonly seen: Record<string, unknown>[];
  onLine: (() => void) | undefined;
}

function collect(child: ChildProcess): { finished: Promise<Finished>; lines: Lines } {
  const lines: Lines = { seen: [], onLine: undefined };
  let stdout = '';
  let stderr = '';
  const reader = child.stdout === null ? undefined : createInterface({ input: child.stdout });
  reader?.on('line', (line) => {
    stdout += `${line}\n`;
    if (line.startsWith('{')) lines.seen.push(JSON.parse(line) as Record<string, unknown>);
    lines.onLine?.();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const finished = new Promise<Finished>((resolve) => {
    child.once('error', (error) => resolve({ code: 70, stdout, stderr: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 70, stdout, stderr }));
  });
  return { finished, lines };
}

async function nextAnswer(
  lines: Lines,
  finished: Promise<Finished>,
  wanted: (value: Record<string, unknown>) => boolean,
): Promise<Record<string, unknown>> {
  const deadline = AbortSignal.timeout(PATIENCE_MS);
  const found = new Promise<Record<string, unknown>>((resolve) => {
    const look = () => {
      const at = lines.seen.findIndex(wanted);
      const [value] = at === -1 ? [] : lines.seen.splice(at, 1);
      if (value !== undefined) resolve(value);
    };
    lines.onLine = look;
    look();
  });
  const ended = finished.then(({ code, stderr }): never => {
    throw new HoopError('ERR_INTERNAL', `hoopctl ended with ${code}: ${stderr.trim()}`);
  });
  const late = new Promise<never>((_, reject) => {
    deadline.addEventListener('abort', () =>
      reject(new HoopError('ERR_INTERNAL', 'hoopctl said nothing for 60 s')),
    );
  });
  return Promise.race([found, ended, late]);
}
