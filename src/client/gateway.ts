/**
 * Puts the client together: which gateway, whom to trust, whose token, one instance.
 */
import { systemClock } from '../core/clock.ts';
import { HoopError, isHoopError } from '../core/errors.ts';
import { GatewayApi } from './gateway-api.ts';
import { type Attributes, GatewayClient } from './gateway-client.ts';
import { Credential, type SubjectSource } from './login/credential.ts';
import { InstanceKey } from './login/dpop.ts';
import { issuerFetch } from './login/issuer-client.ts';
import { StoredLoginSource } from './login/stored-login.ts';
import { machineSource } from './login/subject-sources.ts';
import { timeGiven } from './login/time-given.ts';
import { missingTokenCure } from './login/token-cure.ts';
import { Network } from './network/network.ts';
import { chooseTrust } from './network/trust.ts';
import { systemScheduler } from './scheduler.ts';
import { configDir } from './store/private-files.ts';
import {
  checkProfileName,
  DEFAULT_PROFILE,
  type Profile,
  parseGatewayUrl,
  readProfiles,
  secretAccount,
} from './store/profiles.ts';
import { openStore } from './store/secret-store.ts';

/** What the command line may say; everything else comes from the environment and the profile. */
export interface GatewayChoice extends Attributes {
  readonly profile?: string;
  readonly gateway?: string;
  /** Path of a PEM file. */
  readonly ca?: string;
  /** Leaves agent and model aside, the profile's as well. */
  readonly asPerson?: boolean;
  /** Goes on as the instance of this key. */
  readonly key?: InstanceKey;
  /** What is to be done after another login, where what was opened does not come back by it: words that end a hint. */
  readonly afterwards?: string;
}

/** A gateway that is known, not yet spoken to. */
export interface LocatedGateway {
  readonly directory: string;
  readonly profileName: string;
  /** The profile, if it is of this gateway. */
  readonly profile: Profile | undefined;
  readonly origin: string;
  readonly client: GatewayClient;
}

/** A gateway with a running credential. `close` must be called for the process to end. */
export interface OpenGateway extends LocatedGateway {
  readonly key: InstanceKey;
  readonly credential: Credential;
  readonly api: GatewayApi;
  close(): void;
}

/**
 * Finds the gateway: `--gateway`, `HOOPCTL_GATEWAY`, the profile's, in this order.
 *
 * @throws {HoopError} `ERR_USAGE` none is named, or not by a URL; `ERR_CONFIG` settings that cannot be read.
 */
export async function locateGateway(choice: GatewayChoice, env: NodeJS.ProcessEnv): Promise<LocatedGateway> {
  const directory = configDir(env);
  const profileName = checkProfileName(choice.profile ?? (env['HOOPCTL_PROFILE'] || DEFAULT_PROFILE));
  const profiles = await readProfiles(directory);
  const saved = profiles.get(profileName);
  const wanted = choice.gateway ?? (env['HOOPCTL_GATEWAY'] || undefined);
  const origin = wanted === undefined ? saved?.gateway : parseGatewayUrl(wanted);
  if (origin === undefined) {
    throw new HoopError('ERR_USAGE', `no gateway is known for profile "${profileName}"`, {
      hint: `${profiles.size === 0 ? '' : `known are ${[...profiles.keys()].join(', ')}; or `}run: hoopctl login --gateway https://…, or set HOOPCTL_GATEWAY`,
    });
  }
  // Another gateway than the profile's gets neither its login nor its CA nor its agent.
  const profile = saved?.gateway === origin ? saved : undefined;
  const trust = await chooseTrust(choice.ca, profile, env);
  const client = new GatewayClient(origin, new Network(trust, env), systemClock);
  return { directory, profileName, profile, origin, client };
}

/**
 * Makes this process an instance at the gateway: a key of its own and a first token.
 *
 * @param onTrouble Told when renewal in the background starts to fail, and when it is over.
 * @throws {HoopError} `ERR_NOT_LOGGED_IN`, `ERR_LOGIN_EXPIRED`, `ERR_AGENT_UNKNOWN`, unreachable, …
 */
