import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Paths of PEM files: a certificate authority, and a server's certificate and key signed by it. */
export interface Certificates {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/**
 * Makes a certificate authority of its own and one server certificate, P-256, valid for a day.
 *
 * @param directory An existing directory the caller may write; files `ca.crt ca.key server.crt server.key` appear in it.
 * @param names Subject alternative names as openssl writes them: `DNS:localhost`, `IP:127.0.0.1`.
 */
export async function makeCertificates(
  directory: string,
  names: readonly string[] = ['DNS:localhost', 'IP:127.0.0.1'],
): Promise<Certificates> {
  const [caFile, caKey] = [join(directory, 'ca.crt'), join(directory, 'ca.key')];
  const [certFile, keyFile] = [join(directory, 'server.crt'), join(directory, 'server.key')];
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  await openssl(['req', '-x509', ...fresh, '-subj', '/CN=test authority', '-keyout', caKey, '-out', caFile]);
  const signed = ['-CA', caFile, '-CAkey', caKey, '-addext', `subjectAltName=${names.join(',')}`];
  const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE'];
  await openssl([
    'req',
    '-x509',
    ...fresh,
    ...signed,
    ...leaf,
    '-subj',
    '/CN=test server',
    '-keyout',
    keyFile,
    '-out',
    certFile,
  ]);
  return { caFile, certFile, keyFile };
}

async function openssl(args: readonly string[]): Promise<void> {
  await run('openssl', args, { timeout: 20_000 });
}
