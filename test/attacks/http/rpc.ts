/** How messages of JSON-RPC are sent in attacks. */
import { mcpAnswers } from '../../support/http/mcp-upstream.ts';
import { head, type Message } from '../../support/http/messages.ts';
import { type RawHttp, statusOf } from '../../support/http/raw-http.ts';
import { must } from '../attack.ts';
import { servesOn } from './attack.ts';
import type { HttpWorld } from './world.ts';

export interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly type?: string;
  readonly lines?: readonly string[];
}

export function octetsOf(auth: string, body: string | Buffer, sent: Sent = {}): Buffer {
  const { path = '/mcp', method = 'POST', type = 'application/json', lines = [] } = sent;
  const octets = Buffer.from(body);
  const ofBody = octets.length === 0 ? [] : [`Content-Type: ${type}`, `Content-Length: ${octets.length}`];
  return Buffer.concat([
    Buffer.from(head(`${method} ${path} HTTP/1.1`, 'Host: localhost', auth, ...ofBody, ...lines), 'latin1'),
    octets,
  ]);
}

export async function told(client: RawHttp, octets: Buffer): Promise<Message> {
  client.send(octets);
  const [first] = await client.answered();
  must(first !== undefined, 'no answer came');
  return first;
}

/** It goes nowhere, and whoever sent it is told so; what is honest goes on. */
export async function isRefused(world: HttpWorld, octets: Buffer, status: readonly number[]): Promise<void> {
  const before = world.upstream.octets.length;
  const got = await told(await world.through(), octets);
  must(world.upstream.octets.length === before, 'the target was sent something');
  must(status.includes(statusOf(got)), `answered with ${statusOf(got)}: ${got.body.toString()}`);
  must(/"(?:error|rule)":/.test(got.body.toString()), `no refusal: ${got.body.toString()}`);
  await servesOn(world);
}

export const message = (method: string, params: object, more: object = { id: 1 }) => ({
  jsonrpc: '2.0',
  ...more,
  method,
  params,
});
export const call = (name: string, more?: object) => message('tools/call', { name, arguments: {} }, more);
export const text = JSON.stringify;
const OPENS = text(message('initialize', { protocolVersion: '2025-11-25', capabilities: {} }));
export const SESSION = 'Mcp-Session-Id: session-1';

/** A session that this client has opened. */
export async function opened(world: HttpWorld): Promise<void> {
  world.upstream.answer = mcpAnswers;
  const got = await told(await world.through(), octetsOf(world.authorization, OPENS));
  must(statusOf(got) === 200, 'no session was opened');
  const own = await told(
    await world.through(),
    octetsOf(world.authorization, text(call('search')), { lines: [SESSION] }),
  );
  must(statusOf(own) === 200, `dead: its opener is not let into it: ${own.start}`);
  world.upstream.clear();
  world.upstream.answer = mcpAnswers;
}
