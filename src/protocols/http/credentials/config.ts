import { z } from 'zod';
import { expected, path, secretRef, section, text } from '../../../core/config/shape.ts';

/** Of these at most one: each says how a request is shown to come from the gateway. */
export const WAYS = ['bearer', 'header', 'basic', 'query', 'oauth', 'sigv4'] as const;

/** The shape of `credentials`. `{}`: the API asks for none. @param base Directory that relative paths start from. */
export function credentialsConfig(base: string) {
  const secret = secretRef(base);
  const fieldName = text("a header's name", 'write X-Api-Key', /^[A-Za-z0-9-]{1,64}$/);
  const parameter = text("a parameter's name", 'write key', /^[A-Za-z0-9._~-]{1,64}$/);
  return section(
    {
      bearer: secret.optional(),
      header: section(
        { name: fieldName, value: secret },
        'write {name: X-Api-Key, value: {env: NAME}}',
      ).optional(),
      basic: section(
        {
          user: text('a user name', 'write a name without a colon', /^[^:\p{Cc}]{1,256}$/u),
          password: secret,
        },
        'write {user: hoop, password: {env: NAME}}',
      ).optional(),
      query: section({ name: parameter, value: secret }, 'write {name: key, value: {env: NAME}}').optional(),
      oauth: oauth(base).optional(),
      sigv4: section(
        {
          region: text('a region', 'write a region such as eu-central-1', /^[a-z0-9-]{1,64}$/),
          service: text('a service', 'write a service such as s3', /^[a-z0-9-]{1,64}$/),
          accessKeyId: text('an access key', 'write the id of an access key', /^[A-Z0-9]{16,128}$/),
          secretAccessKey: secret,
        },
        'write {region: eu-central-1, service: s3, accessKeyId: AKIA…, secretAccessKey: {env: NAME}}',
      ).optional(),
      mtls: section(
        { certFile: path(base, 'a PEM file', 'client.crt'), key: secret },
        'write {certFile: client.crt, key: {file: client.key}}',
      )
        .optional()
        .describe('A certificate of the gateway, beside any of the others.'),
    },
    'write {bearer: {env: NAME}}, or {} where the API asks for none',
  );
}

function oauth(base: string) {
  const name = (what: string, write: string) => text(what, write).optional();
  return section(
    {
      tokenUrl: z
        .string(expected('an https URL', 'write the token endpoint of the provider'))
        .refine(isTokenUrl, expected('an https URL', 'write the token endpoint of the provider')),
      clientId: text('a client id', 'write the client of the gateway'),
      clientSecret: secretRef(base),
      scope: name('scopes', 'write scopes, a blank between them'),
      audience: name('an audience', 'write the audience that the provider wants named'),
      auth: z
        .enum(['basic', 'post'], expected('basic or post', 'write auth: basic'))
        .default('basic')
        .describe('How the client shows its secret: in a header, or in the form.'),
    },
    'write {tokenUrl: https://…, clientId: hoop, clientSecret: {env: NAME}}',
  );
}

/** Plain http reads the secret to whoever is on the way: on this machine nobody is. */
function isTokenUrl(input: string): boolean {
  const url = URL.parse(input);
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false;
  return (
    url.protocol === 'https:' ||
    (url.protocol === 'http:' && /^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname))
  );
}

export type CredentialsConfig = z.output<ReturnType<typeof credentialsConfig>>;
