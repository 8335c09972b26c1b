import type { AdapterDeps, ConfiguredResource, Protocol, ResourceConfig } from '../../protocol.ts';
import { type CredentialsConfig, WAYS } from './config.ts';
import {
  type Ask,
  basicCredential,
  bearerCredential,
  headerCredential,
  noCredential,
  queryCredential,
} from './configured.ts';
import type { HttpCredential } from './credential.ts';
import { oauthCredential } from './oauth.ts';
import { sigV4Credential } from './sigv4.ts';
import { askForToken } from './token-endpoint.ts';

type SecretAt = ReturnType<Protocol['secrets']>[number];

const at = (...path: readonly string[]) => ['credentials', ...path];
export const MTLS_CERT = at('mtls', 'certFile');
export const MTLS_KEY = at('mtls', 'key');

/** Where secrets are referred to. Pure. */
export function credentialSecrets({
  bearer,
  header,
  basic,
  query,
  oauth,
  sigv4,
  mtls,
}: CredentialsConfig): SecretAt[] {
  const named: readonly (readonly [readonly string[], SecretAt['ref'] | undefined])[] = [
    [at('bearer'), bearer],
    [at('header', 'value'), header?.value],
    [at('basic', 'password'), basic?.password],
    [at('query', 'value'), query?.value],
    [at('oauth', 'clientSecret'), oauth?.clientSecret],
    [at('sigv4', 'secretAccessKey'), sigv4?.secretAccessKey],
    [MTLS_KEY, mtls?.key],
  ];
  return named.flatMap(([path, ref]) => (ref === undefined ? [] : [{ path, ref }]));
}

/** Names the ways that stand beside the first one: a request is shown one credential. Pure. */
export function secondWays(credentials: CredentialsConfig): readonly string[] {
  return WAYS.filter((way) => credentials[way] !== undefined).slice(1);
}

/** @param ca Of the target: the token endpoint is trusted by the same authorities, where some are named. */
export function configuredCredential(
  resource: ConfiguredResource<ResourceConfig & { readonly credentials: CredentialsConfig }>,
  ca: string | undefined,
  { clock, log }: Pick<AdapterDeps, 'clock' | 'log'>,
): HttpCredential {
  const { bearer, header, basic, query, oauth, sigv4 } = resource.config.credentials;
  const ask =
    (...path: readonly string[]): Ask =>
    () =>
      resource.secret(at(...path));
  if (bearer !== undefined) return bearerCredential(ask('bearer'));
  if (basic !== undefined) return basicCredential(basic.user, ask('basic', 'password'));
  if (header !== undefined) return headerCredential(header.name, ask('header', 'value'));
  if (query !== undefined) return queryCredential(query.name, ask('query', 'value'));
  if (sigv4 !== undefined)
    return sigV4Credential({ ...sigv4, secretAccessKey: ask('sigv4', 'secretAccessKey') });
  if (oauth === undefined) return noCredential;
  const endpoint = { ...oauth, ca, clientSecret: ask('oauth', 'clientSecret') };
  return oauthCredential({
    ask: () => askForToken(endpoint),
    clock,
    log: log.child({ resource: resource.name }),
  });
}
