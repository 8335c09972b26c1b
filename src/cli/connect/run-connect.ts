/**
 * `hoopctl connect`: identity first, then the local end, then whoever uses it.
 */
import { randomBytes } from 'node:crypto';
import type { ResourceItem } from '../../api/contract.ts';
import type { OpenGateway } from '../../client/gateway.ts';
import { DEFAULT_SOCKET_PORT, Listener, type ListenerOptions, serveStdio } from '../../client/listener.ts';
import { scramVerifier } from '../../client/scram-verifier.ts';
import { Tunnel } from '../../client/tunnel.ts';
import { HoopError } from '../../core/errors.ts';
import type { Invocation } from '../command.ts';
import { describeFailure } from '../failure.ts';
import type { Io } from '../io.ts';
import { withGateway } from '../with-gateway.ts';
import { runChild } from './child.ts';
import { onParentExit } from './parent-watch.ts';
import { type ConnectPlan, planConnect } from './plan.ts';
import { childEnvironment, localLogin, postgresVariables } from './postgres-environment.ts';
import { readyText, readyValue } from './ready.ts';

/** Octets of a tunnel's own password. */
const SECRET_BYTES = 32;

/** @returns 0, or the child's code. @throws {HoopError} whatever keeps the tunnel from opening. */
export async function runConnect(invocation: Invocation): Promise<number> {
  const plan = planConnect(invocation);
  const trouble = new Trouble(invocation.io);
  const ttl = plan.ttlMs === undefined ? {} : { ttlSeconds: Math.floor(plan.ttlMs / 1000) };
  return withGateway(
    invocation,
    async (gateway) => {
      const resource = await reachable(gateway, plan.resource);
      if (plan.local.kind === 'stdio') return overStdio(invocation.io, gateway, plan);
      return overListener(invocation, gateway, resource, plan, trouble);
    },
    ttl,
    (error, final) => trouble.tell(error, final),
  );
}

/** Says no before anything is opened. */
async function reachable(gateway: OpenGateway, name: string): Promise<ResourceItem> {
  const resource = await gateway.api.resource(name);
  if (resource.access !== 'hold') return resource;
  throw new HoopError('ERR_APPROVAL_REQUIRED', `a connection to ${name} needs an approval`);
}

async function overStdio(io: Io, gateway: OpenGateway, plan: ConnectPlan): Promise<number> {
  const tunnel = openTunnel(gateway, plan);
  const gone = new AbortController();
  const unwatch = onParentExit(io.parentPid, () => gone.abort());
  const stop = AbortSignal.any([io.signal, gone.signal]);
  await serveStdio((signal) => tunnel.open(signal), io.streams.stdin, io.streams.stdout, stop);
  unwatch();
  io.signal.throwIfAborted();
  return 0;
}

async function overListener(
  { io, command }: Invocation,
  gateway: OpenGateway,
  resource: ResourceItem,
  plan: ConnectPlan,
  trouble: Trouble,
): Promise<number> {
  const password = plan.local.kind === 'port' ? randomBytes(SECRET_BYTES).toString('base64url') : undefined;
  const verifier = password === undefined ? undefined : await scramVerifier(password);
  const tunnel = openTunnel(gateway, plan, verifier);
  const listener = await listen(plan, {
    protocol: resource.protocol,
    open: (signal) => tunnel.open(signal),
    onRefused: (error) => trouble.refused(error),
  });
  try {
    const login = localLogin(resource, listener.address, password);
    if (command.length > 0) {
      const variables = resource.protocol === 'postgres' ? postgresVariables(login) : {};
      return await runChild(io, command, childEnvironment(io.env, variables));
    }
    const deadline = new Date(gateway.credential.facts.deadline).toISOString();
    const facts = { resource: resource.name, protocol: resource.protocol, login, deadline };
    if (io.json) await io.value(readyValue(facts));
    else io.streams.stderr.write(readyText(facts));
    await untilEnd(io, trouble);
    return 0;
  } finally {
    await listener.close();
  }
}

function openTunnel(gateway: OpenGateway, plan: ConnectPlan, localVerifier?: string): Tunnel {
  return new Tunnel(gateway.client, gateway.credential, gateway.key, {
    resource: plan.resource,
    ...(localVerifier === undefined ? {} : { localVerifier }),
    ...(plan.reason === undefined ? {} : { reason: plan.reason }),
  });
}

function listen({ local }: ConnectPlan, options: ListenerOptions): Promise<Listener> {
  if (local.kind === 'port') return Listener.onPort(local.port, options);
  if (local.kind === 'socket')
    return Listener.onSocket(local.directory, local.port || DEFAULT_SOCKET_PORT, options);
  throw new HoopError('ERR_INTERNAL', undefined, { detail: 'standard input is no listener' });
}

/** Waits for a signal, for the parent's end, or for the credential's: whichever comes first ends the tunnel. */
function untilEnd(io: Io, trouble: Trouble): Promise<void> {
  return new Promise((resolve, reject) => {
    const unwatch = onParentExit(io.parentPid, resolve);
    io.signal.addEventListener('abort', () => reject(io.signal.reason), { once: true });
    trouble.onFinal((error) => {
      unwatch();
      reject(error);
    });
  });
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

  refused(error: HoopError): void {
    const { text } = describeFailure(error, this.#io.json);
    if (text !== this.#last) this.#io.streams.stderr.write(text);
    this.#last = text;
  }
}
