/** Where the packages run, and what of them is not JavaScript. */

export interface Platform {
  /** As Node names it; part of the tarball's name. */
  readonly arch: 'x64' | 'arm64';
  /** As Debian names it. */
  readonly debian: string;
  /** In the header of its programs and libraries (`e_machine`). */
  readonly machine: number;
  /** SHA-512 of the registry's package of Node, as npm writes it. The lock file has none: that package is fetched when `node` is installed. */
  readonly nodeIntegrity: string;
}

/** The version of Node that the integrities below are of; `package.json` must name it too. */
export const NODE_VERSION = '24.21.0';

export const PLATFORMS: readonly Platform[] = [
  {
    arch: 'x64',
    debian: 'amd64',
    machine: 62,
    nodeIntegrity:
      'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  {
    arch: 'arm64',
    debian: 'arm64',
    machine: 183,
    nodeIntegrity:
      'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
];

/**
 * Which machine a program or library is for; nothing if the octets are neither.
 *
 * @see https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
 */
export function machineOf(data: Buffer): number | undefined {
  return data.length > 20 && data.toString('latin1', 0, 4) === '\x7fELF' ? data.readUInt16LE(18) : undefined;
}
