import { z } from 'zod';
import {
  duration,
  expected,
  parsed,
  parseWebUrl,
  path,
  secretRef,
  section,
  text,
} from '../../core/config/shape.ts';
import { ALGORITHMS } from '../../identity/issuers/algorithms.ts';
import { PRESETS } from '../../identity/issuers/presets.ts';

const DOMAIN = /^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,8}$/;

/**
 * The shape of one entry of `issuers`. What a preset fills in has no default here.
 *
 * @param base Directory that relative paths start from.
 */
export function issuer(base: string) {
  return section(
    {
      preset: z
        .enum(PRESETS, expected(`one of ${PRESETS.join(' ')}`, 'write preset: oidc, or leave it away'))
        .default('oidc')
        .describe('The vendor, whose habits fill in what is not written here.'),
      issuer: parsed('an https URL', 'write the issuer exactly as the provider spells it', parseWebUrl),
      audience: text("the tokens' audience", 'write the audience that the provider puts in its tokens'),
      clientId: text('a client id', 'write the public client that hoopctl uses').optional(),
      clientSecret: secretRef(base).optional(),
      web: section(
        {
          clientId: text('a client id', "write the client of the gateway's own pages"),
          clientSecret: secretRef(base).optional(),
        },
        'write {clientId: hoop-web, clientSecret: {env: HOOP_WEB_SECRET}}',
      )
        .optional()
        .describe('The client by which people sign in at the approval page: authorization code with PKCE.'),
      scope: text('scopes', 'write scopes such as "openid profile email"')
        .optional()
        .describe("What hoopctl asks for at the device grant. Default: the preset's."),
      machineScope: text('scopes', 'write the scopes that a machine asks for')
        .optional()
        .describe("What a machine with a client of its own asks for. Default: the preset's."),
      claims: claims(),
      maxSession: duration('5m', '30d', '8h').optional().meta({
        description: 'How long sessions may live on from one sign-in when the token cannot be renewed.',
      }),
      algorithms: algorithms(),
      singleUse: z.boolean(expected('true or false', 'write singleUse: true')).optional(),
      hostedDomains: domains(),
      directory: path(base, 'a YAML or JSON file', 'people.yaml')
        .optional()
        .describe('A file with e-mail addresses and their groups, beside those of the token.'),
      caFile: path(base, 'a PEM file', 'ca.pem')
        .optional()
        .describe("The only authorities to trust for the issuer's own addresses."),
      jwksUrl: parsed('an https URL', "write the address of the issuer's keys", parseWebUrl)
        .optional()
        .describe('Where the keys are, instead of by discovery.'),
      tokenFile: path(base, 'a file', '/var/run/secrets/kubernetes.io/serviceaccount/token')
        .optional()
        .describe('A bearer token that the issuer wants before it shows its keys.'),
    },
    'write "- issuer: https://login.example.com" and its audience',
  )
    .refine((entry) => entry.clientSecret === undefined || entry.clientId !== undefined, {
      error: 'clientSecret stands without clientId; write the clientId it belongs to',
      path: ['clientSecret'],
    })
    .refine((entry) => entry.web === undefined || entry.clientId !== undefined, {
      error: 'web stands without clientId; write the public client of hoopctl too',
      path: ['web'],
    });
}

function claims() {
  const claim = text("a claim's name", 'write the name of a claim such as groups, or /realm_access/roles');
  return z
    .record(text('an attribute', 'write an attribute such as model'), claim, {
      ...expected('a mapping from our attribute to the claim', 'write {groups: groups}'),
    })
    .default({});
}

function algorithms() {
  return z
    .array(
      z.enum(ALGORITHMS, expected(`one of ${ALGORITHMS.join(' ')}`, 'write [ES256, RS256]')),
      expected('a list of signature algorithms', 'write [ES256, RS256]'),
    )
    .min(1, expected('at least one algorithm', 'write [ES256, RS256]'))
    .optional();
}

function domains() {
  const one = text('a domain in lower case', 'write a domain such as example.com', DOMAIN);
  return z
    .array(one, expected('a list of domains', 'write [example.com]'))
    .min(1, expected('at least one domain', 'write [example.com]'))
    .max(100, expected('at most 100 domains', 'remove some'))
    .optional()
    .describe('People must come from one of these, by the claim hd.');
}
