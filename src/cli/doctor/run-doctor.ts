import {
  attributesOf,
  type LocatedGateway,
  locateGateway,
  openInstance,
  subjectSource,
} from '../../client/gateway.ts';
import { configDir, ensurePrivateDir } from '../../client/store/private-files.ts';
import type { Profile } from '../../client/store/profiles.ts';
import { chooseStore } from '../../client/store/secret-store.ts';
import { HoopError, toHoopError } from '../../core/errors.ts';
import type { Invocation } from '../command.ts';
import type { Io } from '../io.ts';
import { visible } from '../render/text.ts';
import { actorText, gatewayChoice, raceInterrupt } from '../with-gateway.ts';

interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly text: string;
  readonly hint?: string;
}

/** Where texts stand, behind state and check. */
const HANG = 20;

/** Proofs of another time than this are refused by the gateway, ms. */
const MAX_SKEW_MS = 60_000;

/** With one of these nothing is kept. */
const GIVEN_LOGINS = ['HOOPCTL_TOKEN', 'HOOPCTL_TOKEN_FILE', 'HOOPCTL_CLIENT_ID'];

/** Runs every check that makes sense after those before it. @returns The exit code of the first failure. */
export async function runDoctor(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const doctor = new Doctor(io);
  await doctor.check('node', async () => process.version);
  await doctor.check('settings', () => checkSettings(io));
  const located = await doctor.check('gateway', () => locate(invocation));
  await doctor.check('keychain', () => checkKeychain(io, located?.profile), 'warning');
  const spoken = await doctor.check('tls', () => checkTls(needed(located)));
  const reached = await doctor.check('discovery', () => {
    if (located !== undefined && spoken === undefined) throw new Skipped('no TLS to ask it over');
    return checkDiscovery(io, needed(located));
  });
  await doctor.check('clock', async () => checkClock(needed(located), reached !== undefined));
  await doctor.check('login', () => checkLogin(invocation, needed(located)));
  located?.client.close();
  return doctor.exitCode;
}

/** A check before this one failed, so that this one would only fail with it. */
class Skipped extends Error {}

class Doctor {
  readonly #io: Io;
  exitCode = 0;

  constructor(io: Io) {
    this.#io = io;
  }

  /** @returns What the check found out for later ones; `undefined` if it failed. */
  async check<T extends string | object>(
    name: string,
    task: () => Promise<T>,
    severity: 'failed' | 'warning' = 'failed',
  ): Promise<T | undefined> {
    try {
      const found = await raceInterrupt(this.#io.signal, task());
      await this.#print({
        check: name,
        state: 'ok',
        text: typeof found === 'string' ? found : describe(found),
      });
      return found;
    } catch (error) {
      this.#io.signal.throwIfAborted();
      if (error instanceof Skipped) await this.#print({ check: name, state: 'skipped', text: error.message });
      else await this.#failed(name, severity, toHoopError(error));
      return undefined;
    }
  }

  async #failed(
    check: string,
    state: 'failed' | 'warning',
    { message, hint, exitCode }: HoopError,
  ): Promise<void> {
    if (state === 'failed') this.exitCode ||= exitCode;
    await this.#print({ check, state, text: message, ...(hint === undefined ? {} : { hint }) });
  }

  async #print(finding: Finding): Promise<void> {
    if (this.#io.json) return this.#io.value(finding);
    const line = `${finding.state.padEnd(8)} ${finding.check.padEnd(10)} ${visible(finding.text)}`;
    const hint = finding.hint === undefined ? '' : `\n${' '.repeat(HANG)}${visible(finding.hint)}`;
    await this.#io.line(line + hint, HANG);
  }
}

function describe(found: object): string {
  return 'origin' in found ? String(found.origin) : '';
}

function needed(located: LocatedGateway | undefined): LocatedGateway {
  if (located === undefined) throw new Skipped('no gateway to ask');
  return located;
}

function locate(invocation: Invocation): Promise<LocatedGateway> {
  return locateGateway(gatewayChoice(invocation), invocation.io.env);
}

async function checkSettings(io: Io): Promise<string> {
  const directory = configDir(io.env);
  await ensurePrivateDir(directory);
  return `${directory} is ours alone`;
}

async function checkKeychain(io: Io, profile: Profile | undefined): Promise<string> {
  if (io.env['HOOPCTL_SECRET_STORE'] === 'file') return 'not used: HOOPCTL_SECRET_STORE is file';
  const given = GIVEN_LOGINS.find((name) => io.env[name]);
  if (given !== undefined) return `not used: the login is by ${given}`;
  try {
    const { store } = await chooseStore('keychain', configDir(io.env));
    return `${store.kind} keeps and gives back`;
  } catch (error) {
    if (profile?.secretStore !== 'file') throw error;
    const { code, message } = toHoopError(error);
    throw new HoopError(code, message, {
      hint: `nothing need be done: the login of profile "${profile.name}" is in an encrypted file, yours alone`,
      cause: error,
    });
  }
}

async function checkTls({ client }: LocatedGateway): Promise<string> {
  const socket = await client.network.connectGateway(client.origin);
  const until = new Date(socket.getPeerCertificate().valid_to).toISOString();
  const text = `${socket.getProtocol()}, certificate vouched for by ${client.network.trust.source}, until ${until}`;
  socket.destroy();
  return text;
}

async function checkDiscovery(io: Io, { client }: LocatedGateway): Promise<string> {
  const found = await client.discovery(io.signal);
  const issuers = found.issuers.map((item) => item.issuer).join(', ');
  return `hoop gateway ${found.version}; logins: ${issuers || 'machines only'}`;
}

function checkClock({ client }: LocatedGateway, reached: boolean): string {
  if (!reached || client.clockSkewMs === undefined) throw new Skipped('the gateway gave no time');
  const seconds = Math.round(client.clockSkewMs / 1000);
  if (Math.abs(client.clockSkewMs) < MAX_SKEW_MS)
    return `within ${Math.max(1, Math.abs(seconds))} s of the gateway's`;
  const side = seconds > 0 ? 'behind' : 'ahead of';
  throw new HoopError('ERR_PROOF_INVALID', `this clock is ${Math.abs(seconds)} s ${side} the gateway's`, {
    hint: "set this machine's clock right",
  });
}

async function checkLogin(invocation: Invocation, located: LocatedGateway): Promise<string> {
  const { io } = invocation;
  const source = await subjectSource(located, io.env);
  const gateway = await openInstance(
    located,
    source,
    attributesOf(gatewayChoice(invocation), located.profile),
  );
  try {
    const me = await gateway.api.whoami();
    return `${actorText(me)} by ${source.name}, until ${me.deadline}`;
  } finally {
    gateway.credential.close();
  }
}
