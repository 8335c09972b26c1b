import { z } from 'zod';
import type { HttpCredential } from '../http/credentials/credential.ts';
import { type OauthParts, oauthCredential } from '../http/credentials/oauth.ts';
import { commandError, passedOn, runCommand } from '../stream/run-command.ts';

interface ExecConfig {
  readonly command: readonly string[];
  /** Ms. */
  readonly timeout: number;
  /** Names. */
  readonly env: readonly string[];
}

/** What a plugin is told: nobody is there to be asked. */
const INFO = {
  apiVersion: 'client.authentication.k8s.io/v1',
  kind: 'ExecCredential',
  spec: { interactive: false },
};

/** What it prints, among other things. Certificates are not taken. */
const ANSWER = z.object({
  apiVersion: z.enum(['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']),
  kind: z.literal('ExecCredential'),
  status: z.object({
    token: z.string().regex(/^[\x21-\x7e]{1,16384}$/),
    expirationTimestamp: z.iso.datetime({ offset: true }).optional(),
  }),
});

/**
 * Tokens that a command of the operator's gives, as plugins of kubectl do: had when the first is needed, renewed before they end, and
 * thrown away where the cluster does not take them.
 *
 * @param environment Of this process; the command is given what is named.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
export function execCredential(
  { command, timeout, env }: ExecConfig,
  environment: Readonly<Record<string, string | undefined>>,
  { clock, log }: Pick<OauthParts, 'clock' | 'log'>,
): HttpCredential {
  const ask = async () => {
    const given = { ...passedOn(env, environment), KUBERNETES_EXEC_INFO: JSON.stringify(INFO) };
    const text = await runCommand({ argv: command, env: given, stdin: '', timeoutMs: timeout });
    return readExecCredential(text, clock.now());
  };
  return oauthCredential({ ask, clock, log });
}

/**
 * Reads what a plugin has printed. Pure.
 *
 * @param now Ms since the epoch.
 * @throws {HoopError} `ERR_TARGET_CREDENTIAL`; `detail` names the place of the mistake and never what stands there.
 */
export function readExecCredential(text: string, now: number) {
  const { data, error } = ANSWER.safeParse(parsed(text));
  if (error !== undefined)
    throw commandError(`printed no ExecCredential with a token: "${error.issues[0]?.path.join('.') ?? ''}"`);
  const { token, expirationTimestamp } = data.status;
  if (expirationTimestamp === undefined) return { token, lifeMs: undefined };
  const lifeMs = Date.parse(expirationTimestamp) - now;
  if (lifeMs <= 0) throw commandError('gave a token that was over before');
  return { token, lifeMs };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A parser's own words quote what it could not read.
    throw commandError('printed no JSON object');
  }
}
