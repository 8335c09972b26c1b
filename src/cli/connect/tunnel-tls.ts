/**
 * What clients must be told so that they trust the TLS of a local end, and go on trusting what they trusted.
 */
import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import { LocalTls } from '../../client/local/tls.ts';
import { HoopError } from '../../core/errors.ts';
import type { TunnelFiles } from './tunnel-files.ts';

/** TLS of all local ends of one `connect`. */
export interface TunnelTls {
  readonly local: LocalTls;
  /** The authority alone. */
  readonly caFile: string;
  /** What clients find by themselves in their environment. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Whoever reads one of these trusts what is in its file in place of the machine's authorities. */
const INSTEAD = [
  'SSL_CERT_FILE',
  'CURL_CA_BUNDLE',
  'REQUESTS_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  // boto3 heeds it before REQUESTS_CA_BUNDLE, and gRPC none but its own.
  'AWS_CA_BUNDLE',
  'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
];
/** Whoever reads this one trusts what is in its file as well. */
const BESIDE = 'NODE_EXTRA_CA_CERTS';

/**
 * Makes the authority and writes the files that name it. Every variable keeps what it named: a client that reaches others
 * too goes on trusting them.
 *
 * @param env What clients would have had.
 * @param deadlineMs When the tunnel ends at the latest.
 * @throws {HoopError} `ERR_CONFIG` a file cannot be written, or one that a variable names cannot be read.
 */
export async function makeTunnelTls(
  files: TunnelFiles,
  env: Readonly<Record<string, string | undefined>>,
  nowMs: number,
  deadlineMs: number,
): Promise<TunnelTls> {
  const local = await LocalTls.make(nowMs, deadlineMs);
  const caFile = files.write('ca.pem', local.authority);
  const bundles = new Map<string, string>();
  const bundle = (known: string): string => {
    const made =
      bundles.get(known) ?? files.write(`bundle-${bundles.size + 1}.pem`, joined(known, local.authority));
    bundles.set(known, made);
    return made;
  };
  const variables = INSTEAD.map((name) => [
    name,
    bundle(named(env, name) ?? named(env, INSTEAD[0]!) ?? MACHINES),
  ]);
  const beside = named(env, BESIDE);
  return {
    local,
    caFile,
    variables: {
      ...Object.fromEntries(variables),
      [BESIDE]: beside === undefined ? caFile : bundle(beside),
    },
  };
}

/** In place of a file's name. */
const MACHINES = '';

function named(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name];
}

function joined(known: string, authority: string): string {
  return `${(known === MACHINES ? machineAuthorities() : read(known)).trimEnd()}\n${authority}`;
}

/** The machine's own, and where it has none that Node finds, those that come with Node. */
function machineAuthorities(): string {
  const own = getCACertificates('system');
  return (own.length > 0 ? own : getCACertificates('bundled')).join('\n');
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new HoopError('ERR_CONFIG', `the authorities in ${path} cannot be read (${code ?? message})`, {
      hint: 'name another file in the variable that names this one, or remove it',
      cause: error,
    });
  }
}
