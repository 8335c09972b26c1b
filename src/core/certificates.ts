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

export interface CertificateWishes {
  /** What the authority is called. */
  readonly name: string;
  /** DNS names and IP addresses that the server certificate is for, at least one. */
  readonly hosts: readonly string[];
  /** Both ms since the epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * Makes a certificate authority and one server certificate under it: P-256, SHA-256.
 *
 * Effects: draws random keys; no files.
 */
export async function makeCertificates({
  name,
  hosts,
  notBeforeMs,
  notAfterMs,
}: CertificateWishes): Promise<LocalCertificates> {
  const { generate } = await import('selfsigned');
  const shared = {
    keyType: 'ec' as const,
    curve: 'P-256' as const,
    algorithm: 'sha256',
    notBeforeDate: new Date(notBeforeMs),
    notAfterDate: new Date(notAfterMs),
  };
  const authority = await generate([{ name: 'commonName', value: name }], {
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
