import { z } from 'zod';
import { duration, expected, path, secretRef, section } from '../../core/config/shape.ts';
import { addressRanges, targetUrl } from '../http/config.ts';
import { sessionTimes } from '../session-times.ts';

/** The shape of a cluster. @param base Directory that relative paths start from. */
export function kubernetesConfig(base: string) {
  const secret = secretRef(base);
  return section(
    {
      protocol: z.literal('kubernetes', expected('kubernetes', 'write protocol: kubernetes')),
      target: section(
        {
          url: targetUrl(),
          caFile: path(base, 'a PEM file', 'cluster-ca.pem').optional(),
          answer: duration('1s', '1d', '10m').prefault('10m'),
          addresses: addressRanges(),
        },
        'write {url: https://10.0.0.1:6443, caFile: cluster-ca.pem}',
      ),
      credentials: section(
        {
          bearer: secret.optional().describe("A service account's token."),
          mtls: section(
            { certFile: path(base, 'a PEM file', 'client.crt'), key: secret },
            'write {certFile: client.crt, key: {file: client.key}}',
          )
            .optional()
            .describe('A certificate of the gateway that the cluster trusts.'),
        },
        'write {bearer: {file: token}}, or {mtls: {…}}',
      ),
      session: section(sessionTimes(), 'write {max: 8h, idle: 30m}').prefault({}),
    },
    'write protocol: kubernetes, target: {…}, credentials: {…}',
  );
}

/** As read: paths absolute, durations in milliseconds, secrets still references. */
export type KubernetesConfig = z.output<ReturnType<typeof kubernetesConfig>>;
