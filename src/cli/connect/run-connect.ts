/**
 * `hoopctl connect`: identity first, then the local end, then whoever uses it.
 */
import type { ResourceItem } from '../../api/contract.ts';
import type { OpenGateway } from '../../client/gateway.ts';
import { serveStdio } from '../../client/listener.ts';
import { InstanceKey } from '../../client/login/dpop.ts';
import { type AskedAhead, AskedAheadStore } from '../../client/store/asked-ahead.ts';
import { configDir } from '../../client/store/private-files.ts';
import { systemClock } from '../../core/clock.ts';
import { ERROR_TABLE, HoopError, isHoopError } from '../../core/errors.ts';
import type { Invocation } from '../command.ts';
import type { Io } from '../io.ts';
import { type LastActs, withGateway } from '../with-gateway.ts';
import { demandAskedAhead, untilApproved } from './approved.ts';
import { runChild } from './child.ts';
import { CLIENTS, type KnownClients } from './clients/index.ts';
import { openTunnel } from './local-ends.ts';
import { overListeners, type Serving } from './over-listeners.ts';
import { onParentExit } from './parent-watch.ts';
import { type ConnectPlan, planConnect } from './plan.ts';
import { demandMany, type PreparedEnd, withHalves } from './prepare.ts';
import { readyText, readyValue } from './ready.ts';
import { Trouble } from './trouble.ts';

/** What runs in a tunnel: made once its ends are open. */
type CommandFor = (ends: readonly PreparedEnd[]) => readonly string[];

/**
 * @param clients The protocols whose clients can be served.
 * @param commandFor Default: what stands behind `--`; nothing: the tunnel stays for whoever uses it.
 * @param whenReady Where there is no command.
 * @returns 0, or the child's code.
 * @throws {HoopError} Whatever keeps the tunnel from opening.
 */
export async function runConnect(
  invocation: Invocation,
  clients: readonly KnownClients[] = CLIENTS,
  commandFor: CommandFor = () => invocation.command,
  whenReady: Serving['whenReady'] = tellReady,
): Promise<number> {
  const plan = planConnect(invocation);
  const trouble = new Trouble(invocation.io);
  const ttl = plan.ttlMs === undefined ? {} : { ttlSeconds: Math.floor(plan.ttlMs / 1000) };
  const run = plan.run === undefined ? {} : { run: plan.run };
  const asked = plan.approval === undefined ? undefined : await askedAhead(invocation.io, plan.approval);
  const as = asked === undefined ? {} : { key: await InstanceKey.from(asked.key, systemClock) };
  return withGateway(
    invocation,
    async (gateway, interrupted) => {
      if (asked !== undefined) await demandAskedAhead(invocation.io, gateway, asked.id);
      const resources = await reachable(invocation, gateway, plan, interrupted);
      demandMany(resources[0], plan.place);
      if (plan.local.kind === 'stdio') return overStdio(invocation.io, gateway, plan);
      const known = await withHalves(resources, clients);
      return overListeners(invocation.io, gateway, known, plan, trouble, {
        commandFor,
        whenReady,
        run: (command, env) => runChild(invocation.io, command, env),
      });
    },
    { ...ttl, ...as, ...run },
    (error, final) => trouble.tell(error, final),
  );
}

/** A yes is for the instance that asked: this process goes on as that one. */
function askedAhead({ env }: Io, approval: string): Promise<AskedAhead> {
  return new AskedAheadStore(configDir(env)).demand(approval, systemClock.now());
}

/** Says no before anything is opened: all of them, or none. */
async function reachable(
  { io, command }: Invocation,
  gateway: OpenGateway,
  plan: ConnectPlan,
  interrupted: LastActs,
): Promise<readonly ResourceItem[]> {
  try {
    const resources = await gateway.api.namedResources(plan.resources);
    const held = resources.filter(({ access }) => access === 'hold');
    for (const { name } of held) await opened(io, gateway, plan, name, interrupted);
    return resources;
  } catch (error) {
    const said = isHoopError(error) && isRefusal(error) ? await knock(gateway, plan) : undefined;
    throw said ?? (command.length === 0 ? behindDashes(error, plan) : error);
  }
}

/** Another program's name stands where a resource's was expected. */
function behindDashes(error: unknown, { resources: [first, ...more] }: ConnectPlan): unknown {
  if (!isHoopError(error) || error.code !== 'ERR_NO_ACCESS' || error.hint?.includes('did you mean'))
    return error;
  if (!more.some((name) => error.message.includes(`"${name}"`))) return error;
  return new HoopError(error.code, error.message, {
    hint: `what is to run stands behind --: hoopctl connect ${first} -- ${more.join(' ')}; see: hoopctl resource list`,
    cause: error,
  });
}

/** What needs an approval was asked for ahead, or is asked for now. */
async function opened(
  io: Io,
  gateway: OpenGateway,
  plan: ConnectPlan,
  name: string,
  interrupted: LastActs,
): Promise<void> {
  if (plan.waitMs !== undefined) return untilApproved(io, gateway, plan, name, plan.waitMs, interrupted);
  if (plan.approval === undefined) throw needsApproval(name);
  (await openTunnel(gateway, plan, name).open()).destroy();
}

function needsApproval(name: string): HoopError {
  return new HoopError('ERR_APPROVAL_REQUIRED', `a connection to ${name} needs an approval`, {
    hint: 'ask for it and wait: hoopctl connect --wait',
  });
}

/** What was asked for and not decided is on record already. */
function isRefusal({ code, approval }: HoopError): boolean {
  return REFUSALS.has(code) && approval === undefined;
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

async function tellReady(io: Io, gateway: OpenGateway, ends: readonly PreparedEnd[]): Promise<void> {
  const deadline = new Date(gateway.credential.facts.deadline).toISOString();
  for (const end of ends) {
    const facts = { ...end, alone: ends.length === 1, deadline };
    if (io.json) await io.value(readyValue(facts));
    else io.streams.stderr.write(readyText(facts, undefined, io.noteWidth));
  }
}
