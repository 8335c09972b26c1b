import type { GatewayChoice, OpenGateway } from '../client/gateway.ts';
import type { HoopError } from '../core/errors.ts';
import { attenuationChoice } from './attenuation.ts';
import { type Invocation, textOption } from './command.ts';
import { visible } from './render/text.ts';

/** For commands that act for the person who logged in, whatever agent the profile names. */
export const AS_PERSON = { asPerson: true } as const;

/** The options that choose gateway, profile and agent, as the client takes them. */
export function gatewayChoice(invocation: Invocation): GatewayChoice {
  const choice: { -readonly [K in keyof GatewayChoice]: GatewayChoice[K] } = {};
  for (const name of ['profile', 'gateway', 'ca', 'agent', 'model', 'modelVersion'] as const) {
    const value = textOption(invocation, name);
    if (value !== undefined) choice[name] = value;
  }
  return { ...choice, ...attenuationChoice(invocation) };
}

/**
 * Runs `task` as an instance at the gateway, and ends the instance's connections afterwards.
 *
 * @throws {HoopError} not logged in, unreachable, refused; whatever `task` throws.
 */
export async function withGateway<T>(
  invocation: Invocation,
  task: (gateway: OpenGateway) => Promise<T>,
  more: Partial<GatewayChoice> = {},
  onTrouble?: (error: HoopError, final: boolean) => void,
): Promise<T> {
  const { openGateway } = await import('../client/gateway.ts');
  const { io } = invocation;
  const gateway = await raceInterrupt(
    io.signal,
    openGateway({ ...gatewayChoice(invocation), ...more }, io.env, onTrouble),
  );
  try {
    return await raceInterrupt(io.signal, task(gateway));
  } finally {
    gateway.close();
  }
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
