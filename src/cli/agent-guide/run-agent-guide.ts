import { HoopError } from '../../core/errors.ts';
import { type Invocation, textOption } from '../command.ts';
import { GUIDE } from './guide.ts';
import { CLIENT_SETTINGS } from './settings.ts';

/** Options that the server is started with, as they were given here. */
const HANDED_ON = ['profile', 'gateway', 'ca', 'agent', 'model', 'model-version', 'only'] as const;

/**
 * Prints a text or settings, and writes no file: what is in yours is yours to keep.
 *
 * @throws {HoopError} `ERR_USAGE` no such client.
 */
export async function runAgentGuide(invocation: Invocation): Promise<undefined> {
  const { io, args } = invocation;
  const [client] = args;
  const clients = Object.keys(CLIENT_SETTINGS).join(', ');
  if (client === undefined) {
    if (io.json) return io.value({ file: 'AGENTS.md', content: GUIDE }).then(() => undefined);
    await io.write(GUIDE);
    io.note(
      `put it into AGENTS.md; settings for a client: hoopctl agent-guide ${clients.replaceAll(', ', ' | ')}`,
    );
    return;
  }
  const known = Object.hasOwn(CLIENT_SETTINGS, client) ? CLIENT_SETTINGS[client] : undefined;
  if (known === undefined)
    throw new HoopError('ERR_USAGE', `no client "${client}" is known`, { hint: `one of ${clients}` });
  const given = serverArguments(invocation);
  const content = known.content(given);
  if (io.json) {
    await io.value({ client, file: known.file, command: 'hoopctl', args: given, content });
    return;
  }
  await io.write(content);
  io.note(`for ${known.file}; ${known.remark}`);
}

/** `['mcp', '--profile', 'work']`. Pure. */
export function serverArguments(invocation: Pick<Invocation, 'options'>): readonly string[] {
  const options = HANDED_ON.flatMap((flag) => {
    const name = flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const value = textOption(invocation as Invocation, name);
    return value === undefined ? [] : [`--${flag}`, value];
  });
  return ['mcp', ...(invocation.options['write'] === true ? ['--write'] : []), ...options];
}
