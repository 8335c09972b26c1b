/** A certificate and its key, both PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

export interface LocalCertificates {
  /** What clients trust; its key is forgotten at once, so that nobody can sign with it later. */
  readonly authority: string;
  readonly server: CertificatePair;
}

const VALID_DAYS = 365;
const DAY_MS = 86_400_000;

/**
 * Makes a certificate authority for trials on one machine and one server certificate under it.
 *
 * Effects: draws random keys; no files. P-256, valid for 365 days.
 *
 * @param hosts DNS names and IP addresses that the server certificate is for, at least one.
 */
export async function makeLocalCertificates(
  hosts: readonly string[],
  nowMs: number,
): Promise<LocalCertificates> {
  const { generate } = await import('selfsigned');
  const shared = {
    keyType: 'ec' as const,
    curve: 'P-256' as const,
    algorithm: 'sha256',
    notBeforeDate: new Date(nowMs - 60_000),
    notAfterDate: new Date(nowMs + VALID_DAYS * DAY_MS),
  };
  const authority = await generate([{ name: 'commonName', value: 'hoopd local authority' }], {
    ...shared,
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: hosts[0] ?? 'localhost' }], {
    ...shared,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: hosts.map(altName) },
    ],
  });
  return { authority: authority.cert, server: { cert: server.cert, key: server.private } };
}

function altName(host: string) {
  const isAddress = /^[\d.]+$/.test(host) || host.includes(':');
  return isAddress ? { type: 7 as const, ip: host } : { type: 2 as const, value: host };
}
