/**
 * `hoopctl connect`: identity first, then the local end, then whoever uses it.
 */
import { randomBytes } from 'node:crypto';
import type { ResourceItem } from '../../api/contract.ts';
import type { OpenGateway } from '../../client/gateway.ts';
import { DEFAULT_SOCKET_PORT, Listener, type ListenerOptions, serveStdio } from '../../client/listener.ts';
import type { LocalDoor } from '../../client/local/door.ts';
import { PostgresDoor } from '../../client/local/postgres.ts';
import { Tunnel } from '../../client/tunnel.ts';
import { ERROR_TABLE, HoopError, isHoopError } from '../../core/errors.ts';
import { scramVerifier } from '../../wire/scram/verifier.ts';
import type { Invocation } from '../command.ts';
import { describeFailure } from '../failure.ts';
import type { Io } from '../io.ts';
import { withGateway } from '../with-gateway.ts';
import { runChild } from './child.ts';
import { type LocalEnd, tunnelVariables } from './environment.ts';
import { onParentExit } from './parent-watch.ts';
import { type ConnectPlan, planConnect } from './plan.ts';
import { childEnvironment, localLogin } from './postgres-environment.ts';
import { readyText, readyValue } from './ready.ts';
import { untilEnd } from './until-end.ts';

/** Octets of a tunnel's own password. */
const SECRET_BYTES = 32;
/** Time for a local client to read why it was refused, ms. */
const FAREWELL_MS = 500;

/** How long a session may take to tell its client why it ends. */
const LAST_WORDS_MS = 2000;

/** @returns 0, or the child's code. @throws {HoopError} whatever keeps the tunnel from opening. */
export async function runConnect(invocation: Invocation): Promise<number> {
  const plan = planConnect(invocation);
  const trouble = new Trouble(invocation.io);
  const ttl = plan.ttlMs === undefined ? {} : { ttlSeconds: Math.floor(plan.ttlMs / 1000) };
  return withGateway(
    invocation,
    async (gateway) => {
      const resources = await reachable(gateway, plan);
      if (plan.local.kind === 'stdio') return overStdio(invocation.io, gateway, plan);
      return overListeners(invocation, gateway, resources, plan, trouble);
    },
    ttl,
    (error, final) => trouble.tell(error, final),
  );
}

/** Says no before anything is opened: all of them, or none. */
async function reachable(gateway: OpenGateway, plan: ConnectPlan): Promise<readonly ResourceItem[]> {
  try {
    const resources = await gateway.api.namedResources(plan.resources);
    const held = resources.find(({ access }) => access === 'hold');
    if (held === undefined) return resources;
    throw new HoopError('ERR_APPROVAL_REQUIRED', `a connection to ${held.name} needs an approval`);
  } catch (error) {
    const said = isHoopError(error) && REFUSALS.has(error.code) ? await knock(gateway, plan) : undefined;
    throw said ?? error;
  }
}

const REFUSALS: ReadonlySet<string> = new Set(['ERR_NO_ACCESS', 'ERR_APPROVAL_REQUIRED']);

/**
 * Asks the gateway for what it will refuse: only so is it on its record who wanted what.
 *
 * @returns What a rule says of its own refusal, if one does: a list of resources cannot.
 */
async function knock(gateway: OpenGateway, plan: ConnectPlan): Promise<HoopError | undefined> {
  let said: HoopError | undefined;
  const open = new Set((await gateway.api.resources()).filter(isOpen).map(({ name }) => name));
  for (const name of plan.resources.filter((wanted) => !open.has(wanted))) {
    const stream = await openTunnel(gateway, plan, name)
      .open()
      .catch((error: unknown) => {
        if (isHoopError(error) && givesReason(error)) said ??= error;
      });
    stream?.destroy();
  }
  return said;
}

/** A rule without a reason says no more than that there is such a resource: that is nobody's business. */
function givesReason({ code, message }: HoopError): boolean {
  return code === 'ERR_DENIED' && message !== ERROR_TABLE.ERR_DENIED.text;
}

function isOpen({ access }: ResourceItem): boolean {
  return access === 'allow';
}

async function overStdio(io: Io, gateway: OpenGateway, plan: ConnectPlan): Promise<number> {
  const tunnel = openTunnel(gateway, plan, plan.resources[0]!);
  const gone = new AbortController();
  const unwatch = onParentExit(io.parentPid, () => gone.abort());
  const stop = AbortSignal.any([io.signal, gone.signal]);
  await serveStdio((signal) => tunnel.open(signal), io.streams.stdin, io.streams.stdout, stop);
  unwatch();
  io.signal.throwIfAborted();
  return 0;
}

