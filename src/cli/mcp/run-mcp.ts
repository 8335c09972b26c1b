/**
 * `hoopctl mcp`: the server on standard input and output, from the first message to the end of the input.
 */
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { systemClock } from '../../core/clock.ts';
import { newId } from '../../core/ids/make.ts';
import type { Invocation } from '../command.ts';
import { onParentExit } from '../connect/parent-watch.ts';
import { VERSION } from '../version.ts';
import { gatewayChoice, runOf } from '../with-gateway.ts';
import { GatewayDesk } from './desk.ts';
import { makeServer } from './server.ts';

/** Octets of one message. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const MAX_NOTE_CHARS = 300;

/**
 * Serves until the client closes its end, or leaves. The gateway is asked for nothing before a tool is called: whoever starts
 * this does not wait for it, and learns of a missing login where it can be told.
 *
 * @returns 0 when the input has ended. @throws {Interrupted} A signal.
 */
export async function runMcp(invocation: Invocation): Promise<number> {
  const { io, options } = invocation;
  const { stdin, stdout } = io.streams;
  const writes = options['write'] === true;
  // All that an agent does with this server is one run, unless it is part of another.
  const run = runOf(io.env) ?? newId('run', systemClock.now());
  const desk = new GatewayDesk({ ...gatewayChoice(invocation), readOnly: !writes, run }, io.env);
  const stop = new AbortController();
  const server = makeServer({ desk, version: VERSION, writes, stop: stop.signal });
  if (stdin.isTTY)
    io.note('messages of the Model Context Protocol are expected here; see: hoopctl agent-guide');
  server.server.onerror = ({ message }) => io.note(message.slice(0, MAX_NOTE_CHARS));
  const ended = new Promise<void>((resolve) => {
    server.server.onclose = resolve;
    for (const event of ['end', 'close', 'error'] as const) stdin.once(event, () => resolve());
    for (const event of ['close', 'error'] as const) stdout.once(event, () => resolve());
    io.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const unwatch = onParentExit(io.parentPid, () => stop.abort());
  stop.signal.addEventListener('abort', () => stdin.destroy(), { once: true });
  try {
    await server.connect(new StdioServerTransport(stdin, stdout, { maxBufferSize: MAX_MESSAGE_BYTES }));
    await ended;
  } finally {
    unwatch();
    stop.abort();
    await server.close();
    desk.close();
  }
  io.signal.throwIfAborted();
  return 0;
}
