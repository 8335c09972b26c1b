import type { GatewayChoice, OpenGateway } from '../client/gateway.ts';
import type { NameKind } from '../client/store/names.ts';
import { HoopError } from '../core/errors.ts';
import { isRunId, RUN_VARIABLE } from '../core/ids/runs.ts';
import { attenuationChoice } from './attenuation.ts';
import { type Invocation, textOption } from './command.ts';
import { visible } from './render/text.ts';

/** For commands that act for the person who logged in, whatever agent the profile names. */
export const AS_PERSON = { asPerson: true } as const;

/** What is still to be done at the gateway if Ctrl-C comes from now on, until the returned function is called. */
export type LastActs = (act: () => Promise<unknown>) => () => void;

/** What this process has opened ends with its login. */
const AFTERWARDS = 'start this command again';

/** Nobody who has pressed Ctrl-C waits longer, ms. */
const LAST_ACTS_MS = 2000;

/** The options that choose gateway, profile and agent, as the client takes them. */
export function gatewayChoice(invocation: Invocation): GatewayChoice {
  const choice: { -readonly [K in keyof GatewayChoice]: GatewayChoice[K] } = {};
  for (const name of ['profile', 'gateway', 'ca', 'agent', 'model', 'modelVersion'] as const) {
    const value = textOption(invocation, name);
    if (value !== undefined) choice[name] = value;
  }
  const run = runOf(invocation.io.env);
  return { ...choice, ...attenuationChoice(invocation), ...(run === undefined ? {} : { run }) };
}

/** The run that this process was started in. @throws {HoopError} `ERR_USAGE` it has a name that no run may have. */
export function runOf(env: NodeJS.ProcessEnv): string | undefined {
  const run = env[RUN_VARIABLE] || undefined;
  if (run === undefined || isRunId(run)) return run;
  throw new HoopError('ERR_USAGE', `${RUN_VARIABLE} "${run}" is no name of a run`, {
    hint: 'at most 128 letters, digits and ._:/@+=-',
  });
}

/**
 * Runs `task` as an instance at the gateway, and ends the instance's connections afterwards.
 *
 * @throws {HoopError} not logged in, unreachable, refused; whatever `task` throws.
 */
export async function withGateway<T>(
  invocation: Invocation,
  task: (gateway: OpenGateway, interrupted: LastActs) => Promise<T>,
  more: Partial<GatewayChoice> = {},
  onTrouble?: (error: HoopError, final: boolean) => void,
): Promise<T> {
  const { openGateway } = await import('../client/gateway.ts');
  const { io } = invocation;
  const gateway = await raceInterrupt(
    io.signal,
    openGateway({ ...gatewayChoice(invocation), afterwards: AFTERWARDS, ...more }, io.env, onTrouble),
  );
  const acts = new Set<() => Promise<unknown>>();
  const interrupted: LastActs = (act) => {
    acts.add(act);
    return () => acts.delete(act);
  };
  try {
    return await raceInterrupt(io.signal, task(gateway, interrupted));
  } finally {
    if (io.signal.aborted)
      await within(
        LAST_ACTS_MS,
        [...acts].map((act) => act()),
      );
    gateway.close();
  }
}

/** Has completion know what a profile's gateway has listed, by id or name. Never throws. */
export async function remember(
  { directory, profile }: OpenGateway,
  kind: NameKind,
  listed: readonly ({ readonly id: string } | { readonly name: string })[],
): Promise<void> {
  if (profile === undefined) return;
  const { rememberNames } = await import('../client/store/names.ts');
  const names = listed.map((one) => ('id' in one ? one.id : one.name));
  await rememberNames(directory, profile.name, kind, names);
}

async function within(ms: number, acts: readonly Promise<unknown>[]): Promise<void> {
  if (acts.length === 0) return;
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  await Promise.race([Promise.allSettled(acts), late.promise]);
  clearTimeout(timer);
}

/** Ctrl-C wins over whatever is being waited for. */
export function raceInterrupt<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** `shop-copilot for alice@example.com`, printable. */
export function actorText(actor: { readonly name: string; readonly person?: string | undefined }): string {
  const text = actor.person && actor.person !== actor.name ? `${actor.name} for ${actor.person}` : actor.name;
  return visible(text);
}
