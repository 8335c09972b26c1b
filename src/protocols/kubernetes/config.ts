import { z } from 'zod';
import {
  argv,
  duration,
  expected,
  path,
  secretRef,
  section,
  text,
  variables,
} from '../../core/config/shape.ts';
import { addressRanges, targetUrl } from '../http/config.ts';
import { memberTags } from '../member-tags.ts';
import { sessionTimes } from '../session-times.ts';
import { isImpersonated } from './impersonation.ts';

const EXAMPLE = '[aws, eks, get-token, --cluster-name, shop]';

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
          exec: section(
            {
              command: argv(base, EXAMPLE).describe(
                'Prints an ExecCredential with a token, a client certificate or both, as plugins of kubectl do.',
              ),
              timeout: duration('1s', '2m', '10s').default(10_000),
              env: variables('AWS_PROFILE').describe('Variables of hoopd that it is given, beside PATH.'),
            },
            `write {command: ${EXAMPLE}}`,
          )
            .optional()
            .describe('A command that gives tokens or certificates, before the last one ends.'),
          mtls: section(
            { certFile: path(base, 'a PEM file', 'client.crt'), key: secret },
            'write {certFile: client.crt, key: {file: client.key}}',
          )
            .optional()
            .describe('A certificate of the gateway that the cluster trusts.'),
          impersonate: section(
            {
              user: impersonatedText('hoop:{name}', ['name', 'person']),
              groups: impersonatedText('hoop:{group}', ['group']).optional(),
            },
            "write {user: 'hoop:{name}', groups: 'hoop:{group}'}",
          )
            .optional()
            .describe('As whom the cluster is asked: it knows, and its own audit says, on whose authority.'),
        },
        'write {bearer: {file: token}}, or {mtls: {…}}',
      ),
      classification: section({ kinds: kinds() }, 'write {kinds: {…}}').prefault({}),
      session: section(sessionTimes(), 'write {max: 8h, idle: 30m}').prefault({}),
    },
    'write protocol: kubernetes, target: {…}, credentials: {…}',
  );
}

/** Members of objects, by kind. */
function kinds() {
  return z
    .record(
      text('a kind', 'write configmaps, deployments.apps, or "*" for all', KIND),
      memberTags(),
      expected('a mapping of kinds', 'write {configmaps: {"$.data.password": [secret.app]}}'),
    )
    .prefault({});
}

/** As paths have them, in the plural, with their group where they have one. */
const KIND = /^(?:\*|[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,8})$/;

/** @param known What may be named in it; the first one is. */
function impersonatedText(example: string, known: readonly string[]) {
  const about = expected('a prefix and a colon, then what is named', `write ${example}`);
  return z.string(about).refine((text) => isImpersonated(text, known), about);
}

/** As read: paths absolute, durations in milliseconds, secrets still references. */
export type KubernetesConfig = z.output<ReturnType<typeof kubernetesConfig>>;