export async function openGateway(
  choice: GatewayChoice,
  env: NodeJS.ProcessEnv,
  onTrouble: (error: HoopError, final: boolean) => void = () => undefined,
): Promise<OpenGateway> {
  const located = await locateGateway(choice, env);
  const source = await subjectSource(located, env);
  const attributes = attributesOf(choice, located.profile);
  try {
    return await openInstance(located, source, attributes, onTrouble, choice);
  } catch (error) {
    throw choice.agent === undefined ? naming(attributes.agent, located.profileName, error) : error;
  }
}

/** Whoever named no agent is told which one was asked for, and where it came from: a job's token beside a person's profile. */
function naming(agent: string | undefined, profileName: string, error: unknown): unknown {
  if (agent === undefined || !isHoopError(error) || error.code !== 'ERR_AGENT_UNKNOWN') return error;
  const hint = `the agent is "${agent}" by profile "${profileName}": name another by --agent or --profile`;
  return new HoopError(error.code, error.message, {
    hint: error.hint === undefined ? hint : `${hint}; or ${error.hint}`,
    cause: error,
  });
}

/** As `openGateway`, for a gateway and a source of tokens that are known. */
export async function openInstance(
  located: LocatedGateway,
  source: SubjectSource,
  attributes: Attributes,
  onTrouble: (error: HoopError, final: boolean) => void = () => undefined,
  { key: kept, afterwards }: Pick<GatewayChoice, 'key' | 'afterwards'> = {},
): Promise<OpenGateway> {
  const { client } = located;
  const key = kept ?? (await InstanceKey.create(systemClock));
  const given = timeGiven(attributes, systemClock);
  const exchange = async (subject: Parameters<GatewayClient['exchange']>[0]) =>
    client.exchange(subject, given(), key);
  const options = { source, exchange, scheduler: systemScheduler, onTrouble };
  const credential = new Credential({ ...options, ...(afterwards === undefined ? {} : { afterwards }) });
  try {
    await credential.open();
  } catch (error) {
    client.close();
    throw error;
  }
  const close = () => {
    credential.close();
    client.close();
  };
  return { ...located, key, credential, api: new GatewayApi(client, credential, key), close };
}

/** A machine's token from the environment, else the profile's stored login. */
export async function subjectSource(located: LocatedGateway, env: NodeJS.ProcessEnv): Promise<SubjectSource> {
  const { client, directory, profile } = located;
  const machines = async () => (await client.discovery()).machines ?? [];
  const machine = machineSource({ env, origin: located.origin, network: client.network, machines });
  if (machine !== undefined) return machine;
  if (profile?.secretStore === undefined) {
    const option = located.profileName === DEFAULT_PROFILE ? '' : ` --profile ${located.profileName}`;
    throw new HoopError('ERR_NOT_LOGGED_IN', `not logged in at ${located.origin}`, {
      hint:
        missingTokenCure(env) ??
        `run: hoopctl login --gateway ${located.origin}${option}; machines: set HOOPCTL_TOKEN, HOOPCTL_TOKEN_FILE or HOOPCTL_CLIENT_ID`,
    });
  }
  return new StoredLoginSource({
    store: await openStore(profile.secretStore, directory),
    account: secretAccount(profile),
    profile: profile.name,
    directory,
    fetch: issuerFetch(client.network),
    clock: systemClock,
  });
}

/** The command line's attributes, each falling back to the profile's. */
export function attributesOf(choice: GatewayChoice, profile: Profile | undefined): Attributes {
  const { ttlSeconds, only, readOnly, run } = choice;
  const less = {
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
    ...(only === undefined ? {} : { only }),
    ...(readOnly ? { readOnly } : {}),
    ...(run === undefined ? {} : { run }),
  };
  if (choice.asPerson) return less;
  const agent = choice.agent ?? profile?.agent;
  const model = choice.model ?? profile?.model;
  const modelVersion =
    choice.modelVersion ?? (choice.model === undefined ? profile?.modelVersion : undefined);
  return {
    ...(agent === undefined ? {} : { agent }),
    ...(model === undefined ? {} : { model }),
    ...(modelVersion === undefined ? {} : { modelVersion }),
    ...less,
  };
}
