import type { DiscoveryIssuer } from '../../api/contract.ts';
import { TOKEN_TYPES, type WhoAmI } from '../../api/contract.ts';
import { attributesOf, type LocatedGateway, locateGateway, openInstance } from '../../client/gateway.ts';
import { issuerFetch } from '../../client/login/issuer-client.ts';
import { type DeviceCode, deviceLogin } from '../../client/login/login.ts';
import { type StoredLogin, writeLogin } from '../../client/login/stored-login.ts';
import { ensurePrivateDir } from '../../client/store/private-files.ts';
import { type Profile, saveProfile, secretAccount } from '../../client/store/profiles.ts';
import {
  chooseStore,
  openStore,
  SECRET_SERVICE,
  type SecretStore,
  wantedStore,
} from '../../client/store/secret-store.ts';
import { systemClock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import { wrapped } from '../../core/terminal/prose.ts';
import { isPlain } from '../../core/visible.ts';
import { type Invocation, textOption } from '../command.ts';
import type { Io } from '../io.ts';
import { visible } from '../render/text.ts';
import { actorText, gatewayChoice, raceInterrupt } from '../with-gateway.ts';

/** It tells strangers of no agent, not even whether there is one: before the sign-in nobody can know. */
const CHECKED_LATER =
  '  whether you may act as that agent, the gateway says when you have signed in; check the name';

/** Whom a login is told, and who may stop it. */
export interface LoginWatcher {
  /** What the person needs to see, and for whom the login will be. */
  show(code: DeviceCode, profile: Profile): void;
  note(text: string): void;
  readonly signal: AbortSignal;
}

/** A login that is stored. */
interface LoggedIn {
  readonly me: WhoAmI;
  readonly profile: Profile;
  readonly store: string;
}

export async function runLogin(invocation: Invocation): Promise<undefined> {
  const { io } = invocation;
  const { me, profile, store } = await logIn(invocation, {
    show: (code, profile) => void (io.json ? showJson(io, code) : showText(io, code, profile)),
    note: (text) => io.note(text),
    signal: io.signal,
  });
  await report(io, me, profile, store);
}

/**
 * Logs in by device code, has the gateway accept the login, and only then stores it: what ends early stores nothing.
 *
 * @throws {HoopError} What keeps it from being one. @throws The signal's reason.
 */
export async function logIn(invocation: Invocation, watcher: LoginWatcher): Promise<LoggedIn> {
  const { env } = invocation.io;
  const { signal } = watcher;
  const wanted = wantedStore(env);
  const located = await locateGateway(gatewayChoice(invocation), env);
  try {
    const discovery = await raceInterrupt(signal, located.client.discovery(signal));
    checkAddress(located.origin, discovery.gateway);
    // The one of before, unless the gateway has another now.
    const { issuers } = discovery;
    const before = issuers.find(({ issuer }) => issuer === located.profile?.issuer)?.issuer;
    const client = chooseIssuer(issuers, textOption(invocation, 'issuer') ?? before);
    const profile = profileFor(invocation, located, client.issuer);
    demandPlain(profile);
    // Where it will lie, too: nobody signs in to be told that it can be kept nowhere.
    await ensurePrivateDir(located.directory);
    const chosen = await raceInterrupt(signal, chooseStore(wanted, located.directory));
    const login = await signIn(watcher, located, client, profile);
    const me = await raceInterrupt(signal, introduce(located, profile, login));
    await store(watcher, located, profile, login, chosen.store);
    remarks(env, watcher, wanted === 'auto' ? chosen.reason : undefined);
    return { me, profile, store: chosen.store.kind };
  } finally {
    located.client.close();
  }
}

/** A proof is made for one address: told before anybody is sent to a browser. */
function checkAddress(named: string, own: string): void {
  if (!URL.canParse(own) || new URL(own).origin === named) return;
  throw new HoopError(
    'ERR_USAGE',
    `the gateway at ${named} is ${new URL(own).origin}, and takes no login for another address`,
    {
      hint: `name it so: --gateway ${new URL(own).origin}`,
    },
  );
}

function chooseIssuer(issuers: readonly DiscoveryIssuer[], wanted: string | undefined): DiscoveryIssuer {
  const [first] = issuers;
  if (first === undefined) {
    throw new HoopError('ERR_CONFIG', 'this gateway offers no login for people', {
      hint: 'machines set HOOPCTL_TOKEN, HOOPCTL_TOKEN_FILE or HOOPCTL_CLIENT_ID; people need an issuer with a clientId and a device grant',
    });
  }
  const names = issuers.map((item) => item.issuer).join(', ');
  if (wanted === undefined) {
    if (issuers.length === 1) return first;
    throw new HoopError('ERR_USAGE', 'this gateway takes logins from several identity providers', {
      hint: `name one with --issuer: ${names}`,
    });
  }
  const found = issuers.find((item) => item.issuer === wanted);
  if (found !== undefined) return found;
  throw new HoopError('ERR_USAGE', `this gateway does not know the issuer ${wanted}`, {
    hint: `it knows, by --issuer: ${names}`,
  });
}

/** The profile as it will be saved: what the command line says over what was there. */
function profileFor(invocation: Invocation, located: LocatedGateway, issuer: string): Profile {
  const choice = gatewayChoice(invocation);
  const { agent, model, modelVersion } = attributesOf(choice, located.profile);
  const ca = located.client.network.trust.ca;
  const caFile = choice.ca ?? located.profile?.caFile;
  return {
    name: located.profileName,
    gateway: located.origin,
    issuer,
    ...(ca === undefined ? {} : { ca }),
    ...(ca === undefined || caFile === undefined ? {} : { caFile }),
    ...(agent === undefined ? {} : { agent }),
    ...(model === undefined ? {} : { model }),
    ...(modelVersion === undefined ? {} : { modelVersion }),
  };
}

/** What no gateway takes as a name is told before anybody is sent to a browser. */
function demandPlain(profile: Profile): void {
  const flags = { agent: '--agent', model: '--model', modelVersion: '--model-version' } as const;
  for (const [name, flag] of Object.entries(flags)) {
    const value = profile[name as keyof typeof flags] ?? 'none';
    if (isPlain(value)) continue;
    throw new HoopError('ERR_USAGE', `${flag} "${String(value).slice(0, 100)}" is no name`, {
      hint: '1 to 256 characters, none of them a control or an invisible character',
    });
  }
}

function signIn(
  { signal, show, note }: LoginWatcher,
  located: LocatedGateway,
  client: DiscoveryIssuer,
  profile: Profile,
): Promise<StoredLogin> {
  return deviceLogin({
    client,
    fetch: issuerFetch(located.client.network),
    clock: systemClock,
    signal,
    show: (code) => show(code, profile),
    onOutage: () =>
      note('the identity provider cannot be reached just now; still trying until the code ends'),
  });
}

function showJson(io: Io, code: DeviceCode): Promise<void> {
  return io.value({ kind: 'device-code', ...code, expiresAt: new Date(code.expiresAt).toISOString() });
}

/** The person must be able to tell for what the code is: somebody else's code would log them in for that somebody. */
export function whomText({ gateway, agent, model, modelVersion }: Profile): string {
  const who = agent === undefined ? 'as yourself' : `for the agent ${agent}`;
  const driven = model === undefined ? '' : `, model ${[model, modelVersion].filter(Boolean).join(' ')}`;
  return `to ${gateway} ${who}${driven}`;
}

function showText(io: Io, code: DeviceCode, profile: Profile): void {
  const lines = [
    `hoopctl: log in ${whomText(profile)}`,
    ...(profile.agent === undefined ? [] : [CHECKED_LATER]),
    `  open  ${code.verificationUriComplete ?? code.verificationUri}`,
    `  code  ${code.userCode}   (the page must show this one; it ends at ${clockTime(code.expiresAt)})`,
  ];
  io.streams.stderr.write(`${wrapped(lines.map(visible).join('\n'), io.noteWidth)}\n`);
}

function clockTime(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 5);
}

