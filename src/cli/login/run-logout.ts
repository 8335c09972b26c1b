import { type LocatedGateway, locateGateway, openInstance } from '../../client/gateway.ts';
import { discoverIssuer, issuerFetch } from '../../client/login/issuer-client.ts';
import { readLogin, type StoredLogin, StoredLoginSource } from '../../client/login/stored-login.ts';
import { type Profile, saveProfile, secretAccount } from '../../client/store/profiles.ts';
import { openStore, SECRET_SERVICE } from '../../client/store/secret-store.ts';
import { systemClock } from '../../core/clock.ts';
import { toHoopError } from '../../core/errors.ts';
import type { Invocation } from '../command.ts';
import type { Io } from '../io.ts';
import { gatewayChoice, raceInterrupt } from '../with-gateway.ts';

/**
 * Ends the login everywhere, as far as everybody can be reached. Here it always ends, whoever is down elsewhere.
 */
export async function runLogout(invocation: Invocation): Promise<undefined> {
  const { io } = invocation;
  const located = await locateGateway(gatewayChoice(invocation), io.env);
  const { profile } = located;
  const kind = profile?.secretStore;
  try {
    if (profile !== undefined && kind !== undefined) await end(io, located, profile, kind);
  } finally {
    located.client.close();
  }
  const state = { kind: 'logged-out', profile: located.profileName, gateway: located.origin };
  if (io.json) await io.value(state);
  else if (kind === undefined)
    io.note(`profile "${located.profileName}" was not logged in at ${located.origin}`);
  else await io.line(`logged out of ${located.origin} (profile ${located.profileName})`);
}

async function end(
  io: Io,
  located: LocatedGateway,
  profile: Profile,
  kind: 'keychain' | 'file',
): Promise<void> {
  const store = await openStore(kind, located.directory);
  const account = secretAccount(profile);
  const login = await readLogin(store, account).catch(() => undefined);
  if (login !== undefined) {
    const source = new StoredLoginSource({
      store,
      account,
      profile: profile.name,
      directory: located.directory,
      fetch: issuerFetch(located.client.network),
      clock: systemClock,
    });
    await attempt(io, 'the gateway was not told', () => endAtGateway(located, source));
    const newest = (await readLogin(store, account).catch(() => undefined)) ?? login;
    await attempt(io, 'the identity provider was not told', () => endAtIssuer(located, newest));
  }
  await store.deletePassword(SECRET_SERVICE, account);
  const { secretStore: _, ...rest } = profile;
  await saveProfile(located.directory, rest);
}

async function attempt(io: Io, otherwise: string, task: () => Promise<void>): Promise<void> {
  try {
    await raceInterrupt(io.signal, task());
  } catch (error) {
    io.signal.throwIfAborted();
    io.note(`${otherwise}: ${toHoopError(error).message}`);
  }
}

async function endAtGateway(located: LocatedGateway, source: StoredLoginSource): Promise<void> {
  const gateway = await openInstance(located, source, {});
  try {
    await gateway.api.revokeSelf();
  } finally {
    gateway.credential.close();
  }
}

/** @see RFC 7009 */
async function endAtIssuer(located: LocatedGateway, login: StoredLogin): Promise<void> {
  if (login.refreshToken === undefined) return;
  const configuration = await discoverIssuer(login.client, issuerFetch(located.client.network));
  if (configuration.serverMetadata().revocation_endpoint === undefined) return;
  const { tokenRevocation } = await import('openid-client');
  await tokenRevocation(configuration, login.refreshToken, { token_type_hint: 'refresh_token' });
}
