/**
 * A tunnel with listeners at its local ends, from the first that is opened to the last that is closed.
 */
import type { OpenGateway } from '../../client/gateway.ts';
import { systemClock } from '../../core/clock.ts';
import { HoopError, isHoopError } from '../../core/errors.ts';
import { RUN_VARIABLE } from '../../core/ids/runs.ts';
import type { Io } from '../io.ts';
import { childEnvironment } from './environment.ts';
import { HeldNotices } from './held-notices.ts';
import { LocalEnds } from './local-ends.ts';
import type { ConnectPlan } from './plan.ts';
import { type KnownResource, type OpenEnd, type PreparedEnd, prepareEnds } from './prepare.ts';
import type { Trouble } from './trouble.ts';
import { TunnelFiles } from './tunnel-files.ts';
import { makeTunnelTls, type TunnelTls } from './tunnel-tls.ts';
import { untilEnd } from './until-end.ts';

/** How long a session may take to tell its client why it ends. */
const LAST_WORDS_MS = 2000;

/** What is done in a tunnel whose ends are open. */
export interface Serving {
  /** What runs in it; `[]`: it stays for whoever uses it. */
  commandFor(ends: readonly PreparedEnd[], files: TunnelFiles): readonly string[];
  /** Runs it, with what its tools expect. @returns Its exit code. */
  run(
    command: readonly string[],
    env: NodeJS.ProcessEnv,
    ends: readonly PreparedEnd[],
    files: TunnelFiles,
  ): Promise<number>;
  /** Tells whoever waits that the ends are open, where nothing runs. */
  whenReady(io: Io, gateway: OpenGateway, ends: readonly PreparedEnd[]): Promise<void>;
  /** Variables beside those of the clients. */
  variables?(ends: readonly PreparedEnd[], files: TunnelFiles): Readonly<Record<string, string>>;
}

/**
 * Opens a local end for each resource, and sees to what is done in them. A session begins when a client connects.
 *
 * @returns The command's exit code; 0 where there is none, once the tunnel ends by itself.
 * @throws {HoopError} A local end cannot be opened, or clients cannot be told of it; the credential has ended.
 */
export async function overListeners(
  io: Io,
  gateway: OpenGateway,
  resources: readonly KnownResource[],
  plan: ConnectPlan,
  trouble: Trouble,
  serving: Serving,
): Promise<number> {
  const several = resources.length > 1;
  const files = new TunnelFiles();
  const tls = await tunnelTls(plan, resources, files, io.env, gateway);
  const refused = (error: HoopError, name: string) => trouble.refused(error, several ? name : undefined);
  const local = new LocalEnds(gateway, plan, refused, tls, new HeldNotices(io, gateway));
  let graceMs = 0;
  try {
    const opened: OpenEnd[] = [];
    for (const resource of resources) opened.push(await local.open(resource));
    const ends = await prepareEnds(opened, files, { bearer: plan.bearer, env: io.env });
    const command = serving.commandFor(ends, files);
    if (command.length > 0) {
      const more = {
        ...(plan.tls ? tls?.variables : {}),
        ...(plan.run === undefined ? {} : { [RUN_VARIABLE]: plan.run }),
        ...serving.variables?.(ends, files),
      };
      return await serving.run(command, childEnvironment(io.env, ends, plan.urlVariable, more), ends, files);
    }
    await serving.whenReady(io, gateway, ends);
    await untilEnd(io, plan.keep, (listener) => trouble.onFinal(listener));
    return 0;
  } catch (error) {
    // With the credential the gateway ends each session, and says so to whoever has it open.
    if (isHoopError(error)) graceMs = LAST_WORDS_MS;
    throw error;
  } finally {
    files.dispose();
    await local.close(graceMs);
  }
}

/** @throws {HoopError} `ERR_USAGE` clients of one of them speak no TLS with the local end. */
async function tunnelTls(
  plan: ConnectPlan,
  resources: readonly KnownResource[],
  files: TunnelFiles,
  env: Io['env'],
  gateway: OpenGateway,
): Promise<TunnelTls | undefined> {
  if (!plan.tls && !resources.some(({ half }) => half.local.needsTls)) return undefined;
  const without = plan.tls && resources.find(({ half }) => half.local.alpn.length === 0);
  if (without)
    throw new HoopError(
      'ERR_USAGE',
      `${without.resource.name} has no --tls: its clients take the local end as it is`,
      {
        hint: 'leave --tls away: beyond this machine all is TLS',
      },
    );
  return makeTunnelTls(files, env, systemClock.now(), gateway.credential.facts.deadline);
}
