import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import type { OpenGateway } from '../client/gateway.ts';
import type { AheadAnswer, AheadQuestion } from '../client/local/protocol.ts';
import { Tunnel, type TunnelOptions } from '../client/tunnel.ts';
import { HoopError } from '../core/errors.ts';
import { type Invocation, textOption } from './command.ts';
import type { KnownClients } from './connect/clients/index.ts';
import { demandMany, withHalves } from './connect/prepare.ts';

/** @returns Undefined: none is given. @throws {HoopError} `ERR_USAGE` options that do not go together, a file that cannot be read, an empty text. */
export async function operationOf(invocation: Invocation): Promise<AheadQuestion | undefined> {
  const [command, file] = [textOption(invocation, 'command'), textOption(invocation, 'file')];
  if (command !== undefined && file !== undefined)
    throw new HoopError('ERR_USAGE', '-c and -f exclude each other');
  const text = file === undefined ? command : await contentOf(invocation, file);
  if (text?.trim() === '')
    throw new HoopError('ERR_USAGE', `${file ?? '-c'} has nothing in it that could run`);
  const parameters = (invocation.options['param'] ?? []) as readonly string[];
  if (text === undefined && parameters.length > 0)
    throw new HoopError('ERR_USAGE', '--param belongs to -c or -f');
  return text === undefined ? undefined : { text, parameters };
}

async function contentOf({ io }: Invocation, file: string): Promise<string> {
  if (file === '-') return readAll(io.streams.stdin);
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new HoopError('ERR_USAGE', `${file} cannot be read (${error.code ?? error.message})`);
  });
}

/**
 * Sends an operation over a stream where nothing runs.
 *
 * @param operation Undefined: the connection is opened and closed.
 * @param clients The protocols that can be asked in.
 * @param signal Aborted when nobody waits for the answer any more.
 * @throws {HoopError} What the gateway says no by; of the connection, too.
 */
export async function askedOver(
  { api, client, credential, key }: OpenGateway,
  options: TunnelOptions,
  operation: AheadQuestion | undefined,
  clients: readonly KnownClients[],
  signal?: AbortSignal,
): Promise<AheadAnswer> {
  const named = await api.namedResources([options.resource]);
  demandMany(named[0], options.place);
  const known = await withHalves(named, clients);
  const { half, resource } = known[0]!;
  const stream = await new Tunnel(client, credential, key, options).open(signal);
  // How it breaks off is told by what is read of it.
  stream.on('error', () => undefined);
  const leave = () => stream.destroy();
  signal?.addEventListener('abort', leave, { once: true });
  try {
    if (operation !== undefined) return await half.askAhead(stream, resource, operation);
    leave();
    return { approval: undefined };
  } finally {
    signal?.removeEventListener('abort', leave);
  }
}
