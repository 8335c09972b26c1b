import {
  LOCAL_PROOF_KINDS,
  type LocalProof,
  type LocalProofKind,
  TUNNEL_HEADERS,
} from '../../api/contract.ts';
import { HoopError } from '../../core/errors.ts';

/** The header by which hoopctl 0.1 showed what is now a `scram-sha-256` proof. */
export const RETIRED_HEADER = 'hoop-local-verifier';

const VALUES: Readonly<Record<LocalProofKind, RegExp>> = {
  // RFC 5803's shape; the iteration count is bounded so that nobody makes us work.
  'scram-sha-256':
    /^SCRAM-SHA-256\$([1-9]\d{3,5}):[A-Za-z0-9+/]{16,88}={0,2}\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/,
  'bearer-sha256': /^[A-Za-z0-9_-]{43}$/,
  // 51 octets: "ssh-ed25519" and 32 octets, each with its length before it.
  'ssh-key': /^AAAAC3NzaC1lZDI1NTE5AAAAI[A-Za-z0-9+/]{43}$/,
};

/**
 * Reads `KIND VALUE`. Pure; what was sent is not repeated.
 *
 * @throws {HoopError} `ERR_USAGE` no such kind, or not a value of its kind.
 */
export function parseLocalProof(text: string): LocalProof {
  const space = text.indexOf(' ');
  const kind = LOCAL_PROOF_KINDS.find((one) => one === text.slice(0, space));
  if (kind === undefined)
    throw new HoopError('ERR_USAGE', `${TUNNEL_HEADERS.localProof} is of a kind that is not known here`, {
      hint: `known are ${LOCAL_PROOF_KINDS.join(', ')}: upgrade hoopd, or take an older hoopctl`,
    });
  const value = text.slice(space + 1);
  if (VALUES[kind].test(value)) return { kind, value };
  throw new HoopError('ERR_USAGE', `${TUNNEL_HEADERS.localProof} is not a proof of the kind ${kind}`);
}

/**
 * A proof of another kind would never be asked for, and the local end would stand open.
 *
 * @param taken What the resource's protocol takes.
 * @throws {HoopError} `ERR_USAGE`.
 */
export function checkLocalProof(proof: LocalProof | undefined, taken: LocalProofKind): void {
  if (proof === undefined || proof.kind === taken) return;
  throw new HoopError(
    'ERR_USAGE',
    `the local end of this resource is proved by ${taken}, not by ${proof.kind}`,
    {
      hint: 'hoopctl and hoopd are of different versions: upgrade the older one',
    },
  );
}
