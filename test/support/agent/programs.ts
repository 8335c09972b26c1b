/** The programs that an agent has, each with what it prints of a refusal. They know nothing of any policy. */
import { NEXT_STEPS, type NextStep } from '../../../src/core/next-step.ts';
import { type Ended, runProgram } from '../kubernetes/kubectl.ts';

/** What a refusal said to a program: the members that `docs/refusals.md` names. */
export interface Told {
  readonly rule: string;
  readonly next: NextStep;
  readonly retryable: boolean;
  readonly reason?: string;
  readonly hint?: string;
  readonly most?: number;
  readonly leaveOut?: readonly string[];
  readonly approval?: string;
}

export interface Program {
  run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended>;
  /** The refusal in what it printed; undefined: there is none. */
  told(ended: Ended): Told | undefined;
}

/** Longest run; then it is killed. */
const WITHIN_MS = 15_000;

/** `psql -c …`, each argument a statement of one session. The word stands in the line HINT. */
export const psql: Program = {
  run: (statements, env) =>
    runProgram(
      'psql',
      ['-X', '-w', '-At', '-v', 'ON_ERROR_STOP=1', ...statements.flatMap((sql) => ['-c', sql])],
      { env, withinMs: WITHIN_MS },
    ),
  told: ({ code, stderr }) =>
    code === 0 ? undefined : wordIn(lastOf(stderr.matchAll(/^HINT: {2}(\{.*\})$/gm))),
};

/** The answer is a problem document, also where what was asked for waits for people. */
export const curl: Program = {
  run: (args, env) =>
    runProgram('curl', ['-sS', '--fail-with-body', '-w', '\n%{http_code} %{content_type}', ...args], {
      env,
      withinMs: WITHIN_MS,
    }),
  told({ stdout }) {
    const [, body, type] = /^([\s\S]*)\n\d+ (\S*)/.exec(stdout) ?? [];
    if (type === 'application/problem+json') return wordIn(body);
    return wordIn(/"error":\{.*"data":(\{.*?\})\}/.exec(body ?? '')?.[1]);
  },
};

/** OpenSSH's `ssh` or `sftp`, by the first argument. The word stands on standard error, behind what a person reads. */
export const ssh: Program = {
  run: ([program = 'ssh', ...args], env) =>
    runProgram(program, ['-F', env['SSH_CONFIG'] ?? '/dev/null', ...args], {
      env,
      withinMs: WITHIN_MS,
    }),
  told: ({ code, stderr }) =>
    code === 0
      ? undefined
      : wordIn(
          lastOf(
            stderr.matchAll(
              /^(?:.* )?(?:hoop: |Received disconnect |Connection |open failed: ).*?(\{.*\})/gm,
            ),
          ),
        ),
};

/** kubectl shows the message of a Status, at whose end the word is. */
export const kubectl: Program = {
  run: ([path = 'kubectl', ...args], env) => runProgram(path, args, { env, withinMs: WITHIN_MS }),
  told({ code, stderr }) {
    if (code === 0) return undefined;
    const [, sentence = '', text] = [...stderr.matchAll(/^(.*)(\{"rule":.*\})/gm)].at(-1) ?? [];
    const word = wordIn(text);
    return word === undefined ? undefined : { hint: sentence.split('; ').slice(1).join('; '), ...word };
  },
};

/** The same program, of whose refusals the step is lost on the way: all else that they say is there. */
export function deaf(program: Program): Program {
  const without = (text: string) => text.replaceAll(/\\?"next\\?":\\?"[a-z-]+\\?",?/g, '');
  return {
    async run(args, env) {
      const { code, stdout, stderr } = await program.run(args, env);
      return { code, stdout: without(stdout), stderr: without(stderr) };
    },
    told: (ended) => program.told(ended),
  };
}

function lastOf(found: IterableIterator<RegExpExecArray>): string | undefined {
  return [...found].at(-1)?.[1];
}

/** @returns Undefined: it is no word of a refusal's. */
function wordIn(text: string | undefined): Told | undefined {
  try {
    const word = JSON.parse(text ?? '') as Partial<Told> | null;
    return word?.next !== undefined && Object.hasOwn(NEXT_STEPS, word.next) ? (word as Told) : undefined;
  } catch {
    return undefined;
  }
}
