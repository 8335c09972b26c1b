import { type LocalCertificates, makeCertificates } from '../../core/certificates.ts';

const VALID_DAYS = 365;
const DAY_MS = 86_400_000;

/**
 * Makes a certificate authority for trials on one machine and one server certificate under it.
 *
 * Effects: draws random keys; no files. Valid for 365 days.
 *
 * @param hosts DNS names and IP addresses that the server certificate is for, at least one.
 */
export function makeLocalCertificates(hosts: readonly string[], nowMs: number): Promise<LocalCertificates> {
  return makeCertificates({
    name: 'hoopd local authority',
    hosts,
    notBeforeMs: nowMs - 60_000,
    notAfterMs: nowMs + VALID_DAYS * DAY_MS,
  });
}
