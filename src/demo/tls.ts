import { isIP } from 'node:net';
import { generate } from 'selfsigned';

/** A certificate and its key, PEM. */
export interface ServerCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

/** A certificate authority that lives as long as the demo. Its key never leaves memory. */
export interface DemoAuthority {
  readonly caPem: string;
  /** Signs a server certificate for host names and IP addresses; the first is its common name. */
  issue(hosts: readonly [string, ...string[]]): Promise<ServerCertificate>;
}

const VALID_MS = 30 * 86_400_000;

/**
 * Makes an authority with a fresh P-256 key. Certificates are valid from a day ago, for clocks that differ, for 30 days.
 *
 * @param now Milliseconds since the epoch.
 * @see RFC 5280 §4.2.1.9 (CA), §4.2.1.12 (server authentication)
 */
export async function createAuthority(now: number): Promise<DemoAuthority> {
  const common = {
    algorithm: 'sha256',
    keyType: 'ec',
    notBeforeDate: new Date(now - 86_400_000),
    notAfterDate: new Date(now + VALID_MS),
  } as const;
  const ca = await generate([{ name: 'commonName', value: 'hoopd demo CA' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return {
    caPem: ca.cert,
    async issue(hosts) {
      const leaf = await generate([{ name: 'commonName', value: hosts[0] }], {
        ...common,
        ca: { key: ca.private, cert: ca.cert },
        extensions: [
          { name: 'basicConstraints', cA: false, critical: true },
          { name: 'keyUsage', digitalSignature: true, critical: true },
          { name: 'extKeyUsage', serverAuth: true },
          { name: 'subjectAltName', altNames: hosts.map(altName) },
        ],
      });
      return { certPem: leaf.cert, keyPem: leaf.private };
    },
  };
}

/** GeneralName types 2 (dNSName) and 7 (iPAddress) of RFC 5280 §4.2.1.6. */
function altName(host: string) {
  return isIP(host) === 0 ? ({ type: 2, value: host } as const) : ({ type: 7, ip: host } as const);
}
