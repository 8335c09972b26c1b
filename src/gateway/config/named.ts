import type { SecretRef } from '../../core/config/shape.ts';
import { HoopError } from '../../core/errors.ts';
import type { Protocol, ResourceConfig } from '../../protocols/protocol.ts';
import type { HoopdConfig } from './schema.ts';

/** Each resource with its protocol and its path in the configuration. */
export function resourcesOf(config: HoopdConfig, protocols: readonly Protocol[]) {
  return Object.entries(config.resources).map(([name, one]) => ({
    path: ['resources', name],
    protocol: protocolOf(one, protocols),
    config: one,
  }));
}

/** @throws {HoopError} `ERR_CONFIG` the list is not the one with which the configuration was read. */
export function protocolOf(config: ResourceConfig, protocols: readonly Protocol[]): Protocol {
  const found = protocols.find(({ name }) => name === config.protocol);
  if (found === undefined) throw new HoopError('ERR_CONFIG', `nothing here speaks ${config.protocol}`);
  return found;
}

/** Every reference to a text secret, with its path. */
export function secretRefs(
  config: HoopdConfig,
  protocols: readonly Protocol[],
): { readonly path: readonly PropertyKey[]; readonly ref: SecretRef }[] {
  const ofIssuers = config.issuers.flatMap(({ clientSecret, web }, index) => [
    ...(clientSecret === undefined ? [] : [{ path: ['issuers', index, 'clientSecret'], ref: clientSecret }]),
    ...(web?.clientSecret === undefined
      ? []
      : [{ path: ['issuers', index, 'web', 'clientSecret'], ref: web.clientSecret }]),
  ]);
  const ofResources = resourcesOf(config, protocols).flatMap(({ path, protocol, config: its }) =>
    protocol.secrets(its).map(({ path: below, ref }) => ({ path: [...path, ...below], ref })),
  );
  const ofWebhooks = config.approvals.webhooks.flatMap(({ url, secret }, index) => [
    ...(typeof url === 'string' ? [] : [{ path: webhookPath(index, 'url'), ref: url }]),
    ...(secret === undefined ? [] : [{ path: webhookPath(index, 'secret'), ref: secret }]),
  ]);
  return [...ofIssuers, ...ofResources, ...ofWebhooks];
}

export function webhookPath(index: number, key: 'url' | 'secret'): readonly (string | number)[] {
  return ['approvals', 'webhooks', index, key];
}

/** Every other file that a resource names, with its path. */
export function documentFiles(config: HoopdConfig, protocols: readonly Protocol[]) {
  return resourcesOf(config, protocols).flatMap(({ path, protocol, config: its }) =>
    (protocol.documents?.(its) ?? []).map((one) => ({ ...one, path: [...path, ...one.path] })),
  );
}

/** Every file of authorities that a resource names, with its path. */
export function authorityFiles(
  config: HoopdConfig,
  protocols: readonly Protocol[],
): { readonly path: readonly PropertyKey[]; readonly file: string }[] {
  return resourcesOf(config, protocols).flatMap(({ path, protocol, config: its }) =>
    protocol.authorities(its).map(({ path: below, file }) => ({ path: [...path, ...below], file })),
  );
}
