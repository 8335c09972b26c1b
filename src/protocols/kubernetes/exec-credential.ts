import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import { noCredential } from '../http/credentials/configured.ts';
import type { HttpCredential } from '../http/credentials/credential.ts';
import { Renewed, type RenewedParts, UNSAID_LIFE_MS } from '../http/credentials/renewed.ts';
import type { OwnCertificate } from '../http/target/own-certificate.ts';
import { commandError, passedOn, runCommand } from '../stream/run-command.ts';

interface ExecConfig {
  readonly command: readonly string[];
  /** Ms. */
  readonly timeout: number;
  /** Names. */
  readonly env: readonly string[];
}

/** What a plugin has given: a token, a certificate, or both. */
interface ExecCredential {
  readonly token: string | undefined;
  readonly certificate: OwnCertificate | undefined;
  /** Undefined: it did not say. */
  readonly lifeMs: number | undefined;
}

/** What a plugin is told: nobody is there to be asked. */
const INFO = {
  apiVersion: 'client.authentication.k8s.io/v1',
  kind: 'ExecCredential',
  spec: { interactive: false },
};

const PEM = z.string().regex(/^\s*-----BEGIN /);

/** What it prints, among other things. */
const ANSWER = z.object({
  apiVersion: z.enum(['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']),
  kind: z.literal('ExecCredential'),
  status: z.object({
    token: z
      .string()
      .regex(/^[\x21-\x7e]{1,16384}$/)
      .optional(),
    clientCertificateData: PEM.optional(),
    clientKeyData: PEM.optional(),
    expirationTimestamp: z.iso.datetime({ offset: true }).optional(),
  }),
});

/** How a plugin proves that it is the gateway who asks. */
export interface PluginCredential extends HttpCredential {
  /** For connections that are made now; undefined: it has given none. Ask it behind `show`, which has what is over renewed. */
  certificate(): OwnCertificate | undefined;
}

/**
 * Tokens and client certificates that a command of the operator's gives, as plugins of kubectl do: had when the first is needed,
 * renewed before they end, and thrown away where the cluster does not take them.
 *
 * @param environment Of this process; the command is given what is named.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
export function execCredential(
  { command, timeout, env }: ExecConfig,
  environment: Readonly<Record<string, string | undefined>>,
  { clock, log }: Pick<RenewedParts<ExecCredential>, 'clock' | 'log'>,
): PluginCredential {
  const ask = async () => {
    const given = { ...passedOn(env, environment), KUBERNETES_EXEC_INFO: JSON.stringify(INFO) };
    const text = await runCommand({ argv: command, env: given, stdin: '', timeoutMs: timeout });
    return readExecCredential(text, clock.now());
  };
  const credentials = new Renewed({ ask, clock, log });
  return {
    ...noCredential,
    show: async () => {
      const { token } = await credentials.current();
      return { headers: token === undefined ? [] : [['authorization', `Bearer ${token}`]] };
    },
    refused: () => credentials.forget(),
    secrets: () => credentials.shown.flatMap(({ token }) => token ?? []),
    certificate: () => credentials.shown[0]?.certificate,
  };
}

/**
 * Reads what a plugin has printed. Pure.
 *
 * @param now Ms since the epoch.
 * @returns What ends with the certificate, where that ends first.
 * @throws {HoopError} `ERR_TARGET_CREDENTIAL`; `detail` names the place of the mistake and never what stands there.
 */
export function readExecCredential(text: string, now: number): ExecCredential {
  const { data, error } = ANSWER.safeParse(parsed(text));
  if (error !== undefined)
    throw commandError(
      `printed no ExecCredential that can be used: "${error.issues[0]?.path.join('.') ?? ''}"`,
    );
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = data.status;
  if ((cert === undefined) !== (key === undefined))
    throw commandError('gave a certificate or a key, and not the other');
  if (token === undefined && cert === undefined) throw commandError('gave neither token nor certificate');
  const certificate = cert === undefined || key === undefined ? undefined : { cert, key };
  const said = expirationTimestamp === undefined ? undefined : Date.parse(expirationTimestamp) - now;
  const lifeMs =
    certificate === undefined ? said : Math.min(said ?? UNSAID_LIFE_MS, endOf(certificate) - now);
  if (lifeMs !== undefined && lifeMs <= 0) throw commandError('gave what was over before');
  return { token, certificate, lifeMs };
}

/** Ms since the epoch. @throws {HoopError} TLS would not take it. */
function endOf(certificate: OwnCertificate): number {
  try {
    createSecureContext(certificate);
    return new X509Certificate(certificate.cert).validToDate.getTime();
  } catch {
    // What OpenSSL says of it may quote it.
    throw commandError('gave a certificate and a key that cannot be used together');
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A parser's own words quote what it could not read.
    throw commandError('printed no JSON object');
  }
}
