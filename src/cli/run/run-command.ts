/**
 * `hoopctl run`: a command with everything that it may reach.
 */
import type { ResourceItem } from '../../api/contract.ts';
import { HoopError } from '../../core/errors.ts';
import { type Invocation, textOption } from '../command.ts';
import { runChild } from '../connect/child.ts';
import { CLIENTS } from '../connect/clients/index.ts';
import { overListeners } from '../connect/over-listeners.ts';
import { planConnect } from '../connect/plan.ts';
import { withHalves } from '../connect/prepare.ts';
import { Trouble } from '../connect/trouble.ts';
import { withGateway } from '../with-gateway.ts';
import { demandWritable } from '../writable.ts';
import { briefText } from './brief.ts';
import { SANDBOX_VARIABLE } from './sandbox/messages.ts';

/** Names the brief's file to the command. */
const BRIEF_VARIABLE = 'HOOP_BRIEF';

/**
 * @returns The command's exit code.
 * @throws {HoopError} Not logged in, unreachable; `ERR_USAGE` no command; `ERR_CONFIG` no sandbox can be had.
 */
export async function runCommand(invocation: Invocation): Promise<number> {
  const { io, command, options } = invocation;
  const sandbox = options['sandbox'] === true;
  if (command.length === 0)
    throw new HoopError('ERR_USAGE', 'after -- a command is expected', {
      hint: 'hoopctl run … -- COMMAND; see: hoopctl run --help',
    });
  const within = io.env[SANDBOX_VARIABLE];
  if (sandbox && within) return (await import('./sandbox/inside.ts')).runInside(invocation, within);
  const outside = sandbox ? await import('./sandbox/outside.ts') : undefined;
  const maker = outside?.demandMaker(io.env);
  const plan = planConnect(invocation);
  const file = textOption(invocation, 'summary');
  if (file !== undefined) await demandWritable(file, '--summary');
  const trouble = new Trouble(io);
  const ttl = plan.ttlMs === undefined ? {} : { ttlSeconds: Math.floor(plan.ttlMs / 1000) };
  const code = await withGateway(
    invocation,
    async ({ api, ...rest }) => {
      const gateway = { api, ...rest };
      const [me, all] = await Promise.all([api.whoami(), api.resources(true)]);
      const { open, held, many } = sorted(all, (name) =>
        io.note(`this hoopctl does not know the protocol of ${name}: left out`),
      );
      return overListeners(io, gateway, await withHalves(open, CLIENTS), plan, trouble, {
        commandFor: () => command,
        variables: (ends, files) => ({
          [BRIEF_VARIABLE]: files.write(
            'brief.md',
            briefText({ me, run: plan.run, ends, held, many, sandbox }),
          ),
        }),
        run: (words, env, ends, files) =>
          outside === undefined || maker === undefined
            ? runChild(io, words, env)
            : outside.runOutside(io, maker, env, ends, files),
        whenReady: async () => undefined,
      });
    },
    { ...ttl, ...(plan.run === undefined ? {} : { run: plan.run }) },
    (error, final) => trouble.tell(error, final),
  );
  if (file !== undefined && plan.run !== undefined)
    await (await import('../audit/run-summary.ts')).appendSummary(invocation, plan.run, file);
  return code;
}

interface Sorted {
  readonly open: readonly ResourceItem[];
  readonly held: readonly ResourceItem[];
  readonly many: readonly ResourceItem[];
}

/** What can be opened at once, what people must say yes to, and what needs the name of a place. */
function sorted(all: readonly ResourceItem[], leftOut: (name: string) => void): Sorted {
  const known = all.filter(({ name, protocol }) => {
    const knows = CLIENTS.some((one) => one.protocol === protocol);
    if (!knows) leftOut(name);
    return knows;
  });
  const allowed = known.filter(({ access }) => access === 'allow');
  return {
    open: allowed.filter(({ connect }) => connect['hosts'] === undefined),
    many: allowed.filter(({ connect }) => connect['hosts'] !== undefined),
    held: known.filter(({ access }) => access === 'hold'),
  };
}
