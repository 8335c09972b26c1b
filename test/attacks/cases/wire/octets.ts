/** What cases on bare octets share. */
import { readFileSync } from 'node:fs';
import { encodeStartup, PROTOCOL_3_0 } from '../../../../src/wire/postgres/startup.ts';
import { i32, raw, str } from '../../../support/postgres/messages.ts';
import { line, type RawClient, startupPacket } from '../../../support/postgres/raw-client.ts';
import type { Tunnel } from '../../../support/stack.ts';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import type { World } from '../../world.ts';

export const SSL = encodeStartup({ name: 'SSLRequest' });
export const GSS = encodeStartup({ name: 'GSSENCRequest' });
export const VERSION_3 = i32(PROTOCOL_3_0);

/** A startup packet with an honest length. */
export function packet(...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([i32(body.length + 4), body]);
}

/** Names and values of a startup packet, and its end. */
export const entries = (...words: string[]) => [...words.map(str), raw(0)];

/** Waits until the other end has closed. */
export async function closed(client: RawClient, what = 'the connection is still open'): Promise<void> {
  await eventually(
    what,
    () => client.closed,
    (yes) => yes,
    { withinMs: 15_000 },
  );
}

/** Sends octets in one segment, and gives all that came back until the other end closed. */
export async function exchange(world: World, octets: Buffer, at?: Tunnel): Promise<Buffer> {
  const client = await world.dial(at);
  client.send(octets);
  await closed(client);
  return client.received;
}

/** One octet, to a request for encryption. */
export async function octet(client: RawClient, request: Buffer): Promise<string> {
  const before = client.received.length;
  client.send(request);
  await eventually(
    'an answer of one octet',
    () => client.received.length > before || client.closed,
    (yes) => yes,
  );
  return client.received.subarray(before).toString('latin1');
}

/** The SQLSTATE of the error in some octets; empty if there is none. */
export function sqlstateIn(received: Buffer): string {
  const text = received.toString('latin1');
  return /C([0-9A-Z]{5})\0/.exec(text.slice(Math.max(0, text.indexOf('E'))))?.[1] ?? '';
}

/** That a packet begins a login, where nothing is wrong with it: an attack with it is live. */
export async function mustBegin(world: World, at: Tunnel = world.target): Promise<void> {
  const client = await world.dial(at);
  client.send(startupPacket(at));
  const first = await client.next();
  must(first?.name === 'Authentication', `dead: no login begins: ${first === undefined ? '' : line(first)}`);
}

/** Logins as hoopd's sessions that the target has logged so far; the catalog's own connection says who it is. */
function targetLogins({ stack }: World): number {
  const log = readFileSync(stack.postgres.logFile, 'utf8');
  const logins = log.match(/connection authorized: user=hoop .*/g) ?? [];
  return logins.filter((login) => !login.includes('application_name=hoopd catalog')).length;
}

/** Nothing reaches the target meanwhile: no login of a session. */
export async function unseen(world: World, act: () => Promise<void>): Promise<void> {
  const before = targetLogins(world);
  await act();
  const after = targetLogins(world);
  must(after === before, `the target saw ${after - before} logins`);
}