async function overListeners(
  { io, command }: Invocation,
  gateway: OpenGateway,
  resources: readonly ResourceItem[],
  plan: ConnectPlan,
  trouble: Trouble,
): Promise<number> {
  const listeners: Listener[] = [];
  let graceMs = 0;
  try {
    const ends: LocalEnd[] = [];
    for (const [index, resource] of resources.entries()) {
      const { listener, password } = await openEnd(gateway, resource, index, plan, trouble);
      listeners.push(listener);
      const login = localLogin(resource, listener.address, password);
      ends.push({ resource: resource.name, protocol: resource.protocol, login });
    }
    if (command.length > 0)
      return await runChild(io, command, childEnvironment(io.env, tunnelVariables(ends)));
    await tellReady(io, gateway, ends);
    await untilEnd(io, plan.keep, (listener) => trouble.onFinal(listener));
    return 0;
  } catch (error) {
    // With the credential the gateway ends each session, and says so to whoever has it open.
    if (isHoopError(error)) graceMs = LAST_WORDS_MS;
    throw error;
  } finally {
    await Promise.all(listeners.map((listener) => listener.close(graceMs)));
  }
}

/** A local end of its own for each resource, with a password of its own. */
async function openEnd(
  gateway: OpenGateway,
  resource: ResourceItem,
  index: number,
  plan: ConnectPlan,
  trouble: Trouble,
): Promise<{ listener: Listener; password: string | undefined }> {
  const password = plan.local.kind === 'port' ? randomBytes(SECRET_BYTES).toString('base64url') : undefined;
  const verifier = password === undefined ? undefined : await scramVerifier(password);
  const tunnel = openTunnel(gateway, plan, resource.name, verifier);
  const door = password === undefined || verifier === undefined ? {} : doorOf(resource, password, verifier);
  const listener = await listen(plan, index, {
    ...door,
    protocol: resource.protocol,
    open: (signal) => tunnel.open(signal),
    onRefused: (error) => trouble.refused(error, plan.resources.length > 1 ? resource.name : undefined),
  });
  return { listener, password };
}

/** Who can prove the secret in the protocol's own login does so to us, before the gateway hears of it. */
function doorOf({ protocol }: ResourceItem, password: string, verifier: string): { door?: LocalDoor } {
  return protocol === 'postgres' ? { door: new PostgresDoor(password, verifier) } : {};
}

async function tellReady(io: Io, gateway: OpenGateway, ends: readonly LocalEnd[]): Promise<void> {
  const deadline = new Date(gateway.credential.facts.deadline).toISOString();
  for (const end of ends) {
    const facts = { ...end, alone: ends.length === 1, deadline };
    if (io.json) await io.value(readyValue(facts));
    else io.streams.stderr.write(readyText(facts));
  }
}

function openTunnel(
  gateway: OpenGateway,
  plan: ConnectPlan,
  resource: string,
  localVerifier?: string,
): Tunnel {
  return new Tunnel(gateway.client, gateway.credential, gateway.key, {
    resource,
    ...(localVerifier === undefined ? {} : { localVerifier }),
    ...(plan.reason === undefined ? {} : { reason: plan.reason }),
  });
}

function listen({ local }: ConnectPlan, index: number, options: ListenerOptions): Promise<Listener> {
  if (local.kind === 'port') return Listener.onPort(local.port === 0 ? 0 : local.port + index, options);
  if (local.kind === 'socket')
    return Listener.onSocket(local.directory, (local.port || DEFAULT_SOCKET_PORT) + index, options);
  throw new HoopError('ERR_INTERNAL', undefined, { detail: 'standard input is no listener' });
}

/** Tells of what goes wrong in the background, each thing once in a row. */
class Trouble {
  readonly #io: Io;
  #last = '';
  #final: HoopError | undefined;
  #listener: ((error: HoopError) => void) | undefined;

  constructor(io: Io) {
    this.#io = io;
  }

  onFinal(listener: (error: HoopError) => void): void {
    if (this.#final) listener(this.#final);
    this.#listener = listener;
  }

  tell(error: HoopError, final: boolean): void {
    if (!final) return this.#io.note(`the credential could not be renewed: ${error.message}; trying again`);
    this.#final = error;
    if (this.#listener) this.#listener(error);
    else this.#io.note(`the credential ended: ${error.message}`);
  }

  /** @param resource Where there are several. */
  refused(error: HoopError, resource: string | undefined): void {
    const { text } = describeFailure(
      resource === undefined ? error : ofResource(error, resource),
      this.#io.json,
    );
    if (text !== this.#last) this.#io.streams.stderr.write(text);
    this.#last = text;
    // Revoked is for good: no later connection could succeed, and whoever waits for the tunnel must learn it now, but
    // not before the client that asked has read its refusal.
    if (error.code === 'ERR_REVOKED') setTimeout(() => this.tell(error, true), FAREWELL_MS);
  }
}

function ofResource(error: HoopError, resource: string): HoopError {
  const { code, message, hint, detail } = error;
  return new HoopError(code, `${resource}: ${message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(detail === undefined ? {} : { detail }),
  });
}