/** Asks the gateway whether it takes the login, as this agent, before anything is kept. */
async function introduce(located: LocatedGateway, profile: Profile, login: StoredLogin): Promise<WhoAmI> {
  const subject = { token: login.idToken, type: TOKEN_TYPES.idToken };
  const source = { name: 'the new login', get: async () => subject };
  const gateway = await openInstance(located, source, attributesOf({}, profile));
  try {
    return await gateway.api.whoami();
  } finally {
    gateway.close();
  }
}

async function store(
  { signal }: LoginWatcher,
  located: LocatedGateway,
  profile: Profile,
  login: StoredLogin,
  secrets: SecretStore,
): Promise<void> {
  signal.throwIfAborted();
  await writeLogin(secrets, secretAccount(profile), login);
  await saveProfile(located.directory, { ...profile, secretStore: secrets.kind });
  const before = located.profile?.secretStore;
  if (before !== undefined && before !== secrets.kind) await forget(located, before);
}

/** @param noKeychain Why the login is in a file. */
function remarks(env: NodeJS.ProcessEnv, { note }: LoginWatcher, noKeychain: string | undefined): void {
  if (noKeychain !== undefined)
    note('no keychain here (hoopctl doctor says why): the login is in an encrypted file, yours alone');
  if (env['HOOPCTL_TOKEN'] || env['HOOPCTL_TOKEN_FILE']) {
    note('HOOPCTL_TOKEN or HOOPCTL_TOKEN_FILE is set and goes before this login');
  }
}

/** A login must not lie in two places: the older one would be found after a logout. */
async function forget(located: LocatedGateway, kind: 'keychain' | 'file'): Promise<void> {
  const older = await openStore(kind, located.directory);
  const account = secretAccount({ name: located.profileName, gateway: located.origin });
  await older.deletePassword(SECRET_SERVICE, account).catch(() => false);
}

async function report(io: Io, me: WhoAmI, profile: Profile, secretStore: string): Promise<void> {
  if (io.json) {
    const { kind: principal, name, person, deadline } = me;
    const who = { principal, name, ...(person === undefined ? {} : { person }) };
    await io.value({
      kind: 'logged-in',
      profile: profile.name,
      gateway: profile.gateway,
      ...who,
      deadline,
      secretStore,
    });
    return;
  }
  await io.line(
    `logged in to ${profile.gateway} as ${actorText(me)} (profile ${profile.name}, until ${me.deadline})`,
  );
}
